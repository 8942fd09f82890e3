"""Candles of a run, up to where it stands."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import now
from trading.api.fields import SYMBOL, WHOLE_ONLY, AskedMoment, Id, Moment, Number
from trading.api.paging import address
from trading.core.bars import Bars
from trading.models import EngineRun
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
    symbol: Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="RELIANCE")],
    wanted: Query[BarsFilter],
) -> dict[str, Any]:
    """Return the newest bars the run has seen, or those before a moment; never a bar the run has not seen."""
    run = (
        one(EngineRun.objects.all(), "engine run", "/api/v1/engine/runs", pk=wanted.run)
        if wanted.run
        else current_run()
    )
    before = int(wanted.before.timestamp()) if wanted.before else None
    found = history.bars(run.pk, symbol, limit=wanted.limit, before=before, at=now())
    full = len(found) == wanted.limit
    return {
        "run": run.pk,
        "symbol": symbol,
        "interval": run.interval,
        "market_time": run.cursor,
        "items": _items(found),
        "next": address(request, before=str(int(found.ts[0]))) if full else None,
    }


def _items(found: Bars) -> list[dict[str, Any]]:
    names = ("time", "open", "high", "low", "close", "volume")
    return [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in found.columns()), strict=True)]
