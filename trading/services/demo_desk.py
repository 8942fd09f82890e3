"""The demo desk: an engine over a generated market, begun anew when it has ended."""

from __future__ import annotations

import datetime as dt
import threading

from django.conf import settings
from django.db import close_old_connections, connection

from sensequant.lib.clock import IST, now
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core import demo
from trading.models.engine import EngineRun
from trading.models.instruments import Instrument
from trading.services import calendar as calendars
from trading.services import markets, runs
from trading.services.runner import LOOK, Plan, begin, run_to_end

DEMO_SESSIONS = 60
DEMO_SPEED = 60.0
DEMO_LIVED = 2  # sessions the demo desk has behind it when it is first seen
DEMO_PARAMS = {
    "plan": "prime-2999", "product": "margin", "max_exposure": 500_000, "max_positions": 8, "allow_short": 1,
}  # fmt: skip
log = get_logger("runner")


def demo_plan(*, at: dt.datetime) -> Plan:
    """Return the plan of the demo desk: the last sessions of the demo market, one-minute bars, intraday."""
    calendar = calendars.current()
    end = min(at.astimezone(IST).date(), calendar.known_until)
    end = end if calendar.is_session(end) else calendar.previous_session(end)
    start = end
    for _ in range(DEMO_SESSIONS - 1):
        start = calendar.previous_session(start)
    wanted = markets.Wanted(markets.DEMO, tuple(sorted(demo.INSTRUMENTS)), "1minute", start, end)
    order = runs.order("intraday", DEMO_PARAMS, settings.DESK.starting_capital_inr)
    lived = start
    for _ in range(DEMO_LIVED):
        lived = calendar.next_session(lived)
    until = int(dt.datetime.combine(lived, dt.time(10, 15), IST).timestamp())  # a visitor meets a day that is under way
    return Plan("demo", "replay", wanted, order, speed=DEMO_SPEED, label="DEMO", fast_until=until)


def prepare_demo() -> None:
    """Make the demo market's instruments known, once."""
    for item in demo.INSTRUMENTS.values():
        Instrument.objects.get_or_create(
            symbol=item.symbol,
            defaults={"name": item.company, "segment": item.segment, "tick": f"{item.tick:.2f}", "is_demo": True},
        )


def demo_run(*, at: dt.datetime) -> EngineRun:
    """Return the demo run to go on with: the current one while it is unfinished, whatever day it was begun on."""
    run = EngineRun.objects.filter(name="demo", current=True).first()
    if run is not None and run.state != "finished":
        return run
    return begin(demo_plan(at=at), at=at, fresh=True)


def serve(stop: threading.Event) -> None:
    """Keep the demo desk trading until ``stop`` is set: continue the current run, and begin anew when it has ended."""
    prepare_demo()
    while not stop.is_set():
        close_old_connections()
        run = demo_run(at=now())
        if run.state == "stopped" and run.stop_requested:
            stop.wait(LOOK)
            continue
        try:
            run_to_end(run, stop=stop)
        except SenseQuantError as error:
            log.warning("the demo desk stopped", error=str(error))
            stop.wait(5)
        except Exception as error:  # whatever it is, the pages stay up and the log has it
            log.exception("the demo desk failed", error=str(error))
            stop.wait(5)
    connection.close()
