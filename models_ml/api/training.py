"""Teachers and students: what was trained on what, and what came of it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from models_ml.models import StudentRun, TeacherRun
from models_ml.selectors import training
from trading.api.fields import Flag, Id, Moment, Number, Symbol
from trading.api.paging import DaysFilter, Page, Paging, paged
from trading.selectors.rest import one, span

teachers = Router(tags=["teachers"])
students = Router(tags=["students"])
RunId = Annotated[Id, Path(description="Number of the training.", example=3)]
STATUSES = Literal["queued", "running", "success", "failed", "skipped"]
MODEL_TYPES = Literal["logistic", "sgd", "lightgbm"]


class TrainingOut(Schema):
    """What both kinds of training tell."""

    id: int = Field(description="Number of the training.", examples=[3])
    batch_id: str = Field(description="Batch it belongs to; empty when it was trained by itself.")
    symbol: str = Field(description="NSE symbol; empty for several together.", examples=["RELIANCE"])
    symbols: list[str] = Field(description="NSE symbols.", examples=[["RELIANCE"]])
    window_label: str = Field(description="Its window in a batch.", examples=["RELIANCE_2024Q1"])
    status: str = Field(description="queued, running, success, failed or skipped.", examples=["success"])
    error: str = Field(description="Why it failed; empty otherwise.", examples=[""])
    incremental: bool = Field(description="An update, gone on from an earlier model where there was one.")
    metrics: dict[str, Number] = Field(description="Shares by name; null where one has no meaning.")
    version: str = Field(description="Names the model by its content.", examples=["student-0123456789ab"])
    digest: str = Field(description="SHA-256 of its folder's manifest; empty until it was trained.")
    dataset_digest: str = Field(description="SHA-256 of what it was trained on.")
    seconds: float | None = Field(description="How long it took; null until it was trained.", examples=[4.2])
    created_at: Moment = Field(description="When it was asked for.")
    finished_at: Moment | None = Field(description="When it ended; null until then.")
    created_by: str = Field(description="Who asked for it.", examples=["shell"])


class TeacherOut(TrainingOut):
    """One training of a teacher."""

    start: dt.date = Field(description="First day of its bars, IST.", examples=["2024-01-01"])
    end: dt.date = Field(description="Last day of its bars, IST, included.", examples=["2024-03-29"])
    artifacts_path: str = Field(description="Its folder, under SENSEQUANT_HOME unless absolute.")


class StudentOut(TrainingOut):
    """One training of a student."""

    teacher_artifacts_path: str = Field(description="Folder of the teacher it learned from.")
    student_artifacts_path: str = Field(description="Its folder, under SENSEQUANT_HOME unless absolute.")
    model_type: str = Field(description="logistic, sgd or lightgbm.", examples=["logistic"])
    promotion_checklist_path: str = Field(description="Its checklist; empty when none was written.")
    recommendation: str = Field(description="PROMOTE or REJECT; empty without a checklist.", examples=["REJECT"])
    suspected_leak: bool = Field(description="Its figures are too good to be honest.")
    looks: int = Field(description="Trainings that had been tested on the same rows before.", examples=[0])


class TeacherDetail(TeacherOut):
    """One training of a teacher with its evaluation."""

    evaluation: dict[str, Any] = Field(description="What evaluation_metrics.json holds.")
    spec: dict[str, Any] = Field(description="Everything needed to train it again.")


class StudentDetail(StudentOut):
    """One training of a student with its evaluation."""

    evaluation: dict[str, Any] = Field(description="What evaluation_metrics.json holds.")
    spec: dict[str, Any] = Field(description="Everything needed to train it again.")


class TrainingFilter(DaysFilter):
    """Which trainings; days are compared with when they were asked for."""

    symbol: Symbol | None = Field(default=None, description="Those of this symbol alone.")
    status: STATUSES | None = Field(default=None, description="Where it stands.")


class StudentFilter(TrainingFilter):
    """Which students."""

    model_type: MODEL_TYPES | None = Field(default=None, description="Kind of student.")
    suspected_leak: Flag | None = Field(default=None, description="Whether a leak is suspected.")


@teachers.get("", response=Page[TeacherOut], summary="List teachers")
def teachers_list(request: HttpRequest, wanted: Query[TrainingFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the trainings of teachers, newest first."""
    return paged(request, _matching(training.teachers(), wanted), paging, ["id"])


@teachers.get("/{number}", response=TeacherDetail, summary="One teacher")
def teachers_detail(request: HttpRequest, number: RunId) -> TeacherRun:
    """Return one training of a teacher with its evaluation."""
    return one(training.teachers(), "training of a teacher", "/api/v1/teachers", pk=number)


@students.get("", response=Page[StudentOut], summary="List students")
def students_list(request: HttpRequest, wanted: Query[StudentFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the trainings of students, newest first."""
    rows = _matching(training.students(), wanted)
    if wanted.model_type is not None:
        rows = rows.filter(model_type=wanted.model_type)
    if wanted.suspected_leak is not None:
        rows = rows.filter(suspected_leak=wanted.suspected_leak == "true")
    return paged(request, rows, paging, ["id"])


@students.get("/{number}", response=StudentDetail, summary="One student")
def students_detail(request: HttpRequest, number: RunId) -> StudentRun:
    """Return one training of a student with its evaluation."""
    return one(training.students(), "training of a student", "/api/v1/students", pk=number)


def _matching(rows: QuerySet[Any], wanted: TrainingFilter) -> QuerySet[Any]:
    """Return the rows that match; BadInput for days in the wrong order."""
    since, until = span(wanted.start, wanted.end)
    asked = {
        "symbol": wanted.symbol, "status": wanted.status, "created_at__gte": since, "created_at__lt": until,
    }  # fmt: skip
    return rows.filter(**{key: value for key, value in asked.items() if value is not None})
