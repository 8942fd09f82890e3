"""The students beside an engine: each decision to enter is shown to them; the champion's word goes into the bar.

The engine asks at the moment of deciding, the backtester beforehand (``told``): the same rows, the same words.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sensequant.lib.logs import get_logger
from trading.core.features import Bar
from trading.core.kernel import kernel
from trading.core.panel import NOTHING, Floats, LaneBars
from trading.core.rules import Setup
from trading.core.signals import LONG, SHORT
from trading.core.strategies import strategy
from trading.core.student_rows import row_maker
from trading.services import students
from trading.services.engine import Engine, Judges
from trading.services.students import CHAMPION, Seat
from trading.services.tapes import bars_between

log = get_logger("students")


class Scored(NamedTuple):
    """What one student said of one decision; ``threshold`` is the chance from which it is acted upon."""

    lane: int
    ts: int
    seat: int
    version: str
    champion: bool
    direction: int
    chance: float
    threshold: float
    inputs: tuple[float, ...]


@dataclass(slots=True)
class _Sitting:
    seat: Seat
    make: Any  # from a bar and its feature row to the student's own row


class Council:
    """The students of one engine; a student that fails is left out from then on, and the desk trades without it."""

    def __init__(self, seats: Sequence[Seat], name: str, setup: Setup) -> None:
        """Seat students over decisions of strategy ``name``; one that needs what it cannot be given is left out."""
        self.threshold = setup.rules.min_student
        self._found: list[Scored] = []
        self._sitting: list[_Sitting] = []
        self.refused: dict[str, str] = {}
        self.fallen = ""  # why the champion is left out; empty while it is not
        for seat in seats:
            try:
                self._sitting.append(_Sitting(seat, row_maker(seat.scorer, name, setup)))
            except ValueError as error:
                self._refuse(seat, error)

    @property
    def champion(self) -> Seat | None:
        """Return the student whose word counts; None when the desk trades without one."""
        return next((each.seat for each in self._sitting if each.seat.role == CHAMPION), None)

    def word(self, lane: int, bar: Bar, f: Any, direction: int) -> float:
        """Return the champion's word on an entry (see ``Bar.student``), NaN without one; all students are heard."""
        word = math.nan
        for each in tuple(self._sitting):
            seat = each.seat
            try:
                row = each.make(bar, f)
                said = seat.scorer.score(row)
                chance = said.p_long if direction == LONG else said.p_short
                if not 0.0 <= chance <= 1.0:
                    raise ValueError(f"a chance of {chance}")  # caught below: the student is left out
            except Exception as error:  # whatever it is, the desk goes on without this student
                log.exception("a student failed", version=seat.scorer.version, error=str(error))
                self._sitting.remove(each)
                self._refuse(seat, error)
                continue
            head = seat.role == CHAMPION
            self._found.append(
                Scored(lane, bar.ts, seat.row, seat.scorer.version, head, direction, chance, self.threshold, tuple(row))
            )
            if head:
                word = direction * chance
        return word

    def drain(self) -> tuple[Scored, ...]:
        """Return what was said since the last time."""
        found = tuple(self._found)
        self._found.clear()
        return found

    def _refuse(self, seat: Seat, error: Exception) -> None:
        self.refused[seat.scorer.version] = str(error)
        if seat.role == CHAMPION:
            self.fallen = str(error) or type(error).__name__
        log.error("a student is left out", version=seat.scorer.version, role=seat.role, error=str(error))


class Councils:
    """The students of an engine with several strategies, each heard about the lanes of its own."""

    def __init__(self, by_lane: Sequence[Council]) -> None:
        """Ask the council of each lane."""
        self._by_lane = by_lane
        self._all = list({id(each): each for each in by_lane}.values())

    @property
    def fallen(self) -> str:
        """Return why a champion is left out; empty while none is."""
        return next((each.fallen for each in self._all if each.fallen), "")

    def word(self, lane: int, bar: Bar, f: Any, direction: int) -> float:
        """Return the word of the lane's champion."""
        return self._by_lane[lane].word(lane, bar, f, direction)

    def drain(self) -> tuple[Scored, ...]:
        """Return what was said since the last time."""
        return tuple(said for each in self._all for said in each.drain())


def seated(engine: Engine, seats: Sequence[Seat]) -> Judges | None:
    """Return the students that score the decisions of an engine; None when there are none."""
    if not seats:
        return None
    found: dict[str, Council] = {}
    for each in engine.seats:
        if each.name not in found:
            found[each.name] = Council(seats, each.name, each.setup)
    return found[engine.name] if len(found) == 1 else Councils([found[each.name] for each in engine.seats])


def council_of(engine: Engine, *, at: dt.datetime) -> Judges | None:
    """Return the students that score an engine's decisions now, what is left out told; None when there are none."""
    judges = seated(engine, students.wanted(at))
    if judges is not None:
        tell(judges, at=at)
    return judges


def tell(judges: Judges, *, at: dt.datetime) -> None:
    """Say by a Condition that the champion was left out, if it was; the desk trades on without it."""
    if judges.fallen:
        students.trades_without(judges.fallen, at=at)


def told(name: str, setup: Setup, lanes: Sequence[LaneBars], seats: Sequence[Seat]) -> list[LaneBars]:
    """Return the lanes with what the champion among ``seats`` would say of every entry the strategy has in mind."""
    judges = Council([seat for seat in seats if seat.role == CHAMPION], name, setup)
    if judges.champion is None:
        return list(lanes)
    return [replace(lane, student=_words(name, setup, lane, judges)) for lane in lanes]


def _words(name: str, setup: Setup, lane: LaneBars, judges: Council) -> Floats:
    core = kernel(name, compiled=False)
    memory, ints = [0.0] * strategy(name).MEMORY, [0] * 32
    words = np.full(len(lane.bars), math.nan)
    for i, bar in enumerate(bars_between(lane, 0, len(lane.bars))):
        f = core.look(bar, memory, ints, setup)
        ints[0] = i + 1
        direction = core.decide(f, 0, setup.params).direction
        if direction in (LONG, SHORT):
            words[i] = judges.word(0, bar, f, direction)
    judges.drain()
    return words if np.isfinite(words).any() else NOTHING
