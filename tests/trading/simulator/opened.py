"""A simulated venue without a server: the same floor, desk and journal, on a clock that a test holds in its hand."""

import datetime as dt

import numpy as np

from tests.simulators import on_grid
from tests.trading.bar_files import days, minutes
from trading.adapters.simulator.entrance import Credentials
from trading.adapters.simulator.listing import Trait
from trading.adapters.simulator.opening import Setup, open_venue
from trading.core.bars import Bars
from trading.core.calendar import IST, NSE

MONDAY = dt.date(2026, 11, 23)
WALL = 1_795_000_000.0
JOURNALS = []


def bars(rows):
    """Return rows of a bar file as columns."""
    ts = [int(row.time.replace(tzinfo=IST).timestamp()) for row in rows]
    prices = ([getattr(row, name) for row in rows] for name in ("open", "high", "low", "close"))
    volume = [np.nan if row.volume is None else row.volume for row in rows]
    return Bars(np.array(ts, np.int64), *(np.array(each, float) for each in (*prices, volume)))


def gentle(start=MONDAY, end=MONDAY, *, step=1, level=1400.0):
    """Return gentle bars of ``step`` minutes, or of days when that is 1440."""
    rows = days(start, end, level) if step >= 1440 else minutes(start, end, step, level)
    return bars([on_grid(row) for row in rows])


def opened(recorded=None, *, step=1, dates=(MONDAY,), at="10:00", segment="equity", speed=0.0, wall=None, **more):
    """Return a venue that lists RELIANCE, or the symbols of ``recorded``."""
    shares = recorded or {"RELIANCE": gentle(step=step)}
    hand = wall or [WALL]
    venue = open_venue(
        Setup(
            [Trait(name, segment=segment) for name in shares], shares, step, list(dates), NSE,
            Credentials("key", "secret"), lambda: hand[0], lambda: hand[0], "http://127.0.0.1:8000/back",
            speed=speed, at=dt.time.fromisoformat(at), **more,
        )
    )  # fmt: skip
    venue.hand = hand
    JOURNALS.append(venue.desk.journal)
    return venue


def close():
    """Close every journal that is still open."""
    while JOURNALS:
        JOURNALS.pop().close()
