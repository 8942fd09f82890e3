"""Who rings for the schedule's tasks, over the outages of the servers he needs.

The scheduler of django-celery-beat logs a traceback at each look while the database is away and ends at a reading it
did not expect; the one of Celery forgets a ring Redis did not take. Here the schedule last read stays in force, and a
ring that could not be sent is sent as soon as Redis is back, each task's once.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from sensequant.lib import outage
from sensequant.lib.logs import get_logger

AGAIN = 1.0  # seconds between two attempts to send what is owed
log = get_logger("beat")


class PatientScheduler(DatabaseScheduler):  # type: ignore[misc]  # django_celery_beat publishes no types
    """The database's schedule, rung late rather than never."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Wait for the database, then read the schedule."""
        self.missing = outage.Outage("the database of the schedule", log)
        self.deaf = outage.Outage("Redis, which carries the rings", log)
        self.owed: dict[str, Any] = {}  # by name: what was due and could not be sent
        self._wait()
        super().__init__(*args, **kwargs)

    def schedule_changed(self) -> bool:
        """Say whether the schedule is to be read again; while the database is away it is not."""
        return self._answers() and bool(super().schedule_changed())

    def sync(self) -> None:
        """Write down when what was rung; later, while the database is away."""
        if self._answers():
            super().sync()

    def all_as_schedule(self) -> Any:
        """Return the schedule as it stands in the database, or as it was last read while the database is away."""
        if self._schedule is None:
            self._wait()
        elif not self._answers():
            return self._schedule
        return super().all_as_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Ring what is owed, then what is due; return the seconds until the next look."""
        for name in list(self.owed):
            if not self._send(self.owed[name]):
                break
            del self.owed[name]
        pause = float(super().tick(*args, **kwargs))
        return min(pause, AGAIN) if self.owed else pause

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Ring; what Redis does not take is owed."""
        if not self._send(entry):
            self.owed[entry.name] = entry

    def _send(self, entry: Any) -> bool:
        try:
            self.apply_async(entry, producer=self.producer, advance=False)
        except Exception as error:
            if outage.is_outage(error):
                self.deaf.noted(error)
                return False
            log.exception("a task could not be rung for", task=entry.task, error=str(error))
        else:
            self.deaf.back()
        return True

    def _answers(self) -> bool:
        """Say whether the database answers, be it with a refusal; an outage is said once."""
        try:
            close_old_connections()
            self.Changes.last_change()
        except (DatabaseError, InterfaceError) as error:
            if outage.is_away(error):
                self.missing.away(error)
                return False
        else:
            self.missing.back()
        return True

    def _wait(self) -> None:
        while not self._answers():
            time.sleep(self.missing.pause)
