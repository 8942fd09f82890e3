"""How the desk is: its score, its parts, its channels, and its metrics over time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from monitoring.selectors import metrics
from monitoring.services import status
from sensequant.lib.clock import now
from trading.api.fields import Moment
from trading.api.paging import Page, Paging, address

router = Router(tags=["monitoring"])


class NumbersOut(Schema):
    """One metric over one span."""

    metric: str = Field(description="The metric.", examples=["perf_intraday_tick_latency"])
    at: Moment = Field(description="Where the span begins.")
    min: float = Field(description="Least.", examples=[0.02])
    max: float = Field(description="Most.", examples=[1.9])
    avg: float | None = Field(description="Mean.", examples=[0.06])
    count: int = Field(description="Samples.", examples=[4711])
    sum: float = Field(description="Sum.", examples=[282.7])
    last: float = Field(description="Newest.", examples=[0.05])
    p50: float | None = Field(description="Median, within 5 %.", examples=[0.05])
    p95: float | None = Field(description="95th percentile, within 5 %.", examples=[0.11])
    p99: float | None = Field(description="99th percentile, within 5 %.", examples=[0.4])


class MetricsFilter(Schema):
    """Which numbers."""

    hours: float = Field(default=24.0, gt=0, le=8_784, description="How far back.")
    seconds: int = Field(default=300, ge=10, le=86_400, description="Length of a span.", examples=[3600])
    metric: str = Field(default="", max_length=60, pattern=r"^[a-z0-9_]*$", description="Only this metric.")


@router.get("/status", response=dict[str, Any], summary="Score from 0 to 100, and why")
def desk_status(request: HttpRequest) -> dict[str, Any]:
    """Return the score with the reason for every lost point, open alerts, runs, channels and the monitor's state."""
    return status.status(at=now())


@router.get("/health", response=dict[str, Any], summary="Each part: ok, or what is wrong")
def desk_health(request: HttpRequest) -> dict[str, Any]:
    """Return each part of the desk with ok or what is wrong with it."""
    return status.health(at=now())


@router.get("/metrics", response=Page[NumbersOut], summary="Metrics over time")
def over_time(request: HttpRequest, wanted: Query[MetricsFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the rollups folded into spans of the wanted length, by metric and time; percentiles from merged counts.

    A page may hold fewer than `limit` spans and still have a `next`: it ends where it has read enough.
    """
    at = now()
    span = metrics.Span(at - dt.timedelta(hours=wanted.hours), at, wanted.seconds, wanted.metric)
    items, cursor = metrics.page(span, cursor=paging.cursor or "", limit=paging.limit)
    return {"items": items, "next": address(request, cursor=cursor) if cursor else None}
