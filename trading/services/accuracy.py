"""Accuracy of traces, from files or from the desk's own record, as commands, pages and the API give it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from sensequant.lib.clock import IST
from trading.core import accuracy, calibration
from trading.core.comparison import Comparison, compare
from trading.core.trace_table import Table
from trading.core.traces import LABELS
from trading.services import trace_reading

PAIR = ("intraday", "swing")


def report(
    paths: Sequence[str | Path], *, strategy: str = "both", baseline: str | Path | None = None
) -> dict[str, Any]:  # fmt: skip
    """Return the accuracy of the traces under ``paths``, for JSON; what has no meaning is null.

    Two paths are compared, the first with the second; with ``baseline`` all of ``paths`` are compared with it.
    """
    loaded = trace_reading.load(paths, strategy)
    found = {"read": loaded.told(), "strategy": strategy, **of(loaded.table)}
    if baseline is not None:
        before = trace_reading.load([baseline], strategy)
        found["baseline"] = {"read": before.told(), "metrics": plain(accuracy.measure(before.table))}
        found["comparison"] = told(compare({"baseline": before.table, "report": loaded.table}))
    elif len(paths) == 2:
        names = (str(paths[0]), str(paths[1]))
        pair = {name: trace_reading.load([path], strategy).table for name, path in zip(names, paths, strict=True)}
        if len(pair) == 2:
            found["comparison"] = told(compare(pair))
    return found


def of(table: Table, *, window: int | None = None) -> dict[str, Any]:
    """Return everything that is said of a table's traces, for JSON."""
    size = settings.DESK.dashboard_rolling_window_trades if window is None else window
    names = sorted(set(table.strategy.tolist()))
    parts = {name: table.of(name) for name in names} if len(names) > 1 else {}
    measured = {name: plain(accuracy.measure(part)) for name, part in parts.items()}
    both = set(PAIR) <= set(parts)
    comparison = told(compare({name: parts[name] for name in PAIR})) if both else None
    return {
        **plain(accuracy.measure(table)), "labels": list(LABELS), "by_strategy": measured,
        "comparative": {**{name: measured[name] for name in PAIR}, "comparison": comparison} if both else None,
        "rolling": rolled(table, size), "calibration": calibrated(table),
        "first": _when(table.ts.min()) if len(table) else None, "last": _when(table.ts.max()) if len(table) else None,
    }  # fmt: skip


def rolled(table: Table, window: int) -> dict[str, Any]:
    """Return the newest traces against all of them, for JSON."""
    found: dict[str, Any] = plain(accuracy.rolling(table, window))
    return found


def calibrated(table: Table) -> dict[str, Any]:
    """Return the calibration of every version, for JSON; predictions that name none stand under "unversioned"."""
    return {version or "unversioned": plain(each) for version, each in calibration.by_version(table).items()}


def told(found: Comparison) -> dict[str, Any]:
    """Return a comparison for JSON, in the document's words (§14.11.2)."""
    test = found.test
    return {
        "names": list(found.names), "better_strategy": found.better or None,
        "composite_scores": plain(found.scores), **plain(found.deltas),
        "statistical_significance": plain({
            "test": "Welch's t-test", "t_statistic": test.t, "degrees_of_freedom": test.df, "p_value": test.p,
            "significant": test.significant, "effect_size": test.effect, "minimum_sample": test.needed,
            "enough_traces": test.enough,
        }),
    }  # fmt: skip


def plain(value: Any) -> Any:
    """Return a value as JSON can keep it: named tuples as objects, what is not finite as null."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _when(ts: Any) -> str:
    return dt.datetime.fromtimestamp(float(ts), IST).isoformat()
