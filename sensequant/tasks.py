"""The house's own background jobs."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from sensequant.lib import machinery
from sensequant.lib.clock import now


@shared_task
def clear_sessions() -> None:
    """Delete the sessions that have expired."""
    call_command("clearsessions")


@shared_task
def share_files() -> None:
    """Synchronise with the object store when STORAGE_URL names one."""
    if settings.DESK.storage_url:
        call_command("storage")


@shared_task
def back_up() -> None:
    """Make and prove a backup when BACKUP_ENABLED."""
    if settings.DESK.backup_enabled:
        call_command("backup")


@shared_task(ignore_result=True)
def say_alive() -> None:
    """Leave a sign that the schedule rings and a worker answers; the page Health shows how old it is."""
    machinery.mark_alive(now().timestamp())
