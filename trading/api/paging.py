"""What lists take and give: filters, pages, and the address of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from trading.api.fields import WHOLE_ONLY, Day, Id, StrategyName, Symbol
from trading.selectors import rest

T = TypeVar("T")


class Paging(Schema):
    """Which page."""

    limit: Annotated[int, Field(ge=1, le=1000), WHOLE_ONLY] = Field(default=100, description="Most rows of a page.")
    cursor: str | None = Field(default=None, max_length=400, description="Where the page begins; taken from `next`.")


class DaysFilter(Schema):
    """A span of days."""

    start: Day | None = Field(default=None, description="First day, IST.", examples=["2026-11-20"])
    end: Day | None = Field(default=None, description="Last day, IST, included.", examples=["2026-11-20"])


class RunFilter(DaysFilter):
    """A run of the engine and a span of days."""

    run: Id | None = Field(default=None, description="Number of the engine run; all when left out.", examples=[3])


class Filter(RunFilter):
    """What most lists can be narrowed to."""

    symbol: Symbol | None = Field(default=None, description="NSE symbol.")
    strategy: StrategyName | None = Field(default=None, description="Name in the strategy registry.")

    def asked(self) -> rest.Asked:
        """Return the filters as the selector takes them."""
        return rest.Asked(self.symbol, self.strategy, self.run, self.start, self.end)


class Page(Schema, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="The rows.")
    next: str | None = Field(
        description="Address of the next page; null on the last.", examples=["/api/v1/orders?limit=100&cursor=WzQyXQ"]
    )


def paged(
    request: HttpRequest, rows: QuerySet[Any], paging: Paging, order: Sequence[str], *, newest_first: bool = True
) -> dict[str, Any]:
    """Return one page of ``rows``; ``order`` names columns that are unique together."""
    items, cursor = rest.page(rows, order, cursor=paging.cursor, limit=paging.limit, newest_first=newest_first)
    return {"items": items, "next": address(request, cursor=cursor) if cursor else None}


def address(request: HttpRequest, **changed: str | None) -> str:
    """Return this request's address with some parameters set."""
    query = request.GET.copy()
    for name, value in changed.items():
        query[name] = value or ""
    return f"{request.path}?{query.urlencode()}"
