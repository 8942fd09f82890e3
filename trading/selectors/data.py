"""Which bars the desk has, what is missing of them, and what was set aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet

from trading.models import BarReport, BarSeries, FetchRun, FetchState, QuarantinedRow


def states() -> QuerySet[FetchState]:
    """Return how far each series is fetched."""
    return FetchState.objects.all()


def read_series() -> list[dict[str, Any]]:
    """Return every series of bar files that was read, as rows."""
    names = ("symbol", "interval", "rows", "first", "last", "verdict", "refreshed_at", "source", "path")
    return list(BarSeries.objects.values(*names))


def findings(most: int) -> QuerySet[BarReport]:
    """Return the newest findings in files, each with how many rows it set aside."""
    return BarReport.objects.annotate(aside=Count("rows"))[:most]


def set_aside(most: int) -> QuerySet[QuarantinedRow]:
    """Return the rows set aside last, with the finding that did so."""
    return QuarantinedRow.objects.select_related("report").order_by("-id")[:most]


def fetchings(most: int) -> QuerySet[FetchRun]:
    """Return the newest fetchings."""
    return FetchRun.objects.all()[:most]


def at_work() -> FetchRun | None:
    """Return the fetching that is at work; None when there is none."""
    return FetchRun.objects.filter(state="running").first()


def counted(results: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return what came of a fetching's series: series, done, candles kept, rows set aside, bars missing, calls."""
    rows = list(results)
    sums = {name: sum(int(row[name]) for row in rows) for name in ("kept", "quarantined", "missing", "requests")}
    return {"series": len(rows), "finished": sum(row["state"] == "done" for row in rows), **sums}
