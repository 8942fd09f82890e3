"""How far each series of bars is fetched, and every fetching."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import Id, IntervalName, Moment, Symbol
from trading.api.paging import Page, Paging, paged
from trading.core.bars import interval as canonical
from trading.models import FetchRun, FetchState
from trading.selectors.rest import one
from trading.services import fetch_states

router = Router(tags=["state"])
RunId = Annotated[Id, Path(description="Number of the run.", example=4)]
RUN_STATES = Literal["running", "done", "partial", "failed", "stopped"]


class SeriesState(Schema):
    """How far one series is fetched."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    interval: str = Field(description="Length of a bar.", examples=["5minute"])
    last_fetch_date: dt.date | None = Field(description="Last session fetched; null when that is not known.")
    last_bar: str = Field(description="Start of the newest bar kept; empty without one.")
    rows: int = Field(description="Bars kept.", examples=[18375])
    ranges: list[list[dt.date]] = Field(description="Stretches of days asked for and answered, first and last of each.")
    missing: int = Field(description="Bars that the sessions looked at lack.", examples=[3])
    gaps: dict[str, int] = Field(description="Bars missing, by day.", examples=[{"2024-01-08": 1}])
    believed: bool = Field(description="False for a damaged record: the next fetch makes it anew from the files.")
    updated_at: Moment = Field(description="When it was last recorded.")


class SeriesResult(Schema):
    """What became of one series in a fetching."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    interval: str = Field(description="Length of a bar.", examples=["5minute"])
    code: str = Field(description="Breeze short name.", examples=["RELIND"])
    state: str = Field(description="waiting, done, partial or failed.", examples=["done"])
    sessions: int = Field(description="Sessions in the range.", examples=[22])
    there: int = Field(description="Sessions not asked for because they are kept already.", examples=[0])
    requested: int = Field(description="Candles that the sessions asked for hold.", examples=[1650])
    fetched: int = Field(description="Candles answered.", examples=[1650])
    kept: int = Field(description="Bars kept.", examples=[1650])
    quarantined: int = Field(description="Rows set aside.", examples=[0])
    requests: int = Field(description="Calls made.", examples=[2])
    files: list[str] = Field(description="Files written.", examples=[["2024-01-01_to_2024-01-31.csv"]])
    missing: int = Field(description="Bars missing in the range.", examples=[0])
    gaps_told: str = Field(description="The gaps in words.", examples=["1 late start"])
    warnings: list[str] = Field(description="What to look at.", examples=[[]])
    error: str = Field(description="Why it is not complete; empty otherwise.", examples=[""])


class FetchRunOut(Schema):
    """One fetching."""

    id: int = Field(description="Number of the run.", examples=[4])
    state: str = Field(description="running, done, partial, failed or stopped.", examples=["done"])
    progress: float = Field(description="0 to 1.", examples=[1.0])
    incremental: bool = Field(description="Whether it went on from the last bars.", examples=[False])
    error: str = Field(description="What ended it early; empty otherwise.", examples=[""])
    started_at: Moment = Field(description="When it began.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    series: list[SeriesResult] = Field(description="What became of each series.")


class StateFilter(Schema):
    """Which series."""

    symbol: Symbol | None = Field(default=None, description="Only this symbol.")
    interval: IntervalName | None = Field(default=None, description="Only this length of a bar.")


class RunFilter(Schema):
    """Which runs."""

    state: RUN_STATES | None = Field(default=None, description="Where it stands.")


@router.get("", response=Page[SeriesState], summary="How far bars are fetched")
def listing(request: HttpRequest, wanted: Query[StateFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the recorded series, by symbol and interval."""
    rows = fetch_states.listing()
    if wanted.symbol:
        rows = rows.filter(symbol=wanted.symbol)
    if wanted.interval:
        rows = rows.filter(interval=canonical(wanted.interval))
    found = paged(request, rows, paging, ["symbol", "interval"], newest_first=False)
    return {**found, "items": [_series(row) for row in found["items"]]}


@router.get("/runs", response=Page[FetchRunOut], summary="List fetch runs")
def runs(request: HttpRequest, wanted: Query[RunFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the fetchings, newest first."""
    rows = FetchRun.objects.all()
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    found = paged(request, rows, paging, ["id"])
    return {**found, "items": [_run(row) for row in found["items"]]}


@router.get("/runs/{number}", response=FetchRunOut, summary="One fetch run")
def run(request: HttpRequest, number: RunId) -> dict[str, Any]:
    """Return one fetching."""
    return _run(one(FetchRun.objects.all(), "fetch run", "/api/v1/state/runs", pk=number))


def _series(row: FetchState) -> dict[str, Any]:
    state = fetch_states.believed(row)
    known = state or fetch_states.State(row.symbol, row.interval)
    return {
        "symbol": row.symbol, "interval": row.interval, "last_fetch_date": known.last_fetch, "last_bar": known.last_bar,
        "rows": known.rows, "ranges": known.ranges, "missing": sum(known.gaps.values()), "gaps": known.gaps,
        "believed": state is not None, "updated_at": row.updated_at,
    }  # fmt: skip


def _run(row: FetchRun) -> dict[str, Any]:
    return {
        "id": row.pk, "state": row.state, "progress": row.progress, "error": row.error,
        "incremental": bool(row.asked.get("incremental")), "started_at": row.started_at,
        "finished_at": row.finished_at, "series": list(row.results.values()),
    }  # fmt: skip
