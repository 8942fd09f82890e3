"""Candles of a run, up to where it stands."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import now
from trading.api.fields import SYMBOL, WHOLE_ONLY, AskedMoment, Id, Moment, Number
from trading.api.paging import address
from trading.core.bars import Bars
from trading.models import EngineRun
from trading.selectors import charts
from trading.selectors.rest import current_run, one
from trading.services import history

router = Router(tags=["bars"])


class BarOut(Schema):
    """One bar; prices are float64 market data, so JSON numbers."""

    time: int = Field(description="Start of the bar, seconds since 1970 UTC.", examples=[1763612100])
    open: float = Field(description="First price, ₹.", examples=[1530.0])
    high: float = Field(description="Highest price, ₹.", examples=[1533.5])
    low: float = Field(description="Lowest price, ₹.", examples=[1529.1])
    close: float = Field(description="Last price, ₹.", examples=[1532.45])
    volume: Number = Field(description="Shares; null when unknown.", examples=[48213.0])


class BarsOut(Schema):
    """Bars of one symbol, oldest first."""

    run: int = Field(description="Engine run.", examples=[3])
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    interval: str = Field(description="Length of a bar.", examples=["5minute"])
    market_time: Moment | None = Field(description="Start of the last bar the run has seen; null before the first.")
    items: list[BarOut] = Field(description="The bars, oldest first.")
    next: str | None = Field(
        description="Address of the bars before these; null when there are none.",
        examples=["/api/v1/bars/RELIANCE?limit=400&before=1763612100"],
    )


class MarkOut(Schema):
    """One fill, where a chart marks it."""

    time: int = Field(description="When, seconds since 1970 UTC.", examples=[1763612160])
    side: str = Field(description="BUY or SELL.", examples=["BUY"])
    purpose: str = Field(description="entry or exit.", examples=["entry"])
    quantity: int = Field(description="Shares.", examples=[32])
    price: str = Field(description="Price of a share, ₹.", examples=["1532.4500"])
    reason: str = Field(description="Why.", examples=["signal"])


class ChartOut(Schema):
    """What stands on a chart beside the bars."""

    run: int = Field(description="Engine run.", examples=[3])
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    times: list[int] = Field(description="Start of each bar, seconds since 1970 UTC.", examples=[[1763612100]])
    lines: dict[str, list[Number]] = Field(
        description="The strategy's own averages, a value a bar; null while they warm up.",
        examples=[{"SMA 20": [1530.1]}],
    )
    marks: list[MarkOut] = Field(description="The run's fills in this span.")


class BarsFilter(Schema):
    """Which bars."""

    limit: Annotated[int, Field(ge=1, le=history.MOST), WHOLE_ONLY] = Field(default=400, description="Most bars.")
    before: AskedMoment | None = Field(
        default=None, description="Only bars that start before this: ISO 8601 with offset, or seconds since 1970."
    )
    run: Id | None = Field(default=None, description="Engine run; the current one when left out.", examples=[3])


@router.get("/{symbol}", response=BarsOut, summary="Candles")
def listing(
    request: HttpRequest,
    symbol: Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="DEMOBANK")],
    wanted: Query[BarsFilter],
) -> dict[str, Any]:
    """Return the newest bars the run has seen, or those before a moment; never a bar the run has not seen."""
    run, found = _found(symbol, wanted)
    full = len(found) == wanted.limit
    return {
        "run": run.pk,
        "symbol": symbol,
        "interval": run.interval,
        "market_time": run.cursor,
        "items": _items(found),
        "next": address(request, before=str(int(found.ts[0]))) if full else None,
    }


@router.get("/{symbol}/chart", response=ChartOut, summary="Averages and fills beside candles")
def chart(
    request: HttpRequest,
    symbol: Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="DEMOBANK")],
    wanted: Query[BarsFilter],
) -> dict[str, Any]:
    """Return the averages the strategy decides by, and the run's fills, over the same bars as `/bars/{symbol}`."""
    run, found = _found(symbol, wanted)
    since = dt.datetime.fromtimestamp(int(found.ts[0]) if len(found) else 0, dt.UTC)
    return {
        "run": run.pk, "symbol": symbol, "times": found.ts.tolist(), "lines": charts.averages(run, found),
        "marks": charts.marks(run, symbol, since),
    }  # fmt: skip


def _found(symbol: str, wanted: BarsFilter) -> tuple[EngineRun, Bars]:
    run = (
        one(EngineRun.objects.all(), "engine run", "/api/v1/engine/runs", pk=wanted.run)
        if wanted.run
        else current_run()
    )
    before = int(wanted.before.timestamp()) if wanted.before else None
    return run, history.bars(run.pk, symbol, limit=wanted.limit, before=before, at=now())


def _items(found: Bars) -> list[dict[str, Any]]:
    names = ("time", "open", "high", "low", "close", "volume")
    return [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in found.columns()), strict=True)]
