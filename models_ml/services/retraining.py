"""Every ``TEACHER_RETRAIN_DAYS`` a teacher and a student learn anew, from the same first bars up to this evening.

What was trained is a candidate and nothing more. It is seated as a challenger, which decides nothing; it trades only
once it was judged on bars that came after it, and signed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from models_ml.models import Evening
from models_ml.services import promotions, trainings
from models_ml.services.students import StudentSpec
from models_ml.services.teachers import TeacherSpec
from sensequant.lib.clock import ist
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.core.rules import Setup
from trading.core.strategies import strategy
from trading.selectors.students import challengers
from trading.services import markets, runner, runs, students

FIRST = dt.timedelta(days=180)  # how far the first training looks back; later ones begin there too
BY = "eod_learning"
MODEL_TYPE = "lightgbm"
log = get_logger("TeacherStudent")


def due(name: str, day: dt.date) -> tuple[bool, dt.date]:
    """Return whether a retraining of strategy ``name``'s student is due on ``day``, and from when on its bars are."""
    evenings = Evening.objects.filter(strategy=name, date__lt=day).order_by("-date")
    done = next((each.retraining for each in evenings if each.retraining.get("status") == "success"), None)
    if done is None:
        return True, day - FIRST
    last = dt.date.fromisoformat(done["end"])
    return (day - last).days >= settings.DESK.teacher_retrain_days, dt.date.fromisoformat(done["start"])


def retrain(run: Any, day: dt.date, *, at: dt.datetime) -> dict[str, Any]:
    """Train where it is due and return what came of it; a training that fails is told, and tried next evening."""
    if run is None:
        return {"due": False, "why": "no run whose bars could be learned from"}
    wanted, order = runner.plan_of(run)
    is_due, start = due(order.strategy, day)
    if not is_due:
        return {"due": False, "why": f"the last one is less than {settings.DESK.teacher_retrain_days} days ago"}
    told = {"due": True, "start": start.isoformat(), "end": day.isoformat()}
    try:
        return {**told, "status": "success", **_train(wanted, order, start, day, at)}
    except (SenseQuantError, ValueError) as error:
        if not isinstance(error, SenseQuantError) and not is_bad_input(error):
            raise
        log.warning("the evening's training failed", error=str(error))
        return {**told, "status": "failed", "why": str(error)[:400]}


def _train(
    wanted: markets.Wanted, order: runs.Ordered, start: dt.date, day: dt.date, at: dt.datetime
) -> dict[str, Any]:  # fmt: skip
    folder = f"{settings.DESK.student_batch_output_dir}/eod_{day:%Y%m%d}_{order.strategy}_{ist(at):%Y%m%d%H%M%S}"
    spec = TeacherSpec(
        wanted.symbols, wanted.source, wanted.interval, start, day, wanted.sound_rows, order.strategy,
        windows(order, runs.setup_of(order, wanted)),
    )  # fmt: skip
    trainings.teach(spec, f"{folder}/teacher", by=BY, at=at)
    learned = StudentSpec(f"{folder}/teacher", MODEL_TYPE)
    row, made = trainings.learn(learned, f"{folder}/student", by=BY, at=at)
    return {
        "version": row.version, "folder": f"{folder}/student", "recommendation": row.recommendation,
        "suspected_leak": row.suspected_leak, "metrics": made.metrics, "challenger": _seated(f"{folder}/student", at),
    }  # fmt: skip


def windows(order: runs.Ordered, setup: Setup) -> Mapping[str, Any]:
    """Return the parameters the run's features were made with, which a student must learn from to be asked there."""
    return {name: getattr(setup.params, name) for name in strategy(order.strategy).WINDOWS}


def _seated(folder: str, at: dt.datetime) -> bool:
    """Let the new student score in shadow, in the place of last time's; False where students are switched off."""
    if not settings.DESK.student_model_enabled:
        return False
    for row in challengers():
        if row.by == BY:
            students.dismiss(row.pk, by=BY, reason="a newer one follows", at=at)
    try:
        promotions.challenge(folder, reason="the evening's training", by=BY, at=at)
    except SenseQuantError as error:
        log.warning("the new student is not seated", error=str(error))
        return False
    return True
