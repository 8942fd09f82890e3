"""How accurate predictions were: the desk's own record, traced backtests and folders of traces; and whether the
record is as it was written.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import now
from trading.api.fields import Id, Moment, Number
from trading.api.paging import Page, Paging, paged
from trading.core.trace_table import WORD
from trading.selectors import accuracy as selected
from trading.services import accuracy_sources, predictions
from trading.services.accuracy_sources import RECORD, Source

router = Router(tags=["accuracy"])
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,119}$"
ByClass = dict[str, Number]


class SourceOut(Schema):
    """One place traces come from."""

    name: str = Field(description="Its name for `source`.", examples=["record"])
    title: str = Field(description="What a reader calls it.", examples=["The desk's own record"])


class TraceMetricsOut(Schema):
    """Measures of traces; shares 0 to 1, returns in per cent, the drawdown a negative fraction."""

    total_trades: int = Field(description="Traces.", examples=[543])
    accuracy: Number = Field(description="Share of predictions that came true.", examples=[0.61])
    precision: ByClass = Field(description="By class: of what was predicted, how much happened.")
    recall: ByClass = Field(description="By class: of what happened, how much was predicted.")
    f1_score: ByClass = Field(description="By class: their harmonic mean.")
    support: dict[str, int] = Field(description="By class: how often it happened.")
    confusion_matrix: list[list[int]] = Field(description="Rows what happened, columns predicted: LONG, SHORT, NOOP.")
    hit_ratio: Number = Field(description="Share that made money before charges.", examples=[0.68])
    win_rate: Number = Field(description="Share that made money after them.", examples=[0.61])
    avg_return: Number = Field(description="Mean return of a trade, %.", examples=[0.42])
    total_return: Number = Field(description="What the returns compound to, %.", examples=[12.4])
    sharpe_ratio: Number = Field(description="Of the trades' returns, × √252.", examples=[1.85])
    max_drawdown: Number = Field(description="Deepest fall of the compounded returns.", examples=[-0.12])
    profit_factor: Number = Field(description="Gains over losses.", examples=[2.1])
    avg_holding_minutes: Number = Field(description="Mean time held.", examples=[2880])


class RollingOut(Schema):
    """The newest traces against all of them."""

    window: int = Field(description="How many the newest are.", examples=[100])
    rolling: TraceMetricsOut = Field(description="Of the newest.")
    all_time: TraceMetricsOut = Field(description="Of all.")
    deltas: dict[str, Number] = Field(description="Newest less all.")
    is_degrading: bool = Field(description="The win rate is below nine tenths of the all-time one.", examples=[False])
    alerts: list[str] = Field(description="What fell by more than it may.", examples=[[]])


class BinOut(Schema):
    """Predictions of one band of confidence."""

    low: float = Field(description="Above this.", examples=[0.6])
    high: float = Field(description="Up to this.", examples=[0.7])
    predictions: int = Field(description="How many.", examples=[41])
    confidence: float = Field(description="How sure they were.", examples=[0.65])
    share_right: float = Field(description="How often they were right.", examples=[0.58])


class CalibrationOut(Schema):
    """Whether a version's confidence means what it says."""

    predictions: int = Field(description="LONG and SHORT predictions.", examples=[320])
    ece: Number = Field(description="Expected calibration error, 0 is perfect.", examples=[0.04])
    brier: Number = Field(description="Brier score, 0 is perfect.", examples=[0.22])
    bins: list[BinOut] = Field(description="By band of confidence.")


class AccuracyOut(TraceMetricsOut):
    """Everything that is said of a source's traces."""

    source: str = Field(description="Where the traces come from.", examples=["record"])
    strategy: str | None = Field(description="The strategy asked for; null: all.", examples=[None])
    live: bool = Field(description="The newest is at most DASHBOARD_LIVE_THRESHOLD_MINUTES old.", examples=[False])
    last_closed: Moment | None = Field(description="When the newest position was closed.")
    labels: list[str] = Field(description="The classes in their order.", examples=[["LONG", "SHORT", "NOOP"]])
    by_strategy: dict[str, TraceMetricsOut] = Field(description="Each strategy's own, when there are several.")
    comparative: dict[str, Any] | None = Field(description="Intraday and swing side by side, when there are both.")
    rolling: RollingOut = Field(description="The newest against all.")
    calibration: dict[str, CalibrationOut] = Field(description="By version of the model or the rules.")
    first: str | None = Field(description="First entry.", examples=["2026-11-20T10:42:00+05:30"])
    last: str | None = Field(description="Last entry.", examples=["2026-11-20T14:42:00+05:30"])
    read: dict[str, Any] | None = Field(description="Files, bad rows and skipped files; null for the record.")


class LinkOut(Schema):
    """One recorded outcome."""

    id: int = Field(description="Number of the row.", examples=[4711])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    number: int = Field(description="Its place in the run's chain.", examples=[18])
    at: Moment = Field(description="When the position was closed.")
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    payload: str = Field(description="The trace and the number of its prediction: JSON, as it was digested.")
    digest: str = Field(description="SHA-256 of the record.", examples=["9f86d081"])


class BreakOut(Schema):
    """Where a chain breaks."""

    chain: str = Field(description="The chain.", examples=["run 3"])
    number: int = Field(description="The record.", examples=[18])
    why: str = Field(description="What is wrong.", examples=["it was changed after it was written"])


class HeadOut(Schema):
    """Where a chain stands."""

    run: int = Field(description="Engine run.", examples=[3])
    number: int = Field(description="Its newest record.", examples=[18])
    digest: str = Field(description="That record's digest; keep it elsewhere.", examples=["9f86d081"])


class CheckOut(Schema):
    """Whether the record is as it was written."""

    sound: bool = Field(description="Nothing was changed, left out or slipped in.", examples=[True])
    chains: int = Field(description="Runs with predictions.", examples=[4])
    records: int = Field(description="Records in all.", examples=[960])
    heads: list[HeadOut] = Field(description="Where each chain stands.")
    breaks: list[BreakOut] = Field(description="Where one breaks.")


class Asked(Schema):
    """Which traces."""

    source: str = Field(default=RECORD, pattern=NAME, description="A name of `/accuracy/sources`.")
    strategy: str | None = Field(
        default=None, pattern=f"^{WORD.pattern}$", description="Strategy; all when left out.", examples=["intraday"]
    )


@router.get("", response=AccuracyOut, summary="How accurate predictions were")
def overview(request: HttpRequest, wanted: Query[Asked]) -> dict[str, Any]:
    """Return classes, returns, rolling against all-time, comparison and calibration of a source's traces."""
    return accuracy_sources.of(wanted.source, wanted.strategy or "", at=now())


@router.get("/sources", response=list[SourceOut], summary="Where accuracy can be measured")
def sources(request: HttpRequest) -> list[Source]:
    """Return the desk's own record, traced backtests and folders of traces."""
    return accuracy_sources.sources()


@router.get("/outcomes", response=Page[LinkOut], summary="List recorded outcomes")
def outcomes(
    request: HttpRequest,
    paging: Query[Paging],
    run: Annotated[Id | None, Query(description="Number of the engine run.")] = None,
) -> dict[str, Any]:
    """Return scored predictions, the newest first."""
    rows: Any = selected.outcomes(run_id=run)
    return paged(request, rows, paging, ["at", "id"])


@router.get("/check", response=CheckOut, summary="Whether the record is as it was written")
def check(
    request: HttpRequest, run: Annotated[Id | None, Query(description="Number of the engine run.")] = None
) -> dict[str, Any]:
    """Follow every chain of predictions link by link."""
    return predictions.check(run)
