"""Backtests: start one, watch it, read what came out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from sensequant.lib import paths
from sensequant.lib.clock import now
from trading import tasks
from trading.api.auth import TRADE, NotPermitted, right_in
from trading.api.fields import Day, Id, IntervalName, Moment, Money, Number, Rupees, Symbol, TestedName, YesNo
from trading.api.openapi import problem
from trading.api.paging import DaysFilter, Page, Paging, paged
from trading.api.trades import ClosedOut
from trading.core.rights import Right
from trading.models import BacktestRun, BacktestTrade
from trading.selectors.rest import one, span
from trading.services import backtests, comparing, studies

router = Router(tags=["backtests"])
RunId = Annotated[Id, Path(description="Number of the backtest.", example=12)]
OtherId = Annotated[Id, Path(description="Number of the backtest it is compared with.", example=15)]
MAY_CONFLICT: dict[str, Any] = {"responses": {409: problem(409)}}  # asked of a backtest that is not done
STATUSES = Literal["queued", "running", "done", "failed", "cancelled"]


class BacktestIn(Schema):
    """What to test."""

    model_config = ConfigDict(extra="forbid")

    symbols: list[Symbol] = Field(min_length=1, max_length=500, description="NSE symbols.", examples=[["DEMOBANK"]])
    strategy: TestedName = Field(
        description="Name in the strategy registry; or both: intraday and swing on one account.", examples=["intraday"]
    )
    interval: IntervalName = Field(description="Length of a bar.", examples=["5minute"])
    start: Day = Field(description="First day, IST.", examples=["2026-10-01"])
    end: Day = Field(description="Last day, IST, included.", examples=["2026-10-30"])
    source: Literal["demo", "csv", "breeze", "hybrid", "stream"] = Field(
        default="demo",
        description="The generated demo market; files of bars; the broker's history; files, and the broker for what "
        "they lack; or what live sessions streamed.",
    )
    directory: str = Field(
        default="",
        max_length=700,
        pattern=r"^[^\x00]*$",
        description="Folder of bar files, or of the cache; empty: DATA_FEED_CSV_DIRECTORY. Relative names lie under "
        "it (with source csv, minute say); folders elsewhere need the right to admin.",
        examples=[""],
    )
    params: dict[str, int | float | str] = Field(
        default={}, description="Parameters that differ from the defaults; see strategies.", examples=[{"adx_min": 25}]
    )
    capital: Rupees | None = Field(
        default=None, description="₹; the setting STARTING_CAPITAL_INR when left out.", examples=["1000000"]
    )
    stress: YesNo = Field(default=False, description="Also run it anew at dearer charges and slippage.")


class BacktestOut(Schema):
    """One backtest."""

    id: int = Field(description="Number of the backtest.", examples=[12])
    symbols: list[str] = Field(description="NSE symbols.", examples=[["DEMOBANK"]])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    interval: str = Field(description="Length of a bar.", examples=["5minute"])
    start: dt.date = Field(description="First day.", examples=["2026-10-01"])
    end: dt.date = Field(description="Last day.", examples=["2026-10-30"])
    source: str = Field(description="demo, csv, breeze, hybrid or stream.", examples=["demo"])
    params: dict[str, Any] = Field(description="Parameters that differ from the defaults.", examples=[{"adx_min": 25}])
    capital: Money = Field(description="Capital at the start, ₹.")
    status: str = Field(description="queued, running, done, failed or cancelled.", examples=["done"])
    progress: float = Field(description="0 to 1.", examples=[1.0])
    bars: int = Field(description="Bars it ran over.", examples=[22500])
    metrics: dict[str, Number] = Field(
        description="Measures of the run by name (rupees, fractions, minutes, counts); null where one has no meaning.",
        examples=[{"trades": 41, "total_pnl": 8123.5, "sharpe_ratio": 1.4, "max_drawdown": 0.031}],
    )
    model_version: str = Field(description="Student that scored its entries; empty when none did.", examples=[""])
    warnings: list[str] = Field(description="What to keep in mind when reading it.", examples=[[]])
    error: str = Field(description="Why it failed; empty otherwise.", examples=[""])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    created_by: str = Field(description="Who asked for it.", examples=["asha"])


class EquityDay(Schema):
    """The account at the end of one session."""

    date: dt.date = Field(description="Session.", examples=["2026-10-01"])
    equity: Money = Field(description="Cash and positions at market, ₹.")


class BacktestDetail(BacktestOut):
    """One backtest with its equity curve."""

    equity: list[EquityDay] = Field(description="One point a session.")

    @staticmethod
    def resolve_equity(run: BacktestRun) -> list[dict[str, Any]]:
        """Return the stored pairs as objects."""
        return [{"date": day, "equity": Decimal(str(rupees))} for day, rupees in run.equity]


class StudyOut(Schema):
    """What a result is worth."""

    benchmark: dict[str, Any] | None = Field(description="Buy and hold: its return, excess, alpha, beta, captures.")
    index: dict[str, Any] | None = Field(description="The same beside the market's index, where its bars lie.")
    monthly: list[Any] = Field(description="[year, month, return] of each month.")
    monte_carlo: dict[str, Any] | None = Field(description="Bootstrap and permutation of its trades.")
    stress: dict[str, Any] = Field(description="The same trades under heavier charges and slippage.")
    anew: list[dict[str, Any]] = Field(
        default=[], description="Runs anew at multiples of charges and slippage; empty unless `stress` was asked for."
    )
    excursions: dict[str, Any] = Field(
        default={}, description="What winners had to bear and losers let go: medians, fractions of the entry price."
    )
    strategies: list[dict[str, Any]] = Field(default=[], description="What each strategy of `both` came to.")


class CompareOut(Schema):
    """Two backtests side by side."""

    a: int = Field(description="The first.", examples=[12])
    b: int = Field(description="The second.", examples=[15])
    settings: list[dict[str, Any]] = Field(description="What was asked differently.")
    metrics: list[dict[str, Any]] = Field(description="Each measure of both, and the difference.")
    paired: dict[str, Any] | None = Field(
        description="Difference of daily returns (b − a) with a 95 % interval; null with too few common sessions."
    )
    trades: dict[str, Any] = Field(description="How many trades both have, and those only one has.")


class BacktestTradeOut(ClosedOut):
    """One trade of a backtest."""

    number: int = Field(description="Counts the backtest's trades.", examples=[1])
    strategy: str = Field(description="Strategy; empty in runs of earlier versions.", examples=["intraday"])
    mae: float | None = Field(description="Furthest against it while held, a fraction of the entry.", examples=[0.004])
    mfe: float | None = Field(description="Furthest in its favour, a fraction of the entry.", examples=[0.012])


class BacktestFilter(DaysFilter):
    """Which backtests; days are compared with when they were asked for."""

    symbol: Symbol | None = Field(default=None, description="Those over this symbol, among others.")
    strategy: TestedName | None = Field(default=None, description="Name in the strategy registry, or both.")
    status: STATUSES | None = Field(default=None, description="Where it stands.")


@router.post("", response={201: BacktestOut}, auth=TRADE, summary="Start a backtest")
def start(request: HttpRequest, body: BacktestIn, response: HttpResponse) -> Status[BacktestRun]:
    """Check the request, queue the backtest and return it; `GET` it until `status` is no longer queued or running."""
    run = backtests.request(
        symbols=body.symbols,
        strategy=body.strategy,
        interval=body.interval,
        start=body.start,
        end=body.end,
        source="csv" if body.source == "demo" and body.directory else body.source,
        directory=_folder(request, body),
        params=dict(body.params),
        capital=body.capital,
        stress=body.stress,
        by=request.user.get_username(),
        at=now(),
    )
    tasks.run_backtest.delay_on_commit(run_id=run.pk)
    run.refresh_from_db()  # money as it is kept
    response["Location"] = f"{request.path}/{run.pk}"
    return Status(201, run)


@router.get("", response=Page[BacktestOut], summary="List backtests")
def listing(request: HttpRequest, wanted: Query[BacktestFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return backtests, newest first."""
    rows = BacktestRun.objects.defer("equity")
    since, until = span(wanted.start, wanted.end)
    asked = {
        "symbols__icontains": f'"{wanted.symbol}"' if wanted.symbol else None,
        "strategy": wanted.strategy,
        "status": wanted.status,
        "created_at__gte": since,
        "created_at__lt": until,
    }
    return paged(request, rows.filter(**{k: v for k, v in asked.items() if v is not None}), paging, ["id"])


@router.get("/{number}", response=BacktestDetail, summary="One backtest")
def detail(request: HttpRequest, number: RunId) -> BacktestRun:
    """Return one backtest with its measures and its equity curve."""
    return _run(number)


@router.get("/{number}/trades", response=Page[BacktestTradeOut], summary="A backtest's trades")
def trades(request: HttpRequest, number: RunId, paging: Query[Paging]) -> dict[str, Any]:
    """Return the trades of one backtest, in their order."""
    rows = BacktestTrade.objects.filter(run=_run(number))
    return paged(request, rows, paging, ["number"], newest_first=False)


@router.get(
    "/{number}/study", response=StudyOut, summary="What a backtest's result is worth", openapi_extra=MAY_CONFLICT
)
def study(request: HttpRequest, number: RunId) -> dict[str, Any]:
    """Return benchmark, months, Monte Carlo and stress of a finished backtest; 409 before it is done."""
    return studies.of(_run(number))


@router.get(
    "/{number}/compare/{other}", response=CompareOut, summary="Compare two backtests", openapi_extra=MAY_CONFLICT
)
def compare(request: HttpRequest, number: RunId, other: OtherId) -> dict[str, Any]:
    """Return two finished backtests side by side, their daily returns in pairs."""
    return comparing.compare(number, other)


@router.post("/{number}/cancel", response=BacktestOut, auth=TRADE, summary="Cancel a backtest")
def cancel(request: HttpRequest, number: RunId) -> BacktestRun:
    """Cancel a backtest that is queued or running."""
    return backtests.cancel(number, by=request.user.get_username())


@router.post("/{number}/resume", response=BacktestOut, auth=TRADE, summary="Resume a backtest")
def resume(request: HttpRequest, number: RunId) -> BacktestRun:
    """Go on with a backtest that was cancelled, or whose process died; a long one goes on where it was left."""
    run = backtests.resume(number, by=request.user.get_username())
    tasks.run_backtest.delay_on_commit(run_id=run.pk)
    return run


def _run(number: int) -> BacktestRun:
    return one(BacktestRun.objects.all(), "backtest", "/api/v1/backtests", pk=number)


def _folder(request: HttpRequest, body: BacktestIn) -> str:
    """Return the folder asked for, empty for the demo market; only an admin may name one outside the data folder."""
    if body.source == "demo" and not body.directory:
        return ""
    data = paths.resolve(settings.DESK.data_feed_csv_directory).resolve()
    folder = (data / Folder(body.directory)).resolve()
    if not folder.is_relative_to(data) and right_in(request) < Right.ADMIN:
        raise NotPermitted("folders outside DATA_FEED_CSV_DIRECTORY need the right to admin", fix="name one inside it")
    return str(folder)
