"""Compile the strategies ahead of their first backtest."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from trading.core import demo
from trading.core.calendar import NSE
from trading.core.kernel import cache_folder, is_compiled
from trading.core.panel import LaneSpec, lane, panel
from trading.core.setups import make_setup
from trading.core.simulation import schedule, simulate
from trading.core.strategies import STRATEGIES, strategy

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2024, 1, 12)
NICE = 15


class Command(DeskCommand):
    """Compiled text is kept under SENSEQUANT_HOME/cache/kernels until a line of the core changes."""

    help = "Compile each strategy's backtest once, about ten seconds a strategy; later runs find it on disk."
    examples = "  manage.py warm_kernels\n  manage.py warm_kernels --only intraday"

    def arguments(self, parser: CommandParser) -> None:
        """Add which strategies to compile."""
        parser.add_argument("--only", nargs="+", default=list(STRATEGIES), metavar="STRATEGY")
        parser.add_argument("--gently", action="store_true", help="give way to everything else on this machine")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Compile what is not ready."""
        if options["gently"]:
            os.nice(NICE)
        for name in options["only"]:
            strategy(name)
        missing = [name for name in options["only"] if not is_compiled(name)]
        for name in self.progress(missing, total=len(missing), label="compiling"):
            warm(name)
        return {
            "compiled": missing,
            "folder": str(cache_folder()),
        }, f"compiled: {', '.join(missing) or 'nothing to do'}"


def warm(name: str) -> None:
    """Compile strategy ``name`` by running it over a few bars."""
    minutes = 1440 if strategy(name).KIND == "swing" else 5
    symbol = next(iter(demo.INSTRUMENTS))
    bars = demo.generate(symbol, NSE.sessions(FIRST, LAST), seed=1, minutes=minutes)
    charges = schedule("i-secure", "cash", FIRST, LAST)
    simulate(
        name, make_setup(name, minutes), panel([lane(LaneSpec(symbol), bars, minutes)]), capital=1e6, charges=charges
    )
