"""Batches of trainings: start one, watch it, read what came of each window."""

from __future__ import annotations

import datetime as dt
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from models_ml import tasks
from models_ml.models import TrainingBatch
from models_ml.selectors import batches as asked
from models_ml.services import answers, batch_plans, batches, student_batches, teacher_batches
from sensequant.lib import paths
from sensequant.lib.clock import now
from trading.api.auth import TRADE, NotPermitted, right_in
from trading.api.fields import Day, Id, IntervalName, Moment, Number, Symbol, YesNo
from trading.api.paging import Page, Paging, paged
from trading.core.rights import Right
from trading.selectors.rest import one

router = Router(tags=["training"])
BatchId = Annotated[Id, Path(description="Number of the batch.", example=3)]
Kind = Literal["teacher", "student"]
State = Literal["queued", "running", "done", "partial", "failed", "cancelled"]


class BarsIn(Schema):
    """Which bars."""

    model_config = ConfigDict(extra="forbid")

    symbols: list[Symbol] = Field(min_length=1, max_length=500, description="NSE symbols.", examples=[["DEMOBANK"]])
    interval: IntervalName = Field(default="5minute", description="Length of a bar.")
    source: Literal["demo", "csv", "breeze", "hybrid"] = Field(
        default="demo", description="The demo market, files of bars, the broker's history, or files and the broker."
    )
    directory: str = Field(
        default="", max_length=700, pattern=r"^[^\x00]*$",
        description="Folder of bar files; empty: DATA_FEED_CSV_DIRECTORY. Others need the right to admin.",
    )  # fmt: skip
    window_days: int = Field(strict=True, default=90, ge=3, le=3650, description="Calendar days of a window.")
    seed: int = Field(strict=True, default=0, ge=0, le=2**31 - 1, description="Seed of the training.")


class TeacherBatchIn(BarsIn):
    """What to train teachers on."""

    start: Day | None = Field(default=None, description="First day, IST; the first bar when left out.")
    end: Day | None = Field(default=None, description="Last day, IST, included; the last bar when left out.")
    incremental: YesNo = Field(default=False, description="Only windows with days not trained on yet.")


class StudentBatchIn(Schema):
    """Which teachers to learn from, and how."""

    model_config = ConfigDict(extra="forbid")

    teacher_batch: Id | None = Field(
        default=None, description="Number of the teachers' batch; the newest when left out."
    )
    model_type: Literal["logistic", "sgd", "lightgbm"] = Field(default="logistic", description="Kind of student.")
    baseline_precision: float | None = Field(
        strict=True, default=None, ge=0, le=1, description="The setting's when left out."
    )
    baseline_recall: float | None = Field(
        strict=True, default=None, ge=0, le=1, description="The setting's when left out."
    )
    incremental: YesNo = Field(default=False, description="Only teachers without a student, from the earlier students.")


class SummaryOut(Schema):
    """What a batch came to."""

    total: int = Field(default=0, description="Windows planned.", examples=[20])
    completed: int = Field(default=0, description="Windows trained.", examples=[19])
    failed: int = Field(default=0, description="Windows that failed.", examples=[1])
    skipped: int = Field(default=0, description="Stretches too short for a window.", examples=[0])
    pending: int = Field(default=0, description="Windows not begun.", examples=[0])
    success_rate: Number = Field(default=None, description="Share of the tried that were trained.", examples=[0.95])
    avg_accuracy: Number = Field(default=None, description="Average accuracy; null without any.", examples=[0.7])
    avg_precision: Number = Field(default=None, description="Average precision; null without any.", examples=[0.7])
    avg_recall: Number = Field(default=None, description="Average recall; null without any.", examples=[0.7])
    avg_f1: Number = Field(default=None, description="Average F1; null without any.", examples=[0.7])


class BatchOut(Schema):
    """One batch."""

    id: int = Field(description="Number of the batch.", examples=[3])
    batch_id: str = Field(description="Its name in the run files.", examples=["batch_20251012_190000"])
    kind: Kind = Field(description="Teachers or students.", examples=["teacher"])
    status: str = Field(description="queued, running, done, partial, failed or cancelled.", examples=["done"])
    incremental: bool = Field(description="Whether it trained only on what was new.", examples=[False])
    folder: str = Field(description="Where its artifacts are.", examples=["data/models/20251012_190000"])
    progress: float = Field(description="0 to 1.", examples=[1.0])
    total: int = Field(description="Windows planned.", examples=[20])
    teacher_batch_id: int | None = Field(description="Of students: the number of the teachers' batch.", examples=[2])
    summary: SummaryOut = Field(description="What it came to.")
    certificates: dict[str, Any] = Field(description="Proofs that the pipeline finds what is there and nothing else.")
    error: str = Field(description="What ended it early; empty otherwise.", examples=[""])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    created_by: str = Field(description="Who asked for it.", examples=["asha"])


class DateRange(Schema):
    """Days, both included."""

    start: dt.date = Field(description="First day.", examples=["2024-01-01"])
    end: dt.date = Field(description="Last day.", examples=["2024-03-30"])


class WindowOut(Schema):
    """One window of a batch."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    window_label: str = Field(description="Name of the window.", examples=["RELIANCE_2024Q1"])
    date_range: DateRange | None = Field(default=None, description="Of teachers: the days it was trained on.")
    status: str = Field(description="queued, running, success, failed or skipped.", examples=["success"])
    error: str = Field(description="Why it failed or was skipped.", examples=[""])
    metrics: dict[str, Number] = Field(description="Macro averages.", examples=[{"precision": 0.6, "recall": 0.5}])
    version: str = Field(description="Names the model by its content.", examples=["teacher-1a2b3c4d5e6f"])
    sha256: str = Field(description="SHA-256 of the manifest of its folder.", examples=[""])
    seconds: Number = Field(description="How long the training took.", examples=[1.4])
    artifacts_path: str = Field(description="Its folder.", examples=["data/models/20251012_190000/RELIANCE_2024Q1"])
    sentiment_available: bool = Field(description="Whether there are snapshots of its days.", examples=[False])
    recommendation: str | None = Field(default=None, description="Of students: PROMOTE or REJECT.", examples=["REJECT"])
    suspected_leak: bool | None = Field(default=None, description="Of students: measures too good to be true.")


class BatchFilter(Schema):
    """Which batches."""

    kind: Kind | None = Field(default=None, description="Teachers or students.")
    status: State | None = Field(default=None, description="Where it stands.")


@router.get("", response=Page[BatchOut], summary="List batches of trainings")
def listing(request: HttpRequest, wanted: Query[BatchFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return batches, newest first."""
    narrowed = {name: value for name, value in wanted.dict().items() if value is not None}
    return paged(request, asked.batches().filter(**narrowed), paging, ["id"])


@router.post("/teachers", response={201: BatchOut}, auth=TRADE, summary="Start a batch of teachers")
def start_teachers(request: HttpRequest, body: TeacherBatchIn, response: HttpResponse) -> Status[TrainingBatch]:
    """Check the request, queue the batch and return it; `GET` it until it has ended."""
    at = now()
    wanted = batch_plans.ask_teachers(
        **bars_of(request, body), start=body.start, end=body.end, incremental=body.incremental, at=at
    )
    batch = teacher_batches.queue(wanted, by=request.user.get_username(), at=at)
    tasks.run_training_batch.delay_on_commit(kind="teacher", batch_id=batch.pk)
    response["Location"] = f"/api/v1/training/batches/{batch.pk}"
    return Status(201, batch)


@router.post("/students", response={201: BatchOut}, auth=TRADE, summary="Start a batch of students")
def start_students(request: HttpRequest, body: StudentBatchIn, response: HttpResponse) -> Status[TrainingBatch]:
    """Check the request, queue the batch and return it; `GET` it until it has ended."""
    at = now()
    number = body.teacher_batch
    teachers = _batch(number) if number else student_batches.teacher_batch_of("", at=at)
    wanted = student_batches.ask(
        teacher_batch=teachers, model_type=body.model_type, baseline_precision=body.baseline_precision,
        baseline_recall=body.baseline_recall, incremental=body.incremental,
    )  # fmt: skip
    batch = student_batches.start(wanted, teachers, by=request.user.get_username(), at=at)
    tasks.run_training_batch.delay_on_commit(kind="student", batch_id=batch.pk)
    response["Location"] = f"/api/v1/training/batches/{batch.pk}"
    return Status(201, batch)


@router.get("/{number}", response=BatchOut, summary="One batch of trainings")
def detail(request: HttpRequest, number: BatchId) -> TrainingBatch:
    """Return one batch."""
    return _batch(number)


@router.get("/{number}/runs", response=Page[WindowOut], summary="A batch's windows")
def runs(request: HttpRequest, number: BatchId, paging: Query[Paging]) -> dict[str, Any]:
    """Return the windows of one batch, in the order they were planned."""
    found = paged(request, asked.windows(_batch(number)), paging, ["id"], newest_first=False)
    return {**found, "items": [answers.window(row) for row in found["items"]]}


@router.post("/{number}/cancel", response=BatchOut, auth=TRADE, summary="Cancel a batch of trainings")
def cancel(request: HttpRequest, number: BatchId) -> TrainingBatch:
    """Cancel a batch that is queued or running; the windows it is at are finished."""
    return batches.cancel(number, by=request.user.get_username(), at=now())


@router.post("/{number}/resume", response=BatchOut, auth=TRADE, summary="Resume a batch of trainings")
def resume(request: HttpRequest, number: BatchId) -> TrainingBatch:
    """Queue again what is missing of a batch that has ended."""
    batch = _batch(number)
    again = teacher_batches.resume if batch.kind == "teacher" else student_batches.resume
    again(batch, by=request.user.get_username(), at=now())
    tasks.run_training_batch.delay_on_commit(kind=batch.kind, batch_id=batch.pk)
    return _batch(number)


def _batch(number: int) -> TrainingBatch:
    return one(asked.batches(), "batch", "/api/v1/training/batches", pk=number)


def bars_of(request: HttpRequest, body: BarsIn) -> dict[str, Any]:
    """Return what ``batch_plans.ask_teachers`` takes of the bars; only an admin may name a folder elsewhere."""
    source = "csv" if body.source == "demo" and body.directory else body.source
    told = {
        "symbols": body.symbols, "interval": body.interval, "source": source, "window_days": body.window_days,
        "options": {"seed": body.seed},
    }  # fmt: skip
    if source == "demo":
        return told
    data = paths.resolve(settings.DESK.data_feed_csv_directory).resolve()
    folder = (data / Folder(body.directory)).resolve()
    if not folder.is_relative_to(data) and right_in(request) < Right.ADMIN:
        raise NotPermitted("folders outside DATA_FEED_CSV_DIRECTORY need the right to admin", fix="name one inside it")
    return {**told, "directory": str(folder)}
