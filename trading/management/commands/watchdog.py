"""Watch the live engine from outside."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.services import watchdog
from trading.services.market_clock import market_clock


class Command(DeskCommand):
    """A process outside Celery that can only cancel and square off."""

    needs_database = True
    help = "Watch the live engine; when its heartbeat dies with something held, cancel and square off."
    examples = "  manage.py watchdog\n  manage.py watchdog --dead 90\n  manage.py watchdog --once --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add how long a silence may last."""
        parser.add_argument("--silent", type=float, default=watchdog.SILENT, metavar="SECONDS", help="tell after")
        parser.add_argument("--dead", type=float, default=watchdog.DEAD, metavar="SECONDS", help="square off after")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def waits(self, options: dict[str, Any]) -> bool:
        """Wait for a database that is away."""
        return not options["once"]

    def run(self, **options: Any) -> tuple[Any, str]:
        """Watch until a signal comes."""
        silent, dead = options["silent"], options["dead"]
        if not 1.0 <= silent <= dead:
            raise BadInput(f"--silent {silent:g} and --dead {dead:g} do not fit", fix="give 1 <= silent <= dead")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        watchdog.Watchdog(clock=market_clock(), silent=silent, dead=dead).watch(stop, once=options["once"])
        return {"stopped": True}, "the watchdog ends"
