"""Bundles of audits kept as long as they must be: in the archive after six months, for a year at least.

What a release needs stays where its manifest says. Nothing is deleted unless a person asks for it.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from models_ml.services.places import kept
from releases.adapters import bundles
from releases.core.audit_states import ARCHIVED_AFTER, KEPT, months_before
from releases.models import Audit
from releases.selectors import audits as asked
from releases.services.audits import place
from sensequant.lib import paths
from sensequant.lib.clock import IST, ist
from sensequant.lib.errors import BadInput, SenseQuantError
from sensequant.lib.logs import get_logger

FOLDER: Final = "archive"
log = get_logger("audits")


@dataclass(slots=True)
class Report:
    """What was moved and deleted (or would be), what stays and why, and what could not be moved."""

    dry_run: bool
    moved: list[dict[str, str]] = field(default_factory=list)
    deleted: list[dict[str, str]] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as the command answers."""
        return {name: getattr(self, name) for name in self.__slots__}


def archive(*, at: dt.datetime, dry_run: bool = False, delete_after: int | None = None) -> Report:
    """Move bundles older than six months to the archive, each verified before and after.

    With ``delete_after``, those in the archive that are older than so many months (12 at least) are deleted; their
    rows and digests stay. One that is not as it was sealed is left where it is and told of.
    """
    if delete_after is not None and delete_after < KEPT:
        raise BadInput(
            f"{delete_after} months are too few", fix=f"at least {KEPT} months are kept: give {KEPT} or more"
        )
    found, needed = Report(dry_run), asked.needed()
    for audit in asked.bundles_before(_before(at, ARCHIVED_AFTER), archived=False):
        if audit.pk in needed:
            found.needed.append(audit.audit_id)
        elif place(audit).is_relative_to(_root()):  # one a person put elsewhere stays there
            _safely(audit, found, lambda one: _move(one, found, at))
    if delete_after is not None:
        for audit in asked.bundles_before(_before(at, delete_after), archived=True):
            if audit.pk in needed:
                found.needed.append(audit.audit_id)
            else:
                _safely(audit, found, lambda one: _delete(one, found, at))
    return found


def _before(at: dt.datetime, months: int) -> dt.datetime:
    return dt.datetime.combine(months_before(ist(at).date(), months), dt.time(), IST)


def _safely(audit: Audit, found: Report, work: Any) -> None:
    try:
        work(audit)
    except SenseQuantError as error:
        found.failed.append({"audit_id": audit.audit_id, "why": str(error)})
        log.warning("a bundle was not moved", audit=audit.audit_id, why=str(error))


def target(audit: Audit) -> Path:
    """Return where a bundle goes in the archive."""
    return _root() / FOLDER / Path(audit.folder).name


def _root() -> Path:
    return paths.resolve(settings.DESK.validation_release_dir)


def _move(audit: Audit, found: Report, at: dt.datetime) -> None:
    here, there = place(audit), target(audit)
    if not found.dry_run:
        if here.exists() or not there.exists():  # else: a process that died had moved it and not told
            bundles.moved(here, there, audit.bundle_sha256)
        bundles.verified(there, audit.bundle_sha256)
        Audit.objects.filter(pk=audit.pk, archived_at=None).update(folder=kept(there), archived_at=at)
        log.info("bundle archived", audit=audit.audit_id, folder=kept(there))
    else:
        bundles.verified(here, audit.bundle_sha256)
    found.moved.append({"audit_id": audit.audit_id, "from": kept(here), "to": kept(there)})


def _delete(audit: Audit, found: Report, at: dt.datetime) -> None:
    here = place(audit)
    if not found.dry_run:
        won = Audit.objects.filter(pk=audit.pk, deleted_at=None).update(deleted_at=at)
        if won:
            shutil.rmtree(here, ignore_errors=True)
            log.warning("bundle deleted", audit=audit.audit_id, sha256=audit.bundle_sha256)
    found.deleted.append({"audit_id": audit.audit_id, "from": kept(here)})
