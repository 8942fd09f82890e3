"""The watch over a fresh release: a verdict a measure, what follows by rule, and when it is over.

A measure succeeds, fails, or says nothing (too few samples, or a drop that chance alone would often bring). What fails
reduces the desk or rolls the release back; what says nothing holds the watch open and somebody is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

SUCCESS, FAILURE, INCONCLUSIVE, IDLE = "success", "failure", "inconclusive", "idle"
NONE, HOLD, REDUCE, ROLLBACK = "none", "hold", "reduce", "rollback"
RANKS: Final[Mapping[str, int]] = MappingProxyType({NONE: 0, HOLD: 1, REDUCE: 2, ROLLBACK: 3})
SESSIONS: Final = 2  # full sessions a watch lasts at least


class Measure(NamedTuple):
    """How a measure is judged: how many samples it needs, what its first failure does, and a failure that stays."""

    what: str
    needed: int
    first: str
    stays: str
    patience: int = 2  # failures in a row from which ``stays`` counts


MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({
    "integrity": Measure("files, parameters and student are the released ones", 1, ROLLBACK, ROLLBACK),
    "intraday_hit_ratio_drop": Measure("fall of the intraday hit ratio", 20, REDUCE, ROLLBACK),
    "intraday_sharpe_drop": Measure("fall of the intraday Sharpe ratio", 20, REDUCE, ROLLBACK),
    "swing_precision_drop": Measure("fall of the precision of swing entries", 5, REDUCE, ROLLBACK),
    "swing_max_drawdown": Measure("drawdown of swing trades", 5, REDUCE, ROLLBACK),
    "daily_loss_share": Measure("loss of the day as a share of its limit", 1, REDUCE, ROLLBACK),
    "reject_rate": Measure("share of orders the broker rejected", 20, REDUCE, ROLLBACK),
    "unknown_orders": Measure("orders without a clean answer", 1, REDUCE, REDUCE),
    "engine_failures": Measure("engines that failed", 1, REDUCE, ROLLBACK),
    "latency_ms": Measure("average latency", 20, HOLD, REDUCE),
    "drift": Measure("drift of the student's inputs", 1, HOLD, REDUCE),
})  # fmt: skip
LIMITS: Final[Mapping[str, float]] = MappingProxyType({
    "integrity": 1.0, "daily_loss_share": 0.5, "reject_rate": 0.05, "unknown_orders": 1.0, "engine_failures": 1.0,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What one measure says now; it fails from ``limit`` on. ``sure`` is false where chance may explain it."""

    name: str
    value: float | None
    samples: int
    limit: float
    sure: bool = True
    told: str = ""


class Verdict(NamedTuple):
    """One measure's word, and how often in a row it has failed, this time included."""

    name: str
    word: str
    value: float | None
    limit: float
    samples: int
    failures: int
    action: str
    told: str

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return dict(self._asdict())


def judge(reading: Reading, before: int) -> Verdict:
    """Return the verdict on a reading of a measure that failed ``before`` times in a row until now."""
    rule = MEASURES[reading.name]
    word: str = "success"
    if reading.value is None or reading.samples < rule.needed:
        word = "inconclusive"
    elif reading.value >= reading.limit:
        word = "failure" if reading.sure else "inconclusive"
    failures = before + 1 if word == "failure" else before if word == "inconclusive" else 0
    action: str = "hold" if word == "inconclusive" else "none"
    if word == "failure":
        action = rule.stays if failures >= rule.patience else rule.first
    return Verdict(
        reading.name, word, reading.value, reading.limit, reading.samples, failures, action, reading.told
    )  # fmt: skip


def overall(verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """Return the word and the action of a check: the gravest counts."""
    action = max((each.action for each in verdicts), key=lambda one: RANKS[one], default="none")
    words = {each.word for each in verdicts}
    word: str = "failure" if "failure" in words else "inconclusive" if "inconclusive" in words else "success"
    return (word, action) if verdicts else ("inconclusive", "hold")


def told(verdicts: Sequence[Verdict]) -> str:
    """Return in words what did not succeed."""
    return "; ".join(
        f"{MEASURES[each.name].what}: {_value(each)}" for each in verdicts if each.word in ("failure", "inconclusive")
    )


def _value(each: Verdict) -> str:
    if each.told:
        return each.told
    if each.word == "failure":
        return f"{each.value:.3g}, from {each.limit:g} on it fails ({each.samples} samples)"
    return f"{each.samples} samples, {MEASURES[each.name].needed} are needed"


class Progress(NamedTuple):
    """How far a watch is; what is missing keeps it open, in words."""

    hours_left: float
    sessions: int
    missing: tuple[str, ...]

    @property
    def over(self) -> bool:
        """Say whether nothing is missing."""
        return not self.missing


def progress(
    started: dt.datetime, ends: dt.datetime, closes: Sequence[dt.datetime], newest: str | None, *, at: dt.datetime
) -> Progress:  # fmt: skip
    """Return how far a watch is; ``closes`` are the ends of the sessions that began after it started.

    It is over once its hours and two full sessions are, and the newest check of a session succeeded.
    """
    left = max(0.0, (ends - at).total_seconds() / 3_600.0)
    full = sum(started <= close <= at for close in closes)
    missing = []
    if left > 0.0:
        missing.append(f"{left:.1f} hours")
    if full < SESSIONS:
        missing.append(f"{SESSIONS - full} full sessions")
    if newest != "success":
        missing.append("no check yet" if newest is None else f"the newest check is {newest}")
    return Progress(left, full, tuple(missing))
