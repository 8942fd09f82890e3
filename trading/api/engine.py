"""The engine: its runs, what it last published, and the switches an operator has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import ConfigDict, Field

from sensequant.lib.clock import now
from trading.api.auth import TRADE
from trading.api.fields import Flag, Id, Moment, Money, StrategyName
from trading.api.paging import DaysFilter, Page, Paging, paged
from trading.models import EngineRun, Snapshot
from trading.selectors.rest import current_run, one, span
from trading.services import control

router = Router(tags=["engine"])
MODE = Literal["replay", "dry-run", "live"]
Which = Annotated[Id | None, Query(description="Engine run; the current one when left out.", example=3)]


class RunOut(Schema):
    """One run of the engine."""

    id: int = Field(description="Number of the run.", examples=[3])
    name: str = Field(description="A run of the same name goes on after a restart.", examples=["demo"])
    mode: str = Field(description="replay, dry-run or live.", examples=["replay"])
    label: str = Field(description="Word every screen shows, such as DEMO.", examples=["DEMO"])
    source: str = Field(description="Where its bars come from.", examples=["demo"])
    interval: str = Field(description="Length of a bar.", examples=["1minute"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    symbols: list[str] = Field(description="What it trades.", examples=[["DEMOBANK", "DEMOTECH"]])
    capital: Money = Field(description="Capital at the start, ₹.")
    state: str = Field(description="Where it stands.", examples=["running"])
    speed: float = Field(description="Market seconds in a second; 0 is as fast as it goes.", examples=[60.0])
    entries_paused: bool = Field(description="No new entries; exits go on.", examples=[False])
    held: bool = Field(description="The replay stands still.", examples=[False])
    stop_requested: bool = Field(description="It ends after the bar it is in.", examples=[False])
    current: bool = Field(description="No later run of the same name has begun.", examples=[True])
    cursor: Moment | None = Field(description="Market time: start of the last bar it has finished with.")
    heartbeat_at: Moment | None = Field(description="When it was last alive.")
    started_at: Moment = Field(description="When it began.")
    stopped_at: Moment | None = Field(description="When it ended; null until then.")
    bars: int = Field(description="Bars it has seen.", examples=[12345])
    error: str = Field(description="Why it failed; empty otherwise.", examples=[""])

    @staticmethod
    def resolve_symbols(run: EngineRun) -> list[str]:
        """Return the plan's symbols."""
        return [str(symbol) for symbol in run.plan["wanted"]["symbols"]]


class SnapshotOut(Schema):
    """What the engine last published; replaced as a whole."""

    epoch: str = Field(description="Changes when the engine starts anew.", examples=["6f0c"])
    version: int = Field(description="Counts within the epoch.", examples=[4711])
    updated_at: Moment = Field(description="When it was published.")
    body: dict[str, Any] = Field(
        description="run, name, mode, label, state, speed, held, entries_paused, market_time; session; states (ENGINE, "
        "BROKER, FEED, RISK, DB, QUEUE, RATE); pnl (decimal strings, ₹); positions; the newest orders, signals and "
        "trades; equity ([seconds, ₹]); watch; latency; as_of (of each part: when it was true, and after how many "
        "seconds it is old).",
        examples=[{"run": 3, "mode": "replay", "label": "DEMO", "pnl": {"day": "123.45", "open": 2}}],
    )


class RunsFilter(DaysFilter):
    """Which runs; days are compared with when they began."""

    mode: MODE | None = Field(default=None, description="How it trades.")
    state: str | None = Field(
        default=None, pattern=r"^[a-z]{1,20}$", description="Where it stands.", examples=["running"]
    )
    strategy: StrategyName | None = Field(default=None, description="Name in the strategy registry.")
    current: Flag | None = Field(default=None, description="Only those no later run has replaced, or only the others.")


class SpeedIn(Schema):
    """A replay's speed."""

    model_config = ConfigDict(extra="forbid")

    speed: float = Field(
        ge=0,
        le=control.FASTEST,
        strict=True,
        description="Market seconds in a second; 0 is as fast as it goes.",
        examples=[60],
    )


@router.get("/runs", response=Page[RunOut], summary="List runs")
def runs(request: HttpRequest, wanted: Query[RunsFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the engine's runs, newest first."""
    rows = EngineRun.objects.defer("numbers", "latency")
    since, until = span(wanted.start, wanted.end)
    asked = {
        "mode": wanted.mode,
        "state": wanted.state,
        "strategy": wanted.strategy,
        "current": wanted.current == "true" if wanted.current else None,
        "started_at__gte": since,
        "started_at__lt": until,
    }
    return paged(request, rows.filter(**{k: v for k, v in asked.items() if v is not None}), paging, ["id"])


@router.get("/runs/{number}", response=RunOut, summary="One run")
def run(request: HttpRequest, number: Annotated[Id, Path(description="Number of the run.", example=3)]) -> EngineRun:
    """Return one run."""
    return one(EngineRun.objects.all(), "engine run", "/api/v1/engine/runs", pk=number)


@router.get("/current", response=RunOut, summary="The current run")
def current(request: HttpRequest) -> EngineRun:
    """Return the newest run that no later one of its name has replaced."""
    return current_run()


@router.get("/snapshot", response=SnapshotOut, summary="What the engine last published")
def snapshot(request: HttpRequest) -> Snapshot:
    """Return the newest state of everything the Live page shows, as one document."""
    return one(Snapshot.objects.all(), "snapshot", "whether the engine runs: /api/v1/engine/current", topic="live")


@router.post("/pause", response=RunOut, auth=TRADE, summary="Pause entries")
def pause(request: HttpRequest, run: Which = None) -> EngineRun:
    """Take no new positions; exits go on."""
    return control.pause_entries(_chosen(run), by=request.user.get_username(), at=now())


@router.post("/resume", response=RunOut, auth=TRADE, summary="Resume entries")
def resume(request: HttpRequest, run: Which = None) -> EngineRun:
    """Let entries through again."""
    return control.resume_entries(_chosen(run), by=request.user.get_username(), at=now())


@router.post("/hold", response=RunOut, auth=TRADE, summary="Hold the replay")
def hold(request: HttpRequest, run: Which = None) -> EngineRun:
    """Let the replay stand still."""
    return control.hold(_chosen(run), by=request.user.get_username(), at=now())


@router.post("/play", response=RunOut, auth=TRADE, summary="Play the replay")
def play(request: HttpRequest, run: Which = None) -> EngineRun:
    """Let the replay go on, a stopped one included."""
    return control.play(_chosen(run), by=request.user.get_username(), at=now())


@router.post("/speed", response=RunOut, auth=TRADE, summary="Set the replay's speed")
def speed(request: HttpRequest, body: SpeedIn, run: Which = None) -> EngineRun:
    """Set how fast the replay's market time passes."""
    return control.set_speed(_chosen(run), body.speed, by=request.user.get_username(), at=now())


@router.post("/stop", response=RunOut, auth=TRADE, summary="Stop the run")
def stop(request: HttpRequest, run: Which = None) -> EngineRun:
    """End the run after the bar it is in; its state is kept."""
    return control.stop(_chosen(run), by=request.user.get_username(), at=now())


def _chosen(run: int | None) -> int:
    return run or current_run().pk
