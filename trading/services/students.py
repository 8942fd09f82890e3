"""Which student may score: put in place and taken out by whoever stands above, switched off by rule, loaded with care.

Nothing is ever loaded from a pickle: a student is a sealed folder of numbers (``adapters/student_files``), compared
with its digests at every load. ``STUDENT_MODEL_PATH`` is where the promoted student's folder stands; the document's
``student_model.pkl`` at its end is a name and is never opened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters import student_files
from trading.adapters.sealed_folders import Sealed, unseal
from trading.core.scoring import Scorer
from trading.models.students import ActiveModel, ModelScore
from trading.selectors.students import challengers as challengers
from trading.selectors.students import champion as champion
from trading.services import conditions, deeds

CHAMPION, CHALLENGER = "champion", "challenger"
MISSING, DISABLED, BETTER = "student-missing", "student-disabled", "challenger-better"
MOST_CHALLENGERS = 5
METADATA = "metadata.json"
log = get_logger("students")


@dataclass(frozen=True, slots=True)
class Seat:
    """A loaded student and the row that put it in place."""

    row: int
    role: str
    scorer: Scorer
    trained_until: str = ""  # last day it learned from, as its manifest tells; empty when it does not


def production() -> Path:
    """Return the folder promoted students are kept in, one folder each: that of STUDENT_MODEL_PATH."""
    return paths.resolve(settings.DESK.student_model_path).parent


def last_champion_but(version: str) -> ActiveModel | None:
    """Return the newest former champion of another version than ``version``; None when there was none."""
    return ActiveModel.objects.filter(role=CHAMPION, until__isnull=False).exclude(version=version).first()


def install(
    folder: Path, digest: str, *, role: str, evidence: str, reason: str, by: str, at: dt.datetime
) -> ActiveModel:  # fmt: skip
    """Put the student in ``folder`` in its role and return its row; a champion takes the place of the one before.

    One transaction: engines see the old or the new, never neither. NotAllowed when somebody else was faster, BadInput
    when the folder is not the one of ``digest``.
    """
    version = load(folder, digest).scorer.version
    try:
        with transaction.atomic():
            if role == CHAMPION:
                ActiveModel.objects.filter(role=CHAMPION, until=None).update(until=at)
                ActiveModel.objects.filter(role=CHALLENGER, version=version, until=None).update(until=at)
            elif len(challengers()) >= MOST_CHALLENGERS:
                raise NotAllowed(f"{MOST_CHALLENGERS} challengers are in place", fix="dismiss one first")
            row = ActiveModel.objects.create(
                role=role, version=version, folder=str(folder), digest=digest, evidence=evidence, since=at, by=by,
                reason=reason[:300],
            )  # fmt: skip
    except IntegrityError:
        raise NotAllowed(f"{version} cannot take its place: it is there already, or another was faster") from None
    if role == CHAMPION:
        conditions.clear(DISABLED, at=at)
        conditions.clear(MISSING, at=at)
        conditions.clear(BETTER, at=at, subject=version)
    log.info("student in place", role=role, version=version, by=by, reason=reason)
    return row


def dismiss(row: int, *, by: str, reason: str, at: dt.datetime) -> ActiveModel:
    """Take a student out of its place; NotFound when it is in none."""
    with transaction.atomic():
        if not ActiveModel.objects.filter(pk=row, until=None).update(until=at):
            raise NotFound(f"student {row} is in no place", fix="see /api/v1/models")
        found = ActiveModel.objects.get(pk=row)
        deeds.record(f"{found.role} dismissed", f"student {found.version}", by=by, at=at, reason=reason)
    conditions.clear(BETTER, at=at, subject=found.version)
    log.info("student dismissed", role=found.role, version=found.version, by=by, reason=reason)
    return found


def dismiss_challenger(row: int, *, by: str, reason: str, at: dt.datetime) -> ActiveModel:
    """Take a challenger out of its place; NotFound when it is in none."""
    if not ActiveModel.objects.filter(pk=row, role=CHALLENGER, until=None).exists():
        raise NotFound(f"challenger {row} is in no place", fix="load the page again")
    return dismiss(row, by=by, reason=reason, at=at)


def disable(reason: str, *, by: str, at: dt.datetime) -> ActiveModel | None:
    """Switch the champion off, so that engines trade without a student from their next look on; None without one."""
    row = champion()
    if row is None:
        return None
    with transaction.atomic():
        fresh = ActiveModel.objects.filter(pk=row.pk, disabled_at=None)
        won = fresh.update(disabled_at=at, disabled_reason=reason[:300])
        if won:
            deeds.record("student disabled", f"student {row.version}", by=by, at=at, reason=reason)
    if won:
        log.warning("student disabled", version=row.version, reason=reason, by=by)
    row.refresh_from_db()
    conditions.hold(
        DISABLED, level="warn", message=f"{row.version} no longer scores: {row.disabled_reason}", at=at,
        fix="look at /models; enable it with a reason, roll back or promote another",
    )  # fmt: skip
    return row


def enable(reason: str, *, by: str, at: dt.datetime) -> ActiveModel:
    """Switch the champion on again; NotFound without one, BadInput without a reason."""
    row = champion()
    if row is None:
        raise NotFound("no student is in place", fix="promote one first")
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why it may score again")
    with transaction.atomic():
        ActiveModel.objects.filter(pk=row.pk).update(disabled_at=None, disabled_reason="")
        deeds.record("student enabled", f"student {row.version}", by=by, at=at, reason=reason)
    conditions.clear(DISABLED, at=at)
    log.warning("student enabled", version=row.version, by=by, reason=reason)
    row.refresh_from_db()
    return row


def load(folder: Path, digest: str, row: int = 0, role: str = CHAMPION) -> Seat:
    """Return the student in ``folder``, whose manifest must have ``digest``; BadInput or NotFound says why not."""
    whole = paths.resolve(folder)
    sealed = unseal(whole)
    if sealed.digest != digest:
        raise BadInput(
            f"{whole} is not what was put in place: its manifest is {sealed.digest[:12]}…, not {digest[:12]}…",
            fix="restore the folder, roll back, or promote again",
        )
    return Seat(row, role, student_files.load(whole), _learned_until(sealed))


def _learned_until(sealed: Sealed) -> str:
    """Return the last day whose bars the student or its teacher saw, tests included; empty when nothing tells."""
    told = sealed.told.get("trained_until", "")
    if not told and METADATA in sealed.told["files"]:
        told = sealed.read_json(METADATA).get("teacher_metadata", {}).get("date_range", {}).get("end", "")
    return str(told)


def seated(row: ActiveModel) -> Seat:
    """Return the student of a row, ready to score."""
    return load(Path(row.folder), row.digest, row.pk, row.role)


def wanted(at: dt.datetime) -> Sequence[Seat]:
    """Return the students that score at ``at``, the champion first; empty when they are switched off.

    What cannot be loaded is left out, said as a Condition and in the log: a desk never stands still for a student.
    """
    if not settings.DESK.student_model_enabled:
        return ()
    found = [seat for row in challengers() if (seat := _tried(row)) is not None]
    seat = _champion_of(at)
    return [seat, *found] if seat else found


def trades_without(why: str, *, at: dt.datetime) -> None:
    """Say by a Condition, and in the log, that the desk trades without a student and why."""
    conditions.hold(
        MISSING, level="warn", message=f"the desk trades without a student: {why}", at=at,
        fix="promote one (manage.py promote_student_models), roll back, or set STUDENT_MODEL_ENABLED=false",
    )  # fmt: skip
    log.warning("trading without a student", why=why)


def _champion_of(at: dt.datetime) -> Seat | None:
    row, pinned = champion(), settings.DESK.student_model_version
    why = ""
    seat = None
    if row is None:
        why = "STUDENT_MODEL_ENABLED is true, but no student was promoted"
    elif pinned and row.version != pinned:
        why = f"STUDENT_MODEL_VERSION={pinned}, but {row.version} is in place"
    elif row.disabled_at is None:
        try:
            seat = seated(row)
        except SenseQuantError as error:
            why = str(error)
    if why:
        trades_without(why, at=at)
    else:
        conditions.clear(MISSING, at=at)
    return seat


def _tried(row: ActiveModel) -> Seat | None:
    try:
        return seated(row)
    except SenseQuantError as error:
        log.warning("a challenger cannot be loaded", version=row.version, why=str(error))
        return None


def keep_outcomes(nets: Mapping[int, float]) -> int:
    """Keep what decisions came to, by the numbers of their scores (net returns); return how many were new."""
    return sum(ModelScore.objects.filter(pk=number, outcome=None).update(outcome=net) for number, net in nets.items())


def standing() -> tuple[tuple[int, bool], ...]:
    """Return what decides who scores, as an engine compares it a few times a second: rows and whether they are off."""
    rows = ActiveModel.objects.filter(until=None).order_by("id").values_list("pk", "disabled_at")
    return tuple((pk, disabled is not None) for pk, disabled in rows)
