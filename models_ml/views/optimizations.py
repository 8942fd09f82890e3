"""Optimisations: the list, the form that starts one, and the page that watches it and shows what came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_ml.core.deployment_plan import SHOWN
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.selectors import optimizations as asked
from models_ml.services import optimizations, requests
from models_ml.tasks import run_optimization
from models_ml.views import listed, walks
from models_ml.views.figures import said, tiles, typeset
from models_ml.views.optimization_form import OptimizationForm, fresh
from sensequant.lib.clock import ist, now
from trading.core import demo
from trading.core.strategies import STRATEGIES
from trading.views import metrics
from trading.views.doors import for_traders, may_trade, told

PAGE = 50
SEARCH_FIELDS = ("objective", "search", "max_configs", "min_trades", "walk_forward")
HEATS = 9
PARTS = ("train", "validation", "test")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def optimizations_page(request: HttpRequest) -> HttpResponse:
    """List the optimisations; a POST asks for one more and goes to its page."""
    if request.method == "POST":
        if not may_trade(request):
            raise PermissionDenied
        sent = OptimizationForm(request.POST)
        run = _request(request, sent) if sent.is_valid() else None
        if run is not None:
            run_optimization.delay_on_commit(run_id=run.pk)
            return redirect("optimization", run.pk)
        return _list(request, sent, status=422)
    strategy = request.GET.get("strategy", "")
    chosen = strategy if strategy in STRATEGIES else "intraday"
    return _list(request, OptimizationForm(initial=fresh(ist(now()).date(), chosen)))


def _request(request: HttpRequest, sent: OptimizationForm) -> OptimizationRun | None:
    wanted = dict(sent.cleaned_data)
    space = wanted.pop("grid")
    given = {name: wanted.pop(name) for name in SEARCH_FIELDS}
    grid = {"parameters": space} if space else {}
    wanted["workers"] = wanted.get("workers") or "cores"
    by, at = request.user.get_username(), now()
    run: OptimizationRun | None = told(
        request, "The optimisation is queued.", lambda: requests.request(**wanted, grid=grid, given=given, by=by, at=at)
    )
    return run


def _list(request: HttpRequest, sent: OptimizationForm, status: int = 200) -> HttpResponse:
    page = Paginator(asked.whole(), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "columns": listed.OPTIMIZATIONS,
        "rows": [listed.optimization(run) for run in page.object_list],
        "form": sent,
        "strategies": [(name, (module.__doc__ or "").strip().splitlines()[0]) for name, module in STRATEGIES.items()],
        "chosen": sent["strategy"].value(),
        "demo_symbols": list(demo.INSTRUMENTS),
        "may_trade": may_trade(request),
        "asking": bool(request.GET.get("strategy") or sent.is_bound or not page.paginator.count),
    }
    return render(request, "models_ml/optimizations.html", context, status=status)


def _found(pk: int) -> OptimizationRun:
    run = asked.optimization(pk)
    if run is None:
        raise Http404(f"there is no optimisation {pk}")
    return run


@require_safe
@login_required
def optimization_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one optimisation: how far it is while it runs, then its verdict, ranking and sensitivity."""
    run = _found(pk)
    rows = asked.ranked(run)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    honesty = run.result.get("honesty", {})
    sensitivity = run.result.get("sensitivity", {})
    context = {
        "run": run,
        "active": run.status in asked.ACTIVE,
        "percent": round(100 * run.progress),
        "honesty": honesty,
        "reasons": [typeset(each) for each in honesty.get("reasons", [])],
        "tiles": tiles(metrics.HONESTY, honesty),
        "compared": _compared(run, rows.first(), asked.baseline(run)),
        "names": list(page.object_list[0].params) if page.object_list else [],
        "ranked": [_row(trial) for trial in page.object_list],
        "page": page,
        "sensitivity": [_sensitive(each) for each in sensitivity.get("parameters", [])],
        "heat": _heat(sensitivity.get("heat", {})),
        "walk": walks.shown_walk(run, asked.windows(run)),
        "may_trade": may_trade(request),
    }
    return render(request, "models_ml/optimization.html", context)


def _compared(run: OptimizationRun, best: Trial | None, baseline: Trial | None) -> list[tuple[str, list[str]]]:
    """Return the measures of baseline and best side by side; none before there is a ranking."""
    if best is None:
        return []
    columns: list[Mapping[str, Any]] = [
        {"score": baseline.score, **baseline.metrics} if baseline else {},
        {"score": best.score, **best.metrics},
        best.validation,
        run.test.get("best", {}),
        run.test.get("baseline", {}),
    ]
    rows = (("Score", "score", "{:.4f}"), *SHOWN)
    return [(label, [said(column.get(key), form) for column in columns]) for label, key, form in rows]


def _row(trial: Trial) -> dict[str, Any]:
    numbers = [said(trial.score, "{:.4f}")]
    numbers += [said(trial.metrics.get(key), form) for _, key, form in SHOWN]
    numbers.append(said(trial.validation.get("sharpe_ratio"), "{:.2f}"))
    return {"trial": trial, "params": [f"{value:g}" for value in trial.params.values()], "numbers": numbers}


def _sensitive(each: Mapping[str, Any]) -> dict[str, Any]:
    means = [mean for _, mean, _ in each["means"] if mean is not None]
    low, high = (min(means), max(means)) if means else (0.0, 0.0)
    return {
        "name": each["name"],
        "correlation": said(each["correlation"], "{:+.3f}"),
        "spread": said(each["spread"], "{:.4f}"),
        "levels": [
            (f"{value:.4g}", said(mean, "{:.4f}"), count, _warmth(mean, low, high))
            for value, mean, count in each["means"]
        ],
    }


def _heat(heat: Mapping[str, Any]) -> dict[str, Any]:
    if not heat:
        return {}
    known = [cell for row in heat["scores"] for cell in row if cell is not None]
    low, high = min(known), max(known)
    cells = [
        (f"{value:.4g}", [(said(cell, "{:.3f}"), _warmth(cell, low, high)) for cell in row])
        for value, row in zip(heat["rows"], heat["scores"], strict=True)
    ]
    return {
        "row": heat["row"],
        "column": heat["column"],
        "columns": [f"{x:.4g}" for x in heat["columns"]],
        "rows": cells,
    }


def _warmth(value: float | None, low: float, high: float) -> int:
    """Return how warm a score is among those beside it, 1 to HEATS; 0 where there is none."""
    if value is None:
        return 0
    return HEATS if high <= low else 1 + round((HEATS - 1) * (value - low) / (high - low))


@require_POST
@for_traders
def cancel_optimization(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Ask an optimisation that has not ended to stop; what was tried is kept."""
    run = _found(pk)
    by = request.user.get_username()
    told(request, "Cancellation requested.", lambda: optimizations.cancel(run.pk, by=by))
    return redirect("optimization", run.pk)
