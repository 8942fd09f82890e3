"""What the schedule asks of learning: after a session, and after its bars were fetched, train on what is new."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings

from sensequant.lib.clock import ist
from sensequant.lib.errors import Unavailable
from sensequant.lib.logs import get_logger
from trading.services import calendar as calendars
from trading.services import fetch_states

WAIT: Final = 300  # seconds between looks at whether the bars are there
PATIENCE: Final = 36  # looks: three hours, then what is there is trained on
log = get_logger("schedules")


def update(*, at: dt.datetime, last_try: bool) -> list[tuple[str, ...]]:
    """Return the commands that bring the models up to date on the IST day of ``at``; none on a day without a session.

    Unavailable while the day's bars are still being fetched, unless this is the last try.
    """
    if not settings.DESK.incremental_enabled:
        log.debug("the daily update is off", setting="INCREMENTAL_ENABLED")
        return []
    day = ist(at).date()
    if not calendars.current().is_session(day):
        log.info("no session, no update of the models", day=str(day), why=calendars.current().closure(day) or "")
        return []
    if not last_try and not _fetched(day):
        raise Unavailable(f"the bars of {day} are not fetched yet", fix="they are looked for again in five minutes")
    commands: list[tuple[str, ...]] = [("train_teacher_batch", "--incremental")]
    if settings.DESK.student_batch_enabled:
        commands.append(("train_student_batch", "--incremental"))
    return commands


def _fetched(day: dt.date) -> bool:
    """Say whether a fetching has ended since the day's market closed, or nobody fetches bars here at all."""
    last = fetch_states.last_run()
    if last is None:
        return True
    ended = last.finished_at
    return ended is not None and last.state != "running" and ist(ended).date() >= day
