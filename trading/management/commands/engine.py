"""Run the engine in the foreground."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from sensequant.lib.clock import IST, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.strategies import STRATEGIES
from trading.management.asking import add_market_arguments, add_telemetry_arguments, asked, names, traced
from trading.models.engine import EngineRun
from trading.services import live_runner, live_telemetry, markets, runner, runs, shards
from trading.services.live_telemetry import LiveTelemetry
from trading.services.market_clock import market_clock

ON_STOP = "live: what SIGTERM does with positions (default: square-off for intraday strategies, else leave)"
FOLLOWED = ("breeze", "hybrid")  # sources whose newest bars come over the broker's stream


def _dates(options: dict[str, Any], at: dt.datetime) -> dict[str, dt.date]:
    """Return the dates to run on: those given, or from today on where the market is followed as it comes."""
    given = {key: options[key] for key in ("start_date", "end_date")}
    if options["mode"] != "replay":
        return dict.fromkeys(given, at.astimezone(IST).date())
    if None in given.values():
        raise BadInput("a replay needs dates", fix="give --start-date and --end-date")
    return given


def _complete(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options, what was left out taken from the settings: without any the desk's own engine runs."""
    desk = settings.DESK
    bare = not options["symbols"] and options["start_date"] is None
    mode = options["mode"] or (desk.mode if bare else "replay")
    if mode not in ("replay", "dry-run", "live"):
        raise BadInput(f"MODE={mode} is no mode of the engine", fix="give --mode replay, dry-run or live")
    alone = not options["symbols"] and mode != "replay"
    source = options["data_source"]
    if source == "csv" and not options["csv"] and mode != "replay" and (mode == "live" or alone):
        source = "breeze"
    return {
        **options, "mode": mode, "data_source": source, "symbols": options["symbols"] or list(desk.symbols),
        "strategy": options["strategy"] or desk.engine_strategy,
        "interval": desk.engine_interval if alone else options["interval"],
    }  # fmt: skip


def _telemetry(options: dict[str, Any]) -> LiveTelemetry | None:
    """Return what traces the run, if it was asked for here rather than in the settings."""
    at, mode = now(), options["mode"]
    if mode != "replay" and options["enable_telemetry"] and not options["telemetry_dir"]:
        options = {**options, "telemetry_dir": live_telemetry.folder()}
    capture = traced(options, at=at, name="replay")
    if capture is None:
        return None
    throttle, rate = options["telemetry_throttle"], options["telemetry_sample_rate"]
    return live_telemetry.of_settings(capture, mode=mode, throttle=throttle, rate=rate)


class Command(DeskCommand):
    """One run of the engine, until its bars end or it is stopped."""

    needs_database = True
    help = "Run the engine: replay recorded bars, trade on paper as they come (dry-run), or with orders (live)."
    examples = (
        "  manage.py engine --mode replay --symbols RELIANCE TCS --csv data/historical --interval 5minute \\\n"
        "    --strategy intraday --start-date 2024-01-01 --end-date 2024-01-31 --speed 600\n"
        "  manage.py engine --mode dry-run --data-source demo --symbols DEMOBANK --strategy intraday\n"
        "  manage.py engine --mode dry-run --data-source breeze --symbols RELIANCE TCS --interval 1minute \\\n"
        "    --strategy intraday\n"
        "  manage.py engine --mode live --symbols RELIANCE TCS --interval 1minute --strategy intraday"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the mode, the pace and what to run on."""
        parser.add_argument(
            "--mode", choices=("replay", "dry-run", "live"), help="default: replay; MODE when no symbols are named"
        )
        parser.add_argument("--on-stop", choices=("leave", "square-off"), default="", help=ON_STOP)
        parser.add_argument("--speed", type=float, default=0.0, help="market seconds a second; 0 = as fast as it goes")
        parser.add_argument(
            "--shard",
            metavar="K/N",
            default="",
            help="replay, dry-run: trade part K of N of the symbols; all parts keep one exposure limit",
        )
        parser.add_argument("--name", default="engine", help="a run of this name is continued where it stopped")
        parser.add_argument("--fresh", action="store_true", help="begin anew instead of continuing")
        add_telemetry_arguments(parser)
        parser.add_argument("--telemetry-throttle", type=float, metavar="SECONDS", help="least time between two traces")
        add_market_arguments(parser, strategies=(*STRATEGIES, runs.BOTH), needed=())

    def waits(self, options: dict[str, Any]) -> bool:
        """Wait for a database that is away."""
        return True

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run until the end or a signal; say what came of it."""
        options = _complete(options)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        followed = options["mode"] != "replay" and options["data_source"] in FOLLOWED
        if followed and options["shard"]:
            raise BadInput("Breeze streams to one engine an account", fix="leave --shard out")
        if options["mode"] == "live" and not followed:
            raise BadInput(
                f"live trading needs live prices, not {options['data_source']}", fix="leave --data-source out"
            )
        traces = _telemetry(options)
        run = self._follow(options, stop, traces) if followed else self._play(options, stop, traces)
        if traces is not None and options["export_metrics"]:
            traces.export_metrics()
        return self.summary(EngineRun.objects.get(pk=run.pk))

    def _play(self, options: dict[str, Any], stop: threading.Event, traces: LiveTelemetry | None) -> EngineRun:
        """Run over recorded bars, or over a source that grows."""
        at = now()
        shard = shards.of_text(options["shard"], options["name"]) if options["shard"] else None
        if shard is not None:
            options = {**options, "name": shard.name, "symbols": shard.mine(names(options["symbols"]))}
        wanted, order = asked({**options, **_dates(options, at)}, at=at)
        plan = runner.Plan(
            options["name"], options["mode"], wanted, order, speed=options["speed"], shard=shard,
            label=markets.label(wanted.source),
        )  # fmt: skip
        run = runner.begin(plan, at=at, fresh=options["fresh"])
        runner.run_to_end(run, stop=stop, telemetry=traces)
        return run

    def _follow(self, options: dict[str, Any], stop: threading.Event, traces: LiveTelemetry | None) -> EngineRun:
        """Run on the broker's stream, on paper or with orders."""
        clock = market_clock()
        wanted, order = asked({**options, **_dates(options, clock())}, at=clock())
        label = "SIMULATED" if clock.simulated else ""
        plan = runner.Plan(options["name"], options["mode"], wanted, order, label=label, on_stop=options["on_stop"])
        run = live_runner.begin(plan, clock=clock, fresh=options["fresh"])
        runner.run_to_end(run, stop=stop, clock=clock, kind=live_runner.kind_of(run), telemetry=traces)
        return run

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
