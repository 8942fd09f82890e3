"""What is held."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from trading.api.fields import Moment, Money
from trading.api.paging import Filter, Page, Paging, paged
from trading.models import Position
from trading.selectors.rest import matching

router = Router(tags=["positions"])


class PositionOut(Schema):
    """One open position."""

    id: int = Field(description="Number of the position.", examples=[55])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    side: str = Field(description="LONG or SHORT.", examples=["LONG"])
    quantity: int = Field(description="Shares.", examples=[32])
    entry_price: Money = Field(description="Average entry, ₹.")
    stop: Money | None = Field(description="Stop loss, ₹; null without one.")
    target: Money | None = Field(description="Take profit, ₹; null without one.")
    charges: Money = Field(description="Paid so far, ₹.")
    opened_at: Moment = Field(description="Market time.")


@router.get("", response=Page[PositionOut], summary="List open positions")
def listing(request: HttpRequest, wanted: Query[Filter], paging: Query[Paging]) -> dict[str, Any]:
    """Return what is held now, newest first; days are compared with the opening. Marks: engine/snapshot."""
    return paged(request, matching(Position.objects.all(), wanted.asked(), "opened_at"), paging, ["opened_at", "id"])
