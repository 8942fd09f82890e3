"""Background jobs whose truth is a row: a message only rings for them, and who was rung for in vain is rung for again.

Redis may lose every message, by a flush or by its end, and may be away when somebody asks for a job. The row is there
all the same, still queued; the schedule's ``ring_again`` tasks look for such rows each minute. A message that came
twice finds its row ended, or in the hands of a process that lives, and changes nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
import time
from typing import Any, Final

from celery.contrib.django.task import DjangoTask
from django.db import DatabaseError, InterfaceError, transaction

from sensequant.lib import outage
from sensequant.lib.logs import get_logger

PATIENCE: Final = dt.timedelta(minutes=2)  # a row that waits longer than this has lost its message, or waits its turn
AT_ONCE: Final = 1.0  # seconds within which a connection turns out to be one that Redis has given up
EVERY: Final = 60.0  # seconds between two looks
EXPIRES: Final = 55.0  # a second ring nobody answered is forgotten before the third comes
log = get_logger("jobs")


class Job(DjangoTask):  # type: ignore[misc]  # celery publishes no types
    """A task that is rung for over Redis's outages, and done over the database's."""

    Request = "sensequant.lib.deliveries:Delivery"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work; when the database goes away meanwhile, wait and do it again, as a second message would."""
        missing = outage.Outage("the database", log)
        while True:
            try:
                done = super().__call__(*args, **kwargs)
            except (DatabaseError, InterfaceError) as error:
                if not outage.is_away(error):
                    raise
                time.sleep(missing.away(error))
            else:
                missing.back()
                return done

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        """Ring once the transaction is committed; while Redis is away the row waits until somebody rings again."""
        transaction.on_commit(functools.partial(self.ring, args, kwargs))

    def ring(self, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, **options: Any) -> bool:
        """Send a message; False when Redis is away, which is said in a line."""
        try:
            self._send(args, kwargs, options)
        except Exception as error:
            if not outage.is_outage(error):
                raise
            log.warning("Redis is away; the job waits in its row", task=self.name, error=str(error)[:120])
            return False
        return True

    def _send(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None, options: dict[str, Any]) -> None:
        """Send once more where the connection was an old one; one that only hangs is not waited for twice."""
        begun = time.monotonic()
        try:
            self.apply_async(args, kwargs, retry=False, **options)
        except Exception as error:
            if not outage.is_outage(error) or time.monotonic() - begun > AT_ONCE:
                raise
            self.apply_async(args, kwargs, retry=False, **options)


def ring_again(task: Job, name: str, values: list[Any], **also: Any) -> int:
    """Ring for each row whose ring was lost, ``name`` being what the task calls it; return how many were rung for."""
    rung = sum(task.ring(kwargs={name: value, **also}, expires=EXPIRES) for value in values)
    if rung:
        log.warning("jobs whose message was lost are rung for again", task=task.name, count=rung)
    return rung
