"""Command-line arguments that several commands share: which bars, which strategy, what parameters."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.errors import BadInput
from trading.adapters.tracefiles import FORMATS
from trading.core.bars import ALIASES, INTERVALS
from trading.core.bars import interval as canonical
from trading.core.calendar import IST
from trading.core.strategies import STRATEGIES
from trading.services import markets, runs, telemetry

CHOICES = (*INTERVALS, *ALIASES)


def day(text: str) -> dt.date:
    """Return an ISO date; argparse turns the error into one line and exit code 2."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write YYYY-MM-DD") from None


NEEDED = ("symbols", "start_date", "end_date", "strategy")


def add_market_arguments(
    parser: CommandParser, *, strategies: tuple[str, ...] = tuple(STRATEGIES), needed: tuple[str, ...] = NEEDED
) -> None:
    """Add the symbols, dates, source, interval, strategy and parameters; those ``needed`` must be given."""
    parser.add_argument(
        "--symbols", nargs="+", required="symbols" in needed, metavar="SYMBOL", help="separated by spaces or commas"
    )
    parser.add_argument("--start-date", type=day, required="start_date" in needed, metavar="YYYY-MM-DD")
    parser.add_argument("--end-date", type=day, required="end_date" in needed, metavar="YYYY-MM-DD")
    parser.add_argument("--strategy", required="strategy" in needed, help=f"one of {', '.join(strategies)}")
    parser.add_argument("--data-source", default="csv", choices=("csv", "demo", "breeze", "hybrid", "stream"))
    parser.add_argument("--csv", metavar="DIR", default="", help="bar files (default: DATA_FEED_CSV_DIRECTORY)")
    parser.add_argument("--interval", default="1day", help=f"one of {', '.join(CHOICES)} (default %(default)s)")
    parser.add_argument("--minute-data", action="store_true", help="shortcut for --interval 1minute")
    parser.add_argument("--params", nargs="*", default=[], metavar="KEY=VALUE", help="parameters of strategy and desk")
    parser.add_argument("--sound-rows", action="store_true", help="use the sound rows of files that have errors")
    parser.add_argument("--capital", type=float, default=None, metavar="RUPEES")


def add_telemetry_arguments(parser: CommandParser) -> None:
    """Add what says whether and how predictions are traced."""
    group = parser.add_argument_group("telemetry")
    group.add_argument("--enable-telemetry", action="store_true", help="trace every prediction and its outcome")
    group.add_argument("--telemetry-dir", metavar="DIR", default="", help="default: under TELEMETRY_STORAGE_PATH")
    group.add_argument("--telemetry-sample-rate", type=float, metavar="0…1", help="share of predictions traced")
    group.add_argument("--telemetry-format", choices=FORMATS, default="csv")
    group.add_argument("--export-metrics", action="store_true", help="write accuracy_metrics.json beside the traces")


def traced(options: dict[str, Any], *, at: dt.datetime, name: str = "backtest") -> telemetry.Capture | None:
    """Return the capture the arguments ask for; BadInput names what contradicts, None when none was asked for."""
    if not options["enable_telemetry"]:
        for key in ("telemetry_dir", "telemetry_sample_rate", "export_metrics"):
            if options[key] not in ("", None, False):
                raise BadInput(f"--{key.replace('_', '-')} needs --enable-telemetry", fix="add it, or leave both out")
        return None
    return telemetry.capture(
        options["telemetry_dir"], rate=options["telemetry_sample_rate"], kind=options["telemetry_format"],
        export_metrics=options["export_metrics"], name=name, at=at,
    )  # fmt: skip


def names(words: list[str]) -> list[str]:
    """Return the symbols of a command line, separated by spaces or commas."""
    return [name for word in words for name in word.split(",")]


def asked(options: dict[str, Any], *, at: dt.datetime) -> tuple[markets.Wanted, runs.Ordered]:
    """Return what the arguments ask for; BadInput or Invalid names the wrong one."""
    interval = "1minute" if options["minute_data"] else options["interval"]
    if options["strategy"] == runs.BOTH and canonical(interval) == "1day":
        interval = "5minute"  # the days of its swing strategy are gathered from the minutes
    symbols = names(options["symbols"])
    source = runs.source_of(options["data_source"], options["csv"])
    wanted = markets.want(
        source, symbols, interval, options["start_date"], options["end_date"], today=at.astimezone(IST).date(),
        sound_rows=options["sound_rows"],
    )  # fmt: skip
    order = runs.order(options["strategy"], pairs(options["params"]), options["capital"])
    return wanted, order


def pairs(words: list[str]) -> dict[str, str]:
    """Return ``key=value`` words as a dictionary."""
    found = {}
    for word in (part for text in words for part in text.split(",")):
        key, mark, value = word.partition("=")
        if not mark or not key or not value:
            raise BadInput(f"{word!r} is not a parameter", fix="write key=value, e.g. --params fast=10 slow=30")
        found[key.strip()] = value.strip()
    return found
