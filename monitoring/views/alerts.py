"""The alerts: what fires and why, who looks after it, what is kept quiet, how messages go out; and the metrics."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from monitoring.core.levels import ORDER
from monitoring.core.matching import Matcher, severity
from monitoring.core.rules import RULES
from monitoring.models import AuditEntry
from monitoring.selectors import alerts, metrics
from monitoring.services import rulebook, silences, simulating, status
from sensequant.lib.addresses import address
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.views.columns import Column
from trading.views.doors import back, for_traders, may_trade, told

PAST = dt.timedelta(hours=48)
SHOWN = 50
WHOLE = re.compile(r"\d{1,6}", re.ASCII)
ROLLUPS = (
    Column("metric", "Metric", heading=True), Column("at", "From", "stamp"), Column("min", "Min", "number"),
    Column("avg", "Average", "number"), Column("p95", "p95", "number"), Column("max", "Max", "number"),
    Column("count", "Samples", "qty"),
)  # fmt: skip
PAST_EPISODES = (
    Column("fired_at", "Fired", "stamp"), Column("resolved_at", "Over", "stamp"), Column("severity", "Severity"),
    Column("name", "Alert", heading=True), Column("message", "What"), Column("told", "Told", "qty"),
)  # fmt: skip
RULES_SHOWN = (
    Column("key", "Rule", heading=True, link="address"), Column("severity", "Severity"),
    Column("threshold", "Threshold", figures=True),
    Column("hold_for", "Pending, s", figures=True), Column("window", "Window, s", figures=True),
    Column("action", "Action"), Column("runbook", "What to do"),
)  # fmt: skip
TRAIL = (
    Column("at", "When", "stamp"), Column("what", "What", heading=True), Column("by", "By"),
    Column("episode", "Alert"), Column("detail", "Detail"),
)  # fmt: skip
SPANS = {"1h": 3_600, "6h": 21_600, "1d": 86_400}


@require_safe
@login_required
def alerts_page(request: HttpRequest) -> HttpResponse:
    """Show what fires, what has fired, what is silent, and whether messages arrive."""
    at = now()
    rows = list(alerts.listed(since=at - PAST)[: 4 * SHOWN])
    return render(request, "monitoring/alerts.html", {
        "at": at,
        "firing": [row for row in rows if row.is_open],
        "past": [row for row in rows if not row.is_open][:SHOWN],
        "past_columns": PAST_EPISODES,
        "status": status.status(at=at),
        "silences": silences.in_force(at=at),
        "past_silences": alerts.silences()[:10],
        "trail": [_entry(row) for row in alerts.trail()[:SHOWN]],
        "trail_columns": TRAIL,
        "rules": [_rule(each) for each in rulebook.in_force()],
        "rule_columns": RULES_SHOWN,
        "keys": [rule.key for rule in RULES],
        "severities": ORDER,
        "may_trade": may_trade(request),
    })  # fmt: skip


def _rule(each: rulebook.InForce) -> dict[str, Any]:
    own = each.rule
    return {
        "key": own.key if each.enabled else f"{own.key} (off)", "address": address("runbook", own.key),
        "severity": own.severity.value, "threshold": each.limits.threshold, "hold_for": own.hold_for,
        "window": "never quiet" if own.never_suppress else own.window, "action": own.action, "runbook": own.runbook,
    }  # fmt: skip


def _entry(row: AuditEntry) -> dict[str, Any]:
    detail = " ".join(f"{key}: {value};" for key, value in row.detail.items())
    episode = str(row.episode) if row.episode else ""
    return {"at": row.at, "what": row.what, "by": row.by, "episode": episode, "detail": detail}


@require_safe
@login_required
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Show the rollups of the last day."""
    at, asked = now(), request.GET.get("interval", "1h")
    width = SPANS.get(asked, 3_600)
    span = metrics.Span(at - dt.timedelta(days=1), at, width, request.GET.get("metric", ""))
    try:
        rows, cursor = metrics.page(span, cursor=request.GET.get("cursor", ""), limit=SHOWN)
    except BadInput as error:
        messages.error(request, str(error))
        rows, cursor = metrics.page(span, cursor="", limit=SHOWN)
    context = {
        "rows": rows,
        "columns": ROLLUPS,
        "cursor": cursor,
        "spans": SPANS,
        "asked": asked,
        "metric": span.metric,
    }
    return render(request, "monitoring/metrics.html", context)


@require_POST
@for_traders
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledge one alert, or all that fire."""
    name, reason, who = _name(request), request.POST.get("reason", ""), request.user.get_username()
    ttl = _minutes(request)
    told(request, "Acknowledged.", lambda: silences.acknowledge(name, reason, by=who, at=now(), ttl=ttl()))
    return back(request, "alerts")


@require_POST
@for_traders
def clear(request: HttpRequest) -> HttpResponse:
    """Take an acknowledgement back."""
    name, who = _name(request), request.user.get_username()
    told(request, "No longer acknowledged.", lambda: silences.clear(name, by=who, at=now()))
    return back(request, "alerts")


@require_POST
@for_traders
def silence(request: HttpRequest) -> HttpResponse:
    """Keep something quiet for a while."""
    post, at, who = request.POST, now(), request.user.get_username()
    span = _minutes(request)

    def work() -> Any:
        minutes = span()
        if minutes is None:
            raise BadInput("how long is not said", fix="give minutes, 1440 at most")
        matcher = Matcher(post.get("rule") or "*", post.get("group") or "*", severity(post.get("most") or "CRITICAL"))
        return silences.silence(matcher, post.get("reason", ""), until=at + minutes, by=who, at=at)

    told(request, "Silenced; what matches is still seen, recorded and acted upon.", work)
    return back(request, "alerts")


@require_POST
@for_traders
def end_silence(request: HttpRequest, pk: int) -> HttpResponse:
    """End a silence."""
    told(request, "The silence is over.", lambda: silences.end(pk, by=request.user.get_username(), at=now()))
    return back(request, "alerts")


@require_POST
@for_traders
def simulate(request: HttpRequest) -> HttpResponse:
    """Send a test message of a rule on every channel it goes to."""
    name, who = request.POST.get("rule", ""), request.user.get_username()
    told(request, "The test message arrived on every channel.",
         lambda: simulating.simulate(name, by=who, at=now(), send=True))  # fmt: skip
    return back(request, "alerts")


def _name(request: HttpRequest) -> str:
    return request.POST.get("name", "")


def _minutes(request: HttpRequest) -> Any:
    """Return a function that reads the field ``minutes``: None when it is empty, BadInput when it is no number."""

    def read() -> dt.timedelta | None:
        text = request.POST.get("minutes", "").strip()
        if not text:
            return None
        if not WHOLE.fullmatch(text):
            raise BadInput(f"{text[:20]!r} is not a number of minutes", fix="write a whole number, e.g. 30")
        return dt.timedelta(minutes=int(text))

    return read
