"""What can be traded."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import SYMBOL, Flag, Money, Segment
from trading.api.paging import Page, Paging, paged
from trading.models import Instrument
from trading.selectors.rest import one

router = Router(tags=["symbols"])


class InstrumentOut(Schema):
    """One listed share."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    name: str = Field(description="Company.", examples=["Reliance Industries"])
    series: str = Field(description="NSE series.", examples=["EQ"])
    segment: str = Field(description="equity, or equity_fno for shares with F&O.", examples=["equity_fno"])
    tick: Money = Field(description="Smallest price step, ₹.")
    lot: int = Field(description="Shares are traded in multiples of this.", examples=[1])
    isin: str = Field(description="ISIN; empty when unknown.", examples=["INE002A01018"])
    isec_code: str = Field(description="Breeze short name; empty when unknown.", examples=["RELIND"])
    token: str = Field(description="Exchange token; empty when unknown.", examples=["2885"])
    is_demo: bool = Field(description="An invented share of the demo market.", examples=[False])


class SymbolFilter(Schema):
    """Which symbols."""

    search: str | None = Field(
        default=None,
        max_length=40,
        pattern=r"^[^\x00]*$",
        description="Part of the symbol or the name.",
        examples=["BANK"],
    )
    segment: Segment | None = Field(default=None, description="Segment.")
    demo: Flag | None = Field(default=None, description="Only, or without, invented shares.")


@router.get("", response=Page[InstrumentOut], summary="List symbols")
def listing(request: HttpRequest, wanted: Query[SymbolFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the shares the desk knows, by symbol."""
    rows = Instrument.objects.all()
    if wanted.search:
        rows = rows.filter(symbol__icontains=wanted.search) | rows.filter(name__icontains=wanted.search)
    if wanted.segment:
        rows = rows.filter(segment=wanted.segment)
    if wanted.demo:
        rows = rows.filter(is_demo=wanted.demo == "true")
    return paged(request, rows, paging, ["symbol"], newest_first=False)


@router.get("/{symbol}", response=InstrumentOut, summary="One symbol")
def detail(
    request: HttpRequest, symbol: Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="RELIANCE")]
) -> Instrument:
    """Return one share."""
    return one(Instrument.objects.all(), "symbol", "/api/v1/symbols", symbol=symbol)
