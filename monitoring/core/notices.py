"""Whether somebody must be told now, and why: the one place where quiet is decided.

Reasons are those of Alertmanager's needsUpdate (first, repeat, resolved), and what it lacks: an acknowledgement or a
silence that ended is said at once, a severity that rose breaks through both.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.core.episodes import FIRING, RESOLVED
from monitoring.core.levels import Severity, worse
from monitoring.core.rules import Rule

FIRST, RAISED, AGAIN, OVER = "first", "severity raised", "still firing", "resolved"
ACK_OVER, SILENCE_OVER, CAUSE_OVER = "acknowledgement ended", "silence ended", "cause is over, this is not"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether an episode is told; moments are seconds UTC."""

    status: str
    severity: Severity
    told_at: float | None = None  # the last message about this episode
    told_severity: Severity | None = None
    before_at: float | None = None  # the last message about an earlier episode of the same rule and group
    acked: bool = False
    ack_ended: str = ""  # how an acknowledgement ended since the last message, in words
    silenced: bool = False
    silence_ended: str = ""
    inhibited: bool = False
    inhibition_ended: bool = False


def due(rule: Rule, now: Standing, *, at: float) -> str:
    """Return why somebody must be told, or an empty text."""
    if now.status == RESOLVED:
        return OVER if now.told_at is not None else ""
    if now.status != FIRING or now.inhibited:
        return ""
    if now.told_at is not None and now.told_severity is not None and worse(now.severity, now.told_severity):
        return "" if _quiet(rule, now) else RAISED
    if _quiet(rule, now) or now.acked:
        return ""
    return _first(rule, now, at=at) if now.told_at is None else _again(rule, now, at=at)


def _quiet(rule: Rule, now: Standing) -> bool:
    return now.silenced and not rule.never_suppress


def _first(rule: Rule, now: Standing, *, at: float) -> str:
    if now.silence_ended:
        return f"{SILENCE_OVER}: {now.silence_ended}"
    within = now.before_at is not None and at - now.before_at < rule.window
    return "" if within and not rule.never_suppress else FIRST


def _again(rule: Rule, now: Standing, *, at: float) -> str:
    if now.ack_ended:
        return f"{ACK_OVER}: {now.ack_ended}"
    if now.silence_ended:
        return f"{SILENCE_OVER}: {now.silence_ended}"
    if now.inhibition_ended:
        return CAUSE_OVER
    told = now.told_at if now.told_at is not None else at
    return AGAIN if at - told >= rule.repeat else ""
