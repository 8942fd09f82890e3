"""What was closed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import Id, Moment, Money
from trading.api.paging import Filter, Page, Paging, paged
from trading.models import Trade
from trading.selectors import positions
from trading.selectors.rest import matching, one

router = Router(tags=["trades"])


class ClosedOut(Schema):
    """A position from flat to flat."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    side: str = Field(description="LONG or SHORT.", examples=["LONG"])
    quantity: int = Field(description="Shares.", examples=[32])
    entry_time: Moment = Field(description="Market time of the entry.")
    entry_price: Money = Field(description="Average entry, ₹.")
    exit_time: Moment = Field(description="Market time of the exit.")
    exit_price: Money = Field(description="Average exit, ₹.")
    exit_reason: str = Field(description="What closed it.", examples=["target"])
    gross_pnl: Money = Field(description="Before charges, ₹.")
    charges: Money = Field(description="All levies and brokerage, ₹.")
    net_pnl: Money = Field(description="After charges, ₹.")


class TradeOut(ClosedOut):
    """One trade of an engine run."""

    id: int = Field(description="Number of the trade.", examples=[208])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    orders: list[int] = Field(description="Numbers of its orders within the run.", examples=[[17, 21]])


class TotalsOut(Schema):
    """Sums over a set of trades."""

    trades: int = Field(description="Closed trades.", examples=[41])
    won: int = Field(description="Those with net profit.", examples=[23])
    win_rate: float | None = Field(description="Share that won; null without trades.", examples=[0.561])
    gross: Money = Field(description="Before charges, ₹.")
    charges: Money = Field(description="All levies and brokerage, ₹.")
    net: Money = Field(description="After charges, ₹.")


class TradeFilter(Filter):
    """Which trades; days are compared with the exit."""

    side: Literal["LONG", "SHORT"] | None = Field(default=None, description="Side.")


@router.get("", response=Page[TradeOut], summary="List trades")
def listing(request: HttpRequest, wanted: Query[TradeFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return closed trades, newest exit first."""
    rows = matching(Trade.objects.all(), wanted.asked(), "exit_time")
    if wanted.side:
        rows = rows.filter(side=wanted.side)
    return paged(request, rows, paging, ["exit_time", "id"])


@router.get("/totals", response=TotalsOut, summary="Sums over trades")
def totals(request: HttpRequest, wanted: Query[TradeFilter]) -> dict[str, Any]:
    """Return the sums over the closed trades asked for."""
    rows = matching(Trade.objects.all(), wanted.asked(), "exit_time")
    sums = positions.totals(rows.filter(side=wanted.side) if wanted.side else rows)
    return {**{name: getattr(sums, name) for name in TotalsOut.model_fields}}


@router.get("/{number}", response=TradeOut, summary="One trade")
def detail(request: HttpRequest, number: Annotated[Id, Path(description="Number of the trade.", example=208)]) -> Trade:
    """Return one trade."""
    return one(Trade.objects.all(), "trade", "/api/v1/trades", pk=number)
