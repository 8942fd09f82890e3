"""Batches of trainings and validations: the list, the forms that start one, and the pages that watch it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from models_ml.core.validation import TITLES
from models_ml.models import TrainingBatch, ValidationRun
from models_ml.selectors import batches as asked
from models_ml.services import batch_plans, batches, student_batches, teacher_batches, validations
from models_ml.tasks import run_training_batch, run_validation
from models_ml.views import listed
from models_ml.views.training_form import StudentForm, TeacherForm, ValidationForm, beginning
from sensequant.lib.clock import ist, now
from trading.core import demo
from trading.views.doors import for_traders, may_trade, told
from trading.views.grids import Grid

PAGE = 50
VALIDATIONS = 20


@require_safe
@login_required
def training_page(request: HttpRequest) -> HttpResponse:
    """List batches and validations, with the forms that start one."""
    return _list(request)


@require_POST
@login_required
def start_teachers(request: HttpRequest) -> HttpResponse:
    """Queue a batch of teachers and go to its page."""
    _only_traders(request)
    sent = TeacherForm(request.POST)
    if sent.is_valid():
        at, by = now(), request.user.get_username()
        incremental = sent.cleaned_data["incremental"]

        def work() -> TrainingBatch:
            wanted = batch_plans.ask_teachers(**sent.bars(), incremental=incremental, at=at)
            return teacher_batches.queue(wanted, by=by, at=at)

        batch = told(request, "The batch is queued.", work)
        if batch is not None:
            run_training_batch.delay_on_commit(kind="teacher", batch_id=batch.pk)
            return redirect("training_batch", batch.pk)
    return _list(request, teachers=sent, status=422)


@require_POST
@login_required
def start_validation(request: HttpRequest) -> HttpResponse:
    """Queue a validation and go to its page."""
    _only_traders(request)
    sent = ValidationForm(request.POST)
    if sent.is_valid():
        at, by, given = now(), request.user.get_username(), sent.cleaned_data

        def work() -> ValidationRun:
            bars = batch_plans.ask_teachers(**sent.bars(), at=at)
            wanted = validations.Asked(bars, given["model_type"], given["skip_optimizer"], given["skip_reports"])
            return validations.queue(wanted, dryrun=not given["really"], by=by, at=at)

        run = told(request, "The validation is queued.", work)
        if run is not None:
            run_validation.delay_on_commit(run_id=run.run_id)
            return redirect("validation", run.run_id)
    return _list(request, validation=sent, status=422)


def _only_traders(request: HttpRequest) -> None:
    if not may_trade(request):
        raise PermissionDenied("this needs the right to trade: ask an administrator for the group operator")


def _list(
    request: HttpRequest, *, teachers: Form | None = None, validation: Form | None = None, status: int = 200
) -> HttpResponse:
    fresh = beginning(ist(now()).date())
    page = Paginator(asked.batches(), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "columns": listed.BATCHES,
        "rows": [listed.batch(row) for row in page.object_list],
        "validations": Grid(
            "validations", "Validations", listed.VALIDATIONS,
            [listed.validation(run) for run in asked.validations().defer("results", "summary")[:VALIDATIONS]],
            "No validation yet. The form above starts one; manage.py run_model_validation --help does the same from "
            "the shell.", f"the newest {VALIDATIONS}",
        ),
        "trained": Grid(
            "trained", "How far each symbol is trained", listed.TRAINED, [*map(listed.trained, asked.trained())],
            "No symbol is trained. A batch of teachers trains the symbols one names.",
        ),
        "teachers": teachers or TeacherForm(initial=fresh),
        "validation": validation or ValidationForm(initial=fresh, auto_id="id_v_%s"),
        "asking": "teachers" if teachers else "validation" if validation else "",
        "demo_symbols": list(demo.INSTRUMENTS),
        "may_trade": may_trade(request),
    }  # fmt: skip
    return render(request, "models_ml/training.html", context, status=status)


@require_safe
@login_required
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one batch: how far it is, and what came of each window."""
    batch = _batch(pk)
    windows = Paginator(asked.windows(batch), PAGE).get_page(request.GET.get("page"))
    context = {
        "batch": batch,
        "active": batch.status in asked.ACTIVE,
        "percent": round(100 * batch.progress),
        "page": windows,
        "columns": listed.STUDENTS if batch.kind == "student" else listed.TEACHERS,
        "rows": [listed.window(row) for row in windows.object_list],
        "of_students": batch.kind == "student",
        "students": batch.students.all() if batch.kind == "teacher" else (),
        "form": StudentForm(initial={"model_type": "logistic"}),
        "teachable": batch.kind == "teacher" and batch.status in student_batches.ENDED,
        "may_trade": may_trade(request),
    }
    return render(request, "models_ml/training_batch.html", context)


@require_POST
@for_traders
def start_students(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Queue a batch of students of these teachers and go to its page."""
    teachers = _batch(pk)
    sent = StudentForm(request.POST)
    kind = sent.cleaned_data["model_type"] if sent.is_valid() else request.POST.get("model_type", "")
    at, by = now(), request.user.get_username()

    def work() -> TrainingBatch:
        wanted = student_batches.ask(teacher_batch=teachers, model_type=kind)
        return student_batches.start(wanted, teachers, by=by, at=at)

    batch = told(request, "The batch is queued.", work)
    if batch is None:
        return redirect("training_batch", pk)
    run_training_batch.delay_on_commit(kind="student", batch_id=batch.pk)
    return redirect("training_batch", batch.pk)


@require_POST
@for_traders
def cancel_batch(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Ask a batch that has not ended to stop."""
    batch, by = _batch(pk), request.user.get_username()
    told(request, "Cancellation requested.", lambda: batches.cancel(batch.pk, by=by, at=now()))
    return redirect("training_batch", pk)


@require_POST
@for_traders
def resume_batch(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Queue again what is missing of a batch that has ended."""
    batch, by, at = _batch(pk), request.user.get_username(), now()
    resume = teacher_batches.resume if batch.kind == "teacher" else student_batches.resume
    if told(request, "What is missing is queued.", lambda: resume(batch, by=by, at=at)) is not None:
        run_training_batch.delay_on_commit(kind=batch.kind, batch_id=batch.pk)
    return redirect("training_batch", pk)


def _batch(pk: int) -> TrainingBatch:
    batch = asked.batch(pk)
    if batch is None:
        raise Http404(f"there is no batch {pk}")
    return batch


@require_safe
@login_required
def validation_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show one validation: its steps, its criteria, and what became of each symbol."""
    run = _validation(run_id)
    summary = run.summary
    context: dict[str, Any] = {
        "run": run,
        "active": run.status in asked.ACTIVE,
        "steps": [(number, TITLES[name], state) for number, (name, state) in enumerate(run.steps.items(), start=1)],
        "judgement": summary.get("promotion_recommendation"),
        "sections": [("Teachers", summary.get("teacher_results")), ("Students", summary.get("student_results"))],
        "symbols": summary.get("symbol_results", {}),
        "resumable": run.status in ("partial", "failed", "cancelled"),
        "may_trade": may_trade(request),
    }
    return render(request, "models_ml/validation.html", context)


@require_POST
@for_traders
def cancel_validation(request: HttpRequest, run_id: str) -> HttpResponseRedirect:
    """Ask a validation that has not ended to stop."""
    run, by = _validation(run_id), request.user.get_username()
    told(request, "Cancellation requested.", lambda: validations.cancel(run.run_id, by=by, at=now()))
    return redirect("validation", run_id)


@require_POST
@for_traders
def resume_validation(request: HttpRequest, run_id: str) -> HttpResponseRedirect:
    """Queue a validation that did not complete once more, to do what is missing."""
    run, by, at = _validation(run_id), request.user.get_username(), now()

    def work() -> ValidationRun:
        return validations.queue(validations.asked_of(run), dryrun=run.dryrun, run_id=run.run_id, by=by, at=at)

    if told(request, "What is missing is queued.", work) is not None:
        run_validation.delay_on_commit(run_id=run.run_id)
    return redirect("validation", run_id)


def _validation(run_id: str) -> ValidationRun:
    run = asked.validation(run_id)
    if run is None:
        raise Http404(f"there is no validation {run_id}")
    return run
