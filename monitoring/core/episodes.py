"""The life of an alert: pending, firing, resolved. One function moves it by one look at what it watches.

An episode begins when its rule holds and ends when it no longer does. Suppression, silence and acknowledgement keep
quiet; they never keep an episode from being seen, recorded or acted upon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from monitoring.core.levels import Severity
from monitoring.core.rules import Rule

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
FLAPS: Final = 4  # firings …
FLAP_SPAN: Final = 1_800.0  # … within so many seconds are flapping
FLAP_KEEP: Final = 600.0  # and keep an episode open this long after it last held


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule's measure says of one group now; no ``value`` is no data, ``error`` says why it could not be read."""

    value: float | None
    context: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """Where one episode stands; moments are seconds UTC."""

    status: str
    severity: Severity
    since: float  # pending since
    held_at: float  # the last look at which it held
    fired_at: float | None = None
    resolved_at: float | None = None
    value: float | None = None
    no_data: bool = False
    error: str = ""
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """A rule's thresholds as numbers."""

    threshold: float
    critical_at: float | None = None


def step(
    rule: Rule, limits: Limits, episode: Episode | None, reading: Reading | None, *, at: float, firings: int = 0
) -> Episode | None:
    """Return the episode after one look; None while there is nothing to say.

    ``reading`` is None when nothing is known of the group any more. ``firings`` counts the earlier episodes that
    fired within the flapping span.
    """
    if reading is None or reading.value is None:
        return _without(rule, episode, reading, at=at)
    clear_at = limits.threshold * rule.clear_share
    begun = episode is not None and episode.status == FIRING
    holds = reading.value >= (clear_at if begun else limits.threshold)
    if not holds:
        return _over(rule, episode, reading, at=at)
    severity = _severity(rule, limits, reading.value)
    return _held(rule, episode, severity, at=at, reading=reading, firings=firings, patience=rule.hold_for)


def _severity(rule: Rule, limits: Limits, value: float) -> Severity:
    if limits.critical_at is not None and value >= limits.critical_at:
        return Severity.CRITICAL
    return rule.severity


def _without(rule: Rule, episode: Episode | None, reading: Reading | None, *, at: float) -> Episode | None:
    """Go on without data: an error always waits and then fires, missing data only where the rule says so."""
    error = reading.error if reading else ""
    if not error and (rule.no_data == "ok" or reading is None):
        return _over(rule, episode, reading, at=at)
    told = reading or Reading(None)
    found = _held(rule, episode, rule.severity, at=at, reading=told, firings=0, patience=rule.no_data_for)
    return replace(found, no_data=not error, error=error)


def _held(
    rule: Rule, episode: Episode | None, severity: Severity, *, at: float, reading: Reading, firings: int,
    patience: float,
) -> Episode:  # fmt: skip
    if episode is None or episode.status == RESOLVED:
        episode = Episode(PENDING, severity, since=at, held_at=at)
    found = replace(episode, severity=severity, held_at=at, value=reading.value, no_data=False, error="")
    if found.status == PENDING and at - found.since >= patience:
        found = replace(found, status=FIRING, fired_at=at, flapping=firings + 1 >= FLAPS)
    return found


def _over(rule: Rule, episode: Episode | None, reading: Reading | None, *, at: float) -> Episode | None:
    if episode is None or episode.status == RESOLVED:
        return None
    value = reading.value if reading else None
    if episode.status == PENDING:
        return replace(episode, status=RESOLVED, resolved_at=at, value=value)
    keep = max(rule.keep_for, FLAP_KEEP) if episode.flapping else rule.keep_for
    if at - episode.held_at < keep:
        return replace(episode, value=value)
    return replace(episode, status=RESOLVED, resolved_at=at, value=value, no_data=False, error="")
