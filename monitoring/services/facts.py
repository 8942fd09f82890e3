"""What the rules read, measure by measure: each gives its groups and their values now.

A measure that cannot be read is an error of its own, told of like any other trouble; the others are read all the same.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db.models import Min

from models_ml.selectors import training
from monitoring.core.episodes import Reading
from monitoring.models import Episode, Look, Notification, Report, Sample
from monitoring.services import degradation
from sensequant.lib import paths
from sensequant.lib.errors import BadInput
from sensequant.lib.stats import total
from trading.selectors import students
from trading.services import vitals
from trading.services.vitals import RunVitals, Trouble

Groups = dict[str, Reading]
LATENCIES = ("intraday_tick_latency", "swing_daily_latency", "sentiment_api_latency")
SPAN = dt.timedelta(minutes=5)  # of the averages
BROKER = ("session-lost", "stream-down", "breeze-unreachable")
FEED = ("feed-stale",)
NAMED = frozenset({*BROKER, *FEED, "engine-silent", "sentiment-failures-high", "sentiment-down", "unknown-order"})
REPORTED = ("chain_breaks", "release_watch")  # what apps above tell of
NEVER = 9_999.0  # hours: the age of what does not exist
LEVELS = {"warn": 1.0, "bad": 2.0}


@dataclass(slots=True)
class View:
    """One look at the desk; what several measures need is read once."""

    at: dt.datetime
    since: float = field(default_factory=time.monotonic)  # the monotonic second of ``at``
    _kept: dict[str, Any] = field(default_factory=dict)

    def runs(self) -> list[RunVitals]:
        """Return the runs that matter."""
        found: list[RunVitals] = self._once("runs", lambda: vitals.runs(at=self.at))
        return found

    def troubles(self) -> list[Trouble]:
        """Return what the desk says is wrong."""
        found: list[Trouble] = self._once("troubles", vitals.troubles)
        return found

    def reports(self) -> list[Report]:
        """Return what the apps above have reported and is not out of date."""
        rows: list[Report] = self._once("reports", lambda: list(Report.objects.all()))
        return [row for row in rows if row.until is None or row.until > self.at]

    def _once(self, name: str, read: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = read()
        return self._kept[name]


def _breaker(view: View) -> Groups:
    return {
        run.name: Reading(
            float(run.breaker_open),
            {"daily_loss_pct": run.daily_loss_pct, "open_positions": run.positions, "mode": run.mode},
        )
        for run in view.runs()
    }


def _daily_loss(view: View) -> Groups:
    most = settings.DESK.max_daily_loss_pct
    return {
        run.name: Reading(
            run.daily_loss_pct, {"daily_loss_pct": run.daily_loss_pct, "breaker": run.daily_loss_limit_pct or most}
        )
        for run in view.runs()
    }


def _silence(view: View) -> Groups:
    return {run.name: Reading(run.silent, {"mode": run.mode}) for run in view.runs() if run.beats}


def _sentiment(view: View) -> Groups:
    return {name: Reading(float(n)) for name, n in vitals.sentiment_failures(at=view.at).items()}


def _teacher(view: View) -> Groups:
    newest = training.teachers().filter(status="success").order_by("-finished_at").first()
    return _aged(view, "" if newest is None else str(newest), newest.finished_at if newest else None)


def _student(view: View) -> Groups:
    row = students.champion()
    return {} if row is None or row.disabled_at else _aged(view, row.version, row.since)


def _aged(view: View, what: str, since: dt.datetime | None) -> Groups:
    """Return how many hours old something is; nothing when it does not exist."""
    if since is None:
        return {}
    return {"": Reading((view.at - since).total_seconds() / 3_600.0, {"what": what})}


def _backup(view: View) -> Groups:
    """Return how old the newest backup is: its folder, named by its moment, appears only once it was proved."""
    if not settings.DESK.backup_enabled:
        return {}
    names = [each.parent.name for each in paths.resolve(settings.DESK.backup_dir).glob("backup_*/backup.json")]
    made = [dt.datetime.strptime(name, "backup_%Y%m%d_%H%M%S").replace(tzinfo=view.at.tzinfo) for name in names]
    return {"": Reading((view.at - max(made)).total_seconds() / 3_600.0 if made else NEVER)}


def _reported(measure: str) -> Callable[[View], Groups]:
    def read(view: View) -> Groups:
        return {row.group: Reading(row.value, row.context) for row in view.reports() if row.measure == measure}

    return read


def _broker(view: View) -> Groups:
    found = [each for each in view.troubles() if each.code in BROKER]
    return {"breeze": Reading(1.0, {"told": found[0].message, "fix": found[0].fix})} if found else {}


def _latency(view: View) -> Groups:
    if not settings.DESK.monitoring_enable_performance_tracking:
        return {}
    found: Groups = {}
    for name in LATENCIES:
        stats = total(row.stats for row in Sample.objects.filter(metric=f"perf_{name}", at__gt=view.at - SPAN))
        if stats.count and stats.avg is not None:
            found[name] = Reading(stats.avg, {"low": stats.low, "high": stats.high, "count": stats.count})
    return found


def _unknown(view: View) -> Groups:
    return {name: Reading(1.0, {"symbol": symbol}) for symbol, name in vitals.unknown_orders()}


def _unprotected(view: View) -> Groups:
    found = {
        f"{symbol} of {run.name}": Reading(1.0, {"told": "it has no stop"})
        for run in view.runs() if run.mode != "replay" for symbol in run.unstopped
    }  # fmt: skip
    for each in view.troubles():
        if each.code == "engine-silent":
            found[each.subject or "the desk"] = Reading(1.0, {"told": each.message})
    return found


def _books(view: View) -> Groups:
    return {
        symbol: Reading(1.0, {"ours": ours, "theirs": theirs}) for symbol, ours, theirs in vitals.differences()
    }  # fmt: skip


def _feed(view: View) -> Groups:
    return {each.subject: Reading(1.0, {"told": each.message}) for each in view.troubles() if each.code in FEED}


def _budgets(view: View) -> Groups:
    return {name: Reading(share) for name, share in vitals.budget_use(at=view.at).items()}


def _login(view: View) -> Groups:
    missing = vitals.login_missing(at=view.at)
    return {"breeze": Reading(1.0, missing)} if missing else {}


def _skew(view: View) -> Groups:
    return {name: Reading(abs(off)) for name, off in vitals.clock_skew(at=view.at, since=view.since).items()}


def _disk(view: View) -> Groups:
    used = shutil.disk_usage(paths.standing(paths.home()))
    return {"SENSEQUANT_HOME": Reading(1.0 - used.free / used.total, {"free_gb": round(used.free / 1e9, 1)})}


def _outbox(view: View) -> Groups:
    waiting = Notification.objects.filter(state="waiting").order_by().values("channel").annotate(first=Min("made_at"))
    return {row["channel"]: Reading((view.at - row["first"]).total_seconds()) for row in waiting}


def _undelivered(view: View) -> Groups:
    """Find the episodes all of whose messages failed for good: nobody knows."""
    found: Groups = {}
    for each in Episode.objects.filter(status="firing", told__gt=0).exclude(rule="delivery_failed"):
        rows = list(each.notifications.exclude(channel="log").values_list("state", "error"))
        if rows and all(state == "failed" for state, _ in rows):
            found[each.name[:100]] = Reading(1.0, {"told": rows[0][1] or "every channel refused it"})
    return found


def _chain(view: View) -> Groups:
    look = Look.objects.filter(name="monitor").first()
    found: dict[str, list[str]] = look.chain if look else {}
    groups = {name: Reading(float(len(told)), {"told": told[0]}) for name, told in found.items() if told}
    return groups | _reported("chain_breaks")(view)


def _watch(view: View) -> Groups:
    look = Look.objects.filter(name="monitor").first()
    return {"monitor": Reading((view.at - look.at).total_seconds())} if look else {}


def _accuracy(view: View) -> Groups:
    """Find what trades of late did worse, as a share of what is allowed in the windows in force."""
    in_force = degradation.terms()
    return {
        each.name: Reading(
            each.share,
            {
                "drop": each.drop, "limit": each.limit, "now": each.now, "before": each.before, "trades": each.trades,
                "hours": in_force.hours[each.kind], "mode": in_force.mode,
            },
        )
        for each in degradation.looked(at=view.at)
        if each.known
    }  # fmt: skip


def _trouble(view: View) -> Groups:
    return {
        f"{each.code} {each.subject}".strip()[:100]: Reading(
            LEVELS[each.level], {"told": each.message, "fix": each.fix, "code": each.code}
        )
        for each in view.troubles()
        if each.level in LEVELS and each.code not in NAMED
    }


MEASURES: Mapping[str, Callable[[View], Groups]] = MappingProxyType({
    "breaker_open": _breaker,
    "daily_loss_pct": _daily_loss,
    "sentiment_failures": _sentiment,
    "teacher_age_hours": _teacher,
    "student_age_hours": _student,
    "heartbeat_age": _silence,
    "broker_down": _broker,
    "latency_avg_ms": _latency,
    "unknown_order": _unknown,
    "unprotected": _unprotected,
    "books_differ": _books,
    "feed_stale": _feed,
    "budget_used_share": _budgets,
    "token_missing": _login,
    "clock_skew": _skew,
    "disk_used_share": _disk,
    "outbox_age": _outbox,
    "undelivered": _undelivered,
    "chain_breaks": _chain,
    "backup_age": _backup,
    "release_watch": _reported("release_watch"),
    "watch_age": _watch,
    "accuracy_drop": _accuracy,
    "trouble": _trouble,
})  # fmt: skip


def gauges(view: View) -> dict[str, float]:
    """Return the document's metrics that are read at every look: the desk's P&L, loss and positions."""
    runs = [run for run in view.runs() if run.silent is not None]
    if not runs:
        return {}
    return {
        "pnl_daily": sum(run.pnl_day for run in runs),
        "daily_loss_pct": max(run.daily_loss_pct for run in runs),
        "position_count": float(sum(run.positions for run in runs)),
        "heartbeat_age_seconds": max(run.silent or 0.0 for run in runs),
    }


def report(
    measure: str, value: float, *, at: dt.datetime, group: str = "", until: dt.datetime | None = None, **context: Any
) -> None:  # fmt: skip
    """Keep what an app above found, until a newer report or ``until``; BadInput for a measure no report is read of."""
    if measure not in REPORTED:
        raise BadInput(f"measure {measure!r} cannot be reported", fix=f"use one of {', '.join(REPORTED)}")
    Report.objects.update_or_create(
        measure=measure, group=group, defaults={"value": value, "at": at, "until": until, "context": context}
    )
