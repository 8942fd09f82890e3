"""What can be traded."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import SYMBOL, Flag, Money, Segment
from trading.api.paging import Page, Paging, paged
from trading.models import CorporateAction, Instrument, Listing
from trading.selectors.rest import one
from trading.services import instruments

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


class ListingOut(Schema):
    """The names one share went by over a stretch of days."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    isec_code: str = Field(description="Breeze short name.", examples=["RELIND"])
    token: str = Field(description="Exchange token.", examples=["2885"])
    isin: str = Field(description="ISIN.", examples=["INE002A01018"])
    series: str = Field(description="NSE series.", examples=["EQ"])
    company: str = Field(description="Company, as the security master writes it.", examples=["RELIANCE INDUSTRIES"])
    trade_to_trade: bool = Field(description="Nothing can be squared on the day it was bought.", examples=[False])
    since: dt.date = Field(description="First day it was seen so.")
    until: dt.date | None = Field(description="Last day; null while it holds.")

    @staticmethod
    def resolve_trade_to_trade(row: Listing) -> bool:
        """Return what the series says."""
        return instruments.trade_to_trade(row)


class ActionOut(Schema):
    """What an issuer did to its shares: bars before the ex-date are multiplied by the factors when they are read."""

    kind: str = Field(description="split, bonus, rights, dividend or demerger.", examples=["bonus"])
    ex_date: dt.date = Field(description="First day the shares trade without it.")
    known_on: dt.date = Field(description="First day it was known; bars read as of an earlier day do not see it.")
    terms: str = Field(description="As announced.", examples=["bonus 1:1"])
    price_factor: Money = Field(description="Prices before are multiplied by it.")
    volume_factor: Money = Field(description="Volumes before are multiplied by it.")
    source: str = Field(description="Where it was read.")


class InstrumentDetail(InstrumentOut):
    """One listed share with everything that is known of it."""

    tick_close: Money | None = Field(description="The month-end close the tick follows from, ₹; null when unknown.")
    tick_since: dt.date | None = Field(description="First day the tick holds for; null while it is only a default.")
    listings: list[ListingOut] = Field(description="The names it went by, newest first.")
    actions: list[ActionOut] = Field(description="Corporate actions, newest first.")

    @staticmethod
    def resolve_listings(row: Instrument) -> list[Listing]:
        """Return the rows of the symbol."""
        return list(Listing.objects.filter(symbol=row.symbol).order_by("-since", "-id"))

    @staticmethod
    def resolve_actions(row: Instrument) -> list[CorporateAction]:
        """Return the rows of the symbol."""
        return list(CorporateAction.objects.filter(symbol=row.symbol).order_by("-ex_date", "-id"))


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


@router.get("/{symbol}", response=InstrumentDetail, summary="One symbol")
def detail(
    request: HttpRequest, symbol: Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="DEMOBANK")]
) -> Instrument:
    """Return one share with the names it went by and its corporate actions."""
    return one(Instrument.objects.all(), "symbol", "/api/v1/symbols", symbol=symbol)
