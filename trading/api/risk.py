"""Risk: the kill switch and the breaker, every limit and what of it is used, where the books differ."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import ConfigDict, Field

from sensequant.lib.clock import now
from trading.api.auth import ADMIN, KILL, TRADE
from trading.api.broker import BudgetOut
from trading.api.confirming import Confirmed, confirm
from trading.api.fields import Flag, Id, Moment, Money, Symbol, YesNo
from trading.api.paging import Page, Paging, paged
from trading.models import Difference, Halt
from trading.selectors import control
from trading.services import differences, halts, risk_status

router = Router(tags=["risk"])
KIND = Literal["kill", "breaker", "release"]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$", description="Why.", examples=["prices look wrong"]),
]
Number = Annotated[Id, Path(description="Number of the difference (`id`).", example=7)]


class HaltOut(Schema):
    """A stop, in force until it is released."""

    id: int = Field(description="Number of the halt.", examples=[4])
    kind: str = Field(description="kill, breaker or release.", examples=["kill"])
    action: str = Field(description="stop-entries, or square-off: every position is left, too.")
    reason: str = Field(description="Why it was engaged.", examples=["prices look wrong"])
    engaged_by: str = Field(description="Who engaged it; `the desk` for a breaker.", examples=["asha"])
    engaged_at: Moment = Field(description="When it was engaged.")
    run: int | None = Field(validation_alias="run_id", description="Engine run whose breaker it is.", examples=[3])
    released_by: str = Field(description="Who released it; empty while it is in force.", examples=["omar"])
    released_at: Moment | None = Field(description="When it was released; null while it is in force.")
    release_reason: str = Field(description="Why trading may go on; empty while it is in force.", examples=["checked"])


class DifferenceOut(Schema):
    """Something the broker's books and ours disagree about."""

    id: int = Field(description="Number of the difference.", examples=[7])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    ours: int = Field(description="Shares by our fills.", examples=[10])
    theirs: int = Field(description="Shares by the broker's books.", examples=[8])
    detail: str = Field(description="What was seen.")
    found_at: Moment = Field(description="When it was found.")
    seen_at: Moment = Field(description="When it was last seen.")
    gone_at: Moment | None = Field(description="When the books agreed again; null until then.")
    accepted_by: str = Field(description="Who accepted these two numbers; empty until somebody has.")
    accepted_at: Moment | None = Field(description="When they were accepted.")
    reason: str = Field(description="Why they were accepted.")


class LimitOut(Schema):
    """One limit."""

    name: str = Field(description="The parameter's name.", examples=["max_exposure"])
    title: str = Field(description="What it is called on the page.", examples=["Exposure"])
    unit: str = Field(description="₹, %, or empty for a count.", examples=["₹"])
    used: Money | None = Field(description="What of it is used now.")
    limit: Money | None = Field(description="What is allowed; null when the limit is switched off.")
    share: float | None = Field(description="Used part, 1 at the limit.", examples=[0.62])
    level: str = Field(description="off, ok, warn (from 80 %) or bad (reached).", examples=["ok"])
    note: str = Field(description="What else there is to know.")


class BlockedOut(Schema):
    """What blocks entries in one symbol, beside what blocks them everywhere."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    held: Money = Field(description="Value held, ₹.")
    blocked: list[str] | None = Field(description="Sentences; empty when nothing does, null when the run does not say.")


class StandingOut(Schema):
    """How one run stands."""

    run: int = Field(description="Engine run.", examples=[3])
    name: str = Field(description="Its name.", examples=["live"])
    mode: str = Field(description="replay, dry-run or live.", examples=["live"])
    state: str = Field(description="Where it stands.", examples=["running"])
    published_at: Moment | None = Field(description="Moment of the figures; null: as the run last recorded them.")
    breaker_open: bool = Field(description="The day's loss stopped entries.", examples=[False])
    latched: bool = Field(description="An open breaker stays so until a person releases it.", examples=[True])
    cooling_until: Moment | None = Field(description="End of a cool-down after losses in a row; market time.")
    limits: list[LimitOut] = Field(description="Every limit.")
    everywhere: list[str] = Field(description="What blocks entries in every symbol.")
    symbols: list[BlockedOut] = Field(description="What blocks entries in each symbol.")
    trouble: str = Field(description="Why its limits cannot be told; empty otherwise.")


class RiskOut(Schema):
    """How the desk stands with its risk."""

    kill: HaltOut | None = Field(description="The kill switch while it is on.")
    breaker: HaltOut | None = Field(description="The latched breaker while it is open.")
    real_money: bool = Field(description="Where money is real, who engages a halt cannot release it.", examples=[False])
    runs: list[StandingOut] = Field(description="The runs that trade or would go on to.")
    budgets: list[BudgetOut] = Field(description="Calls left at the broker.")
    differences: list[DifferenceOut] = Field(description="Where the books differ now.")


class KillIn(Schema):
    """Stop the desk."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    square_off: YesNo = Field(default=False, description="Leave every position, too.", examples=[False])


class ReleaseIn(Confirmed):
    """Let trading go on."""

    kind: KIND = Field(description="What to release.", examples=["kill"])
    reason: Reason


class AcceptIn(Schema):
    """Accept a difference; with both numbers given, only if they still are these."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    ours: int | None = Field(
        strict=True, default=None, description="Shares by our fills, as you saw them.", examples=[10]
    )
    theirs: int | None = Field(
        strict=True, default=None, description="Shares by the broker's books, as you saw them.", examples=[8]
    )


class HaltsFilter(Schema):
    """Which halts."""

    kind: KIND | None = Field(default=None, description="Only of this kind.")
    open: Flag | None = Field(default=None, description="Only those in force, or only those that are over.")


class DifferencesFilter(Schema):
    """Which differences."""

    symbol: Symbol | None = Field(default=None, description="NSE symbol.")
    open: Flag | None = Field(default=None, description="Only those open in a current run, or only the others.")


def _status() -> dict[str, Any]:
    found = risk_status.status(at=now())
    budgets = [{"name": name, **gauge} for name, gauge in found["budgets"].items()]
    return {**found, "runs": [_standing(each) for each in found["standings"]], "budgets": budgets}


def _standing(each: risk_status.Standing) -> dict[str, Any]:
    run = each.run
    return {
        "run": run.pk, "name": run.name, "mode": run.mode, "state": run.state, "published_at": each.published_at,
        "breaker_open": each.breaker_open, "latched": each.latched, "cooling_until": each.cooling_until,
        "limits": each.gauges, "everywhere": each.everywhere, "symbols": each.symbols, "trouble": each.trouble,
    }  # fmt: skip


@router.get("", response=RiskOut, summary="How the desk stands with its risk")
def status(request: HttpRequest) -> dict[str, Any]:
    """Return halts, limits with what of them is used, call budgets, differences, and what blocks entries where."""
    return _status()


@router.post("/kill", response=RiskOut, auth=KILL, summary="Engage the kill switch")
def kill(request: HttpRequest, body: KillIn) -> dict[str, Any]:
    """Stop entries until somebody releases the switch; exits go on. Engaging it again only adds the square-off."""
    who = request.user.get_username()
    halts.engage(halts.KILL, body.reason, at=now(), by=who, square_off=body.square_off)
    return _status()


@router.post("/release", response=RiskOut, auth=ADMIN, summary="Release the kill switch or the breaker")
def release(request: HttpRequest, body: ReleaseIn) -> dict[str, Any]:
    """Let trading go on; where money is real, only for somebody else than who stopped it."""
    confirm(request, body)
    halts.release(body.kind, body.reason, at=now(), by=request.user.get_username())
    return _status()


@router.get("/halts", response=Page[HaltOut], summary="List halts")
def list_halts(request: HttpRequest, wanted: Query[HaltsFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return halts, newest first."""
    rows = Halt.objects.all()
    if wanted.kind is not None:
        rows = rows.filter(kind=wanted.kind)
    if wanted.open is not None:
        rows = rows.filter(released_at__isnull=wanted.open == "true")
    return paged(request, rows, paging, ["id"])


@router.get("/differences", response=Page[DifferenceOut], summary="List differences")
def list_differences(request: HttpRequest, wanted: Query[DifferencesFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return what the broker's books and ours disagree about, or did, newest first."""
    rows = control.differences(open_now=None if wanted.open is None else wanted.open == "true")
    return paged(request, rows.filter(symbol=wanted.symbol) if wanted.symbol else rows, paging, ["id"])


@router.post("/differences/{number}/accept", response=DifferenceOut, auth=TRADE, summary="Accept a difference")
def accept(request: HttpRequest, number: Number, body: AcceptIn) -> Difference:
    """Let entries go on although the books differ, in your name; a number that changes voids it."""
    seen = (body.ours, body.theirs) if body.ours is not None and body.theirs is not None else None
    return differences.accept(number, body.reason, at=now(), by=request.user.get_username(), seen=seen)
