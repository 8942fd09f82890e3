"""The Data page: coverage of every series, gaps, what was set aside, fetchings; and the form that starts one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.core.bars import INTERVALS
from trading.models import FetchRun
from trading.selectors import data
from trading.services import fetch_orders, fetch_plans
from trading.services.fetch_states import believed
from trading.tasks import fetch_history
from trading.views.columns import Column
from trading.views.doors import back, for_traders, may_trade, told
from trading.views.grids import Grid

C = Column
SHOWN = 50
COVERAGE = (
    C("symbol", "Symbol", "symbol"), C("interval", "Interval"), C("rows", "Bars", "qty"),
    C("first", "From", "text", "first day asked for and answered"), C("last", "To", "text", "last of them"),
    C("missing", "Missing", "qty", "bars that sessions lack"),
    C("confirmed", "Confirmed", "qty", "missing bars that were asked for twice in vain: the exchange has none"),
    C("state", "Record", "status", "bad: its seal does not fit, so the next fetch makes it anew from the files"),
    C("updated_at", "Fetched", "stamp"),
)  # fmt: skip
GAPS = (
    C("symbol", "Symbol", "symbol"), C("interval", "Interval"), C("day", "Day"),
    C("missing", "Missing", "qty"), C("confirmed", "Confirmed", "qty", "asked for twice in vain"),
)  # fmt: skip
FILES = (
    C("symbol", "Symbol", "symbol"), C("interval", "Interval"), C("rows", "Usable bars", "qty"),
    C("first", "First bar", "stamp"), C("last", "Last bar", "stamp"), C("verdict", "Verdict", "word"),
    C("source", "Through", "word"), C("refreshed_at", "Read", "stamp"), C("path", "File or folder"),
)  # fmt: skip
FINDINGS = (
    C("created_at", "Found", "stamp"), C("severity", "Severity", "word"), C("file", "File"), C("rule", "Rule", "word"),
    C("count", "Rows", "qty"), C("aside", "Set aside", "qty"), C("message", "What"), C("fix", "What to do"),
)  # fmt: skip
ASIDE = (
    C("file", "File"), C("line", "Line", "qty", "counted from 1, the header included"), C("rule", "Because of", "word"),
    C("raw", "The row, word for word"),
)  # fmt: skip
RUNS = (
    C("id", "No.", "qty"), C("state", "State", "status"), C("progress", "Done", "share"), C("asked", "Asked for"),
    C("finished", "Series", "qty", "series complete"), C("kept", "Bars kept", "qty"),
    C("missing", "Missing", "qty"), C("quarantined", "Set aside", "qty"), C("requests", "Calls", "qty"),
    C("started_at", "Begun", "stamp"), C("finished_at", "Ended", "stamp"), C("error", "What went wrong"),
)  # fmt: skip


@require_safe
@login_required
def data_page(request: HttpRequest) -> HttpResponse:
    """Show what bars there are and what is wrong with them."""
    covered, gaps = _coverage()
    running = data.at_work()
    context = {
        "coverage": Grid("coverage", "Fetched series", COVERAGE, covered,
                         "No series was fetched yet. Without a broker put CSV files of your own (timestamp, open, "
                         "high, low, close, volume) into the folder named above; manage.py validate_bars checks them."),
        "gaps": Grid("gaps", "Gaps", GAPS, gaps, "No session lacks a bar.", "newest first"),
        "files": Grid("files", "Series read from files", FILES, data.read_series(),
                      "No bar file was read yet: a backtest or manage.py validate_bars reads them."),
        "findings": Grid("findings", "Findings in files", FINDINGS, list(data.findings(SHOWN)), "No file is at fault."),
        "aside": Grid("aside", "Quarantine", ASIDE, _aside(), "No row was set aside.", f"the newest {SHOWN}"),
        "runs": Grid("fetchings", "Fetchings", RUNS, [_run(each) for each in data.fetchings(SHOWN)],
                     "Nothing was fetched yet. The form above asks for bars once somebody has logged in on the page "
                     "Broker; manage.py fetch_historical_data --help does the same from the shell."),
        "running": running,
        "may_trade": may_trade(request),
        "intervals": list(INTERVALS),
        "usual": fetch_plans.usual_intervals(),
        "symbols": ", ".join(settings.DESK.symbols),
        "folder": settings.DESK.data_feed_csv_directory,
    }  # fmt: skip
    return render(request, "trading/data.html", context)


def _coverage() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows, gaps = [], []
    for row in data.states():
        state = believed(row)
        base = {"symbol": row.symbol, "interval": row.interval, "updated_at": row.updated_at}
        if state is None:
            rows.append({**base, "state": "bad"})
            continue
        rows.append({
            **base, "state": "ok", "rows": state.rows, "missing": sum(state.gaps.values()),
            "confirmed": sum(state.confirmed.values()), "first": state.ranges[0][0] if state.ranges else None,
            "last": state.last_fetch,
        })  # fmt: skip
        gaps += [
            {**base, "day": day, "missing": missing, "confirmed": state.confirmed.get(day, 0)}
            for day, missing in state.gaps.items()
        ]
    return rows, sorted(gaps, key=lambda gap: str(gap["day"]), reverse=True)[: 4 * SHOWN]


def _aside() -> list[dict[str, Any]]:
    return [
        {"file": row.file, "line": row.line, "raw": row.raw, "rule": row.report.rule} for row in data.set_aside(SHOWN)
    ]


def _run(run: FetchRun) -> dict[str, Any]:
    asked = run.asked
    words = f"{', '.join(asked['symbols'])}: {', '.join(asked['intervals'])} {asked['start'] or 'new'} … {asked['end']}"
    plain = {name: getattr(run, name) for name in ("id", "state", "progress", "started_at", "finished_at", "error")}
    return {**plain, "asked": words, **data.counted(run.results.values())}


@require_POST
@for_traders
def start_fetch(request: HttpRequest) -> HttpResponse:
    """Ask for bars."""
    at, post = now(), request.POST

    def work() -> FetchRun:
        asked = fetch_plans.ask(
            symbols=_words(post.get("symbols", "")), intervals=post.getlist("intervals"),
            start=_day(post.get("start", "")), end=_day(post.get("end", "")), lookback=None,
            incremental=post.get("incremental") == "on", at=at,
        )  # fmt: skip
        run = fetch_orders.request(asked, at=at, by=request.user.get_username())
        fetch_history.delay_on_commit(run_id=run.pk)
        return run

    told(request, "The fetching is queued.", work)
    return back(request, "data")


def _words(text: str) -> list[str]:
    return [name for name in text.replace(",", " ").split() if name]


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"{text[:20]!r} is not a date", fix="write it as 2026-11-23") from None


@require_POST
@for_traders
def cancel_fetch(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a fetching end after the request it is in."""
    who = request.user.get_username()
    told(request, "Cancelled: it ends after the request it is in, and what came is kept.",
         lambda: fetch_orders.cancel(pk, at=now(), by=who))  # fmt: skip
    return back(request, "data")
