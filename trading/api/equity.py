"""The account's equity over time."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from trading.api.fields import Moment, Money
from trading.api.paging import Page, Paging, RunFilter, paged
from trading.models import EquityPoint
from trading.selectors.rest import Asked, current_run, matching

router = Router(tags=["equity"])


class EquityOut(Schema):
    """What the account was worth at a moment."""

    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    at: Moment = Field(description="Market time.")
    equity: Money = Field(description="Cash and positions at market, ₹.")
    cash: Money = Field(description="Cash, ₹.")
    exposure: Money = Field(description="Value of all positions, ₹.")


@router.get("", response=Page[EquityOut], summary="Equity curve")
def listing(request: HttpRequest, wanted: Query[RunFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the equity of one run, oldest first; without `run` that of the current one."""
    run = wanted.run or current_run().pk
    rows = matching(EquityPoint.objects.all(), Asked(run=run, start=wanted.start, end=wanted.end), "at")
    return paged(request, rows, paging, ["at", "id"], newest_first=False)
