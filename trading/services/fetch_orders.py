"""Fetchings asked for on a page: begun as rows, done by a job, cancelled by a word on the row."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from sensequant.lib import jobs
from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.models.fetching import FetchRun
from trading.services import fetching, sessions
from trading.services.fetch_plans import Asked

log = get_logger("fetching")


def request(asked: Asked, *, at: dt.datetime, by: str) -> FetchRun:
    """Begin a fetching; SessionLost when nobody has logged in, NotAllowed while another is at work."""
    sessions.keys(at=at)
    fetching.root()
    with transaction.atomic():
        busy = FetchRun.objects.filter(state="running").first()
        if busy is not None:
            raise NotAllowed(f"fetching {busy.pk} is at work", fix="wait until it is done, or cancel it")
        run = fetching.begin(asked, at=at)
    log.info("fetching asked for", run=run.pk, by=by)
    return run


def cancel(pk: int, *, at: dt.datetime, by: str) -> None:
    """Let a fetching end after the request it is in; NotAllowed when it is not at work."""
    if not FetchRun.objects.filter(pk=pk, state="running").update(state="stopped", finished_at=at):
        raise NotAllowed(f"fetching {pk} is not at work", fix="load the page again")
    log.info("fetching cancelled", run=pk, by=by)


def waits(pk: int) -> bool:
    """Say whether a fetching is still wanted."""
    return FetchRun.objects.filter(pk=pk, state="running").exists()


def unattended(*, at: dt.datetime) -> list[int]:
    """Return the fetchings asked for a while ago that nobody has begun: nothing of them came, and nobody fetches."""
    rows = FetchRun.objects.filter(state="running", results={}, progress=0.0, started_at__lt=at - jobs.PATIENCE)
    found = list(rows.values_list("id", flat=True))
    if found:
        try:
            with fetching.alone(fetching.root()):
                pass
        except NotAllowed:
            return []
    return found


def give_up(pk: int, why: str, *, at: dt.datetime) -> None:
    """Keep why a fetching could not begin; one that ended by itself has said so already."""
    FetchRun.objects.filter(pk=pk, state="running").update(state="failed", error=why, finished_at=at)
