"""The rules in force: as shipped, with what an operator has set differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from monitoring.core.episodes import Limits
from monitoring.core.errors import Invalid
from monitoring.core.rules import RULES, Rule, changed, rule
from monitoring.models import RuleSetting
from monitoring.services import auditing
from sensequant.lib.errors import BadInput

TIMES = ("hold_for", "keep_for", "window", "repeat")


@dataclass(frozen=True, slots=True)
class InForce:
    """One rule with its numbers; ``setting`` is what makes it differ from the shipped one."""

    rule: Rule
    limits: Limits
    enabled: bool = True
    setting: RuleSetting | None = None


def _settings() -> dict[str, float]:
    desk = settings.DESK
    names = ("MONITORING_DAILY_LOSS_ALERT_PCT", "MAX_DAILY_LOSS_PCT", "MONITORING_MAX_SENTIMENT_FAILURES",
             "MONITORING_ARTIFACT_STALENESS_HOURS", "MONITORING_HEARTBEAT_LAPSE_SECONDS",
             "MONITORING_PERFORMANCE_ALERT_THRESHOLD_MS")  # fmt: skip
    return {name: float(getattr(desk, name.lower())) for name in names}


def in_force() -> list[InForce]:
    """Return every rule as it stands now."""
    changes = {row.rule: row for row in RuleSetting.objects.all()}
    numbers = _settings()
    return [_one(each, changes.get(each.key), numbers) for each in RULES]


def _one(each: Rule, row: RuleSetting | None, numbers: Mapping[str, float]) -> InForce:
    own = {} if row is None else {name: getattr(row, name) for name in TIMES if getattr(row, name) is not None}
    threshold = row.threshold if row is not None and row.threshold is not None else each.number(each.threshold, numbers)
    critical = None if each.critical_at is None else each.number(each.critical_at, numbers)
    return InForce(changed(each, **own), Limits(threshold, critical), row is None or row.enabled, row)


def check(key: str, values: Mapping[str, Any], *, reason: str) -> None:
    """Raise BadInput, or Invalid for an unknown rule, when a rule cannot be set so.

    A rule that is never suppressed cannot be switched off.
    """
    one = rule(key)
    if not reason.strip():
        raise BadInput("a reason is missing", fix="say why in a few words")
    if values.get("enabled") is False and one.never_suppress:
        raise BadInput(f"{key} cannot be switched off", fix="it is about money at risk; acknowledge an alert instead")
    unknown = set(values) - {"enabled", "threshold", *TIMES}
    if unknown:
        raise BadInput(f"{min(unknown)!r} is no setting of a rule", fix=f"use threshold, enabled, {', '.join(TIMES)}")
    try:
        changed(one, **{name: float(values[name]) for name in TIMES if values.get(name) is not None})
    except (Invalid, TypeError, ValueError) as error:
        raise BadInput(str(error), fix="give seconds") from None


def put(key: str, values: Mapping[str, Any], *, reason: str, by: str, at: dt.datetime) -> RuleSetting:
    """Set a rule differently: ``threshold``, ``hold_for``, ``keep_for``, ``window``, ``repeat``, ``enabled``."""
    check(key, values, reason=reason)
    why = reason.strip()[:300]
    with transaction.atomic():
        row, _ = RuleSetting.objects.update_or_create(rule=key, defaults={**values, "by": by, "at": at, "reason": why})
        auditing.append("rule changed", by=by, at=at, rule=key, values=dict(values), reason=why)
    return row
