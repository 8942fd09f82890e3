"""The student in place looked at again: its papers, and its promotion checklist made anew, with nothing written.

What cannot be told is None, never a pass; ``warnings`` says why.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from django.conf import settings

from models_ml.core import rechecks
from models_ml.core.assembly import observed
from models_ml.core.drift import Drift, judge
from models_ml.core.promotion import PROMOTE
from models_ml.models import Promotion, SignOff, StudentRun
from models_ml.selectors import models as standing
from models_ml.services import checklists, promotions, student_folders
from models_ml.services.court import Court
from sensequant.lib import paths
from sensequant.lib.errors import SenseQuantError, is_bad_input
from trading.adapters.sealed_folders import Sealed, unseal
from trading.core.observations import NAMES
from trading.core.student_rows import row_maker
from trading.selectors import students as places
from trading.services import markets, runs, students
from trading.services.students import Seat

PAPERS = ("evaluation_metrics.json", "training_report.json", "metadata.json")
CHECKLISTS = ("promotion_checklist.json", "promotion_checklist.md")
SHARE = 25  # the last 1/25 of the sessions is compared with all before: room for the twenty windows drift asks for
FEWEST_ROWS = 30


def evidence() -> dict[str, Any]:
    """Return what the student in place is and showed when it was trained; ``why`` says why something is unknown."""
    row = places.champion()
    found: dict[str, Any] = {"deployed": False, "why": ""}
    if row is None:
        return {**found, "why": "no student is in place"}
    found |= {"version": row.version, "digest": row.digest, "folder": row.folder, "since": row.since}
    if row.disabled_at is not None:
        found["why"] = f"{row.version} is switched off: {row.disabled_reason}"
    elif not settings.DESK.student_model_enabled:
        found["why"] = "STUDENT_MODEL_ENABLED is false"
    try:
        seat, sealed = students.seated(row), unseal(paths.resolve(row.folder))
    except SenseQuantError as error:
        return {**found, "why": str(error)}
    return {**found, "deployed": not found["why"], "feature_count": len(seat.scorer.names), **_papers(sealed)}


def _papers(sealed: Sealed) -> dict[str, Any]:
    papers = {name: sealed.read_json(name) for name in PAPERS if name in sealed.told["files"]}
    tested = papers.get(PAPERS[0], {})
    fitted = papers.get(PAPERS[1], {}).get("slices", {}).get("fit", {})
    return {
        "validation_precision": tested.get("precision_macro"), "validation_recall": tested.get("recall_macro"),
        "test_accuracy": tested.get("accuracy"), "training_samples": fitted.get("rows"),
        "evaluation": tested, "trained_until": sealed.told.get("trained_until", ""),
    }  # fmt: skip


def read_in(*, at: dt.datetime) -> None:
    """Read the bars the student in place was judged on, so that ``again`` at this moment writes nothing of them."""
    row = places.champion()
    kept = _promoted(row.version, row.digest) if row is not None else None
    with suppress(SenseQuantError, ValueError):
        if kept is not None:
            markets.lanes(_asked(kept.spec)[0], at=at)


def _promoted(version: str, digest: str) -> Promotion | None:
    rows = Promotion.objects.filter(version=version, digest=digest, state="promoted")
    return rows.order_by("-id").first()


def again(*, at: dt.datetime) -> dict[str, Any]:
    """Return the promotion checklist of the student in place made anew on its own bars, and how it differs."""
    found: dict[str, Any] = {
        "all_checks_passed": None, "baseline_met": None, "feature_stability": None, "no_data_leakage": None,
        "warnings": [], "checklist": None,
    }  # fmt: skip
    row = places.champion()
    if row is None:
        return {**found, "warnings": ["no student is in place"]}
    kept = _promoted(row.version, row.digest)
    if kept is None:
        return {**found, "warnings": [f"{row.version} was never judged for promotion on this desk"]}
    try:
        seat = students.seated(row)
        wanted, order = _asked(kept.spec)
        court = promotions.court_of(wanted, order, at=at)
        fresh = promotions.judged(
            court, seat, _other(kept), wanted, author=kept.author, at=at, folders=(row.folder, _folder(kept))
        )  # fmt: skip
    except (SenseQuantError, ValueError) as error:
        if not (isinstance(error, SenseQuantError) or is_bad_input(error)):
            raise
        return {**found, "warnings": [f"{row.version} cannot be judged again: {error}"]}
    return {**found, **_judged(kept, fresh, seat, court)}


def _asked(spec: Mapping[str, Any]) -> tuple[markets.Wanted, runs.Ordered]:
    start, end = (dt.date.fromisoformat(spec[name]) for name in ("start", "end"))
    wanted = markets.Wanted(spec["source"], tuple(spec["symbols"]), spec["interval"], start, end)
    return wanted, runs.Ordered(spec["strategy"], spec["params"], float(spec["capital"]))


def _folder(kept: Promotion) -> str:
    """Return the folder of what it was judged against; empty when that was the strategy alone."""
    row = places.history().filter(digest=kept.baseline_digest).first() if kept.baseline_digest else None
    return row.folder if row is not None else ""


def _other(kept: Promotion) -> Seat | None:
    if not kept.baseline_version:
        return None
    folder = _folder(kept)
    place = student_folders.restored(folder, kept.baseline_digest, kept.baseline_version) if folder else None
    return student_folders.seat(place if place is not None else kept.checklist["baseline_model"])


def _judged(kept: Promotion, fresh: dict[str, Any], seat: Seat, court: Court) -> dict[str, Any]:
    stored = kept.checklist
    warnings = []
    if checklists.digest_of(stored) != kept.checklist_digest:
        warnings.append("the checklist that was signed has been changed")
    for section in ("candidate_metrics", "baseline_metrics", "deltas"):
        warnings += [f"{section}: {each}" for each in rechecks.differing(stored[section], fresh[section])]
    stable, why = _stable(seat, court)
    leak = _leak(seat, fresh)
    met = fresh["validation_results"]["all_criteria_pass"]
    passed = fresh["recommendation"] == PROMOTE and stored["recommendation"] == PROMOTE and not warnings
    reasons = [fresh["reason"]] if fresh["recommendation"] != PROMOTE else []
    return {
        "promotion": kept.pk, "checklist": fresh, "all_checks_passed": passed, "baseline_met": bool(met),
        "feature_stability": stable, "no_data_leakage": not leak, "warnings": [*warnings, *reasons, *why, *leak],
    }  # fmt: skip


def _leak(seat: Seat, fresh: Mapping[str, Any]) -> list[str]:
    told = [f"suspected leak: {each}" for each in fresh["suspected_leaks"]]
    if not seat.trained_until:
        told.append(f"{seat.scorer.version} does not tell until when it learned")
    elif seat.trained_until >= fresh["validation_period"]["start"]:
        told.append(f"{seat.scorer.version} learned from bars up to {seat.trained_until}, which it was judged on")
    return told


def _stable(seat: Seat, court: Court) -> tuple[bool | None, list[str]]:
    """Return whether its features are made as it learned them, and whether they lie where they lay; and why not."""
    try:
        row_maker(seat.scorer, court.strategy, court.setup)
    except ValueError as error:
        return False, [str(error)]
    moved = _drift(seat, court)
    if moved is None or not math.isfinite(moved.threshold):
        watched = [each for each in standing.watched() if each.get("version") == seat.scorer.version and each["drift"]]
        if not watched:
            return None, ["the features' drift cannot be told: too few bars"]
        told = watched[0]["drift"]
        return not told["alarm"], [f"PSI of {told['feature']} is {told['psi']}"] if told["alarm"] else []
    why = f"PSI of {moved.feature} is {moved.psi:.2f}, {moved.threshold:.2f} in its own history"
    return not moved.alarm, [why] if moved.alarm else []


def _drift(seat: Seat, court: Court) -> Drift | None:
    """Return the drift of the last bars' features against all before on the bars it was judged on."""
    columns = [NAMES.index(name) for name in seat.scorer.names]
    rows = [observed(lane, court.strategy, court.setup)[0][:, columns] for lane in court.lanes]
    days = [lane.places.session for lane in court.lanes]
    sessions = np.unique(np.concatenate(days))
    first = sessions[-max(1, sessions.size // SHARE)]
    old = np.concatenate([each[day < first] for each, day in zip(rows, days, strict=True)])
    new = np.concatenate([each[day >= first] for each, day in zip(rows, days, strict=True)])
    if len(old) < FEWEST_ROWS or len(new) < FEWEST_ROWS:
        return None
    return judge(tuple(seat.scorer.names), old, new)


def papers() -> dict[str, bytes]:
    """Return the checklists of the student in place by file name: what was signed, and what its training wrote."""
    row = places.champion()
    if row is None:
        return {}
    found: dict[str, bytes] = {}
    kept = Promotion.objects.filter(version=row.version, digest=row.digest).order_by("-id").first()
    if kept is not None:
        text = checklists.as_markdown(kept.checklist)
        found |= {f"promotion_{kept.pk}.md": text.encode(), f"promotion_{kept.pk}.json": _json(kept.checklist)}
    try:
        sealed = unseal(paths.resolve(row.folder))
    except SenseQuantError:
        return found
    return found | {f"training_{name}": sealed.read(name) for name in CHECKLISTS if name in sealed.told["files"]}


def _json(told: Any) -> bytes:
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


def state() -> str:
    """Return a digest of all that is kept of students: who only looks leaves it as it is."""
    total = hashlib.sha256()
    for model in (Promotion, SignOff, StudentRun):
        _rows(total, model.objects.order_by("pk").values_list())
    row = places.champion()
    folder = paths.resolve(row.folder) if row is not None else None
    for path in sorted(folder.rglob("*")) if folder is not None and folder.is_dir() else ():
        if path.is_file():
            total.update(f"{path.name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _rows(total: Any, rows: Any) -> None:
    for row in rows.iterator():
        total.update(repr(row).encode())
