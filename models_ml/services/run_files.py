"""``teacher_runs.json`` and ``student_runs.json`` beside the artifacts: written from the rows, and read back into them.

Reading adds what is not known and never changes what is. A line that cannot be read is named and passed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from models_ml.core import run_lines, summaries
from models_ml.core.run_lines import Problem, StudentLine, TeacherLine
from models_ml.models import StudentRun, TeacherRun, TrainingBatch
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotFound
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles

FILES: Final = {"teacher": "teacher_runs.json", "student": "student_runs.json"}
OF_TEACHER: Final = ("precision", "recall", "f1")
OF_STUDENT: Final = (
    "accuracy", "precision", "recall", "f1", "realised_accuracy", "realised_precision", "realised_recall",
)  # fmt: skip
LARGEST: Final = 256 << 20  # bytes
log = get_logger("batches")


@dataclass(slots=True)
class Imported:
    """What came of reading a file: how many rows were added, how many were known, and the lines passed over."""

    file: str
    kind: str
    added: int = 0
    known: int = 0
    problems: list[Problem] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


def file_of(batch: TrainingBatch) -> Path:
    """Return where a batch's run file is."""
    return paths.resolve(batch.folder) / FILES[batch.kind]


def export(batch: TrainingBatch, rows: Iterable[Any]) -> Path | None:
    """Write the batch's file from its ended rows, whole or not at all; None, told in the log, when that fails."""
    path = file_of(batch)
    tell = _teacher_line if batch.kind == "teacher" else _student_line
    lines = [tell(row) for row in rows if row.status in run_lines.STATUSES]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cachefiles.put(path, run_lines.written(lines))
    except OSError as error:
        log.warning("the run file was not written", path=str(path), why=str(error))
        return None
    return path


def _extras(row: TeacherRun | StudentRun) -> dict[str, Any]:
    told = {"error": row.error, "version": row.version, "sha256": row.digest}
    return {key: value for key, value in told.items() if value}


def _moment(row: TeacherRun | StudentRun) -> dt.datetime:
    return ist(row.finished_at or row.created_at)


def _teacher_line(row: TeacherRun) -> TeacherLine:
    return TeacherLine(
        row.batch_id, row.symbol, row.start, row.end, row.window_label, row.artifacts_path, _ratios(row), row.status,
        _moment(row), row.incremental, row.sentiment_snapshot_path, row.sentiment_available,
        {"interval": row.spec.get("interval", ""), **_extras(row)},
    )  # fmt: skip


def _student_line(row: StudentRun) -> StudentLine:
    more = {
        "window_label": row.window_label,
        "model_type": row.model_type,
        "recommendation": row.recommendation or None,
    }
    return StudentLine(
        row.batch_id, row.symbol, row.teacher_run_id, row.teacher_artifacts_path, row.student_artifacts_path,
        _ratios(row), row.promotion_checklist_path, row.status, _moment(row), row.incremental,
        row.sentiment_snapshot_path, row.sentiment_available, {**more, **_extras(row)},
    )  # fmt: skip


def _ratios(row: TeacherRun | StudentRun) -> dict[str, float]:
    names = OF_STUDENT if isinstance(row, StudentRun) else OF_TEACHER
    return {name: row.metrics[name] for name in names if row.metrics.get(name) is not None}


# reading


def read(path: Path, *, at: dt.datetime) -> Imported:
    """Add the runs of a file to the rows; NotFound or BadInput when it cannot be read at all."""
    kind = next((kind for kind, name in FILES.items() if path.name == name), "")
    if not kind:
        raise BadInput(f"{path.name} is not a run file", fix=f"name a {' or '.join(FILES.values())}")
    text = _text(path)
    found = Imported(str(path), kind)
    lines: Sequence[TeacherLine | StudentLine]
    lines, found.problems = (run_lines.teachers if kind == "teacher" else run_lines.students)(text)
    with transaction.atomic():
        for line in lines:
            added = _add_teacher(line, at) if isinstance(line, TeacherLine) else _add_student(line, at)
            found.added += added
            found.known += not added
        found.batches = list(dict.fromkeys(line.batch_id for line in lines))
        for name in found.batches:
            _add_batch(kind, name, path.parent, at)
    for problem in found.problems:
        log.warning("a line was passed over", file=str(path), line=problem.number, why=problem.why)
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST >> 20} MiB", fix="split it into several files")
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", fix="name a teacher_runs.json or student_runs.json") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", fix="check the file and its rights") from None


def _common(line: TeacherLine | StudentLine, at: dt.datetime) -> dict[str, Any]:
    more = line.extras
    return {
        "symbol": line.symbol[:32], "symbols": [line.symbol], "status": line.status, "metrics": dict(line.metrics),
        "incremental": line.incremental, "sentiment_snapshot_path": line.sentiment_snapshot_path,
        "sentiment_available": line.sentiment_available, "error": str(more.get("error") or ""),
        "version": str(more.get("version") or "")[:32], "digest": str(more.get("sha256") or "")[:64],
        "created_at": at, "finished_at": line.timestamp, "created_by": "import",
    }  # fmt: skip


def _add_teacher(line: TeacherLine, at: dt.datetime) -> bool:
    interval = line.extras.get("interval")
    _, added = TeacherRun.objects.get_or_create(
        batch_id=line.batch_id, window_label=line.window_label,
        defaults={
            **_common(line, at), "start": line.start, "end": line.end, "artifacts_path": line.artifacts_path,
            "spec": {"interval": interval} if isinstance(interval, str) else {},
        },
    )  # fmt: skip
    return bool(added)


def _add_student(line: StudentLine, at: dt.datetime) -> bool:
    more = line.extras
    label = str(more.get("window_label") or line.teacher_run_id)[:64]
    teacher = TeacherRun.objects.filter(artifacts_path=line.teacher_artifacts_path).first()
    word = str(more.get("recommendation") or "")
    _, added = StudentRun.objects.get_or_create(
        batch_id=line.batch_id, window_label=label,
        defaults={
            **_common(line, at), "teacher": teacher, "teacher_run_id": line.teacher_run_id[:64],
            "teacher_artifacts_path": line.teacher_artifacts_path,
            "student_artifacts_path": line.student_artifacts_path, "model_type": str(more.get("model_type") or "")[:16],
            "promotion_checklist_path": line.promotion_checklist_path,
            "recommendation": word if word in ("PROMOTE", "REJECT") else "",
        },
    )  # fmt: skip
    return bool(added)


def _add_batch(kind: str, batch_id: str, folder: Path, at: dt.datetime) -> None:
    """Make sure the batch of imported rows is there to be found by its folder."""
    if TrainingBatch.objects.filter(kind=kind, batch_id=batch_id).exists():
        return
    mine = (TeacherRun if kind == "teacher" else StudentRun).objects.filter(batch_id=batch_id)
    told = summaries.summary(list(mine.values_list("status", "metrics")))
    home = paths.home()
    place = folder.relative_to(home) if folder.is_relative_to(home) else folder
    TrainingBatch.objects.create(
        batch_id=batch_id, kind=kind, status=summaries.outcome(told), asked={}, plan_digest="", folder=str(place),
        incremental=mine.filter(incremental=True).exists(), total=told["total"], progress=1.0, summary=told,
        created_at=at, finished_at=at, created_by="import",
    )  # fmt: skip
