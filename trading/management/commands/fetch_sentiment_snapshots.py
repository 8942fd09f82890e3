"""Fetch daily sentiment snapshots."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.management.asking import day
from trading.services.snapshot_plans import ask
from trading.services.snapshots import Fetching, Result

SHOWN = 12


class Command(DeskCommand):
    """One run: each day of each symbol, and what came of it."""

    needs_database = True
    help = (
        "Fetch one sentiment snapshot a day and symbol into SENTIMENT_SNAPSHOT_OUTPUT_DIR; what is there stays. "
        "Exit code 1: some days failed, or the day's cap was reached."
    )
    examples = (
        "  manage.py fetch_sentiment_snapshots --symbols RELIANCE TCS --start-date 2024-01-01 --end-date 2024-03-31\n"
        "  manage.py fetch_sentiment_snapshots --incremental\n"
        "  manage.py fetch_sentiment_snapshots --symbols INFY --providers newsapi twitter --lookback-days 7 --json\n"
        "  manage.py fetch_sentiment_snapshots --dryrun"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to fetch and how."""
        parser.add_argument("--symbols", nargs="+", default=[], metavar="SYMBOL", help="NSE symbols (default: SYMBOLS)")
        parser.add_argument("--start-date", type=day, metavar="YYYY-MM-DD", help="default: the lookback before the end")
        parser.add_argument("--end-date", type=day, metavar="YYYY-MM-DD", help="this day included (default: today)")
        parser.add_argument(
            "--providers", nargs="+", default=[], metavar="NAME",
            help="newsapi, twitter, stub (default: SENTIMENT_SNAPSHOT_PROVIDERS)",
        )  # fmt: skip
        parser.add_argument("--output-dir", default="", metavar="DIR", help="default: SENTIMENT_SNAPSHOT_OUTPUT_DIR")
        parser.add_argument("--incremental", action="store_true", help="go on after each symbol's last whole day")
        parser.add_argument("--lookback-days", type=int, help="days fetched of a symbol that was never fetched")
        parser.add_argument("--force", action="store_true", help="fetch again what is there, and replace it")
        parser.add_argument(
            "--dryrun", action="store_true",
            help="ask nobody: write neutral mock files, which backtests pass over and a real run replaces",
        )  # fmt: skip

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Fetch; exit 1 when a day failed or was left, after telling of every one."""
        asked = ask(
            symbols=_words(options["symbols"]), start=options["start_date"], end=options["end_date"],
            providers=_words(options["providers"]), folder=options["output_dir"], incremental=options["incremental"],
            lookback=options["lookback_days"], force=options["force"], dryrun=options["dryrun"], at=now(),
        )  # fmt: skip
        run = Fetching(asked, clock=now)
        try:
            for _ in self.progress(run.steps(), total=len(run.tasks), label="snapshots"):
                pass
        finally:
            run.finish()
        data, text = answer(run), _text(run)
        if run.whole:
            return data, text
        self._print(data, text, as_json=options["json"])
        self.stderr.write(f"error: {_unhappy(run)}")
        sys.exit(1)


def _words(given: list[str]) -> list[str]:
    return [name for word in given for name in word.split(",") if name.strip()]


def answer(run: Fetching) -> dict[str, Any]:
    """Return a run as ``--json`` gives it."""
    asked, counts = run.asked, Counter(each.state for each in run.results)
    stats = {name: counts[name] for name in ("fetched", "cached", "failed", "mock", "left")}
    return {
        "symbols": list(asked.symbols), "providers": list(asked.providers), "output_dir": asked.folder,
        "date_range": {
            "start": str(asked.start), "end": str(asked.end), "days": (asked.end - asked.start).days + 1,
        },
        "incremental": asked.incremental, "dryrun": asked.dryrun, "stopped": run.stopped,
        "stats": {**stats, "total_requests": run.requests},
        "snapshots": [_told(each) for each in run.results],
    }  # fmt: skip


def _told(each: Result) -> dict[str, Any]:
    line = each.line
    return {
        "symbol": each.symbol, "date": str(each.day), "state": each.state, "error": each.error,
        "score": line.score if line else None, "confidence": line.confidence if line else None,
        "providers": list(line.providers) if line else [],
    }  # fmt: skip


def _unhappy(run: Fetching) -> str:
    """Return in one line what is lacking and why."""
    lacking = [each for each in run.results if each.state in ("failed", "left")]
    why = run.stopped or next(each.error for each in lacking)
    return f"{len(lacking)} of {len(run.results)} days lack: {why}"


def _text(run: Fetching) -> str:
    counts = Counter(each.state for each in run.results)
    lines = [_line(each) for each in run.results if each.state != "cached"]
    more = len(lines) - SHOWN
    lines = lines[:SHOWN] + ([f"… and {more} more"] if more > 0 else [])
    lines.append(
        f"{counts['fetched']} fetched, {counts['cached']} there already, {counts['failed']} failed, "
        f"{counts['left']} left; {run.requests} questions asked; {run.asked.folder}"
    )
    if run.asked.dryrun:
        lines.append(
            f"dry run: nobody was asked; {counts['mock']} neutral mock files were written, which backtests and "
            "trainings pass over and the next real run replaces"
        )
    return "\n".join(lines)


def _line(each: Result) -> str:
    told = each.error
    if each.line is not None and not each.line.mock:
        told = f"{each.line.score:+.3f}, {each.line.confidence:.0%} sure, {', '.join(each.line.providers)}"
    return f"{each.state:<8}{each.symbol:<12} {each.day}  {told}".rstrip()
