"""Metrics as pages, commands and the API ask for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitoring.models import Rollup
from sensequant.lib.stats import Stats, floor, total


def names() -> list[str]:
    """Return every metric there are rollups of."""
    return sorted(Rollup.objects.order_by().values_list("metric", flat=True).distinct())


def series(begin: dt.datetime, end: dt.datetime, *, metric: str = "") -> dict[str, list[list[float]]]:
    """Return for each metric ``[seconds, min, max, avg, count, sum]`` of every rollup that begins in the span."""
    rows = Rollup.objects.filter(at__gte=begin, at__lt=end).order_by("metric", "at")
    if metric:
        rows = rows.filter(metric=metric)
    found: dict[str, list[list[float]]] = {}
    for name, at, low, high, sum_, count in rows.values_list("metric", "at", "low", "high", "total", "count"):
        found.setdefault(name, []).append([at.timestamp(), low, high, sum_ / count, count, sum_])
    return found


def wide(begin: dt.datetime, end: dt.datetime, *, width: int, metric: str = "") -> list[dict[str, Any]]:
    """Return the rollups of a span folded into spans of ``width`` seconds, percentiles read from merged counts."""
    rows = Rollup.objects.filter(at__gte=begin, at__lt=end)
    if metric:
        rows = rows.filter(metric=metric)
    parts: dict[tuple[str, int], list[Stats]] = {}
    for row in rows:
        parts.setdefault((row.metric, floor(row.at.timestamp(), width)), []).append(row.stats)
    return [told(name, start, total(stats)) for (name, start), stats in sorted(parts.items())]


def summary(begin: dt.datetime, end: dt.datetime) -> list[dict[str, Any]]:
    """Return each metric's numbers over a whole span."""
    parts: dict[str, list[Stats]] = {}
    for row in Rollup.objects.filter(at__gte=begin, at__lt=end):
        parts.setdefault(row.metric, []).append(row.stats)
    return [told(name, int(begin.timestamp()), total(stats)) for name, stats in sorted(parts.items())]


def told(name: str, start: int, stats: Stats) -> dict[str, Any]:
    """Return numbers as screens and exports write them."""
    return {
        "metric": name, "at": dt.datetime.fromtimestamp(start, dt.UTC), "min": stats.low, "max": stats.high,
        "avg": stats.avg, "count": stats.count, "sum": stats.total, "last": stats.last, "p50": stats.quantile(0.5),
        "p95": stats.quantile(0.95), "p99": stats.quantile(0.99),
    }  # fmt: skip
