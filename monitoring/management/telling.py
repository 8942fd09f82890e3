"""How the command writes alerts and numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitoring.models import AuditEntry, Episode, Silence
from sensequant.lib.clock import ist

COLUMNS = ("metric", "at", "min", "max", "avg", "count", "sum", "last", "p50", "p95", "p99")
MARKS = {"CRITICAL": "✖", "WARNING": "▲", "INFO": "•"}


def episode(row: Episode) -> dict[str, Any]:
    """Return an episode as JSON values."""
    return {
        "id": row.pk, "rule": row.rule, "group": row.group, "severity": row.severity, "status": row.status,
        "message": row.message, "context": row.context, "value": row.value, "threshold": row.threshold,
        "since": row.since, "fired_at": row.fired_at, "resolved_at": row.resolved_at,
        "acknowledged": row.acked_at is not None, "acked_by": row.acked_by, "ack_reason": row.ack_reason,
        "ack_until": row.ack_until, "silenced": row.silenced_by_id is not None, "inhibited_by": row.inhibited_by,
        "flapping": row.flapping, "no_data": row.no_data, "error": row.error,
    }  # fmt: skip


def silence(row: Silence) -> dict[str, Any]:
    """Return a silence as JSON values."""
    return {
        "id": row.pk, "rule": row.rule, "group": row.group, "most": row.most, "reason": row.reason, "by": row.by,
        "made_at": row.made_at, "until": row.until, "ended_at": row.ended_at, "ended_by": row.ended_by,
    }  # fmt: skip


def entry(row: AuditEntry) -> dict[str, Any]:
    """Return an entry of the trail as JSON values."""
    about = episode(row.episode) if row.episode is not None else None
    return {"at": row.at, "what": row.what, "by": row.by, "detail": row.detail, "alert": about}


def line(row: AuditEntry) -> str:
    """Return an entry of the trail in one line."""
    about = row.episode
    level = f"{MARKS[about.severity]} {about.severity} {about.name}: {about.message}" if about is not None else ""
    return f"{ist(row.at):%H:%M:%S} {row.what} by {row.by} {level}".rstrip()


def table(rows: list[Episode], at: dt.datetime) -> str:
    """Return alerts as lines, those that fire first."""
    if not rows:
        return "no alert fires, and none has fired in that time"
    return "\n".join(_row(row, at) for row in sorted(rows, key=lambda row: (not row.is_open, -row.pk)))


def _row(row: Episode, at: dt.datetime) -> str:
    notes = []
    if row.acked_at and row.ack_until:
        notes.append(f"acknowledged by {row.acked_by} until {ist(row.ack_until):%d %b %H:%M}: {row.ack_reason}")
    if row.silenced_by is not None:
        notes.append(f"silenced by {row.silenced_by.by} until {ist(row.silenced_by.until):%H:%M}")
    if row.inhibited_by:
        notes.append(f"explained by {row.inhibited_by}")
    if row.flapping:
        notes.append("flapping")
    state = "FIRING  " if row.status == "firing" else f"{row.status:8}"
    since = ist(row.fired_at or row.since)
    tail = f"   [{'; '.join(notes)}]" if notes else ""
    return f"{MARKS[row.severity]} {row.severity:8} {state} {since:%d %b %H:%M:%S} {row.name}: {row.message}{tail}"


def numbers(rows: list[dict[str, Any]], *, moment: bool = True) -> str:
    """Return metrics as lines."""
    if not rows:
        return "no metric has been rolled up yet (manage.py monitor run does)"
    width = max(len(row["metric"]) for row in rows)
    head = f"{'metric':{width}}  {'from':16}  " if moment else f"{'metric':{width}}  "
    lines = [f"{head}{'min':>12} {'avg':>12} {'p95':>12} {'max':>12} {'count':>8}"]
    for row in rows:
        begin = f"{ist(row['at']):%Y-%m-%d %H:%M}  " if moment else ""
        figures = " ".join(f"{row[name]:12.4g}" for name in ("min", "avg", "p95", "max"))
        lines.append(f"{row['metric']:{width}}  {begin}{figures} {row['count']:8}")
    return "\n".join(lines)


def status(found: dict[str, Any], *, verbose: bool) -> str:
    """Return the score, what it lost and, ``verbose``, everything else."""
    lines = [f"score {found['score']} of 100"]
    lines += [f"  −{each['points']}  {each['why']}" for each in found["lost"]]
    levels = ", ".join(f"{count} {level}" for level, count in found["alerts"].items())
    lines.append(f"alerts: {levels}; {found['acknowledged']} acknowledged, {found['silences']} silences")
    if verbose:
        lines += [
            f"run {run['run']} {run['name']} ({run['mode']}, {run['state']}): {run['positions']} positions, "
            f"₹{run['pnl_day']:,.2f} today, {run['daily_loss_pct']:.2f} % lost"
            + (f", silent for {run['silent_seconds']:.0f} s" if run["silent_seconds"] is not None else "")
            for run in found["runs"]
        ]
        lines += [
            f"channel {each['name']}: {'on' if each['on'] else 'off'}, {each['sent']} sent, {each['failed']} failed"
            + (f", last: {each['last_error']}" if each["last_error"] else "")
            for each in found["channels"]
        ]
        lines.append(f"{found['waiting']} messages wait")
        look = found["look"]
        if look:
            lines.append(f"last look {look['age_seconds']:.0f} s ago, it took {look['seconds'] * 1e3:.0f} ms")
    return "\n".join(lines)


def health(found: dict[str, Any]) -> str:
    """Return each part's state."""
    return "\n".join(f"{'✔' if told == 'ok' else '✖'} {name}: {told}" for name, told in found["parts"].items())


def simulated(found: dict[str, Any]) -> str:
    """Return what a rule would do."""
    body = found["message"]
    lines = [
        f"{body['severity']} {found['rule']}: {body['message']}",
        f"channels: {', '.join(found['channels'])}",
        f"pending {found['pending_seconds']:g} s, window {found['window_seconds']:g} s, again after "
        f"{found['repeat_seconds']:g} s",
    ]
    if found["inhibits"]:
        lines.append(f"keeps quiet: {', '.join(found['inhibits'])}")
    if found["action"]:
        lines.append(f"action: {found['action']}")
    if found["silenced_by"]:
        lines.append(f"silenced now by {found['silenced_by']}")
    values = ", ".join(f"{name} {value}" for name, value in found["now"].items()) or "nothing to read"
    lines.append(f"now: {values}")
    lines += [f"{name}: {told}" for name, told in found["sent"].items()]
    return "\n".join(lines)
