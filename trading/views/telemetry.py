"""The Telemetry page: how accurate predictions were, by the desk's own record or by files, and whether that lasts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sensequant.lib.clock import now
from sensequant.lib.errors import NotFound
from trading.core.accuracy import cumulative
from trading.core.strategies import STRATEGIES
from trading.core.trace_table import Table
from trading.selectors import accuracy as selected
from trading.selectors import students
from trading.services import accuracy_sources, prediction_watch
from trading.views import metrics

CARD = tuple(each for each in metrics.PREDICTIONS if each.key not in ("ece", "brier"))
PACE = (
    ("Precision LONG", "precision_long", "share"), ("Win rate", "win_rate", "share"),
    ("Hit ratio", "hit_ratio", "share"),
    ("Sharpe", "sharpe_ratio", "ratio"), ("Average hold", "avg_holding_minutes", "minutes"),
)  # fmt: skip
POINTS = 600  # of a curve; more cannot be seen


@require_safe
@login_required
def telemetry_page(request: HttpRequest) -> HttpResponse:
    """Show one source's accuracy; without one asked for, the desk's own record."""
    source = request.GET.get("source") or accuracy_sources.RECORD
    strategy = request.GET.get("strategy", "")
    strategy = strategy if strategy in STRATEGIES else ""
    try:
        found, traces = accuracy_sources.measured(source, strategy, at=now())
    except NotFound as error:
        raise Http404(error.message) from None
    context = {
        "found": found,
        "parts": list(_parts(found, traces)),
        "pace": list(_pace(found["rolling"])),
        "curves": _curves(traces),
        "sources": accuracy_sources.sources(),
        "strategies": list(STRATEGIES),
        "chosen": {"source": source, "strategy": strategy},
        "record": prediction_watch.checked(at=now()) if source == accuracy_sources.RECORD else None,
        "waiting": selected.open_predictions(),
        "student": students.champion(),
        **{each.key: each for each in metrics.PREDICTIONS if each.key in ("ece", "brier")},
    }
    return render(request, "trading/telemetry.html", context)


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, **{f"precision_{label.lower()}": value for label, value in found["precision"].items()}}


def _parts(found: dict[str, Any], traces: Table) -> Any:
    """Yield a card and a confusion matrix for every strategy there is."""
    for name in sorted(set(traces.strategy.tolist())):
        one = _flat(found["by_strategy"].get(name, found))
        rows = [
            {"label": label, "cells": [{"count": n, "heat": _heat(n, row)} for n in row]}
            for label, row in zip(found["labels"], one["confusion_matrix"], strict=True)
        ]
        facts = [(each, one[each.key]) for each in CARD]
        yield {"name": name, "trades": one["total_trades"], "facts": facts, "matrix": rows}


def _heat(count: int, row: list[int]) -> int:
    """Return how much of its row a cell holds, 0 … 9, for its shade."""
    return min(9, 10 * count // sum(row)) if sum(row) else 0


def _pace(rolling: dict[str, Any]) -> Any:
    recent, ever = _flat(rolling["rolling"]), _flat(rolling["all_time"])
    for words, key, how in PACE:
        yield {"name": words, "rolling": recent[key], "ever": ever[key], "how": how}


def _curves(traces: Table) -> list[dict[str, Any]]:
    """Return each strategy's compounded return over time, thinned to what can be seen."""
    found = []
    for name in sorted(set(traces.strategy.tolist())):
        when, value = cumulative(traces.of(name))
        step = max(1, len(when) // POINTS)
        keep = [*range(0, len(when), step), len(when) - 1]
        found.append(
            {"name": name, "last": float(value[-1]), "points": [[float(when[k]), float(value[k])] for k in keep]}
        )
    return found
