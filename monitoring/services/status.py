"""How the desk is, in one number with the reason for every lost point; and whether each part answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, connection

from monitoring.core.health import Lost, score
from monitoring.core.levels import Severity
from monitoring.models import Channel, Episode, Look, Notification
from monitoring.services import channels, silences
from trading.services import vitals

STALE = 60.0  # seconds since the last look that cost points


def status(*, at: dt.datetime) -> dict[str, Any]:
    """Return score, what it lost, open alerts, the desk's runs, channels and the monitor's own state."""
    opened = [row for row in silences.open_episodes() if row.status == "firing"]
    look = Look.objects.filter(name="monitor").first()
    age = (at - look.at).total_seconds() if look else None
    others = []
    if age is None:
        others.append(Lost(20, "nobody has looked at the desk yet (manage.py monitor run)"))
    elif age > STALE:
        others.append(Lost(40, f"nobody has looked at the desk for {age:.0f} s"))
    elif look is not None and look.errors:
        others.append(Lost(5, f"the last look could not read {len(look.errors)} measures"))
    points, lost = score([(row.name, Severity(row.severity), row.acked_at is not None) for row in opened], others)
    return {
        "score": points,
        "lost": [asdict(each) for each in lost],
        "alerts": {level: sum(row.severity == level for row in opened) for level in ("CRITICAL", "WARNING", "INFO")},
        "acknowledged": sum(row.acked_at is not None for row in opened),
        "silences": len(silences.in_force(at=at)),
        "runs": [
            {
                "run": run.number, "name": run.name, "mode": run.mode, "state": run.state, "silent_seconds": run.silent,
                "pnl_day": run.pnl_day, "daily_loss_pct": run.daily_loss_pct, "positions": run.positions,
                "breaker_open": run.breaker_open,
            }
            for run in vitals.runs(at=at)
        ],
        "in_session": vitals.in_session(at=at),
        "waiting": Notification.objects.filter(state="waiting").count(),
        "channels": channel_states(),
        "look": None if look is None else {
            "at": look.at, "age_seconds": age, "seconds": look.seconds, "holder": look.holder, "errors": look.errors,
            "archived_at": look.archived_at, "pinged_at": look.pinged_at, "ping_error": look.ping_error,
        },
    }  # fmt: skip


def channel_states() -> list[dict[str, Any]]:
    """Return each channel: whether it is switched on, what it sent, what went wrong last."""
    rows = {row.name: row for row in Channel.objects.all()}
    active = (channels.LOG, *channels.on())
    return [
        {
            "name": name, "on": name in active, "sent": rows[name].sent if name in rows else 0,
            "failed": rows[name].failed if name in rows else 0,
            "last_sent_at": rows[name].last_sent_at if name in rows else None,
            "last_error": rows[name].last_error if name in rows else "",
            "last_error_at": rows[name].last_error_at if name in rows else None,
        }
        for name in channels.ALL
    ]  # fmt: skip


def health(*, at: dt.datetime) -> dict[str, Any]:
    """Return each part of the desk with ok or what is wrong with it; ``ok`` when every part is."""
    parts: dict[str, str] = {"database": _database()}
    if parts["database"] == "ok":
        look = Look.objects.filter(name="monitor").first()
        fresh = look is not None and (at - look.at).total_seconds() <= STALE
        parts["monitor"] = "ok" if fresh else "nobody looks: start manage.py monitor run, or make run"
        runs = vitals.runs(at=at)
        fires = set(Episode.objects.filter(status="firing").values_list("rule", flat=True))
        parts["engine"] = "silent" if "heartbeat_lapsed" in fires else "ok" if runs else "no engine has run yet"
        parts["broker"] = "cannot be reached" if "breeze_connectivity_lost" in fires else "ok"
        parts["sentiment"] = "fails" if "sentiment_failures_high" in fires else "ok"
        parts["models"] = "stale" if fires & {"stale_teacher_artifacts", "stale_student_model"} else "ok"
        parts["delivery"] = "fails" if fires & {"delivery_failed", "outbox_lag"} else "ok"
    return {"ok": all(told == "ok" for told in parts.values()), "parts": parts}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer: {error}"
    return "ok"
