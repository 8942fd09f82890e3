"""A scenario: faults and turns of the market, at moments written down beforehand."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensequant.lib.errors import BadInput
from trading.adapters.simulator import control
from trading.adapters.simulator.venue import Venue
from trading.core.errors import Invalid
from trading.core.exchange.faults import COMMON, FAULTS, Faults

FIX = 'write a list of {"at": "10:00:00" or "after": seconds, "fault": name, …} or {…, "control": {"clock": {…}}}'
TURNS = {"clock": control.clock, "order": control.order, "market": control.market, "session": control.session,
         "holding": control.holding, "clear": control.switch_off}  # fmt: skip
LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Step:
    """One step: due at a time of the market's day, or so many seconds of wall time after the start."""

    at: dt.time | None
    after: float
    fault: str
    told: dict[str, Any]


def read(path: Path) -> list[Step]:
    """Return the steps of a file; BadInput names the file, the step and what is wrong with it."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", fix="name a JSON file") from None
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}", fix=FIX) from None
    if not isinstance(rows, list):
        raise BadInput(f"{path} is not a list", fix=FIX)
    return [_step(path, number, row) for number, row in enumerate(rows, 1)]


def _step(path: Path, number: int, row: Any) -> Step:
    try:
        return _read(row)
    except (Invalid, ValueError, TypeError) as error:
        raise BadInput(f"{path}, step {number}: {error}", fix=FIX) from None


def _read(row: Any) -> Step:
    if not isinstance(row, dict) or ("at" in row) == ("after" in row) or ("fault" in row) == ("control" in row):
        raise Invalid("it needs one of at and after, and one of fault and control")
    told = dict(row)
    at = dt.time.fromisoformat(str(told.pop("at"))) if "at" in told else None
    after = float(told.pop("after", 0.0))
    if "fault" in told:
        fault = str(told.pop("fault"))
        Faults().on(fault, told)
        return Step(at, after, fault, told)
    turn = told.pop("control")
    if told or not isinstance(turn, dict) or len(turn) != 1 or set(turn) - set(TURNS):
        raise Invalid(f"control takes one of {', '.join(TURNS)}")
    return Step(at, after, "", turn)


async def play(venue: Venue, steps: Sequence[Step], tell: Any) -> None:
    """Take every step when it is due; ``tell`` hears what a step that cannot be taken ran into."""
    start = venue.monotonic()
    left = list(steps)
    while left:
        for step in [each for each in left if _due(venue, each, start)]:
            left.remove(step)
            try:
                _take(venue, step)
            except Exception as error:  # noqa: BLE001 - told, whatever it is; the market goes on
                tell(f"a step of the scenario could not be taken: {error}")
        await venue.rest(LOOK)


def _due(venue: Venue, step: Step, start: float) -> bool:
    if step.at is None:
        return venue.monotonic() - start >= step.after
    return venue.floor.at.time() >= step.at


def _take(venue: Venue, step: Step) -> None:
    if step.fault:
        venue.strike(step.fault, step.told)
        return
    for name, told in step.told.items():
        TURNS[name](venue, dict(told))


__all__ = ["COMMON", "FAULTS", "Step", "play", "read"]
