"""A walk-forward on its optimisation's page: its windows while they run, then the stitched curve and what drifts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models_ml.core.deployment_plan import shown
from models_ml.core.walk_report import MEASURES, in_words
from models_ml.models.optimizations import OptimizationRun
from sensequant.lib import formats

TILES = (
    ("Efficiency", "efficiency", "{:.2f}", "Annual return of the unseen days over that of the days that chose."),
    ("Unseen, a year", "annual_return", "{:.1%}", "Annual return of the stitched unseen days."),
    ("Searched, a year", "in_sample_annual_return", "{:.1%}", "Annual return of the chosen on the days that chose."),
    ("Windows that earned", "profitable_windows", "{:.0%}", "Share of windows whose unseen days earned something."),
)


def shown_walk(run: OptimizationRun, searches: Iterable[OptimizationRun]) -> dict[str, Any]:
    """Return what the page shows of a walk-forward; {} for any other optimisation."""
    if not run.spec.get("walk_forward"):
        return {}
    found = run.result.get("walk_forward")
    if not found:
        return {"running": list(searches)}
    return {
        "tiles": [(title, shown(found[key], form), meaning) for title, key, form, meaning in TILES],
        "words": in_words(found),
        "windows": [_window(each) for each in found["windows"]],
        "drift": [_drift(each) for each in found["drift"]],
        "measures": _measures(run.test),
        "curves": _curves(run.test, float(run.capital)),
        "trades": len(run.test["trades"]),
    }


def _window(each: Mapping[str, Any]) -> dict[str, Any]:
    unseen = each["out_of_sample"]
    return {
        **each,
        "chosen": ", ".join(f"{name} {value:g}" for name, value in each["parameters"].items()),
        "numbers": [
            shown(each["in_sample"]["total_return"], "{:.2%}"), shown(unseen["total_return"], "{:.2%}"),
            shown(unseen["sharpe_ratio"], "{:.2f}"), shown(unseen["max_drawdown"], "{:.2%}"),
            shown(unseen["trades"], "{:,.0f}"), shown(each["efficiency"], "{:.2f}"),
        ],
    }  # fmt: skip


def _drift(each: Mapping[str, Any]) -> dict[str, Any]:
    chosen = [f"{value:g}" for value in each["values"]]
    return {"name": each["name"], "moved": shown(each["moved"], "{:.0%}"), "changed": shown(each["changed"], "{:.0%}"),
            "values": chosen}  # fmt: skip


def _measures(seen: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    plain = seen.get("baseline", {})
    return [
        (words, _number(seen["best"].get(key), words, form), _number(plain.get(key), words, form))
        for words, key, form in MEASURES
    ]


def _number(value: Any, words: str, form: str) -> str:
    """Return a measure as text, rupees in lakh and crore."""
    money = formats.decimal(value) if words.endswith("₹") else None
    return shown(value, form) if money is None else formats.grouped(money)


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
