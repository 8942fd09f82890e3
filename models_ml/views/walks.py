"""A walk-forward on its optimisation's page: its windows while they run, then the stitched curve and what drifts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse

from models_ml.core.walk_report import MEASURES, in_words
from models_ml.models.optimizations import OptimizationRun
from models_ml.views.figures import said, tiles, typeset
from sensequant.lib import formats
from trading.views import metrics
from trading.views.columns import BACKTEST_TRADES, Column

TRADES_SHOWN = 100
C = Column
SEARCHES = (
    C("pk", "Search", heading=True, link="address", figures=True),
    C("status", "Status", "status"),
    C("start", "From"),
    C("end", "To"),
    C("tried", "Tried", "qty"),
)
WINDOWS = (
    C("number", "Window", heading=True, link="address", figures=True, help="leads to its search"),
    C("searched", "Searched"),
    C("traded", "Traded unseen"),
    C("chosen", "Chosen", hint="missed"),
    C("return_searched", "Return, searched", "pct_of_one"),
    C("return_unseen", "Return, unseen", "pct_of_one"),
    C("sharpe", "Sharpe", "ratio", "of the unseen days"),
    C("drawdown", "Max drawdown", "share2", "of the unseen days"),
    C("trades", "Trades", "qty"),
    C("efficiency", "Efficiency", "ratio", "annual return of the unseen days over that of the searched ones"),
    C("verdict", "Verdict of the search"),
)
SIDE_BY_SIDE = (
    C("words", "Measure", heading=True),
    C("walk", "Walk-forward", figures=True),
    C("baseline", "Baseline", figures=True),
)
DRIFT = (
    C("name", "Parameter", heading=True),
    C("moved", "Mean move, of its range", "share"),
    C("changed", "Moves that changed it", "share"),
    C("chosen", "Chosen, window by window"),
)
TRADES = (
    C("window", "Window", "qty"),
    *(column for column in BACKTEST_TRADES if column.key not in {"number", "strategy", "mae", "mfe"}),
)


def shown_walk(run: OptimizationRun, searches: Iterable[OptimizationRun]) -> dict[str, Any]:
    """Return what the page shows of a walk-forward; {} for any other optimisation."""
    if not run.spec.get("walk_forward"):
        return {}
    found = run.result.get("walk_forward")
    if not found:
        return {"columns": SEARCHES, "running": [_search(each) for each in searches]}
    return {
        "tiles": tiles(metrics.WALK, found),
        "words": typeset(in_words(found)),
        "window_columns": WINDOWS,
        "windows": [_window(each) for each in found["windows"]],
        "drift_columns": DRIFT,
        "drift": [_drift(each) for each in found["drift"]],
        "measure_columns": SIDE_BY_SIDE,
        "measures": _measures(run.test),
        "curves": _curves(run.test, float(run.capital)),
        "trade_columns": TRADES,
        "trades": run.test["trades"][: -TRADES_SHOWN - 1 : -1],
        "traded": len(run.test["trades"]),
    }


def _search(run: OptimizationRun) -> dict[str, Any]:
    return {
        "pk": run.pk, "address": _address(run.pk), "status": run.status, "start": formats.day(run.start),
        "end": formats.day(run.end), "tried": getattr(run, "tried", 0),
    }  # fmt: skip


def _address(pk: int) -> str:
    return reverse("optimization", args=[pk])


def _window(each: Mapping[str, Any]) -> dict[str, Any]:
    unseen = each["out_of_sample"]
    chosen = ", ".join(f"{name} {value:g}" for name, value in each["parameters"].items())
    return {
        "number": each["number"], "address": _address(each["run_id"]), "verdict": each["verdict"],
        "searched": _span(each["train"]), "traded": _span(each["test"]),
        "chosen": chosen if each["feasible"] else f"{chosen} ▲",
        "missed": "" if each["feasible"] else "misses a constraint",
        "return_searched": each["in_sample"]["total_return"], "return_unseen": unseen["total_return"],
        "sharpe": unseen["sharpe_ratio"], "drawdown": unseen["max_drawdown"], "trades": unseen["trades"],
        "efficiency": each["efficiency"],
    }  # fmt: skip


def _span(days: Mapping[str, str]) -> str:
    first, last = (formats.day(dt.date.fromisoformat(days[name])) for name in ("first", "last"))
    return f"{first} to {last}"


def _drift(each: Mapping[str, Any]) -> dict[str, Any]:
    chosen = " → ".join(f"{value:g}" for value in each["values"])
    return {"name": each["name"], "moved": each["moved"], "changed": each["changed"], "chosen": chosen}


def _measures(seen: Mapping[str, Any]) -> list[dict[str, str]]:
    plain = seen.get("baseline", {})
    return [
        {
            "words": words, "walk": _number(seen["best"].get(key), words, form),
            "baseline": _number(plain.get(key), words, form),
        }
        for words, key, form in MEASURES
    ]  # fmt: skip


def _number(value: Any, words: str, form: str) -> str:
    """Return a measure as text, rupees in lakh and crore."""
    money = formats.decimal(value) if words.endswith("₹") else None
    return said(value, form) if money is None else formats.grouped(money)


def _curves(seen: Mapping[str, Any], capital: float) -> list[dict[str, Any]]:
    lines: Sequence[tuple[str, Any]] = (("walk-forward", seen["equity"]), ("baseline", seen.get("baseline_equity")))
    return [
        {
            "name": name,
            "points": [[k, 100.0 * (value / capital - 1.0)] for k, (_, value) in enumerate(points)],
            "last": 100.0 * (points[-1][1] / capital - 1.0),
        }
        for name, points in lines
        if points
    ]
