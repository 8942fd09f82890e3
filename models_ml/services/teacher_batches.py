"""Batches of teachers: windows planned over symbols and days, and what is written down of each (US-024 phases 1, 4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db import transaction

from models_ml.core.windows import Window
from models_ml.models import TeacherRun, TrainingBatch
from models_ml.services import batch_plans, batches
from models_ml.services.batch_plans import Planned, TeacherAsked
from models_ml.services.fitting import Grown
from models_ml.services.teachers import TeacherSpec
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError
from trading.services import snapshots


def queue(asked: TeacherAsked, *, folder: str = "", by: str, at: dt.datetime) -> TrainingBatch:
    """Return a new batch whose windows are planned when it is run."""
    return batches.begin(
        "teacher", asked.as_json(), asked.digest, folder=folder, by=by, at=at, incremental=asked.incremental
    )


def planned(batch: TrainingBatch, *, by: str, at: dt.datetime) -> TrainingBatch:
    """Return a queued batch with its windows; one without any new day has none.

    BadInput when no symbol has a window; the batch has then failed and keeps why.
    """
    if batch.status != "queued" or batches.rows(batch).exists():
        return batch
    asked = batch_plans.teacher_asked(batch.asked)
    try:
        found = batch_plans.plan(asked, at=at)
    except (SenseQuantError, ValueError) as error:
        batch.status, batch.error, batch.finished_at = "failed", str(error), at
        batch.save(update_fields=["status", "error", "finished_at"])
        raise
    with transaction.atomic():
        _queue(batch, asked, found, by=by, at=at)
        batch.total = batches.rows(batch).count()
        batch.save(update_fields=["total"])
    return batch


def _queue(batch: TrainingBatch, asked: TeacherAsked, found: Planned, *, by: str, at: dt.datetime) -> None:
    made = [_row(batch, asked, window, by=by, at=at) for window in found.windows]
    for window in found.left_over:
        row = _row(batch, asked, window._replace(label=f"{window.label}_rest"), by=by, at=at)
        row.status, row.finished_at = "skipped", at
        row.error = f"{window.days} days are too few for a window of {asked.window_days}"
        made.append(row)
    for symbol, why in found.without.items():
        row = _row(batch, asked, _nothing(asked, symbol, at), by=by, at=at)
        row.status, row.error, row.finished_at = "failed", why, at
        made.append(row)
    TeacherRun.objects.bulk_create(made)


def _nothing(asked: TeacherAsked, symbol: str, at: dt.datetime) -> Window:
    """Return what stands for the windows of a symbol that has no bars."""
    end = asked.end or at.date()
    return Window(symbol, min(asked.start or end, end), end, f"{symbol}_none")


def _row(batch: TrainingBatch, asked: TeacherAsked, window: Window, *, by: str, at: dt.datetime) -> TeacherRun:
    news = snapshots.available(window.symbol, window.start, window.end)
    return TeacherRun(
        batch_id=batch.batch_id, symbol=window.symbol, symbols=[window.symbol], window_label=window.label,
        start=window.start, end=window.end, spec=_spec(asked, window), incremental=asked.incremental,
        artifacts_path=batches.place_of(batch, window.label), created_at=at, created_by=by,
        sentiment_snapshot_path=news["sentiment_snapshot_path"] or "", sentiment_available=news["sentiment_available"],
    )  # fmt: skip


def _spec(asked: TeacherAsked, window: Window) -> dict[str, Any]:
    spec = TeacherSpec(
        (window.symbol,), asked.source, asked.interval, window.start, window.end, asked.sound_rows,
        **{**asked.options, **({"grown": Grown(**asked.options["grown"])} if "grown" in asked.options else {})},
    )  # fmt: skip
    return spec.as_json()


def to_resume(asked: TeacherAsked | None, folder: str, *, today: dt.date) -> TrainingBatch | None:
    """Return the batch to go on with: that of a folder, else the newest that asked for the same, else any unfinished.

    None when there is none such, so that a new one may begin. NotFound for a folder nobody knows.
    """
    if folder:
        found = batches.of_folder("teacher", folder)
        if found is None:
            raise NotFound(f"no teacher batch is known in {folder}", fix="import its teacher_runs.json first")
        return found
    if asked is None:
        return batches.latest("teacher", *batches.UNFINISHED)
    found = TrainingBatch.objects.filter(kind="teacher", plan_digest=asked.digest).first()
    if found is not None and found.status == "done" and asked.end is None and ist(found.created_at).date() != today:
        return None  # its end is the newest bar, and there may be newer ones since
    return found


def resume(batch: TrainingBatch, *, by: str, at: dt.datetime) -> TrainingBatch:
    """Queue what is missing of a batch; symbols that had no bars are planned once more. Nothing trained is touched."""
    if not batch.asked:
        raise NotAllowed(f"{batch.batch_id} was imported: what it was asked for is not known", fix="begin a new batch")
    batches.ensure_free(batch)
    asked = batch_plans.teacher_asked(batch.asked)
    with transaction.atomic():
        lost = [row.symbol for row in batches.rows(batch) if row.window_label == f"{row.symbol}_none"]
        if lost:
            _again(batch, asked, tuple(lost), by=by, at=at)
        batches.reopen(batch)
        batch.total = batches.rows(batch).count()
        batch.save(update_fields=["total"])
    return batch


def _again(batch: TrainingBatch, asked: TeacherAsked, symbols: tuple[str, ...], *, by: str, at: dt.datetime) -> None:
    try:
        found = batch_plans.plan(replace(asked, symbols=symbols), at=at)
    except BadInput:  # still without bars: the row says so
        return
    batches.rows(batch).filter(window_label__in=[f"{symbol}_none" for symbol in symbols]).delete()
    _queue(batch, asked, found, by=by, at=at)
