"""The monitor's long loop: look, fold, archive, ping; and a sender beside it for every channel.

One process looks at a time, under a lease; every process that runs this sends. Neither Celery nor Redis is needed.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection

from monitoring.adapters.posting import ping
from monitoring.adapters.words import NotSent
from monitoring.models import Look
from monitoring.services import archiving, channels, rollups, watching
from monitoring.services.sending import Sender
from sensequant.lib import outage
from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.services import leases

LEASE = "monitor"
PING_EVERY = dt.timedelta(seconds=60)
log = get_logger("monitor")


class Monitor:
    """Looks every few seconds while it holds the lease."""

    def __init__(self, *, clock: Callable[[], dt.datetime] = now, every: float = watching.EVERY) -> None:
        """Look every ``every`` seconds by ``clock``."""
        self.clock, self.every = clock, every
        self.held: leases.Held | None = None
        self.holder = leases.myself()
        self.missing = outage.Outage("the database", log)

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop``, then give the lease back."""
        try:
            while not stop.is_set():
                begun = time.monotonic()
                self.once()
                stop.wait(max(0.1, self.every - (time.monotonic() - begun)))
        finally:
            self._give_back()
            connection.close()

    def once(self) -> bool:
        """Look once if nobody else does; return whether that was so. A database that does not answer is no end."""
        try:
            if not self._mine():
                return False
            at = self.clock()
            watching.look(at=at)
            _chores(at)
        except DatabaseError as error:
            self.missing.away(error)
            self.held = None
            return False
        self.missing.back()
        return True

    def _mine(self) -> bool:
        try:
            if self.held is None or not self.held.good:
                self.held = leases.take(LEASE, self.holder, ttl=max(leases.TTL, 4 * self.every))
            elif leases.due(self.held):
                leases.renew(self.held, ttl=max(leases.TTL, 4 * self.every))
        except NotAllowed:
            self.held = None
        return self.held is not None

    def _give_back(self) -> None:
        if self.held is not None:
            try:
                leases.release(self.held)
            except DatabaseError:
                log.warning("the lease could not be given back; it runs out by itself")


def _chores(at: dt.datetime) -> None:
    """Fold, cap, archive and ping when it is time; what fails is logged and tried again."""
    row = Look.objects.get(name="monitor")
    desk = settings.DESK
    if desk.monitoring_enable_aggregation:
        while rollups.roll() == rollups.BATCH:
            pass
        rollups.cap(at=at)
    if row.archived_at is None or at - row.archived_at >= dt.timedelta(hours=desk.monitoring_archive_interval_hours):
        try:
            archiving.archive(at=at)
            Look.objects.filter(pk=row.pk).update(archived_at=at)
        except (OSError, ValueError) as error:
            log.exception("the metrics could not be archived", error=str(error))
    if desk.monitoring_deadman_url and (row.pinged_at is None or at - row.pinged_at >= PING_EVERY):
        _ping(row, at)


def _ping(row: Look, at: dt.datetime) -> None:
    """Tell the outside that somebody still looks; when that stops, the outside raises the alarm."""
    try:
        ping(settings.DESK.monitoring_deadman_url, private=settings.DESK.monitoring_allow_private_addresses)
        Look.objects.filter(pk=row.pk).update(pinged_at=at, ping_error="")
    except NotSent as error:
        log.warning("the dead man's address did not answer", error=error.message)
        Look.objects.filter(pk=row.pk).update(ping_error=error.message[:300])


def serve(
    stop: threading.Event, *, clock: Callable[[], dt.datetime] = now, looks: bool = True, sends: bool = True
) -> None:
    """Look and send until ``stop``, or only one of them; without ENABLE_MONITORING only what waits already is sent."""
    threads = [
        threading.Thread(target=Sender(name, clock=clock).run, args=(stop,), name=f"send {name}", daemon=True)
        for name in (channels.ALL if sends else ())
    ]
    for thread in threads:
        thread.start()
    if looks and settings.DESK.enable_monitoring:
        Monitor(clock=clock).run(stop)
    else:
        log.info("only sending" if not looks else "monitoring is switched off (ENABLE_MONITORING)")
        stop.wait()
    for thread in threads:
        thread.join(5.0)
