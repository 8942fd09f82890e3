"""Run the engine in the foreground."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.management.asking import add_market_arguments, asked
from trading.models.engine import EngineRun
from trading.services import markets, runner


class Command(DeskCommand):
    """One run of the engine, until its bars end or it is stopped."""

    help = "Run the engine: replay recorded bars, or trade on paper as they come (dry-run)."
    examples = (
        "  manage.py engine --mode replay --symbols RELIANCE TCS --csv data/historical --interval 5minute \\\n"
        "    --strategy intraday --start-date 2024-01-01 --end-date 2024-01-31 --speed 600"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the mode, the pace and what to run on."""
        parser.add_argument("--mode", choices=("replay", "dry-run", "live"), default="replay")
        parser.add_argument("--speed", type=float, default=0.0, help="market seconds a second; 0 = as fast as it goes")
        parser.add_argument("--name", default="engine", help="a run of this name is continued where it stopped")
        parser.add_argument("--fresh", action="store_true", help="begin anew instead of continuing")
        add_market_arguments(parser)

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run until the end or a signal; say what came of it."""
        at = now()
        wanted, order = asked(options, at=at)
        plan = runner.Plan(
            options["name"], options["mode"], wanted, order, speed=options["speed"], label=markets.label(wanted.source)
        )
        run = runner.begin(plan, at=at, fresh=options["fresh"])
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        runner.run_to_end(run, stop=stop)
        return self.summary(EngineRun.objects.get(pk=run.pk))

    def summary(self, run: EngineRun) -> tuple[Any, str]:
        """Return what the run has come to."""
        engine_latency = runner.Latency(run.numbers["latency"])
        data = {
            "run": run.pk, "state": run.state, "bars": run.bars, "trades": run.trades.count(),
            "orders": run.orders.count(), "signals": run.signals.count(), "equity": run.numbers["A"][1],
            "p50_us": engine_latency.quantile(0.5), "p99_us": engine_latency.quantile(0.99),
        }  # fmt: skip
        text = (
            f"run {run.pk} {run.state}: {run.bars:,} bars, {data['signals']:,} signals, {data['orders']:,} orders, "
            f"{data['trades']:,} trades, equity {data['equity']:,.2f}, p99 {data['p99_us']:g} µs a bar"
        )
        return data, text
