"""The desk's own engine, as the settings describe it: what the long-lived task runs, and when."""

from __future__ import annotations

import datetime as dt
import threading

from django.conf import settings
from django.db import DatabaseError, connection

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from sensequant.lib.outage import is_away
from trading.services import calendar as calendars
from trading.services import live_runner, markets, runner, runs
from trading.services.market_clock import MarketClock, market_clock

NAME = "engine"
BEFORE, AFTER = dt.timedelta(minutes=30), dt.timedelta(minutes=45)  # around a session, in which it is kept running
log = get_logger("engine-desk")


def wanted_until(clock: MarketClock) -> dt.datetime | None:
    """Return until when the engine should run, or None: it is switched off, no session is near, the market is over."""
    at, desk = clock(), settings.DESK
    if not desk.engine_task or desk.mode not in ("dry-run", "live") or clock.ended:
        return None
    session = calendars.current().session(at.astimezone(IST).date())
    if session is None or not session.open - BEFORE <= at < session.close + AFTER:
        return None
    return session.close + AFTER


class Shift(threading.Event):
    """Set once ``stop`` is, and from the moment ``until`` of the market's clock on: the evening ends an engine too."""

    def __init__(self, stop: threading.Event, clock: MarketClock, until: dt.datetime) -> None:
        """Begin a shift that ends at ``until`` (aware) at the latest."""
        super().__init__()
        self._stop, self._clock, self._until = stop, clock, until

    def is_set(self) -> bool:
        """Say whether it is over."""
        return self._stop.is_set() or self._clock() >= self._until

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for ``stop`` so many seconds; say whether it is over."""
        self._stop.wait(timeout)
        return self.is_set()


def plan(clock: MarketClock) -> runner.Plan:
    """Return the plan of the desk's engine, from the settings."""
    desk, day = settings.DESK, clock().astimezone(IST).date()
    source = runs.source_of("breeze", "")
    wanted = markets.want(source, desk.symbols, desk.engine_interval, day, day, today=day)
    order = runs.order(desk.engine_strategy, {}, None)
    return runner.Plan(NAME, desk.mode, wanted, order, label="SIMULATED" if clock.simulated else "")


def serve(stop: threading.Event) -> str:
    """Run the desk's engine until the session's evening or until ``stop`` is set; "refused" when it may not.

    That is so while another process has it, nobody has logged in at the broker, or the desk is not armed. The next
    morning's task goes on with the same run. What cannot be mended by trying again in half a minute is raised.
    """
    clock = market_clock()
    try:
        until = wanted_until(clock)
        if until is None:
            return "not wanted"
        run = live_runner.begin(plan(clock), clock=clock)
        shift = Shift(stop, clock, until)
        return runner.run_to_end(run, stop=shift, clock=clock, kind=live_runner.kind_of(run))
    except NotAllowed as error:
        log.info("the engine does not start here", why=str(error))
        return "refused"
    except SenseQuantError as error:
        log.warning("the engine ended", error=str(error))
        return "failed"
    except DatabaseError as error:
        if not is_away(error):
            raise
        log.warning("the engine does not start: the database is away", error=str(error))
        connection.close()
        return "failed"
