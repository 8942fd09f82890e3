"""What trades on one account: a strategy over its lanes, or an intraday and a swing strategy that take turns.

The swing strategy of ``both`` decides on days gathered from the very minutes the intraday strategy trades, once the
session's last of them is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trading.core.gathering import days_of
from trading.core.panel import LaneBars, LaneSpec
from trading.core.rolls import rolled
from trading.core.rules import Setup
from trading.core.simulation import Desk, Schedule
from trading.services import calendar as calendars
from trading.services import markets, runs, scoring
from trading.services.engine import Engine
from trading.services.students import Seat
from trading.services.tapes import Tape, TwoTapes


@dataclass(frozen=True, slots=True)
class Half:
    """One strategy of an account, its setup and the lanes it trades."""

    name: str
    setup: Setup
    lanes: list[LaneBars]

    @property
    def desk(self) -> Desk:
        """Return it as the backtester takes it."""
        return Desk(self.name, self.setup, rolled(self.lanes))


def load(order: runs.Ordered, wanted: markets.Wanted, *, at: dt.datetime) -> list[Half]:
    """Return the strategies of a run over its bars; Invalid names a parameter that cannot be."""
    setups = runs.setups_of(order, wanted)
    minutes = markets.lanes(wanted, at=at)
    return [Half(name, setup, minutes if k == 0 else _daily(minutes)) for k, (name, setup) in enumerate(setups)]


def _daily(lanes: Sequence[LaneBars]) -> list[LaneBars]:
    return [days_of(lane, calendar=calendars.current()) for lane in lanes]


def every_lane(halves: Sequence[Half]) -> list[LaneBars]:
    """Return the lanes of all of them, in the order of the account's lanes."""
    return [lane for half in halves for lane in half.lanes]


def names(halves: Sequence[Half]) -> list[str]:
    """Return the strategy of each of the account's lanes."""
    return [half.name for half in halves for _ in half.lanes]


def told(halves: Sequence[Half], seats: Sequence[Seat]) -> list[Half]:
    """Return them with what the champion among ``seats`` says of their entries."""
    return [replace(half, lanes=scoring.told(half.name, half.setup, half.lanes, seats)) for half in halves]


def tape(order: runs.Ordered, wanted: markets.Wanted, *, at: dt.datetime) -> Tape:
    """Return the recorded bars of a run as its engine meets them."""
    return tape_of([half.lanes for half in load(order, wanted, at=at)])


def tape_of(lanes: Sequence[Sequence[LaneBars]]) -> Tape:
    """Return the tape of one strategy's lanes, or of two strategies'."""
    return Tape(lanes[0]) if len(lanes) == 1 else TwoTapes(*lanes)


def engine(
    halves: Sequence[tuple[str, Setup]], specs: Sequence[LaneSpec], *, capital: float, charges: Schedule
) -> Engine:
    """Return the engine that trades ``halves`` over the lanes of a tape made for them."""
    (name, setup), *more = halves
    if not more:
        return Engine(name, setup, specs, capital=capital, charges=charges)
    each = len(specs) // len(halves)
    beside = [(*half, specs[k * each : (k + 1) * each]) for k, half in enumerate(more, start=1)]
    return Engine(name, setup, specs[:each], capital=capital, charges=charges, beside=beside)
