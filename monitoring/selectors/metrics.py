"""Metrics as pages, commands and the API ask for them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import QuerySet

from monitoring.models import Rollup
from sensequant.lib.errors import BadInput
from sensequant.lib.sketch import Counts
from sensequant.lib.stats import Stats, floor, total

FOLDED = 1_000
"""Rollups one page is made of at most, so that it takes no longer however wide its spans are."""
Row = tuple[dt.datetime, float, float, float, int, float, Counts]
CURSOR = re.compile(r"([a-z0-9_]{1,60})\.(\d{1,10})", re.ASCII)


class Span(NamedTuple):
    """What is asked for: metrics (all when empty) from ``begin`` to before ``end``, in spans of ``width`` seconds."""

    begin: dt.datetime
    end: dt.datetime
    width: int
    metric: str = ""


def names() -> list[str]:
    """Return every metric there are rollups of."""
    return list(_names(""))


def _names(after: str) -> Iterator[str]:
    """Yield the names after ``after``, each found by the index, however many rollups lie between."""
    rows = Rollup.objects.order_by("metric").values_list("metric", flat=True)
    while (name := rows.filter(metric__gt=after).first()) is not None:
        yield name
        after = name


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


def page(span: Span, *, cursor: str, limit: int) -> tuple[list[dict[str, Any]], str]:
    """Return the spans after ``cursor`` by metric and time, at most ``limit``, and the next cursor; empty at the end.

    A page ends early where ``FOLDED`` rollups were read for it. Raises BadInput for a cursor that is none of ours.
    """
    name, start = _decode(cursor)
    found: list[dict[str, Any]] = []
    left = FOLDED
    for metric, begin in _places(span, name, start):
        rows = list(_rows(span, metric, begin)[: left + 1])
        groups = [
            (at, [_stats(*row) for row in some]) for at, some in groupby(rows, lambda row: _start(row, span.width))
        ]
        if len(rows) > left and len(groups) > 1:
            groups.pop()  # perhaps not whole
        for at, stats in groups[: limit - len(found)]:
            whole = stats if len(groups) > 1 or len(rows) <= left else _whole(span, metric, at)
            found.append(told(metric, at, total(whole)))
        left -= len(rows)
        if len(found) >= limit or left <= 0:
            return found, _encode(found[-1]) if _more(span, found[-1]) else ""
    return found, ""


def _places(span: Span, name: str, start: int) -> Iterator[tuple[str, dt.datetime]]:
    """Yield each metric with where its reading begins: the cursor's own first, where it left off."""
    if name and span.metric in ("", name):
        yield name, max(span.begin, dt.datetime.fromtimestamp(start + span.width, dt.UTC))
    if span.metric:
        if not name:
            yield span.metric, span.begin
        return
    for metric in _names(name):
        yield metric, span.begin


def _rows(span: Span, metric: str, begin: dt.datetime) -> QuerySet[Rollup, Row]:
    """Return rollups as bare numbers: a thousand of them as objects would take longer than all else."""
    rows = Rollup.objects.filter(metric=metric, at__gte=begin, at__lt=span.end).order_by("metric", "at")
    return rows.values_list("at", "low", "high", "total", "count", "last", "counts")


def _stats(at: dt.datetime, low: float, high: float, sum_: float, count: int, last: float, counts: Counts) -> Stats:
    return Stats(low, high, sum_, count, last, at.timestamp(), counts)


def _whole(span: Span, metric: str, start: int) -> list[Stats]:
    begin = dt.datetime.fromtimestamp(start, dt.UTC)
    rows = _rows(span, metric, max(begin, span.begin)).filter(at__lt=begin + dt.timedelta(seconds=span.width))
    return [_stats(*row) for row in rows]


def _more(span: Span, last: dict[str, Any]) -> bool:
    places = _places(span, last["metric"], int(last["at"].timestamp()))
    return any(_rows(span, metric, begin).exists() for metric, begin in places)


def _start(row: Row, width: int) -> int:
    return floor(row[0].timestamp(), width)


def _encode(last: dict[str, Any]) -> str:
    return f"{last['metric']}.{int(last['at'].timestamp())}"


def _decode(cursor: str) -> tuple[str, int]:
    if not cursor:
        return "", 0
    known = CURSOR.fullmatch(cursor)
    if known is None:
        raise BadInput(f"cursor={cursor[:80]} is none of ours", fix="take it from next, or leave it out")
    return known[1], int(known[2])


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
