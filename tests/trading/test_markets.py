"""Where bars come from: wishes are checked before anything is read, and both sources give lanes."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from sensequant.lib.errors import BadInput, NotFound
from tests.trading import masters
from tests.trading.bar_files import minutes, write
from tests.trading.desks import NOON, TODAY, WEEK, one_lane
from trading.core.errors import Invalid
from trading.models import Instrument
from trading.services import instruments, markets, ticks

pytestmark = pytest.mark.django_db


def want(symbols=("DEMOBANK",), interval="5minute", start=WEEK[0], end=WEEK[1], source="demo"):
    return markets.want(source, symbols, interval, start, end, today=TODAY)


def test_symbols_are_capitals_once_each_in_the_order_given():
    assert want([" demotech ", "DEMOBANK", "DemoTech", " "]).symbols == ("DEMOTECH", "DEMOBANK")


@pytest.mark.parametrize(("alias", "name"), [("5m", "5minute"), ("1d", "1day"), ("1minute", "1minute")])
def test_intervals_have_short_names(alias, name):
    assert want(interval=alias).interval == name
    assert want(interval="15m").minutes == 15


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": WEEK[1], "end": WEEK[0]}, "lies after the end"),
        ({"start": TODAY + dt.timedelta(1), "end": TODAY + dt.timedelta(9)}, "lies in the future"),
        ({"symbols": ["", " "]}, "no symbol"),
        ({"symbols": ["RELIANCE"]}, "not a demo instrument"),
        ({"interval": "7minute"}, "7minute"),
    ],
)
def test_a_wish_that_can_not_be_is_refused_in_words(wrong, words):
    with pytest.raises((BadInput, Invalid), match=words):
        want(**wrong)


def test_lanes_come_in_the_order_of_their_names():
    found = markets.lanes(want(["DEMOTECH", "DEMOBANK"]), at=NOON)
    assert [lane.spec.symbol for lane in found] == ["DEMOBANK", "DEMOTECH"]


def test_the_demo_lane_has_its_tick_segment_and_news():
    (found,) = markets.lanes(want(["DEMOFIN"]), at=NOON)
    assert (found.spec.tick, found.spec.segment) == (0.10, "equity_fno")
    known = one_lane("DEMOFIN", *WEEK)
    assert (found.bars.close == known.bars.close).all()
    assert np.array_equal(found.sentiment, known.sentiment, equal_nan=True)


def test_a_span_without_a_session_is_not_found():
    sunday = dt.date(2026, 11, 15)
    with pytest.raises(NotFound, match="no session"):
        markets.lanes(want(start=sunday, end=sunday), at=NOON)


def test_the_demo_market_has_its_symbols_and_a_folder_has_its_own(tmp_path):
    write(tmp_path / "ACME_5m.csv", minutes(*WEEK, 5))
    assert "DEMOBANK" in markets.every_symbol("demo", "5minute", at=NOON)
    assert markets.every_symbol(str(tmp_path), "5minute", at=NOON) == ["ACME"]
    assert (markets.label("demo"), markets.label(str(tmp_path))) == ("DEMO", "")


def test_a_known_instrument_gives_tick_and_lot_an_unknown_one_the_tick_its_prices_are_on(tmp_path):
    write(tmp_path / "ACME_5m.csv", minutes(*WEEK, 5))
    wanted = want(["ACME"], source=str(tmp_path))
    (guessed,) = markets.lanes(wanted, at=NOON)
    assert (guessed.spec.tick, guessed.spec.lot) == (0.01, 1)
    Instrument.objects.create(symbol="ACME", name="Acme", tick="0.05", lot=25)
    (known,) = markets.lanes(wanted, at=NOON)
    assert (known.spec.tick, known.spec.lot) == (0.05, 25)


@pytest.mark.parametrize(("prices", "tick"), [([100.05, 99.9, 7.0], 0.05), ([100.05, 99.91], 0.01), ([0.05], 0.05)])
def test_a_tick_is_five_paise_when_all_prices_lie_on_it(prices, tick):
    assert markets.tick_of(np.array(prices)) == tick


def test_a_file_with_errors_is_refused_unless_its_sound_rows_are_wanted(tmp_path):
    rows = minutes(*WEEK, 5)
    rows[10] = type(rows[10])(rows[10].time, 500, 490, 495, 500)
    write(tmp_path / "ACME_5m.csv", rows)
    wanted = want(["ACME"], source=str(tmp_path))
    with pytest.raises(BadInput, match="374 sound rows: --sound-rows"):
        markets.lanes(wanted, at=NOON)
    bold = markets.want(str(tmp_path), ["ACME"], "5minute", *WEEK, today=TODAY, sound_rows=True)
    (lane,) = markets.lanes(bold, at=NOON)
    assert len(lane.bars) == 374


def test_the_default_tick_of_a_share_the_master_brought_gives_way_to_the_bars(tmp_path):
    write(tmp_path / "TCS_5m.csv", minutes(*WEEK, 5))
    wanted = want(["TCS"], source=str(tmp_path))
    instruments.load(masters.archive(*masters.SHARES), at=NOON, source="test")
    assert markets.lanes(wanted, at=NOON)[0].spec.tick == 0.01
    ticks.set_ticks(at=NOON, closes={"TCS": Decimal(3000)})
    assert markets.lanes(wanted, at=NOON)[0].spec.tick == 0.10
