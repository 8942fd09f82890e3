"""Backtests: the list, the form that starts one, and the page that watches it and shows what came out."""

from __future__ import annotations

import calendar
import re
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sensequant.lib import formats
from sensequant.lib.addresses import address
from sensequant.lib.clock import ist, now
from sensequant.lib.errors import BadInput
from trading.core import demo
from trading.models import BacktestRun
from trading.selectors import backtests as asked
from trading.services import backtests, comparing
from trading.tasks import run_backtest
from trading.views import backtest_form as form
from trading.views import columns, metrics
from trading.views.doors import for_traders, may_trade, told
from trading.views.exports import as_csv
from trading.views.grids import Grid
from trading.views.tables import in_chunks, ordering, paged, plain

HELD = (
    columns.Column("name", "What is held", heading=True), columns.Column("sessions", "Sessions", "qty"),
    *(columns.Column(*each) for each in metrics.BENCHMARK),
)  # fmt: skip
CHANCES = (
    columns.Column("name", "What is changed", heading=True), columns.Column("paths", "Paths", "qty"),
    *(columns.Column(*each) for each in metrics.CHANCES),
)  # fmt: skip
PAGE = 50
MEASURES = ("total_pnl", "total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate")
NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def backtests_page(request: HttpRequest) -> HttpResponse:
    """List the backtests; a POST asks for one more and goes to its page."""
    if request.method == "POST":
        if not may_trade(request):
            raise PermissionDenied
        sent = form.BacktestForm(request.POST)
        run = _request(request, sent) if sent.is_valid() else None
        if run is not None:
            run_backtest.delay_on_commit(run_id=run.pk)
            return redirect("backtest", run.pk)
        return _list(request, sent, request.POST.dict(), status=422)
    fields, params = _begin(request)
    return _list(request, form.BacktestForm(initial=fields), params)


def _request(request: HttpRequest, sent: form.BacktestForm) -> BacktestRun | None:
    wanted = sent.cleaned_data
    params = form.given(request.POST.dict(), wanted["strategy"])
    by, at = request.user.get_username(), now()
    run: BacktestRun | None = told(
        request, "The backtest is queued.", lambda: backtests.request(**wanted, params=params, by=by, at=at)
    )
    return run


def _begin(request: HttpRequest) -> tuple[dict[str, Any], dict[str, str]]:
    number, strategy = request.GET.get("again", ""), request.GET.get("strategy", "")
    earlier = asked.backtest(int(number)) if number.isdigit() else None
    if earlier is not None:
        return form.again(earlier)
    return form.beginning(ist(now()).date(), strategy if strategy in form.NAMES else "intraday"), {}


def _list(request: HttpRequest, sent: form.BacktestForm, params: dict[str, str], status: int = 200) -> HttpResponse:
    page = Paginator(asked.backtests().defer("study", "telemetry", "params"), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "columns": columns.BACKTESTS,
        "rows": [_row(run) for run in page.object_list],
        "form": sent,
        "choices": form.choices(params),
        "chosen": sent["strategy"].value(),
        "demo_symbols": list(demo.INSTRUMENTS),
        "may_trade": may_trade(request),
        "asking": bool(
            request.GET.get("again") or request.GET.get("strategy") or sent.is_bound or not page.paginator.count
        ),
    }
    return render(request, "trading/backtests.html", context, status=status)


def _row(run: BacktestRun) -> dict[str, Any]:
    measures = {name: run.metrics.get(name) for name in MEASURES}
    return {
        "number": run.pk, "address": address("backtest", run.pk), "status": run.status, "strategy": run.strategy,
        "interval": run.interval, "names": formats.few(run.symbols), "symbols": ", ".join(run.symbols),
        "source": run.source, "first": formats.day(run.start), "last": formats.day(run.end),
        "created_at": run.created_at, "created_by": run.created_by, **measures,
    }  # fmt: skip


def _found(pk: int) -> BacktestRun:
    run = asked.backtest(pk)
    if run is None:
        raise Http404(f"there is no backtest {pk}")
    return run


@require_safe
@login_required
def backtest_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one backtest: how far it is while it runs, then its curve, measures and trades."""
    run = _found(pk)
    found = asked.trades(run).order_by(*ordering(request, columns.BACKTEST_TRADES, ("number",)))
    page = paged(request, found)
    context = {
        "run": run,
        "active": run.status in asked.ACTIVE,
        "dead": backtests.is_dead(run),
        "percent": round(100 * run.progress),
        "metrics": metrics.shown(run.metrics),
        "headline": [
            metric for _, group in metrics.shown(run.metrics) for metric in group if metric[0].key in metrics.HEADLINE
        ],
        "curve": [[i, value] for i, (_, value) in enumerate(run.equity)],
        "drawdowns": asked.drawdowns(run.equity),
        "columns": columns.BACKTEST_TRADES,
        "page": page,
        "rows": list(plain(columns.BACKTEST_TRADES)(page.object_list)),
        "may_trade": may_trade(request),
        "held": Grid("held", "Beside buying and holding", HELD,
                     [each for name in ("benchmark", "index") if (each := run.study.get(name))], ""),
        "chances": Grid("chances", "The same trades, otherwise", CHANCES, asked.chances(run.study), "",
                        "bootstrap draws as many trades with replacement, permutation changes their order only"),
        "months": asked.months(run.study),
        "month_names": calendar.month_abbr[1:],
    }  # fmt: skip
    return render(request, "trading/backtest.html", context)


@require_safe
@login_required
def compare_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a backtest beside the one named in ``with``."""
    other = request.GET.get("with", "")

    def work() -> Any:
        if not NUMBER.fullmatch(other):
            raise BadInput(f"{other[:20]!r} is not the number of a backtest", fix="look at the list of backtests")
        return comparing.compare(pk, int(other))

    return render(request, "trading/compare.html", {"pk": pk, "other": other, "found": told(request, "", work)})


@require_safe
@login_required
def backtest_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a backtest's trades as CSV."""
    run = _found(pk)
    rows = in_chunks(asked.trades(run).order_by("number"), plain(columns.BACKTEST_TRADES))
    return as_csv(f"backtest-{run.pk}-trades", columns.BACKTEST_TRADES, rows)


@require_POST
@for_traders
def cancel_backtest(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Ask a backtest that has not ended to stop."""
    run = _found(pk)
    by = request.user.get_username()
    told(request, "Cancellation requested.", lambda: backtests.cancel(run.pk, by=by))
    return redirect("backtest", run.pk)


@require_POST
@for_traders
def resume_backtest(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Go on with a backtest that was cancelled or whose process died."""
    run, by = _found(pk), request.user.get_username()
    if told(request, "The backtest goes on.", lambda: backtests.resume(run.pk, by=by)) is not None:
        run_backtest.delay_on_commit(run_id=run.pk)
    return redirect("backtest", run.pk)
