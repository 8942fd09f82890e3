"""Run the engine in the foreground."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import IST, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.management.asking import add_market_arguments, asked
from trading.models.engine import EngineRun
from trading.services import markets, runner


def _dates(options: dict[str, Any], at: dt.datetime) -> dict[str, dt.date]:
    """Return the dates to run on: those given, or from today on where the market is followed as it comes."""
    given = {key: options[key] for key in ("start_date", "end_date")}
    if options["mode"] != "replay":
        return dict.fromkeys(given, at.astimezone(IST).date())
    if None in given.values():
        raise BadInput("a replay needs dates", fix="give --start-date and --end-date")
    return given


class Command(DeskCommand):
    """One run of the engine, until its bars end or it is stopped."""

    needs_database = True
    help = "Run the engine: replay recorded bars, or trade on paper as they come (dry-run)."
    examples = (
        "  manage.py engine --mode replay --symbols RELIANCE TCS --csv data/historical --interval 5minute \\\n"
        "    --strategy intraday --start-date 2024-01-01 --end-date 2024-01-31 --speed 600\n"
        "  manage.py engine --mode dry-run --data-source demo --symbols DEMOBANK --interval 1minute --strategy intraday"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the mode, the pace and what to run on."""
        parser.add_argument("--mode", choices=("replay", "dry-run", "live"), default="replay")
        parser.add_argument("--speed", type=float, default=0.0, help="market seconds a second; 0 = as fast as it goes")
        parser.add_argument("--name", default="engine", help="a run of this name is continued where it stopped")
        parser.add_argument("--fresh", action="store_true", help="begin anew instead of continuing")
        add_market_arguments(parser, needed=("symbols", "strategy"))

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run until the end or a signal; say what came of it."""
        at = now()
        wanted, order = asked({**options, **_dates(options, at)}, at=at)
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
            f"{data['trades']:,} trades, equity {data['equity']:,.2f}, p99 {data['p99_us'] or 0:g} µs a bar"
        )
        return data, text
