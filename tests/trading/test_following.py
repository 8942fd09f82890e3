"""A dry run over files follows the day as they grow, and reads them no oftener than something can be new in them."""

import datetime as dt

import pytest

from tests.trading.bar_files import minutes, write
from trading.services import markets
from trading.services.following import WARM_SESSIONS, FollowTape
from trading.services.tapes import epoch_day

pytestmark = pytest.mark.django_db
DAY, BEFORE = dt.date(2026, 11, 20), dt.date(2026, 11, 2)
IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
LATE = dt.timedelta(seconds=3)  # whoever writes the files needs that long after a bar's end


class Counted(FollowTape):
    """A tape that counts how often it reads the source of the day."""

    looks = 0

    def _fresh(self, day):
        self.looks += 1
        return super()._fresh(day)


class Exchange:
    """A folder of five-minute bars that grows with its clock, a quarter of a second at a time."""

    def __init__(self, folder, begin, end):
        self.folder, self.at, self.end = folder, begin, end
        self.rows = minutes(BEFORE, DAY, step=5)
        self.written = -1

    def clock(self):
        return self.at

    def rest(self):
        self.at += dt.timedelta(seconds=0.25)
        self.write()
        return self.at < self.end

    def write(self):
        known = self.at.replace(tzinfo=None) - LATE - dt.timedelta(minutes=5)
        rows = [row for row in self.rows if row.time <= known]
        if len(rows) != self.written:
            self.written = len(rows)
            write(self.folder / "AAA" / "5minute" / "AAA.csv", rows)

    def tape(self):
        self.write()
        wanted = markets.want(str(self.folder), ["AAA"], "5minute", DAY, DAY, today=DAY)
        return Counted(wanted, clock=self.clock, rest=self.rest)


def test_each_bar_is_given_out_within_two_seconds_of_being_written_and_files_are_read_seldom(tmp_path):
    begin, end = dt.datetime(2026, 11, 20, 10, 1, tzinfo=IST), dt.datetime(2026, 11, 20, 10, 11, 30, tzinfo=IST)
    exchange = Exchange(tmp_path, begin, end)
    tape = exchange.tape()
    given = {ts: exchange.at for ts, _ in tape.moments(epoch_day(DAY))}
    ends = {dt.datetime.fromtimestamp(ts + 300, IST): at for ts, at in given.items()}
    awaited = [dt.datetime(2026, 11, 20, 10, minute, tzinfo=IST) for minute in (5, 10)]
    assert [*ends][-2:] == awaited
    assert max(ends[each] - each - LATE for each in awaited) <= dt.timedelta(seconds=2)
    quarters = (end - begin).total_seconds() * 4
    assert tape.looks < quarters / 30  # it looked at every quarter of a second once


def test_what_was_complete_when_the_tape_began_comes_at_once_and_in_order(tmp_path):
    begin = dt.datetime(2026, 11, 20, 10, 1, tzinfo=IST)
    exchange = Exchange(tmp_path, begin, begin + dt.timedelta(seconds=1))
    tape = exchange.tape()
    given = [(ts, [lane for lane, _ in rows]) for ts, rows in tape.moments(epoch_day(DAY))]
    first = dt.datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp()
    assert given == [(first + 300 * k, [0]) for k in range(9)]
    days = [row.time.date() for row in exchange.rows]
    warm = sorted({*days} - {DAY})[-WARM_SESSIONS:]
    assert len(tape.before_today(0)) == sum(day in warm for day in days)
