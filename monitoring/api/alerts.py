"""Alerts: what fires, acknowledge and silence it, and what a rule would do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import ConfigDict, Field

from monitoring.core.matching import Matcher, severity
from monitoring.models import AuditEntry, Episode, Silence
from monitoring.selectors import alerts
from monitoring.services import rulebook, silences, simulating
from sensequant.lib.clock import now
from sensequant.lib.errors import Failed, NotAllowed
from trading.api.auth import ADMIN, TRADE
from trading.api.fields import Flag, Id, Moment, YesNo
from trading.api.paging import Page, Paging, paged

router = Router(tags=["alerts"])
Level = Literal["INFO", "WARNING", "CRITICAL"]
NAME = r"^[A-Za-z0-9_&.:#/ \-]{1,140}$"
RuleName = Annotated[str, Field(pattern=NAME, description="A rule, or rule:group.", examples=["daily_loss_high"])]
RulePath = Annotated[str, Path(pattern=NAME, description="A rule, or rule:group.", example="daily_loss_high")]
Reason = Annotated[
    str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$", description="Why.", examples=["investigating"])
]
Number = Annotated[Id, Path(description="Number of the silence (`id`).", example=7)]
Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_&*?.:#/ \-]{1,100}$")]


class AlertOut(Schema):
    """One stretch of one rule holding for one group."""

    id: int = Field(description="Number of the episode.", examples=[12])
    rule: str = Field(description="The rule.", examples=["daily_loss_high"])
    group: str = Field(description="What it is about: a symbol, an order, a metric.", examples=["live"])
    severity: Level = Field(description="How bad it is.", examples=["WARNING"])
    status: str = Field(description="pending, firing or resolved.", examples=["firing"])
    message: str = Field(description="What is wrong, in a sentence.")
    value: float | None = Field(description="What was measured last.", examples=[4.2])
    threshold: float = Field(description="From where on the rule holds.", examples=[4.0])
    since: Moment = Field(description="When it began to hold.")
    fired_at: Moment | None = Field(description="When it fired.")
    resolved_at: Moment | None = Field(description="When it was over; null while it is not.")
    acked_by: str = Field(description="Who looks after it; empty while nobody does.", examples=["asha"])
    ack_reason: str = Field(description="What they said.")
    ack_until: Moment | None = Field(description="Until when it is not told again.")
    inhibited_by: str = Field(description="The alert that explains it; it is then not told.")
    silenced_by: int | None = Field(validation_alias="silenced_by_id", description="The silence it falls under.")
    flapping: bool = Field(description="It fired again and again within half an hour.", examples=[False])
    told: int = Field(description="Messages about it so far.", examples=[1])


class SilenceOut(Schema):
    """Quiet about some alerts for a while."""

    id: int = Field(description="Number of the silence.", examples=[7])
    rule: str = Field(description="Pattern of rules.", examples=["performance_*"])
    group: str = Field(description="Pattern of groups.", examples=["*"])
    most: Level = Field(description="The worst it keeps quiet.", examples=["WARNING"])
    reason: str = Field(description="Why.", examples=["deployment"])
    by: str = Field(description="Who.", examples=["omar"])
    made_at: Moment = Field(description="When it was made.")
    until: Moment = Field(description="Until when.")
    ended_at: Moment | None = Field(description="When somebody ended it before its time.")
    ended_by: str = Field(description="Who ended it.")


class TrailOut(Schema):
    """One entry of the audit trail."""

    id: int = Field(description="Number of the entry.", examples=[42])
    at: Moment = Field(description="When.")
    what: str = Field(description="What happened.", examples=["acknowledged"])
    by: str = Field(description="Who did it; `monitoring` for the desk itself.", examples=["asha"])
    alert: int | None = Field(validation_alias="episode_id", description="The alert it is about.", examples=[12])
    detail: dict[str, Any] = Field(description="What else there is to know.")
    digest: str = Field(description="SHA-256 of this entry and the digest of the one before.")


class RuleOut(Schema):
    """One rule as it is in force."""

    key: str = Field(description="Its name.", examples=["daily_loss_high"])
    severity: Level = Field(description="How bad it is.", examples=["WARNING"])
    measure: str = Field(description="What it reads.", examples=["daily_loss_pct"])
    threshold: float = Field(description="From where on it holds.", examples=[4.0])
    critical_at: float | None = Field(description="From where on it is CRITICAL.", examples=[5.0])
    hold_for: float = Field(description="Seconds pending before it fires.", examples=[0])
    keep_for: float = Field(description="Seconds firing after it last held.", examples=[300])
    window: float = Field(description="Seconds within which a new episode is not told again.", examples=[1800])
    repeat: float = Field(description="Seconds after which it is said again.", examples=[14400])
    never_suppress: bool = Field(description="Neither window nor silence keeps it quiet.", examples=[False])
    inhibits: list[str] = Field(description="Rules that are its consequences.")
    action: str = Field(description="What it does beside telling.", examples=["stop-entries"])
    enabled: bool = Field(description="Whether it is looked at.", examples=[True])
    runbook: str = Field(description="What to do.")


class AckIn(Schema):
    """Acknowledge what fires of a rule."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    minutes: int | None = Field(strict=True, default=None, ge=1, le=43_200, description="How long.", examples=[60])


class ClearIn(Schema):
    """Take an acknowledgement back."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = "cleared by hand"


class SilenceIn(Schema):
    """Keep quiet what matches, a day at most."""

    model_config = ConfigDict(extra="forbid")

    rule: Pattern = Field(description="Pattern of rules.", examples=["performance_*"])
    group: Pattern = Field(default="*", description="Pattern of groups.", examples=["*"])
    most: Level = Field(default="CRITICAL", description="The worst it keeps quiet.")
    minutes: int = Field(strict=True, ge=1, le=1_440, description="How long.", examples=[30])
    reason: Reason


class RuleIn(Schema):
    """Set a rule differently; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    enabled: YesNo | None = Field(default=None, description="Whether it is looked at.")
    threshold: float | None = Field(strict=True, default=None, ge=-1e12, le=1e12, description="From where on it holds.")
    hold_for: float | None = Field(strict=True, default=None, ge=0, le=86_400, description="Seconds pending.")
    keep_for: float | None = Field(
        strict=True, default=None, ge=0, le=86_400, description="Seconds firing after it last held."
    )
    window: float | None = Field(
        strict=True, default=None, ge=0, le=86_400, description="Seconds of quiet after a message."
    )
    repeat: float | None = Field(
        strict=True, default=None, ge=1, le=604_800, description="Seconds until it is said again."
    )


class AlertsFilter(Schema):
    """Which alerts."""

    severity: Level | None = Field(default=None, description="Only of this severity.")
    hours: float = Field(default=24.0, gt=0, le=8_784, description="Those that fired or ended in the last hours.")
    open: Flag | None = Field(default=None, description="Only those that are not over.")


@router.get("", response=Page[AlertOut], summary="List alerts")
def list_alerts(request: HttpRequest, wanted: Query[AlertsFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return alerts that fired, the newest first."""
    since = now() - dt.timedelta(hours=wanted.hours)
    rows = alerts.listed(severity=wanted.severity or "", since=since, open_only=wanted.open == "true")
    return paged(request, rows, paging, ["id"])


@router.get("/rules", response=list[RuleOut], summary="List rules")
def list_rules(request: HttpRequest) -> list[dict[str, Any]]:
    """Return every rule as it is in force."""
    return [_rule(each) for each in rulebook.in_force()]


@router.post("/rules/{name}", response=RuleOut, auth=ADMIN, summary="Set a rule differently")
def set_rule(request: HttpRequest, name: RulePath, body: RuleIn) -> dict[str, Any]:
    """Change a rule's threshold or times, or switch it off; those about money at risk cannot be."""
    values = {key: value for key, value in body.dict(exclude={"reason"}).items() if value is not None}
    rulebook.put(name, values, reason=body.reason, by=request.user.get_username(), at=now())
    return next(_rule(each) for each in rulebook.in_force() if each.rule.key == name)


@router.post("/rules/{name}/acknowledge", response=list[AlertOut], auth=TRADE, summary="Acknowledge a rule's alerts")
def acknowledge(request: HttpRequest, name: RulePath, body: AckIn) -> list[Episode]:
    """Acknowledge what fires of a rule: it is not told again until the time is over or it gets worse."""
    ttl = None if body.minutes is None else dt.timedelta(minutes=body.minutes)
    return silences.acknowledge(name, body.reason, by=request.user.get_username(), at=now(), ttl=ttl)


@router.post("/rules/{name}/clear", response=list[AlertOut], auth=TRADE, summary="Take acknowledgements back")
def clear(request: HttpRequest, name: RulePath, body: ClearIn) -> list[Episode]:
    """Take the acknowledgements of a rule back; what still fires is told at the next look."""
    return silences.clear(name, by=request.user.get_username(), at=now(), reason=body.reason)


@router.get("/rules/{name}/simulate", summary="Say what a rule would do", response=dict[str, Any])
def simulate(request: HttpRequest, name: RulePath) -> dict[str, Any]:
    """Return the message, the channels and the action of a rule, and what its measure says now; nothing is sent."""
    return simulating.simulate(name, by=request.user.get_username(), at=now())


@router.post("/rules/{name}/simulate", summary="Send a rule's test message", response=dict[str, Any], auth=TRADE)
def send_test(request: HttpRequest, name: RulePath) -> dict[str, Any]:
    """Send a test message of a rule on every channel it goes to, and return what became of each."""
    try:
        return simulating.simulate(name, by=request.user.get_username(), at=now(), send=True)
    except Failed as error:
        raise NotAllowed(f"the test message did not arrive everywhere: {error.message}", fix=error.fix) from None


@router.get("/silences", response=Page[SilenceOut], summary="List silences")
def list_silences(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return silences, the newest first, those that are over included."""
    return paged(request, alerts.silences(), paging, ["id"])


@router.post("/silences", response=SilenceOut, auth=TRADE, summary="Keep something quiet for a while")
def silence(request: HttpRequest, body: SilenceIn) -> Silence:
    """Keep quiet what matches; it is still seen, recorded and acted upon."""
    at = now()
    matcher = Matcher(body.rule, body.group, severity(body.most))
    until = at + dt.timedelta(minutes=body.minutes)
    return silences.silence(matcher, body.reason, until=until, by=request.user.get_username(), at=at)


@router.post("/silences/{number}/end", response=SilenceOut, auth=TRADE, summary="End a silence")
def end_silence(request: HttpRequest, number: Number, body: ClearIn) -> Silence:
    """End a silence before its time; what it kept quiet is told at the next look."""
    return silences.end(number, by=request.user.get_username(), at=now(), reason=body.reason)


@router.get("/trail", response=Page[TrailOut], summary="Read the audit trail")
def trail(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return what happened to alerts and silences, the newest first."""
    rows: Any = AuditEntry.objects.all()
    return paged(request, rows, paging, ["id"])


def _rule(each: rulebook.InForce) -> dict[str, Any]:
    rule = each.rule
    return {
        "key": rule.key, "severity": rule.severity, "measure": rule.measure, "threshold": each.limits.threshold,
        "critical_at": each.limits.critical_at, "hold_for": rule.hold_for, "keep_for": rule.keep_for,
        "window": rule.window, "repeat": rule.repeat, "never_suppress": rule.never_suppress,
        "inhibits": list(rule.inhibits), "action": rule.action, "enabled": each.enabled, "runbook": rule.runbook,
    }  # fmt: skip
