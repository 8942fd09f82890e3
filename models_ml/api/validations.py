"""Validations of models: start one, watch its steps, read its summary."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from models_ml import tasks
from models_ml.api.batches import BarsIn, bars_of
from models_ml.models import ValidationRun
from models_ml.selectors import batches as asked
from models_ml.services import batch_plans, validations
from sensequant.lib.clock import now
from trading.api.auth import TRADE
from trading.api.fields import Day, Flag, Moment, YesNo
from trading.api.paging import Page, Paging, paged
from trading.selectors.rest import one

router = Router(tags=["validations"])
NAME = r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,59}$"
RunId = Annotated[str, Path(pattern=NAME, description="Name of the run.", example="validation_20251012_180000")]
State = Literal["queued", "running", "completed", "partial", "failed", "cancelled"]


class ValidationIn(BarsIn):
    """What to validate on."""

    start: Day = Field(description="First day, IST.", examples=["2024-01-01"])
    end: Day = Field(description="Last day, IST, included.", examples=["2024-12-31"])
    dryrun: YesNo = Field(default=True, description="Plan everything, train nothing.")
    skip_optimizer: YesNo = Field(default=False, description="Leave step 3 out.")
    skip_reports: YesNo = Field(default=False, description="Leave step 4 out.")
    model_type: Literal["logistic", "sgd", "lightgbm"] = Field(default="logistic", description="Kind of student.")
    run_id: Annotated[str, Field(pattern=NAME)] | None = Field(
        default=None, description="Names the run; that of one that did not complete: go on with it."
    )


class ValidationOut(Schema):
    """One validation."""

    run_id: str = Field(description="Name of the run.", examples=["validation_20251012_180000"])
    status: str = Field(description="queued, running, completed, partial, failed or cancelled.", examples=["completed"])
    dryrun: bool = Field(description="Whether nothing was trained.", examples=[True])
    symbols: list[str] = Field(description="NSE symbols.", examples=[["RELIANCE"]])
    start: dt.date = Field(description="First day.", examples=["2024-01-01"])
    end: dt.date = Field(description="Last day.", examples=["2024-12-31"])
    steps: dict[str, str] = Field(
        description="By step: pending, running, planned, success, partial, failed or skipped."
    )
    approved: bool = Field(description="Whether its models may be promoted.", examples=[False])
    folder: str = Field(description="Where its summary is.", examples=["release/audit_validation_20251012_180000"])
    error: str = Field(description="What ended it early; empty otherwise.", examples=[""])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    created_by: str = Field(description="Who asked for it.", examples=["asha"])


class ValidationDetail(ValidationOut):
    """One validation with its summary."""

    summary: dict[str, Any] = Field(description="`validation_summary.json`; empty until step 5.")


class ValidationFilter(Schema):
    """Which validations."""

    status: State | None = Field(default=None, description="Where it stands.")
    dryrun: Flag | None = Field(default=None, description="Dry runs, or real ones.")


@router.get("", response=Page[ValidationOut], summary="List validations")
def listing(request: HttpRequest, wanted: Query[ValidationFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return validations, newest first."""
    rows = asked.validations()
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.dryrun:
        rows = rows.filter(dryrun=wanted.dryrun == "true")
    return paged(request, rows.defer("results", "summary"), paging, ["id"])


@router.post("", response={201: ValidationOut}, auth=TRADE, summary="Start a validation")
def start(request: HttpRequest, body: ValidationIn, response: HttpResponse) -> Status[ValidationRun]:
    """Check the request, queue the run and return it; `GET` it until it has ended."""
    at = now()
    bars = batch_plans.ask_teachers(**bars_of(request, body), start=body.start, end=body.end, at=at)
    wanted = validations.Asked(bars, body.model_type, body.skip_optimizer, body.skip_reports)
    run = validations.queue(wanted, dryrun=body.dryrun, run_id=body.run_id or "", by=request.user.get_username(), at=at)
    tasks.run_validation.delay_on_commit(run_id=run.run_id)
    response["Location"] = f"{request.path}/{run.run_id}"
    return Status(201, run)


@router.get("/{run_id}", response=ValidationDetail, summary="One validation")
def detail(request: HttpRequest, run_id: RunId) -> ValidationRun:
    """Return one validation with its summary."""
    return one(asked.validations(), "validation", "/api/v1/validations", run_id=run_id)


@router.post("/{run_id}/cancel", response=ValidationOut, auth=TRADE, summary="Cancel a validation")
def cancel(request: HttpRequest, run_id: RunId) -> ValidationRun:
    """Cancel a validation that is queued or running; the window it is at is finished."""
    return validations.cancel(run_id, by=request.user.get_username(), at=now())


@router.post("/{run_id}/resume", response=ValidationOut, auth=TRADE, summary="Resume a validation")
def resume(request: HttpRequest, run_id: RunId) -> ValidationRun:
    """Queue a validation that did not complete once more, to do what is missing."""
    run = one(asked.validations(), "validation", "/api/v1/validations", run_id=run_id)
    who, wanted = request.user.get_username(), validations.asked_of(run)
    queued = validations.queue(wanted, dryrun=run.dryrun, run_id=run_id, by=who, at=now())
    tasks.run_validation.delay_on_commit(run_id=run_id)
    return queued
