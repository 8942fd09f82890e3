"""What the strategies said, why, and what spoke against acting on it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import Flag, Id, Moment, Money, Number
from trading.api.paging import Filter, Page, Paging, paged
from trading.models import Signal
from trading.selectors.rest import matching, one

router = Router(tags=["signals"])


class SignalOut(Schema):
    """One opinion of a strategy about one bar."""

    id: int = Field(description="Number of the signal.", examples=[981])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    at: Moment = Field(description="Start of the bar.")
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    direction: str = Field(description="LONG, SHORT or FLAT.", examples=["LONG"])
    confidence: float = Field(description="0 to 1, after sentiment.", examples=[0.72])
    price: Money = Field(description="Close of the bar, ₹.")
    sentiment: Number = Field(description="-1 to 1; null when there was none.", examples=[0.2])
    reason: str = Field(description="Why, in words.", examples=["close 1532.45 retook SMA 1530.10"])
    objections: list[str] = Field(description="Why it was not acted on; empty when it was.", examples=[["risk limit"]])
    model_version: str = Field(description="Student that scored it; empty when none did.", examples=["student-1f3a9c"])
    model_confidence: Number = Field(description="Chance it gave, 0 to 1; null when none did.", examples=[0.64])
    features: dict[str, Number] = Field(description="What the strategy saw.", examples=[{"rsi": 58.2, "adx": 24.0}])


class SignalFilter(Filter):
    """Which signals."""

    direction: Literal["LONG", "SHORT", "FLAT"] | None = Field(default=None, description="Direction.")
    acted: Flag | None = Field(default=None, description="Only those acted on, or only the others.")


@router.get("", response=Page[SignalOut], summary="List signals")
def listing(request: HttpRequest, wanted: Query[SignalFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return signals, newest first."""
    rows = matching(Signal.objects.all(), wanted.asked(), "at")
    if wanted.direction:
        rows = rows.filter(direction=wanted.direction)
    if wanted.acted:
        rows = rows.filter(objections=[]) if wanted.acted == "true" else rows.exclude(objections=[])
    return paged(request, rows, paging, ["at", "id"])


@router.get("/{number}", response=SignalOut, summary="One signal")
def detail(
    request: HttpRequest, number: Annotated[Id, Path(description="Number of the signal.", example=981)]
) -> Signal:
    """Return one signal."""
    return one(Signal.objects.all(), "signal", "/api/v1/signals", pk=number)
