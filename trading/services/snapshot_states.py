"""How far each symbol's snapshots reach, and the state file that scripts read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from django.db.models import Max

from sensequant.lib import paths
from sensequant.lib.clock import IST, ist
from sensequant.lib.logs import get_logger
from trading.models.sentiment import SnapshotFetch

FILE: Final = "data/state/sentiment_fetch.json"
log = get_logger("snapshots")


class Done(Protocol):
    """What a run tells of one day."""

    @property
    def symbol(self) -> str:
        """Return the symbol."""

    @property
    def day(self) -> dt.date:
        """Return the day, IST."""

    @property
    def state(self) -> str:
        """Return fetched, cached, mock, failed or left."""


class Wanted(Protocol):
    """What a run was asked for."""

    @property
    def incremental(self) -> bool:
        """Say whether it went on from the last time."""

    @property
    def dryrun(self) -> bool:
        """Say whether nobody was asked."""


def fetched_on(at: dt.datetime) -> int:
    """Return how many snapshots were fetched on the IST day of ``at``."""
    begun = ist(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return SnapshotFetch.objects.filter(fetched_at__gte=begun, fetched_at__lt=begun + dt.timedelta(days=1)).count()


def last_whole(symbol: str, folder: Path, *, since: dt.date) -> dt.date | None:
    """Return the last day of ``symbol`` up to which nothing lacks; None when nothing was fetched into ``folder``.

    Days before ``since`` are not looked at, so a day that failed is tried again as long as it lies after that. Without
    rows the state file is asked, so that a desk can take over another's files; its last day may have been fetched too
    early, so it is looked at again.
    """
    mine = SnapshotFetch.objects.filter(symbol=symbol, complete=True, path__startswith=f"{folder / symbol}/")
    days = sorted(set(mine.filter(day__gte=since).values_list("day", flat=True)))
    if not days:
        told = told_last(symbol)
        return mine.aggregate(last=Max("day"))["last"] or (told - dt.timedelta(days=1) if told else None)
    last = days[0]
    for day in days[1:]:
        if day != last + dt.timedelta(days=1):
            break
        last = day
    return last


def told_last(symbol: str) -> dt.date | None:
    """Return the last day the state file says was fetched; None, with a warning, when it cannot be read."""
    try:
        word = _read()["symbols"].get(symbol, {}).get("last_fetch_date")
        return dt.datetime.fromisoformat(word).date() if word else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the state file is not believed", path=str(file()), error=str(error))
        return None


def file() -> Path:
    """Return where scripts read the state."""
    return paths.resolve(FILE)


def _read() -> dict[str, Any]:
    found = json.loads(file().read_text("utf-8"))
    if not isinstance(found, dict):
        raise TypeError("it is no JSON object")
    return found


def export(asked: Wanted, results: Sequence[Done], *, at: dt.datetime) -> None:
    """Write the state file: the last day fetched of each symbol, and how the last run went."""
    told = {"symbols": _symbols(results, at), "last_run": _run(asked, results, at)}
    try:
        file().parent.mkdir(parents=True, exist_ok=True)
        fresh = file().with_name(file().name + ".new")
        fresh.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        fresh.replace(file())
    except OSError as error:
        log.warning("the state file was not written", path=str(file()), error=str(error))


def _symbols(results: Iterable[Done], at: dt.datetime) -> dict[str, Any]:
    """Return every symbol's last day: those of before, moved on by what this run found or fetched."""
    try:
        known = dict(_read()["symbols"])
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    last: dict[str, dt.date] = {}
    for each in results:
        if each.state in ("fetched", "cached"):
            last[each.symbol] = max(each.day, last.get(each.symbol, each.day))
    for symbol, day in last.items():
        before = str(known.get(symbol, {}).get("last_fetch_date", ""))
        word = f"{day.isoformat()}T00:00:00"
        known[symbol] = {"last_fetch_date": max(word, before), "last_updated": _written(at)}
    return known


def _run(asked: Wanted, results: Sequence[Done], at: dt.datetime) -> dict[str, Any]:
    failed = [each for each in results if each.state in ("failed", "left")]
    whole = {each.symbol for each in results} - {each.symbol for each in failed}
    return {
        "timestamp": _written(at), "run_type": "incremental" if asked.incremental else "full", "success": not failed,
        "symbols_processed": sorted(whole), "dryrun": asked.dryrun,
        "files_created": sum(each.state in ("fetched", "mock") for each in results),
        "errors": sum(each.state == "failed" for each in results),
    }  # fmt: skip


def _written(at: dt.datetime) -> str:
    return at.astimezone(IST).isoformat(timespec="seconds")
