"""Arguments that the commands of learning share: which bars, how many workers, and the bar that shows progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.core.bars import ALIASES, INTERVALS
from trading.management.asking import day, pairs

WIDTH = 30


def add_bars(parser: CommandParser) -> None:
    """Add the symbols, days and source of bars."""
    parser.add_argument(
        "--symbols", nargs="+", default=[], metavar="SYMBOL", help="by spaces or commas (default: SYMBOLS)"
    )
    parser.add_argument("--start-date", type=day, metavar="YYYY-MM-DD", help="default: the first bar there is")
    parser.add_argument("--end-date", type=day, metavar="YYYY-MM-DD", help="this day included; default: the last bar")
    parser.add_argument(
        "--data-source", default="", choices=("", "csv", "demo", "hybrid", "breeze"), help="default csv"
    )
    parser.add_argument("--csv", metavar="DIR", default="", help="bar files (default: DATA_FEED_CSV_DIRECTORY)")
    names = ", ".join((*INTERVALS, *ALIASES))
    parser.add_argument("--interval", default="5minute", help=f"one of {names} (default 5minute)")
    parser.add_argument(
        "--window-days", type=int, default=90, metavar="N", help="calendar days of a window (default 90)"
    )
    parser.add_argument("--sound-rows", action="store_true", help="use the sound rows of files that have errors")
    parser.add_argument("--params", nargs="*", default=[], metavar="KEY=VALUE", help="of the strategy of the features")
    parser.add_argument(
        "--label", nargs="*", default=[], metavar="KEY=VALUE", help="what a label means: target, stop …"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the training (default 0)")


def add_workers(parser: CommandParser) -> None:
    """Add how the work is spread."""
    parser.add_argument(
        "--workers", default="auto", metavar="N", help="processes on this machine, auto (one a core) or celery"
    )


def bars_asked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``batch_plans.ask_teachers`` takes."""
    own = {"params": pairs(options["params"]), "labels": pairs(options["label"])}
    return {
        "symbols": words(options["symbols"]), "source": options["data_source"], "directory": options["csv"],
        "interval": options["interval"], "start": options["start_date"], "end": options["end_date"],
        "window_days": options["window_days"], "sound_rows": options["sound_rows"],
        "options": {"seed": options["seed"], **{name: value for name, value in own.items() if value}},
    }  # fmt: skip


def words(given: list[str]) -> list[str]:
    """Return the words of a list that may also be divided by commas."""
    return [name for word in given for name in word.split(",") if name.strip()]


def bar(label: str) -> Callable[[int, int], None]:
    """Return what draws (done, total) as a bar on stderr, when that is a terminal."""
    show = sys.stderr.isatty() and not os.environ.get("NO_PROGRESS")

    def draw(done: int, total: int) -> None:
        if show:
            filled = WIDTH * done // max(total, 1)
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r{label} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}{end}")
            sys.stderr.flush()

    return draw


def share(value: float | None) -> str:
    """Return a share as people read it."""
    return "–" if value is None else f"{value:.3f}"
