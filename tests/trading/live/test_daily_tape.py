"""Swing trading live: a day's minutes are one bar, decided on at the close or a few minutes before it, once."""

import datetime as dt
import math

import pytest

from sensequant.lib.clock import IST
from trading.core.bars import empty
from trading.core.calendar import NSE
from trading.core.features import Bar
from trading.core.panel import LaneSpec, lane
from trading.services.daily_tape import DailyTape, gathered
from trading.services.tapes import Tape, epoch_day

pytestmark = pytest.mark.django_db
DAY = dt.date(2024, 1, 2)
NUMBER = epoch_day(DAY)
OPEN = int(dt.datetime.combine(DAY, dt.time(9, 15), IST).timestamp())
START = NUMBER * 86_400 - 19_800


def minute(n, price):
    """The session's nth minute: it opens and closes at ``price`` and swings by one."""
    return Bar(price, price + 1, price - 1, price, 100.0, math.nan, DAY.toordinal(), n, 374 - n, OPEN + 60 * n)


class Minutes:
    """A followed market whose minutes are known; ``before`` were given out in an earlier life."""

    specs = (LaneSpec("RELIANCE"),)
    live = None

    def __init__(self, bars, before=()):
        self.bars, self.given = bars, list(before)

    def today(self):
        return DAY

    def bars_of(self, lane, day):
        return [*self.given]

    def moments(self, day):
        for bar in self.bars:
            yield bar.ts, [(0, bar)]


def tape(bars, *, early=0, before=()):
    past = Tape([lane(LaneSpec("RELIANCE"), empty(), 1440, calendar=NSE)])
    return DailyTape(Minutes(bars, before), past, early=early)


def test_a_days_minutes_are_one_bar_given_out_once_at_the_close():
    found = list(tape([minute(n, 100.0 + n) for n in range(375)]).moments(NUMBER))
    ((ts, ((number, bar),)),) = found
    assert (ts, number, bar.ts) == (START, 0, START)
    assert (bar.open, bar.high, bar.low, bar.close) == (100.0, 475.0, 99.0, 474.0)
    assert (bar.volume, bar.session, bar.left) == (37_500.0, DAY.toordinal(), 0)


def test_one_that_decides_early_sees_nothing_of_the_last_minutes():
    ((_, ((_, bar),)),) = list(tape([minute(n, 100.0 + n) for n in range(375)], early=10).moments(NUMBER))
    assert bar.close == 100.0 + 364


def test_the_market_is_followed_to_its_close_after_an_early_decision():
    seen = []
    market = tape([minute(n, 100.0) for n in range(375)], early=30)
    for ts, _ in market.moments(NUMBER):
        seen.append(ts)
    assert seen == [START]


def test_after_a_restart_the_minutes_of_the_earlier_life_still_count():
    before = [minute(n, 100.0) for n in range(200)]
    after = [minute(n, 50.0) for n in range(200, 375)]
    ((_, ((_, bar),)),) = list(tape(after, before=before).moments(NUMBER))
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (100.0, 101.0, 49.0, 50.0, 37_500.0)


def test_a_day_that_was_decided_on_is_not_decided_on_again():
    again = tape([minute(n, 100.0) for n in range(200, 375)], before=[minute(n, 100.0) for n in range(200)])
    again.after = START
    assert list(again.moments(NUMBER)) == []
    assert [bar.ts for bar in again.bars_of(0, NUMBER)] == [START]


def test_a_day_without_a_trade_decides_nothing_and_unknown_volume_stays_unknown():
    assert list(tape([]).moments(NUMBER)) == []
    assert gathered([], START) is None
    one = minute(0, 100.0)._replace(volume=math.nan)
    assert math.isnan(gathered([one, minute(1, 100.0)], START).volume)
