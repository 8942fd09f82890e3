"""What trading and watching have shown lately: rolling windows of trades, and the alerts within them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings

from models_ml.services import report_accuracy
from monitoring.selectors import alerts
from releases.core import audit_windows as windows
from releases.core.audit_flags import Flag
from releases.services.audit_parts import Part, as_json
from sensequant.lib.clock import ist
from trading.core.accuracy import measure
from trading.core.trace_table import Table
from trading.selectors import telemetry
from trading.services import accuracy

NOBODY: Final = "nobody has watched the desk within this time"
CHARTED: Final = ("histogram", "line", "heatmap")


def collect(parts: Sequence[str], optimized: Mapping[str, Any], *, at: dt.datetime) -> Part:
    """Return both windows up to ``at``; in want of a past they are compared with ``optimized``, the evidence."""
    found = Part()
    kinds = telemetry.kinds()
    for kind, days in windows.DAYS.items():
        since = at - dt.timedelta(days=days)
        fired = _fired(kind, since, at, kinds)
        if kind in parts:
            found.add(_window(kind, since, at, fired, optimized))
    found.files["telemetry_summaries/alerts.json"] = as_json(_alerts(at))
    found.flags += _open(at)
    return found


def degraded(kind: str, optimized: Mapping[str, Any], *, at: dt.datetime) -> bool | None:
    """Return whether the window up to ``at`` was worse than what was before it; None where that cannot be told."""
    found = _window(kind, at - dt.timedelta(days=windows.DAYS[kind]), at, None, optimized)
    told: bool | None = found.sections[windows.NAMES[kind]]["degradation_detected"]
    return told


def _window(
    kind: str, since: dt.datetime, at: dt.datetime, fired: int | None, optimized: Mapping[str, Any]
) -> Part:  # fmt: skip
    modes = settings.DESK.release_audit_modes
    recent, unread = telemetry.closed(kind, modes=modes, since=since, until=at)
    before, _ = telemetry.closed(kind, modes=modes, until=since)
    now, name = windows.measured(measure(recent)), windows.NAMES[kind]
    compared = windows.compare(kind, now, _references(kind, before, optimized))
    found = Part({name: windows.section(kind, now, fired, compared)}, trades={kind: len(recent)})
    if not len(recent):
        days = windows.DAYS[kind]
        found.why[name] = f"no {kind} trade of a run in {' or '.join(modes)} was closed within {days} days"
    elif fired is None:
        found.why[name] = NOBODY
    elif compared.degraded is None:
        found.why[name] = "there is nothing to compare it with: no earlier trades and no optimisation"
    if unread:
        found.notes.append(f"{unread} predictions of {kind} strategies cannot be read: manage.py check_predictions.")
    short = name.rpartition(".")[2]
    told = {
        "window": {"from": ist(since), "to": ist(at), "modes": list(modes)}, "trades": len(recent),
        "trades_before": len(before), "unreadable": unread, "compared_with": compared.reference or None,
        "degradation": compared.reasons, "accuracy": accuracy.of(recent),
    }  # fmt: skip
    found.files[f"telemetry_summaries/{short}.json"] = as_json(told)
    charts = [each for each in report_accuracy.charts(recent) if each.kind in CHARTED] if len(recent) else []
    found.charts |= {f"{short}_{k}.png": each for k, each in enumerate(charts, start=1)}
    return found


def _references(kind: str, before: Table, optimized: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what a window may be compared with, the best first: the trades before it, else what was optimised."""
    found: dict[str, Mapping[str, Any]] = {}
    if len(before) >= settings.DESK.release_audit_min_trades:
        found[f"the {len(before)} trades before"] = windows.measured(measure(before))
    if optimized.get("kind") == kind and optimized.get("active") in ("baseline", "best"):
        told = optimized[optimized["active"]]
        drawdown = told.get("max_drawdown")
        found[f"the {optimized['active']} of optimisation {optimized['run']}"] = {
            "hit_ratio": told.get("hit_ratio"), "precision_long": told.get("precision_long"),
            "max_drawdown": None if drawdown is None else -drawdown,
        }  # fmt: skip
    return found


def _fired(kind: str, since: dt.datetime, at: dt.datetime, kinds: Mapping[str, str]) -> int | None:
    """Return how many alerts fired, those about runs of the other kind left out; None when nobody looked."""
    if not alerts.watched(since):
        return None
    return sum(kinds.get(each.group, kind) == kind for each in alerts.fired(since, at))


def _alerts(at: dt.datetime) -> dict[str, Any]:
    since = at - dt.timedelta(days=max(windows.DAYS.values()))
    rows = list(alerts.fired(since, at))
    return {
        "from": ist(since), "to": ist(at), "watched": alerts.watched(since),
        "by_rule": dict(Counter(row.rule for row in rows)), "by_severity": dict(Counter(row.severity for row in rows)),
        "episodes": [
            {"alert": row.name, "severity": row.severity, "fired_at": row.fired_at, "resolved_at": row.resolved_at,
             "message": row.message, "acknowledged_by": row.acked_by}
            for row in rows
        ],
    }  # fmt: skip


def _open(at: dt.datetime) -> list[Flag]:
    rows = alerts.listed(severity="CRITICAL", open_only=True).filter(fired_at__lte=at)
    return [Flag("open_critical_alert", row.name, f"{row.name} is firing: {row.message}"[:300]) for row in rows]
