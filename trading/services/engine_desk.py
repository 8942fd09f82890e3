"""The desk's own engine, as the settings describe it: what the long-lived task runs, and when."""

from __future__ import annotations

import datetime as dt
import threading

from django.conf import settings

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.services import calendar as calendars
from trading.services import live_runner, markets, runner, runs
from trading.services.market_clock import MarketClock, market_clock

NAME = "engine"
BEFORE, AFTER = dt.timedelta(minutes=30), dt.timedelta(minutes=45)  # around a session, in which it is kept running
log = get_logger("engine-desk")


def wanted_now(at: dt.datetime) -> bool:
    """Say whether the engine should run at ``at``: it is switched on, and a session is near."""
    if not settings.DESK.engine_task or settings.DESK.mode not in ("dry-run", "live"):
        return False
    session = calendars.current().session(at.astimezone(IST).date())
    return session is not None and session.open - BEFORE <= at <= session.close + AFTER


def plan(clock: MarketClock) -> runner.Plan:
    """Return the plan of the desk's engine, from the settings."""
    desk, day = settings.DESK, clock().astimezone(IST).date()
    source = runs.source_of("breeze", "")
    wanted = markets.want(source, desk.symbols, desk.engine_interval, day, day, today=day)
    order = runs.order(desk.engine_strategy, {}, None)
    return runner.Plan(NAME, desk.mode, wanted, order, label="SIMULATED" if clock.simulated else "")


def serve(stop: threading.Event) -> str:
    """Run the desk's engine until its market is over or ``stop`` is set; "held" when another process has it.

    What cannot be mended by trying again in half a minute is raised.
    """
    clock = market_clock()
    if not wanted_now(clock()):
        return "not wanted"
    try:
        run = live_runner.begin(plan(clock), clock=clock)
        return runner.run_to_end(run, stop=stop, clock=clock, kind=live_runner.kind_of(run))
    except NotAllowed as error:
        log.info("the engine does not start here", why=str(error))
        return "held"
    except SenseQuantError as error:
        log.warning("the engine ended", error=str(error))
        return "failed"
