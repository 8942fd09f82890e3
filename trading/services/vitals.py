"""How the desk is, as numbers for whoever watches it from above: one look at everything, nothing changed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count

from sensequant.lib import machinery
from sensequant.lib.clock import IST
from trading.core.orders import Status
from trading.models.broker import Condition, Lease
from trading.models.control import Difference
from trading.models.engine import EngineRun
from trading.models.fetching import FetchState
from trading.models.orders import Order
from trading.models.positions import Position
from trading.models.sentiment import NewsCall
from trading.selectors import live
from trading.services import broker_status, budgets, calendar, leases, risk_status, sessions
from trading.services.fetch_states import believed
from trading.services.risk_status import Standing

BEATING = ("starting", "running")
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RunVitals:
    """One run; ``silent`` is seconds since its heartbeat, None for one that has not beaten or need not (``beats``)."""

    number: int
    name: str
    mode: str
    state: str
    beats: bool
    silent: float | None
    pnl_day: float
    daily_loss_pct: float
    daily_loss_limit_pct: float | None
    positions: int
    breaker_open: bool
    unstopped: tuple[str, ...]  # symbols held without a stop


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something the desk itself says is wrong."""

    code: str
    subject: str
    level: str
    message: str
    fix: str
    since: dt.datetime


def runs(*, at: dt.datetime) -> list[RunVitals]:
    """Return the runs that trade or would go on to."""
    return [_run(each, at) for each in risk_status.status(at=at)["standings"]]


def _run(standing: Standing, at: dt.datetime) -> RunVitals:
    run = standing.run
    gauges = {each.name: each for each in standing.gauges}
    loss = gauges["daily_loss_pct"]
    held = list(Position.objects.filter(run=run).values_list("symbol", "stop"))
    beats = run.state in BEATING
    return RunVitals(
        run.pk, run.name, run.mode, run.state, beats,
        max(0.0, (at - run.heartbeat_at).total_seconds()) if beats and run.heartbeat_at else None,
        _pnl(run), float(loss.used or 0), float(loss.limit) if loss.limit else None, len(held), standing.breaker_open,
        tuple(symbol for symbol, stop in held if stop is None),
    )  # fmt: skip


def _pnl(run: EngineRun) -> float:
    """Return the day's profit in rupees, as the run last published it; 0 before that."""
    found = live.newest("live")
    if found is None or found.body.get("run") != run.pk:
        return 0.0
    return float((found.body.get("pnl") or {}).get("day") or 0.0)


def troubles() -> list[Trouble]:
    """Return everything the desk says is wrong now."""
    rows = Condition.objects.filter(until=None).order_by("since")
    return [Trouble(row.code, row.subject, row.level, row.message, row.fix, row.since) for row in rows]


def unknown_orders() -> list[tuple[str, str]]:
    """Return symbol and number of every order that has had no clean answer, in runs no later one has replaced."""
    rows = Order.objects.filter(status=Status.UNKNOWN, run__current=True)
    return [(symbol, f"{symbol} #{number}") for symbol, number in rows.values_list("symbol", "number")]


def differences() -> list[tuple[str, int, int]]:
    """Return symbol, our shares and the broker's wherever the books differ and nobody has accepted it."""
    rows = Difference.objects.filter(gone_at=None, accepted_at=None, run__current=True)
    return list(rows.values_list("symbol", "ours", "theirs"))


def sentiment_failures(*, at: dt.datetime) -> dict[str, int]:
    """Return how often each provider of news failed within the hour before ``at``."""
    rows = NewsCall.objects.filter(outcome="failed", at__gt=at - HOUR, at__lte=at).order_by()
    return dict(rows.values("provider").annotate(n=Count("pk")).values_list("provider", "n"))


def budget_use(*, at: dt.datetime) -> dict[str, float]:
    """Return the used share of each budget of calls at the broker, 1 when nothing is left."""
    return {
        name: 1.0 - gauge["left"] / gauge["most"] if gauge["most"] else 1.0
        for name, gauge in budgets.gauges(at=at).items()
    }


def login_missing(*, at: dt.datetime) -> dict[str, Any] | None:
    """Return what to say when a desk with keys has no session before today's open; None when all is well.

    Asked on session days from 08:45 IST to the open.
    """
    desk = settings.DESK
    if not (desk.breeze_api_key and desk.breeze_api_secret):
        return None
    local = at.astimezone(IST)
    session = calendar.current().session(local.date())
    if session is None or not dt.time(8, 45) <= local.time() or at >= session.open:
        return None
    row = sessions.current(at=at)
    if row is not None and row.state == "active":
        return None
    return {"opens": f"{session.open.astimezone(IST):%H:%M}"}


def in_session(*, at: dt.datetime) -> bool:
    """Say whether the market trades at ``at``."""
    session = calendar.current().session(at.astimezone(IST).date())
    return session is not None and session.open <= at < session.close


def clock_skew(*, at: dt.datetime, since: float) -> dict[str, float]:
    """Return how many seconds this machine's clock is off each clock that can be asked: the database server's.

    ``since`` is the monotonic second at which ``at`` was read.
    """
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        theirs = float(cursor.fetchone()[0])
    return {"the database": at.timestamp() + time.monotonic() - since - theirs}


@dataclass(frozen=True, slots=True)
class Process:
    """An engine's process as far as it can be seen: how much memory it holds, how long a bar takes it."""

    run: str
    megabytes: float | None
    p50_us: float | None
    p99_us: float | None
    bars: int
    published: float | None  # seconds since its last snapshot


def processes(*, at: dt.datetime) -> list[Process]:
    """Return the processes of the engines that hold their lease."""
    found, rows = live.newest("live"), []
    for lease in Lease.objects.filter(name__startswith="engine:", expires_at__gt=at).order_by("name"):
        name = lease.name.removeprefix("engine:")
        body = found.body if found is not None and found.body.get("name") == name else {}
        latency = body.get("latency") or {}
        pid = leases.process_of(lease.holder)
        rows.append(Process(
            name, machinery.memory(pid) if pid else None, latency.get("p50_us"), latency.get("p99_us"),
            int(latency.get("bars") or 0), found.age(at) if found is not None and body else None,
        ))  # fmt: skip
    return rows


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the broker: which one, whether keys are there, and the session."""

    name: str
    keys: bool
    state: str  # active, expired, refused, revoked; empty when nobody has logged in
    note: str
    expires_at: dt.datetime | None
    obtained_at: dt.datetime | None
    armed: bool
    master_day: dt.date | None


def link() -> Link:
    """Return how the line to the broker stands."""
    found = broker_status.status()
    row = found["session"] or {}
    return Link(
        found["venue"]["name"], found["keys"], row.get("state", ""), row.get("note", ""), row.get("expires_at"),
        row.get("obtained_at"), found["armed"] is not None, found["master"].day if found["master"] else None,
    )  # fmt: skip


def bars_until(symbols: Iterable[str], interval: str) -> dict[str, dt.date | None]:
    """Return the day of each symbol's newest fetched bars; None where nothing was ever fetched."""
    rows = {row.symbol: believed(row) for row in FetchState.objects.filter(interval=interval)}
    return {symbol: state.last_fetch if (state := rows.get(symbol)) else None for symbol in symbols}


def news_age(*, at: dt.datetime) -> float | None:
    """Return the seconds since a provider of news last answered; None when none ever did."""
    newest = NewsCall.objects.filter(outcome__in=("ok", "empty")).order_by("-at").values_list("at", flat=True).first()
    return None if newest is None else (at - newest).total_seconds()
