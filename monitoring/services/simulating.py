"""What an alert would do: its message, its channels, its action. Nothing is changed unless a test message is wanted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitoring.adapters.words import Message, NotSent
from monitoring.core import episodes as life
from monitoring.core.rules import split
from monitoring.models import Episode
from monitoring.services import auditing, channels, facts, outbox, rulebook, silences
from sensequant.lib.errors import Failed

EXAMPLES: dict[str, Any] = {
    "daily_loss_pct": 5.2, "open_positions": 3, "breaker": 5.0, "told": "an example", "fix": "nothing",
    "low": 1.0, "high": 9.0, "count": 42, "ours": 10, "theirs": 8, "opens": "09:15", "mode": "live",
    "drop": 0.12, "limit": 0.1, "now": 0.58, "before": 0.7, "hours": 24, "trades": 60,
}  # fmt: skip


def simulate(name: str, *, by: str, at: dt.datetime, send: bool = False) -> dict[str, Any]:
    """Return how the rule would be told now; with ``send`` a test message really goes out. Invalid for no such rule.

    Failed names the channels that did not take the test message.
    """
    rule, group = split(name)
    each = next(one for one in rulebook.in_force() if one.rule.key == rule.key)
    level = max(each.limits.threshold, each.limits.critical_at or 0.0)
    row = Episode(
        rule=rule.key, group=group or "TEST", status=life.FIRING, severity=rule.severity, since=at, held_at=at,
        fired_at=at, value=level, threshold=each.limits.threshold, context=dict(EXAMPLES),
    )  # fmt: skip
    if each.limits.critical_at is not None:
        row.severity = "CRITICAL"
    row.message = message(each, row)
    body = outbox.told(rule, row, "first", at=at)
    quiet = silences.over(silences.in_force(at=at), row)
    found = {
        "rule": rule.key, "message": body, "channels": [*channels.of(row.severity)], "enabled": each.enabled,
        "now": _now(each, at), "silenced_by": str(quiet) if quiet else None, "pending_seconds": each.rule.hold_for,
        "window_seconds": each.rule.window, "repeat_seconds": each.rule.repeat, "inhibits": list(each.rule.inhibits),
        "action": each.rule.action, "sent": {},
    }  # fmt: skip
    if send:
        found["sent"] = _send(found, by=by, at=at)
    return found


def message(each: rulebook.InForce, row: Episode) -> str:
    """Return the rule's sentence with example values."""
    told = each.rule.message.format(value=row.value, threshold=row.threshold, group=row.group, **EXAMPLES)
    return told[:500]


def _now(each: rulebook.InForce, at: dt.datetime) -> dict[str, float | str | None]:
    """Return what the rule's measure says at this moment."""
    try:
        groups = facts.MEASURES[each.rule.measure](facts.View(at))
    except Exception as error:  # noqa: BLE001 - a simulation says what it met
        return {"error": f"{type(error).__name__}: {error}"}
    return {group or "the desk": reading.value for group, reading in groups.items()}


def _send(found: dict[str, Any], *, by: str, at: dt.datetime) -> dict[str, str]:
    """Send a test message on every channel of the rule and return what became of each."""
    body = {**found["message"], "message": f"TEST by {by}: {found['message']['message']}", "test": True}
    key = f"test-{found['rule']}-{int(at.timestamp())}"
    told: dict[str, str] = {}
    for name in found["channels"]:
        try:
            channels.sender(name).send(
                Message(f"{key}-{name}", f"TEST {found['rule']}", body["message"], {**body, "key": f"{key}-{name}"},
                        body["severity"]), at=at,
            )  # fmt: skip
            told[name] = "sent"
        except NotSent as error:
            told[name] = error.message
    auditing.append("test message", by=by, at=at, rule=found["rule"], channels=told)
    bad = {name: why for name, why in told.items() if why != "sent"}
    if bad:
        raise Failed(
            "; ".join(f"{name}: {why}" for name, why in bad.items()), fix="look at the channel's settings", sent=told
        )
    return told
