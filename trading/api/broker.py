"""The broker: today's session, what is wrong now, the call budgets, and arming."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from trading.api.auth import KILL, TRADE
from trading.api.confirming import Confirmed, confirm
from trading.api.fields import Flag, Moment
from trading.api.paging import Page, Paging, paged
from trading.models import Condition
from trading.services import arming, broker_status, sessions

router = Router(tags=["broker"])


class BrokerSessionOut(Schema):
    """Today's login; the token is never shown."""

    state: str = Field(description="active, expired, refused, revoked, or none before the first login.")
    login_user: str = Field(description="User id at the broker.")
    expires_at: Moment | None = Field(description="Midnight IST.")
    note: str = Field(description="Why it is no longer active.")


class BudgetOut(Schema):
    """One budget of calls."""

    name: str = Field(description="minute, day or orders.", examples=["minute"])
    left: int = Field(description="Calls left.", examples=[93])
    limit: int = Field(description="Calls allowed.", examples=[100])
    reserved: int = Field(description="Kept for cancels and exits.", examples=[30])
    used: int = Field(description="Calls made today.", examples=[412])
    denied: int = Field(description="Calls denied today.", examples=[0])


class BrokerOut(Schema):
    """How the desk stands with its broker."""

    venue: str = Field(description="Where Breeze is for this desk.", examples=["ICICI Breeze"])
    simulated: bool = Field(description="No order there is real.", examples=[False])
    at: Moment = Field(description="The venue's moment.")
    trouble: str = Field(description="Why it does not answer; empty otherwise.", examples=[""])
    session: BrokerSessionOut = Field(description="Today's login.")
    armed: bool = Field(description="Live trading is armed for today.", examples=[False])
    cost: dict[str, Any] = Field(description="What buying and selling ₹1,00,000 costs on the plan.")
    budgets: list[BudgetOut] = Field(description="Calls left, budget by budget.")


class ConditionOut(Schema):
    """Something that is wrong, or was."""

    id: int = Field(description="Number of the row.", examples=[12])
    code: str = Field(description="What it is.", examples=["feed-stale"])
    subject: str = Field(description="Symbol or order it is about.", examples=["RELIANCE"])
    level: str = Field(description="info, warn or bad.", examples=["bad"])
    message: str = Field(description="What is wrong, in words.")
    fix: str = Field(description="What to do about it; may be empty.")
    since: Moment = Field(description="When it began.")
    until: Moment | None = Field(description="When it ended; null while it holds.")


class ConditionsFilter(Schema):
    """Which conditions."""

    open: Flag | None = Field(default=None, description="Only those that hold now, or only those that are over.")


class ArmIn(Confirmed):
    """Consent to trade with money."""

    accept: str = Field(max_length=80, description=f"Exactly: {arming.ACCEPT}", examples=[arming.ACCEPT])


class LoginIn(Schema):
    """What the broker's login page handed over."""

    model_config = ConfigDict(extra="forbid")

    api_session: Annotated[str, Field(max_length=200, description="The value behind apisession=.")]


def _status() -> dict[str, Any]:
    found = broker_status.status()
    session = found["session"] or {"state": "none", "login_user": "", "expires_at": None, "note": ""}
    venue = found["venue"]
    return {
        "venue": venue["name"], "simulated": venue["simulated"], "at": venue["at"], "trouble": venue["trouble"],
        "session": session, "armed": found["armed"] is not None, "cost": found["cost"],
        "budgets": [{"name": name, **gauge} for name, gauge in found["budgets"].items()],
    }  # fmt: skip


@router.get("", response=BrokerOut, summary="How the desk stands with its broker")
def status(request: HttpRequest) -> dict[str, Any]:
    """Return session, arming, cost of a round trip and call budgets."""
    return _status()


@router.get("/conditions", response=Page[ConditionOut], summary="What is or was wrong")
def conditions(request: HttpRequest, wanted: Query[ConditionsFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return conditions, newest first."""
    rows = Condition.objects.all()
    if wanted.open is not None:
        rows = rows.filter(until__isnull=wanted.open == "true")
    return paged(request, rows, paging, ["id"])


@router.post("/login", response=BrokerOut, auth=TRADE, summary="Hand over today's API session")
def login(request: HttpRequest, body: LoginIn) -> dict[str, Any]:
    """Exchange an API session for today's session and keep it sealed."""
    at = broker_status.venue()["at"]
    sessions.log_in(body.api_session, at=at, by=request.user.get_username())
    return _status()


@router.post("/forget", response=BrokerOut, auth=TRADE, summary="Forget today's session")
def forget(request: HttpRequest) -> dict[str, Any]:
    """Forget today's session here."""
    sessions.revoke(at=broker_status.venue()["at"], by=request.user.get_username())
    return _status()


@router.post("/arm", response=BrokerOut, auth=TRADE, summary="Arm live trading for today")
def arm(request: HttpRequest, body: ArmIn) -> dict[str, Any]:
    """Arm live trading until midnight IST."""
    confirm(request, body)
    arming.arm(body.accept, at=broker_status.venue()["at"], by=request.user.get_username())
    return _status()


@router.post("/disarm", response=BrokerOut, auth=KILL, summary="Disarm live trading")
def disarm(request: HttpRequest) -> dict[str, Any]:
    """End every arming: entries stop, exits go on."""
    arming.disarm(at=broker_status.venue()["at"], by=request.user.get_username())
    return _status()
