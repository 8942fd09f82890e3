"""The Live page, its price chart, and the engine's controls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from sensequant.lib.clock import ist, now
from sensequant.lib.errors import NotFound
from trading.core import ageing
from trading.core.bars import INTERVALS, Bars
from trading.models import EngineRun
from trading.selectors import charts, live
from trading.selectors import control as stops
from trading.services import commands, control, halts, history
from trading.views import columns, metrics
from trading.views.doors import BY_HAND, back, for_traders, may_stop, may_trade, told

SPEEDS = ((1, "1×"), (10, "10×"), (60, "60×"), (600, "600×"), (0, "max"))
PRICES = ("open", "high", "low", "close")
VERBS = (
    (commands.CANCEL, "Cancel all", "Every entry that waits is taken back. What protects positions stays."),
    (commands.LEAVE, "Square off", "Entries are taken back and every position is ordered out at the next price."),
)
MOVING = ("starting", "running", "suspended")
TOLD_FOR = dt.timedelta(minutes=5)  # a command's outcome stands on the Live page
BARS_SHOWN = 300
BARS_TO_WARM_UP = 300  # before those shown, so that averages begin where the engine's are
PARTS = {  # tile → the part of the picture it is of
    "day": ageing.PRICES, "realised": ageing.BOOKS, "unrealised": ageing.PRICES, "charges": ageing.BOOKS,
    "equity": ageing.PRICES, "exposure": ageing.PRICES,
}  # fmt: skip
TILES = tuple((*each, PARTS[each.key]) for each in metrics.DESK if each.key in PARTS)


@require_safe
@login_required
def live_page(request: HttpRequest) -> HttpResponse:
    """Show the newest snapshot in full; the socket keeps it moving where scripts run."""
    found, at = live.newest("live"), now()
    body, run = found.body if found else {}, live.current_run()
    context: dict[str, Any] = {
        "newest": found,
        "body": body,
        "age": found.age(at) if found else None,
        "run": run,
        "trouble": live.trouble_of(run),
        "still": run is not None and (run.held or run.state not in MOVING),
        "tiles": [(*tile, (body.get("pnl") or {}).get(tile[0])) for tile in TILES],
        "amber": ageing.LIMITS[ageing.BOOKS],
        "red": ageing.SILENT,
        "speeds": SPEEDS,
        "verbs": VERBS,
        "may_trade": may_trade(request),
        "may_stop": may_stop(request),
        "killed": stops.engaged(halts.KILL),
        "by_hand": BY_HAND,
        "command": _command(run, at),
        "symbol": _symbol(request, body),
        "pnl_curve": _pnl_curve(body),
        "tables": _tables(body),
    }
    return render(request, "trading/live.html", context)


def _command(run: EngineRun | None, at: dt.datetime) -> dict[str, Any] | None:
    """Return how the run's newest command stands, as long as somebody may wait for it."""
    found = commands.latest(run.pk) if run is not None else None
    return commands.outcome(found, at=at) if found is not None and at - found.asked_at < TOLD_FOR else None


def _symbol(request: HttpRequest, body: dict[str, Any]) -> str:
    """Return the symbol whose chart is shown: the one asked for, else a held one, else the first watched."""
    known = [row["symbol"] for row in body.get("watch") or []]
    asked = request.GET.get("symbol", "").upper()
    if asked in known:
        return asked
    held = [row["symbol"] for row in body.get("positions") or []]
    return next(iter([*held, *known]), "")


def _pnl_curve(body: dict[str, Any]) -> list[list[float]]:
    """Return the session's P&L [epoch seconds, ₹] from its equity: the first point is its zero."""
    points = body.get("equity") or []
    money = body.get("pnl") or {}
    if not points:
        return []
    base = float(money["equity"]) - float(money["day"]) if money.get("equity") and money.get("day") else points[0][1]
    return [[ts, value - base] for ts, value in points]


def _tables(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    named = {
        "positions": (columns.LIVE_POSITIONS, "symbol strategy", "No open position."),
        "orders": (columns.LIVE_ORDERS, "number", "No order yet in this run."),
        "signals": (columns.LIVE_SIGNALS, "at symbol strategy", "No signal yet in this run."),
        "trades": (columns.LIVE_TRADES, "symbol entry_time exit_time", "No closed trade yet in this run."),
        "watch": (columns.LIVE_WATCH + _features(body), "symbol", "Nothing is watched."),
    }
    rows = {name: [_flat(row) for row in body.get(name) or []] for name in named}
    return {
        name: {
            "name": name,
            "columns": cols,
            "json": columns.as_json(cols),
            "key": key,
            "empty": empty,
            "rows": rows[name],
        }
        for name, (cols, key, empty) in named.items()
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a watch row with its features beside it, as ``features.sma``."""
    return {**row, **{f"features.{name}": value for name, value in (row.get("features") or {}).items()}}


def _features(body: dict[str, Any]) -> tuple[columns.Column, ...]:
    return columns.features({name for row in body.get("watch") or [] for name in row.get("features") or {}})


def _chart(symbol: str) -> tuple[EngineRun, Bars]:
    run = live.current_run()
    if run is None:
        raise Http404("the engine has not run yet")
    try:
        return run, history.bars(run.pk, symbol.upper(), limit=BARS_SHOWN + BARS_TO_WARM_UP, at=now())
    except NotFound as error:
        raise Http404(str(error)) from None


@require_safe
@login_required
def chart_data(request: HttpRequest, symbol: str) -> JsonResponse:
    """Return bars, averages and fills of one symbol: what the chart on the Live page draws."""
    run, bars = _chart(symbol)
    rows = charts.rows(bars)[-BARS_SHOWN:]
    lines = charts.averages(run, bars)
    begin = dt.datetime.fromtimestamp(rows[0][0] if rows and rows[0][0] else 0, dt.UTC)
    body = {
        "run": run.pk,
        "symbol": symbol.upper(),
        "interval": run.interval,
        "bar_seconds": INTERVALS[run.interval] * 60,
        "bars": rows,
        "lines": {name: values[-BARS_SHOWN:] for name, values in lines.items()},
        "marks": charts.marks(run, symbol.upper(), begin),
    }
    return JsonResponse(body)


@require_safe
@login_required
def chart_page(request: HttpRequest, symbol: str) -> HttpResponse:
    """Show the same chart as a table, newest bar first."""
    run, bars = _chart(symbol)
    lines = charts.averages(run, bars)
    rows = [
        {"at": dt.datetime.fromtimestamp(row[0] or 0, dt.UTC), "values": [*row[1:5], *averages], "volume": row[5]}
        for row, *averages in zip(charts.rows(bars), *lines.values(), strict=True)
    ]
    context = {"symbol": symbol.upper(), "run": run, "headings": [*PRICES, *lines], "rows": rows[::-1][:BARS_SHOWN]}
    return render(request, "trading/chart.html", context)


Action = Callable[[int, str, str], EngineRun]
ACTIONS: Mapping[str, tuple[str, Action]] = MappingProxyType(
    {
        "play": ("Play", lambda run, by, _: control.play(run, by=by, at=now())),
        "hold": ("Hold", lambda run, by, _: control.hold(run, by=by, at=now())),
        "pause": ("Pause entries", lambda run, by, _: control.pause_entries(run, by=by, at=now())),
        "resume": ("Resume entries", lambda run, by, _: control.resume_entries(run, by=by, at=now())),
        "speed": ("Speed", lambda run, by, value: control.set_speed(run, float(value), by=by, at=now())),
        "stop": ("Stop", lambda run, by, _: control.stop(run, by=by, at=now())),
    }
)


@require_POST
@for_traders
def control_engine(request: HttpRequest) -> HttpResponse:
    """Ask the engine for one thing; the outcome is told on the page one comes back to."""
    wanted, value, run = request.POST.get("action", ""), request.POST.get("value", ""), request.POST.get("run", "")
    if wanted not in ACTIONS or not run.isdigit() or (wanted == "speed" and not value.replace(".", "", 1).isdigit()):
        messages.error(request, "Nothing was done: the form was not complete. Load the page again.")
        return back(request, "live")
    name, act = ACTIONS[wanted]
    detail = f" {dict(SPEEDS).get(int(float(value)), f'{value}×')}" if wanted == "speed" else ""
    said = f"{name}{detail}: requested at {ist(now()):%H:%M:%S} IST; the engine takes it up at its next step."
    told(request, said, lambda: act(int(run), request.user.get_username(), value))
    return back(request, "live")


@require_POST
@for_traders
def command_engine(request: HttpRequest) -> HttpResponse:
    """Ask the engine to cancel all entries or to leave every position; the same form again asks nothing more."""
    post, who = request.POST, request.user.get_username()
    run = int(post["run"]) if post.get("run", "").isdigit() else 0
    told(request, "", lambda: commands.ask(run, post.get("verb", ""), post.get("key", ""), at=now(), by=who))
    return back(request, "live")


@require_safe
@login_required
def command_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what became of a command, leg by leg."""
    found = commands.command(pk)
    if found is None:
        raise Http404(f"there is no command {pk}")
    return render(request, "trading/command.html", {"command": commands.outcome(found, at=now()), "alone": True})
