"""Audits over REST: start one, watch it, read its measures and flags, fetch its files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from releases import tasks
from releases.api.deploying import PERSON, Code, Password, Text
from releases.core.roles import MOST_DAYS
from releases.models import Audit, FlagWaiver
from releases.selectors import audits as asked
from releases.services import audits, waivers, waiving
from releases.services.signing import Proof
from releases.services.waiving import Wish
from sensequant.lib.clock import now
from sensequant.lib.downloads import attachment
from trading.api.auth import TRADE
from trading.api.fields import Flag, Id, Moment, YesNo
from trading.api.paging import Page, Paging, paged
from trading.selectors.rest import one

router = Router(tags=["audits"])
AuditId = Annotated[
    str, Path(pattern=r"^audit_[0-9]{8}_[0-9]{6}$", description="Its name.", example="audit_20251012_183000")
]
FileName = Annotated[str, Path(description="File of the bundle.", example="metrics.json", max_length=250)]
WaiverId = Annotated[Id, Path(description="Number of the waiver.", example=3)]
State = Literal["queued", "running", "done", "failed", "cancelled"]


class AuditIn(Schema):
    """What is left out."""

    skip_validation: YesNo = Field(default=False, description="Validate nothing again; never ready then.")
    skip_plots: YesNo = Field(default=False, description="Draw nothing.")


class AuditRow(Schema):
    """One audit."""

    audit_id: str = Field(description="Its name.", examples=["audit_20251012_183000"])
    state: str = Field(description="queued, running, done, failed or cancelled.", examples=["done"])
    cause: str = Field(description="manual, monthly, incident or rollback.", examples=["manual"])
    step: str = Field(description="What is being done; empty otherwise.", examples=["validate"])
    progress: float = Field(description="How far it is, 0 to 1.", examples=[1.0])
    deployment_ready: bool = Field(description="Whether no risk is open.", examples=[False])
    folder: str = Field(description="Where its bundle is.", examples=["release/audit_20251012_183000"])
    bundle_sha256: str = Field(description="SHA-256 of the whole bundle; empty until it is done.")
    metrics_sha256: str = Field(description="SHA-256 of metrics.json.")
    flags_sha256: str = Field(description="SHA-256 of the flags.")
    error: str = Field(description="What ended it early; empty otherwise.", examples=[""])
    by: str = Field(description="Who asked for it.", examples=["asha"])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")


class RiskFlag(Schema):
    """One open risk."""

    code: str = Field(description="Kind of risk.", examples=["sharpe_degraded"])
    subject: str = Field(description="What it is about.", examples=["optimized"])
    message: str = Field(description="In words.")
    severity: str = Field(description="critical, high or medium.", examples=["high"])
    owner: str = Field(description="Who has to act.", examples=["Risk Manager"])
    mitigation: str = Field(description="How.")
    value: float | None = Field(default=None, description="What was found, where it is a number.")
    limit: float | None = Field(default=None, description="What is accepted, where it is a number.")


class WaiverOut(Schema):
    """One person's half of a waiver."""

    id: int = Field(description="Its number.", examples=[3])
    number: int = Field(description="Of the flag, as `flags` lists them, from 1.", examples=[1])
    code: str = Field(description="Kind of risk.", examples=["sharpe_degraded"])
    role: str = Field(description="Risk Manager or Quant Lead.", examples=["Risk Manager"])
    name: str = Field(description="Whose.", examples=["rafi"])
    reason: str = Field(description="Why the risk may be taken.", examples=["the baseline is released, not the best"])
    at: Moment = Field(description="Since when.")
    expires_at: Moment = Field(description="Until when.")
    revoked_at: Moment | None = Field(description="When it was taken back or void; null: it was not.")

    @staticmethod
    def resolve_number(row: FlagWaiver) -> int:
        """Return the flag's number."""
        return row.position + 1


class AuditDetail(AuditRow):
    """One audit with what it found."""

    metrics: dict[str, Any] = Field(description="`metrics.json`; empty until it is done.")
    flags: list[RiskFlag] = Field(description="Open risks, the worst first.")
    ready: bool = Field(description="Whether nothing is open that nobody waived.", examples=[False])
    waivers: list[WaiverOut] = Field(description="Every half of a waiver, void ones too.")
    files: list[str] = Field(description="Files of the bundle.", examples=[["metrics.json", "summary.md"]])

    @staticmethod
    def resolve_ready(row: Audit) -> bool:
        """Say whether it may be signed for."""
        return waivers.ready(row, at=now())

    @staticmethod
    def resolve_waivers(row: Audit) -> list[FlagWaiver]:
        """Return the waivers."""
        return list(FlagWaiver.objects.filter(audit=row))

    @staticmethod
    def resolve_files(row: Audit) -> list[str]:
        """Return the names of the files."""
        return audits.names(row)


class WaiveIn(Schema):
    """One person's half of a waiver, and what shows that it is them."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(
        strict=True, ge=1, le=999, description="Of the flag, as `flags` lists them, from 1.", examples=[1]
    )
    role: Literal["Risk Manager", "Quant Lead"] = Field(description="In which role; it takes one of each.")
    reason: Text = Field(description="Why the risk may be taken.", examples=["the baseline is released, not the best"])
    days: int = Field(default=7, strict=True, ge=1, le=MOST_DAYS, description="For how long.")
    password: Password = Field(description="Your password.")
    code: Code = Field("", description="Code of your second factor, if you have one.")


class TakeBackIn(Schema):
    """Why a waiver ends."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(description="Why.", examples=["the losses of Monday"])


class AuditFilter(Schema):
    """Which audits."""

    state: State | None = Field(default=None, description="Where it stands.")
    ready: Flag | None = Field(default=None, description="Ready for deployment, or not.")


@router.get("", response=Page[AuditRow], summary="List audits")
def listing(request: HttpRequest, wanted: Query[AuditFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return audits, the newest first."""
    rows = asked.audits()
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.ready:
        rows = rows.filter(deployment_ready=wanted.ready == "true")
    return paged(request, rows.defer("metrics", "flags"), paging, ["id"])


@router.post("", response={201: AuditRow}, auth=TRADE, summary="Start an audit")
def start(request: HttpRequest, body: AuditIn, response: HttpResponse) -> Status[Audit]:
    """Queue an audit and return it; `GET` it until it has ended."""
    by = request.user.get_username()
    audit = audits.keep(audits.Asked(body.skip_validation, body.skip_plots), by=by, at=now())
    tasks.run_audit.delay_on_commit(audit_id=audit.audit_id)
    response["Location"] = f"{request.path}/{audit.audit_id}"
    return Status(201, audit)


@router.get("/{audit_id}", response=AuditDetail, summary="One audit")
def detail(request: HttpRequest, audit_id: AuditId) -> Audit:
    """Return one audit with its measures, flags and the names of its files."""
    return one(asked.audits(), "audit", "/api/v1/audits", audit_id=audit_id)


@router.post("/{audit_id}/cancel", response=AuditRow, auth=TRADE, summary="Cancel an audit")
def cancel(request: HttpRequest, audit_id: AuditId) -> Audit:
    """Cancel an audit that is queued or running; it ends before its next step."""
    return audits.cancel(audit_id, by=request.user.get_username(), at=now())


@router.get("/{audit_id}/files/{path:name}", summary="One file of an audit")
def fetch(request: HttpRequest, audit_id: AuditId, name: FileName) -> HttpResponse:
    """Return a file of the bundle, compared with its seal, as an attachment."""
    audit = one(asked.audits(), "audit", "/api/v1/audits", audit_id=audit_id)
    return attachment(audits.file(audit, name), f"{audit.audit_id}_{name}")


@router.post("/{audit_id}/waivers", response={201: AuditDetail}, auth=PERSON, summary="Waive an open flag")
def waive(request: HttpRequest, audit_id: AuditId, body: WaiveIn) -> Status[Audit]:
    """Keep one person's half of a waiver; a Risk Manager and a Quant Lead waive a flag together."""
    wish = Wish(body.number, body.role, body.reason, body.days)
    waiving.waive(audit_id, request.user, wish, Proof(body.password, body.code), at=now())
    return Status(201, audits.find(audit_id))


@router.post("/{audit_id}/waivers/{number}/end", response=AuditDetail, auth=PERSON, summary="Take a waiver back")
def take_back(request: HttpRequest, audit_id: AuditId, number: WaiverId, body: TakeBackIn) -> Audit:
    """End half a waiver, and so the whole; signatures given under it are void."""
    waiving.take_back(audit_id, number, request.user, body.reason, at=now())
    return audits.find(audit_id)
