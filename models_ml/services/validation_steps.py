"""The six steps of a validation. Each tells how it went (success, partial, failed, skipped, planned) and what it found.

A dry run plans the same windows from the same bars, writes the same files, and trains nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from models_ml.adapters.state_files import StateManager
from models_ml.core import run_lines, summaries, validation, validation_text
from models_ml.core.run_lines import StudentLine, TeacherLine
from models_ml.core.validation import Found
from models_ml.models import StudentRun, TeacherRun, TrainingBatch, ValidationRun
from models_ml.services import (
    batch_plans,
    batches,
    run_files,
    student_batches,
    teacher_batches,
    validation_optimizing,
    validation_reports,
)
from models_ml.services.batch_plans import TeacherAsked
from models_ml.services.batches import Crew
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.fan_out import Work
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles
from trading.services import deeds, snapshots
from trading.services.market_clock import Clock

OF_TEACHER: Final = ("precision", "recall", "f1")
STATE_FILE: Final = "data/state/validation_runs.json"
Outcome = tuple[str, dict[str, Any]]
log = get_logger("ModelValidation")


@dataclass(frozen=True, slots=True)
class How:
    """How a run is carried out: who trains what on how many workers, by which clock, telling whom.

    ``works`` are the works on one window by kind; ``certify`` proves the pipeline before it trains.
    """

    works: Mapping[str, Work]
    workers: int | str
    clock: Clock
    certify: Callable[[], dict[str, Any]]
    progress: Callable[[str, int, int], None] = field(default=lambda step, done, total: None)

    def crew(self, kind: str) -> Crew:
        """Return who trains the windows of a kind."""
        return Crew(self.works[kind], self.workers, lambda done, total: self.progress(kind, done, total))


def models_folder(run: ValidationRun) -> str:
    """Return the folder of a run's models, as rows write it."""
    return f"{settings.DESK.validation_data_dir.rstrip('/')}/models/{run.run_id}"


# 1 and 2: training


def train_teachers(run: ValidationRun, asked: TeacherAsked, how: How) -> Outcome:
    """Train a teacher on every window; what an earlier try trained stays."""
    batch = _batch("teacher", run)
    if batch is None:
        batch = TrainingBatch.objects.create(
            kind="teacher", batch_id=run.run_id, folder=models_folder(run), asked=asked.as_json(),
            plan_digest=asked.digest, created_at=how.clock(), created_by=run.created_by,
        )  # fmt: skip
        try:
            teacher_batches.planned(batch, by=run.created_by, at=how.clock())
        except SenseQuantError as error:  # no symbol has a bar: nothing was queued
            batch.delete()
            return "failed", _nothing(str(error))
    else:
        teacher_batches.resume(batch, by=run.created_by, at=how.clock())
    return _trained(batch, how)


def train_students(run: ValidationRun, model_type: str, how: How) -> Outcome:
    """Train a student of every teacher; what an earlier try trained stays."""
    teachers = _batch("teacher", run)
    if teachers is None:
        return "failed", _nothing("no teacher was trained")
    batch = _batch("student", run)
    if batch is None:
        asked = student_batches.ask(teacher_batch=teachers, model_type=model_type)
        batch = student_batches.start(asked, teachers, by=run.created_by, at=how.clock())
    else:
        student_batches.resume(batch, by=run.created_by, at=how.clock())
    return _trained(batch, how)


def _batch(kind: str, run: ValidationRun) -> TrainingBatch | None:
    return TrainingBatch.objects.filter(kind=kind, batch_id=run.run_id).first()


def _trained(batch: TrainingBatch, how: How) -> Outcome:
    error = ""
    try:
        batches.run(batch, how.crew(batch.kind), clock=how.clock, certify=how.certify)
    except SenseQuantError as failure:
        error = str(failure)
    batch.refresh_from_db()
    told = {**_section(batch), **({"error": error} if error else {})}
    state = {"done": "success", "partial": "partial"}.get(batch.status, "failed")
    return state, told


def _section(batch: TrainingBatch) -> dict[str, Any]:
    """Return ``teacher_results`` or ``student_results`` of the summary, and what the judgement needs."""
    found = batch.summary
    names = OF_TEACHER if batch.kind == "teacher" else summaries.AVERAGED
    return {
        "status": {"done": "success"}.get(batch.status, batch.status), "runs_completed": found["completed"],
        "runs_failed": found["failed"], "runs_skipped": found["skipped"],
        **{f"avg_{name}": found[f"avg_{name}"] for name in names},
        "runs_file": batches.relative(run_files.file_of(batch)), "certificates": batch.certificates,
    }  # fmt: skip


def _nothing(error: str) -> dict[str, Any]:
    empty = {f"avg_{name}": None for name in summaries.AVERAGED}
    return {"status": "failed", "runs_completed": 0, "runs_failed": 0, "runs_skipped": 0, "error": error, **empty}


# 1 and 2 of a dry run: planned, not done


def plan_teachers(run: ValidationRun, asked: TeacherAsked, how: How) -> Outcome:
    """Plan the windows from the bars that are there, and write the run file they would fill."""
    at = how.clock()
    try:
        planned = batch_plans.plan(asked, at=at)
    except (SenseQuantError, ValueError) as error:
        if not (isinstance(error, SenseQuantError) or is_bad_input(error)):
            raise
        return "failed", _dry({}, [str(error)])
    folder = models_folder(run)
    lines = [
        TeacherLine(
            run.run_id, window.symbol, window.start, window.end, window.label, f"{folder}/{window.label}", {},
            "skipped", ist(at), False, *_news(window.symbol, window.start, window.end), {"dryrun": True},
        )
        for window in planned.windows
    ]  # fmt: skip
    log.info("dry run: would train teachers", windows=len(lines), run=run.run_id)
    _write(paths.resolve(folder) / run_files.FILES["teacher"], run_lines.written(lines))
    windows = [[line.symbol, line.window_label, str(line.start), str(line.end)] for line in lines]
    return "planned", _dry({"windows": windows}, [f"{symbol}: {why}" for symbol, why in planned.without.items()])


def plan_students(run: ValidationRun, model_type: str, how: How) -> Outcome:
    """Write the run file that the students of the planned teachers would fill."""
    folder, at = models_folder(run), how.clock()
    windows = run.results.get("teacher", {}).get("windows", [])
    lines = [
        StudentLine(
            run.run_id, symbol, label, f"{folder}/{label}", f"{folder}/{label}_student", {}, "", "skipped", ist(at),
            False, *_news(symbol, dt.date.fromisoformat(start), dt.date.fromisoformat(end)),
            {"dryrun": True, "window_label": label, "model_type": model_type},
        )
        for symbol, label, start, end in windows
    ]  # fmt: skip
    log.info("dry run: would train students", students=len(lines), run=run.run_id)
    _write(paths.resolve(folder) / run_files.FILES["student"], run_lines.written(lines))
    return "planned", _dry({}, [])


def _news(symbol: str, start: dt.date, end: dt.date) -> tuple[str, bool]:
    found = snapshots.available(symbol, start, end)
    return found["sentiment_snapshot_path"] or "", found["sentiment_available"]


def _dry(more: Mapping[str, Any], errors: list[str]) -> dict[str, Any]:
    empty = {f"avg_{name}": None for name in summaries.AVERAGED}
    return {"status": "skipped", "runs_completed": 0, "dryrun": True, "errors": errors, **empty, **more}


# 3 and 4: the optimizer and the reports, neither of which fails a run


def optimize(run: ValidationRun, asked: TeacherAsked, how: How) -> Outcome:
    """Evaluate configurations of the strategy on the same days, read-only."""
    folder = paths.resolve(f"{settings.DESK.validation_data_dir.rstrip('/')}/optimization/{run.run_id}")
    found = validation_optimizing.evaluate(run.run_id, asked, workers=how.workers, clock=how.clock)
    _write(folder / "optimization_results.json", _json(found))
    _write(folder / "best_configs.json", _json(found["best_configs"]))
    if found["status"] == "failed":
        log.warning("the optimizer failed", run=run.run_id, errors=found["errors"])
    return found["status"], found


def report(run: ValidationRun) -> Outcome:
    """Write the two reports as pages that need nothing else."""
    folder = paths.resolve(run.folder) / "reports"
    try:
        pages = validation_reports.pages(run, _rows(TeacherRun, run), _rows(StudentRun, run))
        for name, text in pages.items():
            _write(folder / f"{name}.html", text)
    except (OSError, SenseQuantError, ValueError, KeyError) as error:
        log.warning("the reports were not written", run=run.run_id, why=str(error))
        return "failed", {"error": str(error), "reports": {}}
    return "success", {"reports": {name: f"{run.folder}/reports/{name}.html" for name in pages}}


def _rows(model: type[Any], run: ValidationRun) -> list[Any]:
    return list(model.objects.filter(batch_id=run.run_id).order_by("symbol", "id"))


# 5 and 6: the summary and the record


def summarise(run: ValidationRun) -> Outcome:
    """Bring everything together, judge it, and write ``validation_summary.json`` and ``.md``."""
    found = _found(run)
    status = validation.ended(found, dryrun=run.dryrun)
    told = {
        "run_id": run.run_id, "timestamp": ist(run.created_at).isoformat(timespec="seconds"), "symbols": run.symbols,
        "date_range": {"start": str(run.start), "end": str(run.end)}, "status": status, "dryrun": run.dryrun,
        "teacher_results": found.teacher, "student_results": found.student, "optimizer_results": found.optimizer,
        "reports": found.reports,
        "promotion_recommendation": validation.recommendation(found, status=status, dryrun=run.dryrun),
        "steps": {**run.steps, "summary": "success", "state": "success"}, "symbol_results": found.symbols,
    }  # fmt: skip
    run.summary = told
    run.approved = bool(told["promotion_recommendation"]["approved"])
    folder = paths.resolve(run.folder)
    try:
        _write(folder / "validation_summary.json", _json(told))
        _write(folder / "validation_summary.md", validation_text.markdown(told))
    except OSError as error:
        log.exception("the summary was not written", run=run.run_id)
        run.summary, run.approved = {**told, "status": "failed"}, False
        run.save(update_fields=["summary", "approved"])
        return "failed", {"error": str(error)}
    run.save(update_fields=["summary", "approved"])
    return "success", {}


def _found(run: ValidationRun) -> Found:
    results = run.results
    teachers, students = _rows(TeacherRun, run), _rows(StudentRun, run)
    optimizer = results.get("optimizer", {})
    trained = [results.get(name, {}) for name in ("teacher", "student")]
    criticals = [each["error"] for each in trained if each.get("error")]
    if any(each.get("certificates", {}).get("passed") is False for each in trained):
        criticals.append("the training's certificate failed: it finds what is not there, or misses what is")
    return Found(
        teacher=_summed(results.get("teacher", {}), OF_TEACHER),
        student=_summed(results.get("student", {}), summaries.AVERAGED),
        optimizer={"status": run.steps.get("optimizer", "skipped"), "best_configs": {}, **optimizer},
        reports=results.get("reports", {}).get("reports", {}),
        symbols=_symbols(run, teachers, students), steps=run.steps,
        checklists=[row.recommendation for row in students if row.status == "success"],
        leaks=[row.window_label for row in students if row.suspected_leak], criticals=criticals,
    )  # fmt: skip


def _summed(told: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a section with everything the schema has, also where its step never ran."""
    empty = {f"avg_{name}": None for name in summaries.AVERAGED}
    rest = {key: value for key, value in told.items() if key not in ("windows", *empty)}
    averages = {f"avg_{name}": told.get(f"avg_{name}") for name in names}
    return {"status": "skipped", "runs_completed": 0, "runs_failed": 0, "runs_skipped": 0, **rest, **averages}


def _symbols(run: ValidationRun, teachers: list[Any], students: list[Any]) -> dict[str, dict[str, Any]]:
    if run.dryrun:
        planned = run.results.get("teacher", {})
        errors = {line.partition(": ")[0]: line.partition(": ")[2] for line in planned.get("errors", [])}
        runs = [(row[0], "skipped", "") for row in planned.get("windows", [])]
        told = validation.of_symbols([*runs, *((name, "failed", why) for name, why in errors.items())])
        for one in told.values():
            one["status"] = "failed" if one["failed"] else "skipped"
        return told
    return validation.of_symbols([(row.symbol, row.status, row.error) for row in (*teachers, *students)])


def record(run: ValidationRun, status: str, how: How) -> Outcome:
    """Keep how the run ended, in its row and in the state file; a cancelled one stays cancelled."""
    at = how.clock()
    state, found = "success", {"file": STATE_FILE}
    run.refresh_from_db(fields=["status"])
    run.status = "cancelled" if run.status == "cancelled" else status
    run.finished_at = at
    with transaction.atomic():
        run.save(update_fields=["status", "finished_at"])
        deeds.record(
            f"validation {run.status}", f"validation {run.run_id}", by=run.created_by, at=at, symbols=run.symbols,
            start=run.start, end=run.end, dryrun=run.dryrun, approved=run.approved, steps=run.steps,
        )  # fmt: skip
    try:
        StateManager(paths.resolve(STATE_FILE)).record_validation_run(recorded(run), at=at)
    except OSError as error:
        log.warning("the state file was not written", path=STATE_FILE, why=str(error))
        state, found = "failed", {"error": str(error)}
    return state, found


def recorded(run: ValidationRun) -> dict[str, Any]:
    """Return the record of a run as the state file has it."""
    told = run.summary
    return {
        "run_id": run.run_id, "timestamp": ist(run.created_at).isoformat(timespec="seconds"), "symbols": run.symbols,
        "date_range": {"start": str(run.start), "end": str(run.end)}, "status": run.status, "dryrun": run.dryrun,
        "results": {
            name: told[name]
            for name in ("teacher_results", "student_results", "optimizer_results", "promotion_recommendation")
            if name in told
        },
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cachefiles.put(path, text)


def _json(told: Any) -> str:
    return json.dumps(told, indent=2, allow_nan=False, default=str) + "\n"
