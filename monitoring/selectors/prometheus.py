"""The desk's numbers as Prometheus takes them."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from monitoring.models import Channel, Episode, Look, Notification, Rollup

Rows = list[tuple[dict[str, str], float]]
Family = tuple[str, str, str, Rows]
RECENT = dt.timedelta(hours=1)


def families(*, at: dt.datetime) -> list[Family]:
    """Return name, kind, meaning and rows of each metric."""
    firing = Counter(Episode.objects.filter(status="firing").values_list("rule", "severity"))
    waiting = Counter(Notification.objects.filter(state="waiting").values_list("channel", flat=True))
    channels = list(Channel.objects.all())
    look = Look.objects.filter(name="monitor").first()
    return [
        ("sensequant_alerts_firing", "gauge", "Alerts that fire now.",
         [({"rule": rule, "severity": level}, float(n)) for (rule, level), n in sorted(firing.items())]),
        ("sensequant_outbox_waiting", "gauge", "Messages that wait to be sent.",
         [({"channel": name}, float(n)) for name, n in sorted(waiting.items())]),
        ("sensequant_messages_sent_total", "counter", "Messages sent.",
         [({"channel": row.name}, float(row.sent)) for row in channels]),
        ("sensequant_messages_failed_total", "counter", "Tries that failed.",
         [({"channel": row.name}, float(row.failed)) for row in channels]),
        ("sensequant_look_age_seconds", "gauge", "Seconds since somebody last looked at the desk.",
         [({}, (at - look.at).total_seconds())] if look else []),
        *_rollups(at),
    ]  # fmt: skip


def _rollups(at: dt.datetime) -> list[Family]:
    """Return the newest rollup of each metric of the last hour: average, least, most and percentiles."""
    newest: dict[str, Rollup] = {}
    for row in Rollup.objects.filter(at__gt=at - RECENT).order_by("at"):
        newest[row.metric] = row
    rows: Rows = []
    for name, row in sorted(newest.items()):
        stats = row.stats
        figures = {"min": stats.low, "avg": row.avg, "max": stats.high, "last": stats.last}
        figures |= {f"p{q:g}": found for q in (50, 95, 99) if (found := stats.quantile(q / 100)) is not None}
        rows += [({"metric": name, "stat": stat}, value) for stat, value in figures.items()]
    return [("sensequant_metric", "gauge", "The newest rollup of each metric of the desk.", rows)]
