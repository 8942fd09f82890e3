"""Doorbells: ids in, one service call. An audit runs in a process of its own, which may load what draws and trains."""

from __future__ import annotations

import subprocess
import sys

from celery import shared_task
from django.conf import settings

from releases.services import archiving, audit_planning, rolling_back
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from trading.services import release_seal

log = get_logger("tasks")


@shared_task(ignore_result=True)
def run_audit(*, audit_id: str) -> None:
    """Carry out a queued audit; what it finds and its errors are kept on its row."""
    _command("release_audit", "--run", audit_id)


@shared_task(ignore_result=True)
def keep_audits() -> None:
    """Plan what the month or an incident asks for, and carry out what is due."""
    for audit in audit_planning.plan(at=now()):
        _command("release_audit", "--run", audit.audit_id)


@shared_task(ignore_result=True)
def archive_bundles() -> None:
    """Move old bundles to the archive; nothing is deleted."""
    archiving.archive(at=now())


@shared_task(ignore_result=True)
def watch_release() -> None:
    """Compare what is in force, take up what was killed, check the watch when it is time, remind of reviews due."""
    rolling_back.remind(at=now())
    release_seal.refresh(at=now())
    _command("release_watch")


def _command(*words: str) -> bool:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words, "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("command failed", command=" ".join(words), code=done.returncode, error=done.stderr.strip()[-500:])
    return done.returncode == 0
