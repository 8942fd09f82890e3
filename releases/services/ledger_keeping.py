"""The process that keeps the ledger: it takes in what happened every three seconds, signs where it stands every hour,
reads it whole now and then, and moves what is old into files. Any number of them may run; none is the engine's process.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection

from releases.models import LedgerCheck
from releases.services import happenings, ledger, ledger_archives, ledger_checks, ledger_heads
from sensequant.lib import outage
from sensequant.lib.clock import now
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger

EVERY: Final = 3.0  # seconds between looks
BY: Final = "the desk"
LEAST: Final = dt.timedelta(minutes=10)  # between two readings of the whole …
SHARE: Final = 200  # … which never take more than one part in so many of a core
DAY: Final = dt.timedelta(days=1)
log = get_logger("ledger")


class Keeper:
    """Keeps the ledger by a clock."""

    def __init__(self, *, clock: Callable[[], dt.datetime] = now) -> None:
        """Begin with nothing read."""
        self.clock = clock
        self.read_at = self.archived_at = dt.datetime.min.replace(tzinfo=dt.UTC)

    def run(self, stop: threading.Event) -> None:
        """Keep it until ``stop``; a database that does not answer is asked again."""
        noted, missing = False, outage.Outage("the database", log)
        while not stop.is_set():
            try:
                if not noted:
                    happenings.settings_in_force(settings.DESK, at=self.clock())
                    noted = True
                self.once()
                missing.back()
            except (DatabaseError, OSError, SenseQuantError) as error:
                if outage.is_away(error):
                    stop.wait(missing.away(error))
                    continue
                log.exception("the ledger could not be kept", error=str(error))
                connection.close()
            stop.wait(EVERY)
        connection.close()

    def once(self) -> int:
        """Take in what happened, do what is due, and return how many entries were new."""
        at = self.clock()
        taken = ledger.pull(at=at)
        if ledger_heads.due(at=at):
            ledger_heads.sign(at=at)
        for row in LedgerCheck.objects.filter(done_at=None).order_by("id"):
            ledger_checks.carry_out(row, at=at)
        if at >= self.read_at:
            self._read(at)
        if at - self.archived_at >= DAY:
            ledger_archives.archive(by=BY, at=at)
            self.archived_at = at
        return taken

    def _read(self, at: dt.datetime) -> None:
        """Read everything, keeping one row of the desk's own readings: the newest."""
        row = LedgerCheck.objects.filter(by=BY).first() or LedgerCheck(by=BY)
        row.asked_at, row.done_at, row.sound = at, None, None
        row.save()
        ledger_checks.carry_out(row, at=at)
        self.read_at = at + max(LEAST, SHARE * dt.timedelta(seconds=row.seconds or 0.0))
