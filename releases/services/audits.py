"""Release audits: asked for, carried out in steps that can be cancelled, sealed as a bundle, and told of.

Nothing is deployed, signed or configured here. Doors ask (``keep``), a process of its own carries out (``execute``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from models_ml.services.places import kept
from releases.adapters import bundles
from releases.core import audit_flags
from releases.core.audit_states import (
    CANCELLED,
    DONE,
    FAILED,
    MANUAL,
    MONTHLY,
    NEXT,
    OPEN,
    QUEUED,
    ROLLBACK,
    RUNNING,
    STEPS,
)  # fmt: skip
from releases.models import Audit
from releases.services import audit_bundling
from releases.services.audit_bundling import Judged
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.services import leases

HELD: Final = 7_200.0  # seconds an audit may take
log = get_logger("audits")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is left out, and where the bundle goes (empty: under the release folder, by its name)."""

    skip_validation: bool = False
    skip_plots: bool = False
    output_dir: str = ""


@dataclass(frozen=True, slots=True)
class How:
    """By which clock, and telling whom of each step."""

    clock: Callable[[], dt.datetime]
    progress: Callable[[str], None] = lambda step: None


class _Stopped(Exception):
    """Somebody cancelled the audit between two steps."""


def keep(
    asked: Asked, *, by: str, at: dt.datetime, cause: str = MANUAL, trigger: str | None = None,
    due: dt.datetime | None = None,
) -> Audit:  # fmt: skip
    """Return a queued audit; with ``trigger`` the one there is for it already, so that nothing is planned twice.

    ``due`` is the moment from which on the schedule carries it out. BadInput for a folder that cannot be used.
    """
    if trigger is not None and (known := Audit.objects.filter(trigger=trigger).first()) is not None:
        return known
    target = _target(asked.output_dir) if asked.output_dir else None
    for later in range(60):
        name = f"audit_{ist(at) + dt.timedelta(seconds=later):%Y%m%d_%H%M%S}"
        folder = target or usual_folder(name)
        if target is None and folder.exists():
            continue
        try:
            with transaction.atomic():
                return Audit.objects.create(
                    audit_id=name, folder=kept(folder), state=QUEUED, asked=asdict(asked), cause=cause, trigger=trigger,
                    due_at=due, created_at=at, by=by,
                )  # fmt: skip
        except IntegrityError:
            if trigger is not None and (known := Audit.objects.filter(trigger=trigger).first()) is not None:
                return known
    raise NotAllowed("too many audits were begun at once", fix="try again in a minute")


def usual_folder(audit_id: str) -> Path:
    """Return where an audit's bundle goes when nobody says otherwise."""
    return paths.resolve(settings.DESK.validation_release_dir) / audit_id


def _target(wanted: str) -> Path:
    folder = paths.resolve(wanted)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is there already", fix="name a folder that does not exist yet with --output-dir")
    if not bundles.PART.match(folder.name):
        raise BadInput(f"{folder.name!r} cannot be a bundle's name", fix="use letters, digits, _, - and .")
    return folder


def find(audit_id: str) -> Audit:
    """Return an audit by its name; NotFound when there is none such."""
    audit = Audit.objects.filter(audit_id=audit_id).first()
    if audit is None:
        raise NotFound(f"there is no audit {audit_id}", fix="look at the list of audits")
    return audit


def place(audit: Audit) -> Path:
    """Return the folder of an audit's bundle."""
    return paths.resolve(audit.folder)


def lease(audit: Audit) -> str:
    """Return the name of the lease whoever carries an audit out holds."""
    return f"audit:{audit.pk}"


def discard(audit: Audit) -> None:
    """Remove what an audit that was never finished left behind, also a bundle that nobody was told of any more."""
    if Audit.objects.filter(pk=audit.pk, state=DONE).exists():  # stopped after it was told of: nothing is left behind
        return
    folder = place(audit)
    bundles.discard(folder)
    with suppress(SenseQuantError):
        if bundles.opened(folder).told.get("audit_id") == audit.audit_id:
            bundles.remove(folder)


def run(
    *, by: str, at: dt.datetime, skip_validation: bool = False, skip_plots: bool = True, cause: str = MANUAL,
    trigger: str | None = None,
) -> Audit:  # fmt: skip
    """Ask for an audit of the desk at ``at`` and carry it out at once, for services that need its answer.

    Unless asked to, it draws nothing: whoever calls may be a process that must stay small.
    """
    asked = Asked(skip_validation, skip_plots)
    return execute(keep(asked, by=by, at=at, cause=cause, trigger=trigger), How(lambda: at))


def execute(audit: Audit, how: How) -> Audit:
    """Carry an audit out and return it as it ended: done, or cancelled; what goes wrong is kept, and raised.

    One that is done is returned as it is. NotAllowed when another process is at it, or when it was cancelled.
    """
    if audit.state == DONE:
        return audit
    held = leases.take(lease(audit), leases.myself(), ttl=HELD)
    try:
        _claim(audit, how.clock())
        _carry_out(audit, how)
    except _Stopped:
        discard(audit)
        log.info("audit cancelled", audit=audit.audit_id)
    except BaseException as error:
        discard(audit)
        foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
        told = str(error) if foreseen else f"{type(error).__name__}: {error}"
        _move(audit, RUNNING, FAILED, error=(told or "stopped")[:2000], finished_at=how.clock())
        raise
    finally:
        leases.release(held)
    audit.refresh_from_db()
    return audit


def _claim(audit: Audit, at: dt.datetime) -> None:
    """Take a queued audit, or one whose process died or which failed; whoever holds the lease may."""
    audit.refresh_from_db()
    if audit.state == RUNNING:  # the lease is ours, so whoever ran it is gone
        discard(audit)
        _move(audit, RUNNING, FAILED, error="its process died", finished_at=at)
        audit.state = FAILED
    if audit.state == FAILED:
        _move(audit, FAILED, QUEUED)
    if not _move(audit, QUEUED, RUNNING, error="", started_at=at, finished_at=None, step="", progress=0.0):
        raise NotAllowed(f"{audit.audit_id} is {find(audit.audit_id).state}", fix="start another audit")
    audit.refresh_from_db()


def _move(audit: Audit, old: str, new: str, **more: Any) -> bool:
    """Move an audit from one state to another, once; the table says what is legal."""
    if new not in NEXT[old]:
        raise NotAllowed(f"an audit that is {old} cannot become {new}", fix="start another audit")
    won = bool(Audit.objects.filter(pk=audit.pk, state=old).update(state=new, **more))
    if won:
        log.info("audit moved", audit=audit.audit_id, old=old, new=new)
    return won


def _carry_out(audit: Audit, how: How) -> None:
    at = how.clock()
    asked = Asked(**audit.asked)

    def step(name: str) -> None:
        share = STEPS.index(name) / len(STEPS)
        if not Audit.objects.filter(pk=audit.pk, state=RUNNING).update(step=name, progress=share):
            raise _Stopped
        how.progress(name)

    about = audit_bundling.Wanted(
        audit.audit_id, audit.by, _because(audit), asked.skip_validation, asked.skip_plots, place(audit)
    )
    found = audit_bundling.gather(about, step, at=at)
    step("write")
    bundle = bundles.write(place(audit), found.files, {"audit_id": audit.audit_id, "made": ist(at).isoformat()})
    _finish(audit, found, bundle, how.clock())


def _because(audit: Audit) -> str:
    words = {MONTHLY: "the monthly audit", MANUAL: "asked for by hand", ROLLBACK: "after a rollback"}
    return words.get(audit.cause, f"after an incident ({audit.trigger})")


def _finish(audit: Audit, found: Judged, bundle: bundles.Bundle, at: dt.datetime) -> None:
    done = _move(
        audit, RUNNING, DONE, metrics=found.metrics, flags=found.flags, flags_sha256=audit_flags.digest(found.flags),
        metrics_sha256=hashlib.sha256(found.files["metrics.json"]).hexdigest(), bundle_sha256=bundle.digest,
        deployment_ready=found.metrics["deployment_ready"], progress=1.0, step="", finished_at=at,
    )  # fmt: skip
    if not done:  # cancelled in the very last moment: what was sealed is taken away again
        raise _Stopped
    log.info("audit done", audit=audit.audit_id, ready=found.metrics["deployment_ready"], flags=len(found.flags))


def cancel(audit_id: str, *, by: str, at: dt.datetime) -> Audit:
    """Cancel an audit that is queued or running; it ends before its next step. NotAllowed when it has ended."""
    audit = find(audit_id)
    if audit.state not in OPEN or not _move(audit, audit.state, CANCELLED, finished_at=at, error=f"cancelled by {by}"):
        raise NotAllowed(f"{audit_id} is {find(audit_id).state} and cannot be cancelled", fix="nothing is left to do")
    audit.refresh_from_db()
    return audit


def verify(audit: Audit) -> bundles.Bundle:
    """Return an audit's bundle, every file compared; NotFound or BadInput says what is not as it was sealed."""
    if audit.state != DONE:
        raise NotAllowed(f"{audit.audit_id} is {audit.state}: it has no bundle", fix="wait for it, or start another")
    return bundles.verified(place(audit), audit.bundle_sha256)


def file(audit: Audit, name: str) -> bytes:
    """Return one file of the bundle, compared with the seal; NotFound for no such file."""
    if audit.state != DONE:
        raise NotFound(f"{audit.audit_id} has no bundle", fix="wait for it, or start another")
    bundle = bundles.opened(place(audit), audit.bundle_sha256)
    return bundles.sealed_by(bundle) if name == bundles.MANIFEST else bundles.read(bundle, name)


def names(audit: Audit) -> list[str]:
    """Return the files of an audit's bundle; empty when it has none, or none that is as it was sealed."""
    if audit.state != DONE:
        return []
    try:
        return sorted([bundles.MANIFEST, *bundles.opened(place(audit), audit.bundle_sha256).files])
    except SenseQuantError:
        return []


def answer(audit: Audit) -> dict[str, Any]:
    """Return an audit as the command and the API give it."""
    return {
        "audit_id": audit.audit_id, "state": audit.state, "cause": audit.cause, "folder": audit.folder, "by": audit.by,
        "step": audit.step, "progress": audit.progress, "deployment_ready": audit.deployment_ready,
        "flags": audit.flags, "metrics": audit.metrics, "metrics_sha256": audit.metrics_sha256,
        "flags_sha256": audit.flags_sha256, "bundle_sha256": audit.bundle_sha256, "error": audit.error,
        "created_at": audit.created_at, "started_at": audit.started_at, "finished_at": audit.finished_at,
    }  # fmt: skip


__all__ = ["Asked", "How", "answer", "cancel", "execute", "file", "find", "keep", "names", "run", "verify"]
