"""A candidate's way to the champion's place: judged on later bars, signed by three people, switched, and back.

Every door calls these; what counts is read again from the database at the moment of the switch.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from models_ml.core import promotion as rules
from models_ml.core.paired import compare
from models_ml.models import Promotion, StudentRun
from models_ml.services import checklists, signing, student_folders
from models_ml.services.court import Court, Trial, told, trial, worth
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.services import markets, runs, students
from trading.services.students import Seat

SEED = 20_250_112
CHECKLIST = "promotion_checklist"
log = get_logger("promotion")


def rule() -> rules.Rule:
    """Return the document's thresholds, from the settings."""
    desk = settings.DESK
    return rules.Rule(
        desk.promotion_min_precision_uplift, desk.promotion_min_hit_ratio_uplift, desk.promotion_min_sharpe_uplift,
        desk.promotion_require_all_criteria,
    )  # fmt: skip


def court_of(wanted: markets.Wanted, order: runs.Ordered, *, at: dt.datetime) -> Court:
    """Return the bars and the setup a candidate is judged on; BadInput or Invalid names what cannot be."""
    lanes = markets.lanes(wanted, at=at)
    setup, charges = runs.setup_of(order, wanted), runs.charges_of(order, wanted, lanes)
    return Court(order.strategy, setup, lanes, charges, order.capital)


def assess(
    folder: str | Path, wanted: markets.Wanted, order: runs.Ordered, *, by: str, at: dt.datetime,
    baseline: str | Path = "",
) -> Promotion:  # fmt: skip
    """Judge the student in ``folder`` against what is in place (or in ``baseline``) and keep the checklist.

    Without either, the baseline is the strategy alone. The checklist is written beside the candidate's folder too.
    """
    candidate = student_folders.seat(folder)
    other = student_folders.seat(baseline) if baseline else _in_place()
    if other is not None and other.scorer.version == candidate.scorer.version:
        raise BadInput(f"{candidate.scorer.version} is the baseline itself", fix="name another candidate")
    court = court_of(wanted, order, at=at)
    author = _author(candidate.scorer.version, by)
    checklist = judged(court, candidate, other, wanted, author=author, at=at, folders=(str(folder), str(baseline)))
    digest = checklists.digest_of(checklist)
    passed = checklist["recommendation"] == rules.PROMOTE
    row = Promotion.objects.create(
        version=candidate.scorer.version, folder=str(student_folders.absolute(folder)),
        digest=student_folders.digest(folder), baseline_version=other.scorer.version if other else "",
        baseline_digest=checklist["baseline_digest"], spec=_spec(wanted, order), checklist=checklist,
        checklist_digest=digest, recommendation=checklist["recommendation"],
        state="review" if passed else "rejected", author=author, created_at=at,
    )  # fmt: skip
    write(row)
    log.info("candidate judged", version=row.version, recommendation=row.recommendation, reason=checklist["reason"])
    return row


def _in_place() -> Seat | None:
    row = students.champion()
    return students.seated(row) if row is not None else None


def _author(version: str, by: str) -> str:
    """Return who trained the student, else who asks: that person may not sign."""
    run = StudentRun.objects.filter(version=version).exclude(created_by="").order_by("-id").first()
    return run.created_by if run is not None else by


def _spec(wanted: markets.Wanted, order: runs.Ordered) -> dict[str, Any]:
    return {
        "source": wanted.source, "symbols": list(wanted.symbols), "interval": wanted.interval,
        "start": wanted.start.isoformat(), "end": wanted.end.isoformat(), "strategy": order.strategy,
        "params": dict(order.params), "capital": order.capital, "seed": SEED,
        "confidence_threshold": settings.DESK.student_model_confidence_threshold,
    }  # fmt: skip


def judged(
    court: Court, candidate: Seat, other: Seat | None, wanted: markets.Wanted, *, author: str, at: dt.datetime,
    folders: tuple[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Return the checklist of ``candidate`` against ``other`` (None: the strategy alone) on the court's bars."""
    mine, theirs = trial(court, candidate), trial(court, other)
    threshold = court.setup.rules.min_student
    found = worth(court, candidate, threshold)
    paired = compare(mine.daily, theirs.daily, seed=SEED)
    uplifts = rules.deltas(mine.metrics, theirs.metrics)
    met = rules.results(uplifts, rule())
    seen = _seen(candidate, other, wanted.start)
    suspected = [*rules.leaks(found), *_suspected(candidate.scorer.version)]
    recommendation, reason = rules.verdict(met, paired, found, mine.metrics, suspected=suspected, in_sample=seen)
    return {
        "timestamp": checklists.stamp(at),
        "candidate_model": folders[0],
        "candidate_version": candidate.scorer.version,
        "candidate_digest": student_folders.digest(folders[0]),
        "baseline_model": _named(folders[1], other),
        "baseline_digest": _digest_of(folders[1], other),
        "validation_period": {
            "start": wanted.start.isoformat(), "end": wanted.end.isoformat(), "symbols": list(wanted.symbols),
        },
        "candidate_metrics": told(mine),
        "baseline_metrics": told(theirs),
        "deltas": _rounded(uplifts),
        "validation_thresholds": _thresholds(),
        "validation_results": met,
        "recommendation": recommendation,
        "reason": reason,
        "significance": rules.as_json(paired),
        "skill": rules.as_json(found),
        "suspected_leaks": suspected,
        "trained_until": candidate.trained_until,
        "confidence_threshold": threshold,
        "author": author,
    }  # fmt: skip


def _thresholds() -> dict[str, Any]:
    found = rule()
    return {
        "min_precision_uplift": found.min_precision_uplift, "min_hit_ratio_uplift": found.min_hit_ratio_uplift,
        "min_sharpe_uplift": found.min_sharpe_uplift, "require_all_criteria": found.require_all,
    }  # fmt: skip


def _rounded(numbers: dict[str, float]) -> dict[str, float | None]:
    return {key: None if x != x else round(x, 6) for key, x in numbers.items()}


def _named(folder: str, seat: Seat | None) -> str:
    return folder or (f"in place: {seat.scorer.version}" if seat else "the strategy without a student")


def _digest_of(folder: str, seat: Seat | None) -> str:
    if folder:
        return student_folders.digest(folder)
    row = students.champion()
    return row.digest if seat is not None and row is not None else ""


def _suspected(version: str) -> list[str]:
    """Return why a student was suspected of a leak when it was trained; that stays until it is trained anew."""
    row = StudentRun.objects.filter(version=version, suspected_leak=True).order_by("-id").first()
    if row is None:
        return []
    told = (row.evaluation or {}).get("leak", {}).get("reasons", [])
    return [f"already when it was trained ({'; '.join(told) or f'student run {row.pk}'})"]


def _seen(candidate: Seat, other: Seat | None, start: dt.date) -> str:
    """Return which of the two learned from bars of the validation period, in words; empty when neither did."""
    for seat in (candidate, other):
        if seat is not None and not seat.trained_until:
            if seat is candidate:
                return f"{seat.scorer.version} does not tell until when it learned"
        elif seat is not None and seat.trained_until >= start.isoformat():
            return f"{seat.scorer.version} learned from bars up to {seat.trained_until}, validation begins {start}"
    return ""


def write(row: Promotion) -> tuple[Path, Path]:
    """Write the checklist as JSON and Markdown beside the candidate's folder and return where."""
    place = Path(row.folder)
    base = place.parent / f"{place.name}_{CHECKLIST}"
    as_json, as_text = base.with_suffix(".json"), base.with_suffix(".md")
    try:
        as_json.write_text(json.dumps(row.checklist, indent=2, ensure_ascii=False) + "\n", "utf-8")
        as_text.write_text(checklists.as_markdown(row.checklist), "utf-8")
    except OSError as error:
        log.warning("the checklist was kept, but not written", path=str(base), error=str(error))
    return as_json, as_text


def find(number: int) -> Promotion:
    """Return a promotion; NotFound when there is none of this number."""
    row = Promotion.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no promotion {number}", fix="see manage.py promote_student_models --list")
    return row


def promote(number: int, *, by: str, at: dt.datetime) -> Promotion:
    """Archive what is in place and switch to the candidate, in one transaction; NotAllowed says what is missing.

    The candidate's files, the checklist and every signature are read again here.
    """
    row = find(number)
    against = signing.missing(row, at=at)
    if against:
        raise NotAllowed(f"{row} cannot be promoted: {'; '.join(against)}", fix="see /models")
    old = students.champion()
    standing = old.digest if old is not None else ""
    if row.baseline_digest != standing:
        raise NotAllowed(
            f"{row} was judged against another model than the one in place", fix="judge it again and have it signed"
        )
    home = student_folders.copied(Path(row.folder), students.production() / row.version, row.digest)
    if old is not None:
        student_folders.archived(old.folder, old.digest, old.version, at=at)
    with transaction.atomic():
        if against := signing.missing(row, at=at):  # the same question inside the transaction that answers it
            raise NotAllowed(f"{row} cannot be promoted: {'; '.join(against)}", fix="see /models")
        won = Promotion.objects.filter(pk=row.pk, state="review").update(
            state="promoted", promoted_at=at, promoted_by=by
        )
        if not won:
            raise NotAllowed(f"{row} was promoted meanwhile", fix="see /models")
        students.install(
            home, row.digest, role=students.CHAMPION, evidence=signing.evidence_of(row), by=by, at=at,
            reason=f"promotion {row.pk}: {row.checklist['reason']}",
        )  # fmt: skip
    row.refresh_from_db()
    log.info("candidate promoted", version=row.version, promotion=row.pk, by=by)
    return row


def challenge(folder: str | Path, *, reason: str, by: str, at: dt.datetime) -> Any:
    """Let the student in ``folder`` score in shadow beside the champion; it decides nothing."""
    found = student_folders.seat(folder)
    source, wanted = student_folders.absolute(folder), student_folders.digest(folder)
    home = student_folders.copied(source, students.production() / found.scorer.version, wanted)
    return students.install(
        home, wanted, role=students.CHALLENGER, evidence="", reason=reason or "challenger", by=by, at=at
    )


def rollback(reason: str, *, by: str, at: dt.datetime) -> str:
    """Return to the champion before, its files verified (or restored from the archive); return its version.

    Going back is one person's decision; it needs a reason.
    """
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why with --reason")
    found = student_folders.former()
    if found is None:
        raise NotFound("there is no champion before this one", fix="set STUDENT_MODEL_ENABLED=false instead")
    folder = student_folders.restored(found.folder, found.digest, found.version)
    current = students.champion()
    if current is not None:
        student_folders.archived(current.folder, current.digest, current.version, at=at)
    row = students.install(
        folder, found.digest, role=students.CHAMPION, evidence=found.evidence, by=by, at=at,
        reason=f"rollback: {reason}",
    )  # fmt: skip
    log.warning("rolled back", version=row.version, instead_of=current.version if current else "", by=by, why=reason)
    return row.version


__all__ = ["Trial", "assess", "find", "judged", "promote", "rollback", "rule", "write"]
