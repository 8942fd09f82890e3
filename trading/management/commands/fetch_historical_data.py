"""Fetch recorded bars from Breeze into the cache."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.buckets import HISTORY, passable
from trading.management.asking import CHOICES, day
from trading.models.fetching import FetchRun
from trading.services import budgets, fetch_calls, fetching
from trading.services.fetch_plans import Asked, Series, ask
from trading.services.market_clock import Clock, market_clock

TYPED = ("symbols", "start_date", "end_date", "interval", "lookback_days", "incremental", "force", "repair_gaps")


class Command(DeskCommand):
    """One fetching: planned, done, and told symbol by symbol."""

    needs_database = True
    help = "Fetch bars from Breeze (v2 history) into DATA_FEED_CSV_DIRECTORY; what is there is not asked for again."
    examples = (
        "  manage.py fetch_historical_data --symbols RELIANCE TCS --start-date 2024-01-01 --end-date 2024-03-31 \\\n"
        "    --interval 5minute\n"
        "  manage.py fetch_historical_data --symbols RELIANCE --interval 1day 1minute --dryrun\n"
        "  manage.py fetch_historical_data --incremental --lookback-days 7 --json\n"
        "  manage.py fetch_historical_data --resume"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to fetch and how."""
        parser.add_argument("--symbols", nargs="+", default=[], metavar="SYMBOL", help="NSE symbols (default: SYMBOLS)")
        parser.add_argument("--start-date", type=day, metavar="YYYY-MM-DD", help="default: the lookback before the end")
        parser.add_argument("--end-date", type=day, metavar="YYYY-MM-DD", help="this day included (default: today)")
        parser.add_argument(
            "--interval", nargs="+", default=[], metavar="INTERVAL",
            help=f"{', '.join(CHOICES)} (default: 1day and MINUTE_DATA_RESOLUTION)",
        )  # fmt: skip
        parser.add_argument("--incremental", action="store_true", help="go on from the last bar of each series")
        parser.add_argument("--lookback-days", type=int, help="days fetched of a series that was never fetched")
        parser.add_argument("--dryrun", action="store_true", help="show the requests it would take and ask nothing")
        parser.add_argument("--force", action="store_true", help="fetch again what is there")
        parser.add_argument("--resume", action="store_true", help="go on with the last run that did not finish")
        parser.add_argument("--repair-gaps", action="store_true", help="ask again for the days that lack bars")

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Fetch; exit 1 when a series is not complete, after telling of every one."""
        clock = market_clock()
        at = clock()
        if options["resume"]:
            return self._resume(options, clock)
        asked = _asked(options, at)
        if options["dryrun"]:
            return _told_plan(fetching.planned(asked, None, at=at, strict=False), at)
        line = fetch_calls.breeze(clock)
        with fetching.alone(fetching.root()):
            fetching.planned(asked, line, at=at, strict=bool(options["symbols"]))
            return self._fetch(fetching.begin(asked, at=at), line, clock, as_json=options["json"])

    def _resume(self, options: dict[str, Any], clock: Clock) -> tuple[Any, str] | None:
        run = _unfinished(options)
        if run is None:
            return {"run": None, "state": "done", "series": []}, "no run was left unfinished: nothing is left to do"
        line = fetch_calls.breeze(clock)
        with fetching.alone(fetching.root()):
            line.data()
            return self._fetch(run, line, clock, as_json=options["json"])

    def _fetch(self, run: FetchRun, line: fetch_calls.Line, clock: Clock, *, as_json: bool) -> tuple[Any, str] | None:
        work = fetching.Fetching(run, line, clock=clock)
        with _orderly(), closing(work.steps()) as steps:
            for _ in self.progress(steps, total=work.total, label="fetching"):
                pass
        data, text = answer(run), _table(run)
        if run.state == "done":
            return data, text
        self._print(data, text, as_json=as_json)
        self.stderr.write(f"error: {_unhappy(run)}")
        sys.exit(1)


@contextmanager
def _orderly() -> Iterator[None]:
    """Let SIGTERM end a run as SIGINT does: what was fetched is kept, and the run says that it was stopped."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _asked(options: dict[str, Any], at: dt.datetime) -> Asked:
    return ask(
        symbols=_words(options["symbols"]), intervals=_words(options["interval"]), start=options["start_date"],
        end=options["end_date"], lookback=options["lookback_days"], incremental=options["incremental"],
        force=options["force"], repair=options["repair_gaps"], at=at,
    )  # fmt: skip


def _words(given: list[str]) -> list[str]:
    return [name for word in given for name in word.split(",") if name.strip()]


def _unfinished(options: dict[str, Any]) -> FetchRun | None:
    """Return the run to resume; BadInput when something else is asked for besides."""
    also = [f"--{name.replace('_', '-')}" for name in TYPED if options[name]]
    if also:
        raise BadInput(f"--resume goes on with what was asked for then, not with {', '.join(also)}", fix="leave it out")
    return fetching.unfinished()


def answer(run: FetchRun) -> dict[str, Any]:
    """Return a run as ``--json`` gives it."""
    series = list(run.results.values())
    return {
        "run": run.pk, "state": run.state, "error": run.error, "calls": sum(each["requests"] for each in series),
        "series": [{key: value for key, value in each.items() if key != "done"} for each in series],
    }  # fmt: skip


def _told_plan(found: list[Series], at: dt.datetime) -> tuple[Any, str]:
    """Return the plan of a dry run: the requests of each series against what the day's budget has left for history."""
    spent = budgets.gauges(at=at)["day"]
    most = passable(spent["limit"], reserved=settings.DESK.breeze_reserved_share, who=HISTORY)
    left = max(0, most - spent["used"])
    calls = sum(len(each.chunks) for each in found)
    rows: list[dict[str, Any]] = [
        {
            "symbol": each.symbol, "interval": each.interval, "asked_as": each.unit, "sessions": len(each.days),
            "there": each.there, "requests": len(each.chunks), "candles": each.candles, "notes": each.notes,
        }
        for each in found
    ]  # fmt: skip
    lines = [
        f"{row['symbol']:<12} {row['interval']:<9} {row['sessions']:>5} sessions, {row['there']} there already: "
        f"{row['requests']} requests for {row['candles']:,} candles"
        for row in rows
    ]
    lines += [f"  note: {note}" for row in rows for note in row["notes"]]
    lines.append(f"{calls:,} calls, of {left:,} left for history today: nothing was asked")
    if calls > left:
        lines.append("the run would stop when they are spent; --resume goes on the next day")
    return {"dryrun": True, "calls": calls, "calls_left_today": left, "series": rows}, "\n".join(lines)


def _unhappy(run: FetchRun) -> str:
    """Return in one line what is not complete and how to go on."""
    series = list(run.results.values())
    bad = [each for each in series if each["state"] != "done"]
    why = run.error or next((each["error"] for each in bad if each["error"]), run.state)
    return f"{len(bad)} of {len(series)} series not complete: {why}; go on with --resume"


def _table(run: FetchRun) -> str:
    series = list(run.results.values())
    lines = [line for each in series for line in _lines(each)]
    calls, kept = (sum(each[name] for each in series) for name in ("requests", "kept"))
    lines.append(f"run {run.pk} {run.state}: {kept:,} bars kept of {len(series)} series, {calls:,} calls")
    return "\n".join(lines)


def _lines(each: dict[str, Any]) -> list[str]:
    head = (
        f"{each['state']:<8}{each['symbol']:<12} {each['interval']:<9} {each['sessions']:>5} sessions, "
        f"{each['there']} there already; {each['fetched']:,} of {each['requested']:,} candles fetched in "
        f"{each['requests']} calls, {each['kept']:,} kept"
    )
    aside = [f"  {each['quarantined']} rows set aside"] if each["quarantined"] else []
    lacking = [f"  {each['missing']:,} bars missing: {each['gaps_told']}"] if each["missing"] else []
    shown = [
        f"    {gap['day']} {gap['start'] or 'whole session'}: {gap['bars']} ({gap['kind']})" for gap in each["gaps"][:5]
    ]
    error = [f"  error: {each['error']}"] if each["error"] else []
    return [head, *aside, *lacking, *shown, *(f"  note: {note}" for note in each["warnings"]), *error]
