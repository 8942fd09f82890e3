"""Optimisations: start one, watch it, read the ranking and how honest it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from models_ml import tasks
from models_ml.models.optimizations import OptimizationRun
from models_ml.selectors import optimizations as found
from models_ml.services import optimizations, requests
from sensequant.lib import paths
from sensequant.lib.clock import now
from trading.api.auth import TRADE, NotPermitted, right_in
from trading.api.fields import Day, Id, IntervalName, Moment, Money, Number, Rupees, StrategyName, Symbol
from trading.api.paging import DaysFilter, Page, Paging, paged
from trading.core.rights import Right
from trading.selectors.rest import one, span

router = Router(tags=["optimizations"])
RunId = Annotated[Id, Path(description="Number of the optimisation.", example=3)]
STATUSES = Literal["queued", "running", "done", "failed", "cancelled"]
Values = Annotated[list[float], Field(min_length=1, max_length=1000)]


class RangeIn(Schema):
    """A parameter's range."""

    model_config = ConfigDict(extra="forbid")

    low: float = Field(strict=True, description="Least value.", examples=[10])
    high: float = Field(strict=True, description="Greatest value.", examples=[30])
    step: float = Field(
        strict=True, default=0.0, ge=0.0, description="Distance of two values; 0: any between.", examples=[5]
    )


class OptimizationIn(Schema):
    """What to search."""

    model_config = ConfigDict(extra="forbid")

    symbols: list[Symbol] = Field(min_length=1, max_length=500, description="NSE symbols.", examples=[["DEMOBANK"]])
    strategy: StrategyName = Field(description="Name in the strategy registry.", examples=["intraday"])
    interval: IntervalName = Field(description="Length of a bar.", examples=["5minute"])
    start: Day = Field(description="First day, IST.", examples=["2026-06-01"])
    end: Day = Field(description="Last day, IST, included.", examples=["2026-10-30"])
    source: Literal["demo", "csv", "breeze", "hybrid"] = Field(
        default="demo", description="The demo market, files of bars, the broker's history, or files and the broker."
    )
    directory: str = Field(
        default="", max_length=700, pattern=r"^[^\x00]*$",
        description="Folder of bar files; empty: DATA_FEED_CSV_DIRECTORY. Others need the right to admin.",
    )  # fmt: skip
    parameters: dict[str, Values | RangeIn] = Field(
        default={}, description="What may vary; empty: the strategy's own bounds.", examples=[{"sma": [10, 20, 30]}]
    )
    params: dict[str, int | float | str] = Field(default={}, description="What every configuration shares.")
    capital: Rupees | None = Field(
        default=None, description="₹; the setting STARTING_CAPITAL_INR when left out.", examples=["1000000"]
    )
    objective: str | None = Field(
        default=None, max_length=20, description="composite, sharpe and others.", examples=["composite"]
    )
    search: Literal["grid", "random", "adaptive"] = Field(default="grid", description="How to search.")
    max_configs: int = Field(strict=True, default=200, ge=1, le=20_000, description="Most configurations to try.")
    min_trades: int = Field(
        strict=True, default=20, ge=0, le=1_000_000, description="Least trades on the training days."
    )
    max_drawdown: float = Field(
        strict=True, default=1.0, ge=0.0, le=1.0, description="Deepest fall allowed, a fraction."
    )
    walk_forward: str = Field(
        default="", max_length=40, examples=[""],
        description="TRAIN:TEST[:STEP] in trading sessions (60:20, 12w:4w, 3m:1m): search window after window and "
        "trade the days after each unseen. Empty: one search over all days.",
    )  # fmt: skip
    workers: Literal["cores", "fleet"] = Field(
        default="cores",
        description="Who tries the configurations: the cores of one machine, or every Celery worker (REDIS_URL).",
    )


class OptimizationOut(Schema):
    """One optimisation."""

    id: int = Field(description="Number of the optimisation.", examples=[3])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    symbols: list[str] = Field(description="NSE symbols.", examples=[["DEMOBANK"]])
    interval: str = Field(description="Length of a bar.", examples=["5minute"])
    start: dt.date = Field(description="First day.", examples=["2026-06-01"])
    end: dt.date = Field(description="Last day.", examples=["2026-10-30"])
    capital: Money = Field(description="Capital at the start, ₹.")
    status: str = Field(description="queued, running, done, failed or cancelled.", examples=["done"])
    progress: float = Field(description="0 to 1.", examples=[1.0])
    walk_forward: str = Field(
        description="Train, test and step in sessions; empty for one search over all days.", examples=["60:20:20"]
    )
    parent: int | None = Field(
        alias="parent_id", description="The walk-forward this searches a window of; null otherwise.", examples=[None]
    )
    workers: str = Field(description="Who tries them: cores or fleet.", examples=["cores"])
    total: int = Field(description="Configurations to try.", examples=[200])
    tried: int = Field(description="Configurations tried so far.", examples=[200])
    verdict: str | None = Field(description="evidence, not enough evidence or REJECT.", examples=["REJECT"])
    output_dir: str = Field(description="Folder of its artifacts.", examples=["data/optimization/run_20261120_101500"])
    error: str = Field(description="Why it failed; empty otherwise.", examples=[""])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    created_by: str = Field(description="Who asked for it.", examples=["asha"])

    @staticmethod
    def resolve_verdict(run: OptimizationRun) -> str | None:
        """Return the verdict of the honesty gate, once there is one."""
        verdict: str | None = run.result.get("honesty", {}).get("verdict")
        return verdict

    @staticmethod
    def resolve_walk_forward(run: OptimizationRun) -> str:
        """Return the plan of a walk-forward; empty for any other optimisation."""
        return str(run.spec.get("walk_forward", ""))

    @staticmethod
    def resolve_tried(run: OptimizationRun) -> int:
        """Return how many configurations are settled."""
        return getattr(run, "tried", 0)


class OptimizationDetail(OptimizationOut):
    """One optimisation with what came out."""

    spec: dict[str, Any] = Field(description="Space, search, objective, split and constraints.")
    parts: dict[str, list[int]] = Field(description="First and last session (ordinals) and sessions of each part.")
    result: dict[str, Any] = Field(
        description="Honesty and sensitivity, or honesty and `walk_forward` with its windows; empty until it is done."
    )
    test: dict[str, Any] = Field(
        description="The one look at the test days; of a walk-forward the stitched equity, trades and measures of all "
        "unseen days. Empty until then."
    )


class TrialOut(Schema):
    """One configuration that was tried."""

    config_id: str = Field(description="Its name in the artifacts.", examples=["config_0001"])
    number: int = Field(description="Its place in the search.", examples=[1])
    status: str = Field(description="waiting, done or failed.", examples=["done"])
    rank: int | None = Field(description="Its place in the ranking; null until it is made.", examples=[1])
    score: Number = Field(description="The objective on the training days.", examples=[0.61])
    feasible: bool = Field(description="Whether it meets the constraints.", examples=[True])
    params: dict[str, Any] = Field(description="Its parameters.", examples=[{"sma": 20}])
    metrics: dict[str, Any] = Field(description="Measures on the training days.")
    validation: dict[str, Any] = Field(description="Measures on the validation days.")
    error: str = Field(description="Why it failed; empty otherwise.", examples=[""])


class OptimizationFilter(DaysFilter):
    """Which optimisations; days are compared with when they were asked for."""

    strategy: StrategyName | None = Field(default=None, description="Name in the strategy registry.")
    status: STATUSES | None = Field(default=None, description="Where it stands.")
    parent: Id | None = Field(default=None, description="Only the windows of this walk-forward; else none of any.")


@router.post("", response={201: OptimizationOut}, auth=TRADE, summary="Start an optimisation")
def start(request: HttpRequest, body: OptimizationIn, response: HttpResponse) -> Status[OptimizationRun]:
    """Check the request, queue the optimisation and return it; `GET` it until it is no longer queued or running."""
    space = {name: each.dict() if isinstance(each, RangeIn) else each for name, each in body.parameters.items()}
    run = requests.request(
        symbols=body.symbols, strategy=body.strategy, interval=body.interval, start=body.start, end=body.end,
        source="csv" if body.source == "demo" and body.directory else body.source, directory=_folder(request, body),
        params=dict(body.params), capital=body.capital, grid={"parameters": space} if space else {},
        given=body.dict(include={"objective", "search", "max_configs", "min_trades", "max_drawdown", "walk_forward"}),
        workers=body.workers, by=request.user.get_username(), at=now(),
    )  # fmt: skip
    tasks.run_optimization.delay_on_commit(run_id=run.pk)
    response["Location"] = f"{request.path}/{run.pk}"
    run.refresh_from_db()  # money as it is kept
    return Status(201, run)


@router.get("", response=Page[OptimizationOut], summary="List optimisations")
def listing(request: HttpRequest, wanted: Query[OptimizationFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return optimisations, newest first; the windows of a walk-forward only when its number is given."""
    since, until = span(wanted.start, wanted.end)
    asked = {
        "strategy": wanted.strategy, "status": wanted.status, "created_at__gte": since, "created_at__lt": until,
    }  # fmt: skip
    rows = found.whole() if wanted.parent is None else found.optimizations().filter(parent=wanted.parent)
    rows = rows.filter(**{k: v for k, v in asked.items() if v is not None})
    return paged(request, rows, paging, ["id"])


@router.get("/{number}", response=OptimizationDetail, summary="One optimisation")
def detail(request: HttpRequest, number: RunId) -> OptimizationRun:
    """Return one optimisation with its honesty, its sensitivity and what the test days showed."""
    return _run(number)


@router.get("/{number}/trials", response=Page[TrialOut], summary="An optimisation's configurations")
def trials(request: HttpRequest, number: RunId, paging: Query[Paging]) -> dict[str, Any]:
    """Return the configurations of one optimisation, in order of search; `rank` says how they came out."""
    return paged(request, found.tried(_run(number)), paging, ["number"], newest_first=False)


@router.post("/{number}/cancel", response=OptimizationOut, auth=TRADE, summary="Cancel an optimisation")
def cancel(request: HttpRequest, number: RunId) -> OptimizationRun:
    """Cancel an optimisation that is queued or running; what was tried is kept."""
    optimizations.cancel(number, by=request.user.get_username())
    return _run(number)


def _run(number: int) -> OptimizationRun:
    return one(found.optimizations(), "optimisation", "/api/v1/optimizations", pk=number)


def _folder(request: HttpRequest, body: OptimizationIn) -> str:
    """Return the folder asked for, empty for the demo market; only an admin may name one outside the data folder."""
    if body.source == "demo" and not body.directory:
        return ""
    data = paths.resolve(settings.DESK.data_feed_csv_directory).resolve()
    folder = (data / Folder(body.directory)).resolve()
    if not folder.is_relative_to(data) and right_in(request) < Right.ADMIN:
        raise NotPermitted("folders outside DATA_FEED_CSV_DIRECTORY need the right to admin", fix="name one inside it")
    return str(folder)
