"""The life of a batch of trainings: begun, run window by window, cancelled, gone on with after whatever ended it.

A window is a row. Who trains it holds a lease on it, so nothing is trained twice; its folder is sealed last, so what
was trained when the process died is taken over rather than trained again. One that fails keeps its error and stops
no other. The files ``teacher_runs.json`` and ``student_runs.json`` are written from the rows, never the other way.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from models_ml.core import summaries
from models_ml.models import StudentRun, TeacherRun, TrainingBatch
from models_ml.services import run_files
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError
from sensequant.lib.fan_out import Watch, Work, fan_out
from sensequant.lib.logs import get_logger
from trading.services import deeds, leases
from trading.services.market_clock import Clock

ROWS: Final[dict[str, type[TeacherRun] | type[StudentRun]]] = {"teacher": TeacherRun, "student": StudentRun}
OPEN: Final = ("queued", "running")
UNFINISHED: Final = ("queued", "running", "partial", "failed", "cancelled")
HELD: Final = 1_800.0  # seconds a lease lasts; one of a process of this machine that died is free at once
LOOK: Final = 1.0  # seconds between looks at whether the batch was cancelled
PAUSE: Final = 0.2  # seconds between tries of windows that another process holds
WRITE: Final = 5.0  # seconds between writings of the run file while the batch runs
log = get_logger("batches")


@dataclass(frozen=True, slots=True)
class Crew:
    """Who trains: the work on one window, on how many workers (or ``celery``), and who is told of progress."""

    work: Work
    workers: int | str = 1
    progress: Callable[[int, int], None] = lambda done, total: None


def rows(batch: TrainingBatch) -> Any:
    """Return the batch's windows, in the order they were planned."""
    return ROWS[batch.kind].objects.filter(batch_id=batch.batch_id).order_by("id")


def begin(
    kind: str, asked: dict[str, Any], digest: str, *, folder: str = "", by: str, at: dt.datetime, **more: Any
) -> TrainingBatch:
    """Return a new batch named after the moment; of two begun in one second the later is named a second on."""
    root = folder or settings.DESK.student_batch_output_dir
    for later in range(60):
        stamp = f"{ist(at) + dt.timedelta(seconds=later):%Y%m%d_%H%M%S}"
        place = f"{root.rstrip('/')}/{stamp}"
        if paths.resolve(place).exists():
            continue
        try:
            with transaction.atomic():
                return TrainingBatch.objects.create(
                    batch_id=f"batch_{stamp}", kind=kind, asked=asked, plan_digest=digest, folder=place,
                    created_at=at, created_by=by, **more,
                )  # fmt: skip
        except IntegrityError:
            continue
    raise NotAllowed("too many batches were begun at once", fix="try again in a minute")


def find(number: int) -> TrainingBatch:
    """Return a batch by its number; NotFound when there is none such."""
    batch = TrainingBatch.objects.filter(pk=number).first()
    if batch is None:
        raise NotFound(f"there is no batch {number}", fix="look at the list of batches")
    return batch


def latest(kind: str, *states: str) -> TrainingBatch | None:
    """Return the newest batch of a kind, narrowed to states; None when there is none."""
    found = TrainingBatch.objects.filter(kind=kind)
    return (found.filter(status__in=states) if states else found).first()


def of_folder(kind: str, folder: str) -> TrainingBatch | None:
    """Return the batch whose artifacts lie in a folder, however it is written; None when there is none."""
    place = paths.resolve(folder).resolve()
    stamp = place.name
    for batch in TrainingBatch.objects.filter(kind=kind, folder__endswith=stamp):
        if paths.resolve(batch.folder).resolve() == place:
            return batch
    return None


def ensure_free(batch: TrainingBatch) -> None:
    """Raise NotAllowed when a process is at the batch; one that died is not."""
    leases.release(leases.take(_lease(batch), leases.myself(), ttl=HELD))


def _lease(batch: TrainingBatch) -> str:
    return f"batch:{batch.pk}"


def reopen(batch: TrainingBatch) -> int:
    """Queue again what failed or was cut off, and return how many windows are open; what succeeded stays."""
    with transaction.atomic():
        rows(batch).filter(status="failed").update(status="queued", error="", finished_at=None)
        batch.status, batch.error, batch.finished_at = "queued", "", None
        batch.save(update_fields=["status", "error", "finished_at"])
    return int(rows(batch).filter(status__in=OPEN).count())


def run(batch: TrainingBatch, crew: Crew, *, clock: Clock, certify: Callable[[], dict[str, Any]]) -> TrainingBatch:
    """Train every open window, and return the batch as it ended; NotAllowed when another process is at it.

    ``certify`` proves the pipeline before anything is trained: its certificates are the batch's.
    """
    held = leases.take(_lease(batch), leases.myself(), ttl=HELD)
    try:
        _claim(batch)
        begun, error = _cpu(), ""
        try:
            if not batch.certificates:
                batch.certificates = certify()
                batch.save(update_fields=["certificates"])
            _train(batch, crew, held)
        except SenseQuantError as failure:
            error = str(failure)
            raise
        finally:
            _finish(batch, error, _cpu() - begun, at=clock())
    finally:
        leases.release(held)
    return batch


def _claim(batch: TrainingBatch) -> None:
    """Mark a batch as running, one whose process died as well: the lease is ours. NotAllowed when it has ended."""
    won = TrainingBatch.objects.filter(pk=batch.pk, status__in=OPEN).update(status="running", error="")
    batch.refresh_from_db()
    if not won:
        raise NotAllowed(f"batch {batch.pk} is {batch.status}, not queued", fix="use --resume to go on with it")


def _train(batch: TrainingBatch, crew: Crew, held: leases.Held) -> None:
    """Spread the open windows over the crew until none is open; one that another process holds is waited for."""
    following = _Following(batch, crew, held)
    ids = [int(number) for number in rows(batch).values_list("id", flat=True)]
    watch = Watch(following.settled, following.tell, following.stop)
    begun = time.monotonic()
    while fan_out(crew.work, ids, workers=crew.workers, watch=watch):
        if len(following.settled(ids)) == len(ids) or time.monotonic() - begun > HELD:
            return
        time.sleep(PAUSE)  # whoever was left over of a process that died ends, or dies: then its window is free


class _Following:
    """How a running batch is followed: its progress and run file are kept, and a cancellation is obeyed."""

    def __init__(self, batch: TrainingBatch, crew: Crew, held: leases.Held) -> None:
        self.batch, self.crew, self.held = batch, crew, held
        self.looked = self.written = 0.0
        self.stopped = False

    def settled(self, some: Sequence[Any]) -> set[Any]:
        """Return those of some windows that are over."""
        ended = ROWS[self.batch.kind].objects.filter(id__in=some).exclude(status__in=OPEN)
        return set(ended.values_list("id", flat=True))

    def stop(self) -> bool:
        """Say whether the batch was cancelled, looking now and then; keep the lease meanwhile."""
        if not self.stopped and time.monotonic() - self.looked > LOOK:
            self.looked = time.monotonic()
            self.stopped = not self._mine().exists()
            if leases.due(self.held, ttl=HELD):
                leases.renew(self.held, ttl=HELD)
        return self.stopped

    def tell(self, done: int, total: int) -> None:
        """Keep how far the batch is."""
        self._mine().update(progress=done / total if total else 1.0)
        if time.monotonic() - self.written > WRITE:
            run_files.export(self.batch, rows(self.batch))
            self.written = time.monotonic()
        self.crew.progress(done, total)

    def _mine(self) -> QuerySet[TrainingBatch]:
        return TrainingBatch.objects.filter(pk=self.batch.pk, status="running")


def _finish(batch: TrainingBatch, error: str, cpu: float, *, at: dt.datetime) -> None:
    """Sum the batch up from its rows, and write its run file."""
    batch.refresh_from_db()
    found = summaries.summary(list(rows(batch).values_list("status", "metrics")))
    state = summaries.outcome(found, cancelled=batch.status == "cancelled")
    if state == "running":  # windows are still open: the process was told to stop, or its workers died
        state = "partial" if found["completed"] else "failed"
        error = error or f"{found['pending']} windows were not trained: use --resume"
    batch.status, batch.summary, batch.error = state, found, error
    batch.progress = 1.0 - found["pending"] / found["total"] if found["total"] else 1.0
    batch.cpu_seconds += cpu
    batch.finished_at = at
    with transaction.atomic():
        batch.save()
        deeds.record(
            f"{batch.kind} batch {state}", f"training batch {batch.batch_id}", by=batch.created_by, at=at, reason=error,
            asked_sha256=batch.plan_digest, **_counts(found),
        )  # fmt: skip
    run_files.export(batch, rows(batch))
    log.info("batch ended", kind=batch.kind, batch=batch.batch_id, state=state, **_counts(found))


def _counts(found: dict[str, Any]) -> dict[str, int]:
    return {name: found[name] for name in ("completed", "failed", "skipped", "pending")}


def _cpu() -> float:
    """Return the CPU seconds of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def cancel(number: int, *, by: str, at: dt.datetime) -> TrainingBatch:
    """Stop a batch: windows under way are finished, no other is begun. NotAllowed when it has ended."""
    won = TrainingBatch.objects.filter(pk=number, status__in=OPEN).update(status="cancelled", finished_at=at)
    batch = find(number)
    if not won:
        raise NotAllowed(f"batch {number} is {batch.status} and cannot be cancelled", fix="nothing is left to do")
    log.info("batch cancelled", batch=batch.batch_id, by=by)
    return batch


# windows


DIED: Final = "the process that trained it died"


def train_one(model: type[TeacherRun] | type[StudentRun], number: int, train: Callable[[Any], None]) -> None:
    """Train one window unless somebody has or does; whatever goes wrong is kept on its row.

    ``train`` fills the row in. A window whose process died twice is not tried a third time: it would take others along.
    """
    row = model.objects.filter(pk=number, status__in=OPEN).first()
    if row is None or not _wanted(row, model):
        return
    try:
        held = leases.take(f"train:{model.__name__}:{number}", leases.myself(), ttl=HELD)
    except NotAllowed:
        return
    try:
        row.refresh_from_db()
        if row.status in OPEN and _claimed(row):
            _guarded(row, train)
    finally:
        leases.release(held)


def _wanted(row: TeacherRun | StudentRun, model: type[TeacherRun] | type[StudentRun]) -> bool:
    """Say whether the row's batch still runs: a message may come when it was cancelled long ago."""
    kind = next(name for name, each in ROWS.items() if each is model)
    return TrainingBatch.objects.filter(kind=kind, batch_id=row.batch_id, status="running").exists()


def _claimed(row: TeacherRun | StudentRun) -> bool:
    again = row.status == "running"
    if again and row.error == DIED:
        row.status, row.error = "failed", f"{DIED} twice; it may need more memory than there is"
    else:
        row.status, row.error = "running", DIED if again else ""
    row.save(update_fields=["status", "error"])
    return row.status == "running"


def _guarded(row: TeacherRun | StudentRun, train: Callable[[Any], None]) -> None:
    begun = time.perf_counter()
    try:
        train(row)
        row.status, row.error = "success", ""
    except Exception as error:  # one window's error, whatever it is, must not stop the others
        told = isinstance(error, SenseQuantError | ValueError)
        row.status, row.error = "failed", str(error) if told else f"{type(error).__name__}: {error}"
        if not told:
            log.exception("window failed", window=row.window_label, batch=row.batch_id)
    row.seconds = round(time.perf_counter() - begun, 3)
    row.save()


def place_of(batch: TrainingBatch, name: str) -> str:
    """Return where a window's artifacts go, as rows and files write it."""
    return f"{batch.folder}/{name}"


def relative(path: Path | str) -> str:
    """Return a path as files write it: under SENSEQUANT_HOME without that prefix, else whole."""
    whole = paths.resolve(path)
    try:
        return str(whole.relative_to(paths.home()))
    except ValueError:
        return str(whole)


def asked_folder(word: str) -> str:
    """Return an output folder as it was asked for; BadInput for one that is a file."""
    if word and paths.resolve(word).is_file():
        raise BadInput(f"{word} is a file", fix="name a folder with --output-dir")
    return word
