"""The switch from one release to another: pointer, student and parameters in one transaction, never a part of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.models.releases import ReleasePointer
from trading.models.strategies import StrategyConfig
from trading.selectors.releases import pointer
from trading.services import conditions, students

HEIGHTENED, NORMAL = "heightened", "normal"
log = get_logger("releases")


@dataclass(frozen=True, slots=True)
class Target:
    """A release as it was staged: where its files lie, what signs it, and what it makes active."""

    release_id: str
    seq: int
    folder: str
    manifest_sha256: str
    key_id: str
    strategies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name → version, params
    student: tuple[str, str] | None = None  # folder and digest


def switch(
    to: Target, *, epoch: int, by: str, at: dt.datetime, heightened_until: dt.datetime | None, rollback: str = ""
) -> ReleasePointer:  # fmt: skip
    """Put ``to`` in force in place of what stood at ``epoch`` (0: nothing) and return the pointer.

    NotAllowed when somebody else switched meanwhile. Every engine reads everything anew when it sees the new epoch.
    """
    with transaction.atomic():
        found = _pointed(to, epoch, by, at, heightened_until, rollback)
        _seat(to, by, at)
        _activate(to.strategies, by, at)
    log.warning("release in force", release=to.release_id, seq=to.seq, epoch=found.epoch, by=by)
    return found


def _pointed(
    to: Target, epoch: int, by: str, at: dt.datetime, until: dt.datetime | None, rollback: str
) -> ReleasePointer:  # fmt: skip
    values: dict[str, Any] = {
        "release_id": to.release_id, "seq": to.seq, "folder": to.folder, "manifest_sha256": to.manifest_sha256,
        "key_id": to.key_id, "mode": HEIGHTENED if until else NORMAL, "heightened_until": until, "deployed_at": at,
        "deployed_by": by, "rollback": rollback,
    }  # fmt: skip
    before = pointer()
    highest = max(to.seq, before.highest_seq if before else 0)
    try:
        if before is None and epoch == 0:
            return ReleasePointer.objects.create(**values, highest_seq=highest)
        rows = ReleasePointer.objects.filter(pk=1, epoch=epoch)
        if rows.update(**values, highest_seq=highest, epoch=F("epoch") + 1):
            return ReleasePointer.objects.get(pk=1)
    except IntegrityError as error:
        if before is not None and highest != to.seq and not rollback:
            raise NotAllowed(f"{to.release_id} is older than what was deployed", fix="roll back to it") from error
    raise NotAllowed("another release was put in force meanwhile", fix="look at /releases and try again")


def _seat(to: Target, by: str, at: dt.datetime) -> None:
    row, reason = students.champion(), f"release {to.release_id}"
    if to.student is None:
        if row is not None:
            students.dismiss(row.pk, by=by, reason=reason, at=at)
        return
    folder, digest = to.student
    if row is None or row.disabled_at or (row.folder, row.digest) != (folder, digest):
        students.install(
            Path(folder), digest, role=students.CHAMPION, evidence=to.manifest_sha256, reason=reason, by=by, at=at
        )


def _activate(wanted: Mapping[str, Mapping[str, Any]], by: str, at: dt.datetime) -> None:
    """Make exactly the wanted versions the active ones; a version that is no longer there is written again."""
    StrategyConfig.objects.filter(status="active").update(status="retired")
    for name, told in wanted.items():
        row, _ = StrategyConfig.objects.get_or_create(
            strategy=name, version=told["version"],
            defaults={"params": told["params"], "note": "of a release", "created_at": at, "created_by": by},
        )  # fmt: skip
        if row.params != told["params"]:
            raise NotAllowed(f"{row} is not what the release says", fix="propose the parameters anew and release them")
        StrategyConfig.objects.filter(pk=row.pk).update(status="active")


def calm(*, epoch: int, at: dt.datetime) -> bool:
    """Return to normal watching; False when another release is in force by now."""
    rows = ReleasePointer.objects.filter(pk=1, epoch=epoch, mode=HEIGHTENED)
    done = bool(rows.update(mode=NORMAL, heightened_until=None))
    if done:
        log.info("watching is back to normal", at=at.isoformat())
    return done


def forget_refusals(*, at: dt.datetime) -> int:
    """Close what engines said of the release before; those that differ from this one say so again."""
    return conditions.clear("release-refused", at=at)
