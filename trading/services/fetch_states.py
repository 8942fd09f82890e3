"""How far each series is fetched: a sealed record that is checked against the cache, and made anew from it if need be.

The record advances only after the bars are on the disk. Scripts read the same in ``data/state/historical_fetch.json``,
laid out as the document says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from django.db.models import QuerySet

from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles
from trading.adapters.barcache import BarCache, Days
from trading.models.fetching import FetchRun, FetchState

FILE: Final = "data/state/historical_fetch.json"
ASIDE: Final = "data/state/set_aside"
log = get_logger("StateManager")


@dataclass(frozen=True, slots=True)
class State:
    """How far one series is fetched.

    ``ranges`` are the days asked for and answered, ``last_fetch`` the last of them, ``last_bar`` the newest bar kept.
    ``gaps`` counts the bars that days lack, ``confirmed`` those asked for a second time in vain.
    """

    symbol: str
    interval: str
    ranges: tuple[Days, ...] = ()
    last_fetch: dt.date | None = None
    last_bar: str = ""
    rows: int = 0
    gaps: Mapping[str, int] = field(default_factory=dict)
    confirmed: Mapping[str, int] = field(default_factory=dict)
    fetched_at: str = ""

    def body(self) -> str:
        """Return the record as the JSON that is sealed."""
        told = {
            "ranges": [[str(first), str(last)] for first, last in self.ranges],
            "last_fetch_date": str(self.last_fetch or ""), "last_bar": self.last_bar, "rows": self.rows,
            "gaps": dict(self.gaps), "confirmed": dict(self.confirmed), "fetched_at": self.fetched_at,
        }  # fmt: skip
        return json.dumps(told, sort_keys=True)


def seal_of(body: str) -> str:
    """Return the seal of a body."""
    return hashlib.sha256(body.encode()).hexdigest()


def read(cache: BarCache, *, at: dt.datetime) -> State:
    """Return the state of the cache's series, brought in line with the files that are there.

    A record that is damaged is set aside with a warning, and the state is then what the files tell.
    """
    symbol, interval = cache.symbol, cache.interval
    row = FetchState.objects.filter(symbol=symbol, interval=interval).first()
    known = believed(row) if row else None
    if row and known is None:
        _set_aside(row, at=at)
    return _fitted(known or State(symbol, interval), cache)


def believed(row: FetchState) -> State | None:
    """Return what a record says, None when its seal does not fit or it cannot be read."""
    if seal_of(row.body) != row.seal:
        return None
    try:
        told = json.loads(row.body)
        ranges = tuple((dt.date.fromisoformat(a), dt.date.fromisoformat(b)) for a, b in told["ranges"])
        last = dt.date.fromisoformat(told["last_fetch_date"]) if told["last_fetch_date"] else None
        return State(
            row.symbol, row.interval, ranges, last, str(told["last_bar"]), int(told["rows"]), dict(told["gaps"]),
            dict(told["confirmed"]), str(told["fetched_at"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None


def _fitted(state: State, cache: BarCache) -> State:
    """Return the state with ranges, rows and ends as the cache has them: it is the bars that count."""
    entries = cache.entries()
    ranges = tuple(sorted(entry.days for entry in entries.values()))
    rows = sum(entry.rows for entry in entries.values())
    if (ranges, rows) == (state.ranges, state.rows):
        return state
    if state.rows > rows:
        log.warning("bars are gone since the last fetch", symbol=state.symbol, had=state.rows, has=rows)
    return replace(
        state, ranges=ranges, rows=rows, last_fetch=ranges[-1][1] if ranges else None,
        last_bar=max((entry.end for entry in entries.values()), default=""),
        fetched_at=max((entry.fetched_at for entry in entries.values()), default=""),
    )  # fmt: skip


def _set_aside(row: FetchState, *, at: dt.datetime) -> None:
    """Keep a record that is not believed for whoever wants to know why, and say so."""
    folder = paths.resolve(ASIDE)
    path = folder / f"{row.symbol}-{row.interval}-{ist(at):%Y%m%dT%H%M%S}.json"
    told = {"symbol": row.symbol, "interval": row.interval, "body": row.body, "seal": row.seal}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cachefiles.put(path, json.dumps(told, indent=2))
    except OSError as error:
        log.warning("a damaged state could not be kept", path=str(path), why=str(error))
    log.warning(
        "fetch state made anew from the cache", symbol=row.symbol, interval=row.interval, set_aside=str(path),
        why="its seal does not fit" if seal_of(row.body) != row.seal else "it cannot be read",
    )  # fmt: skip
    row.delete()


def advance(state: State, cache: BarCache, *, at: dt.datetime) -> State:
    """Record the state after its bars were written, and return it as the files now have it."""
    fitted = replace(_fitted(state, cache), fetched_at=ist(at).replace(tzinfo=None).isoformat(timespec="seconds"))
    body = fitted.body()
    FetchState.objects.update_or_create(
        symbol=state.symbol, interval=state.interval,
        defaults={"body": body, "seal": seal_of(body), "updated_at": at},
    )  # fmt: skip
    return fitted


def listing() -> QuerySet[FetchState]:
    """Return every recorded series."""
    return FetchState.objects.all()


def last_run() -> FetchRun | None:
    """Return the newest run, None before the first."""
    return FetchRun.objects.first()


# the document's file


def file() -> Path:
    """Return where scripts read the state."""
    return paths.resolve(FILE)


def export(run: FetchRun, *, at: dt.datetime) -> None:
    """Write the state file: the last day fetched of each symbol (the earliest of its intervals), and the last run."""
    told = {"symbols": _symbols(listing()), "last_run": _run(run, at)}
    try:
        file().parent.mkdir(parents=True, exist_ok=True)
        cachefiles.put(file(), json.dumps(told, indent=2) + "\n")
    except OSError as error:
        log.warning("the state file was not written", path=str(file()), why=str(error))


def _symbols(rows: Iterable[FetchState]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        state = believed(row)
        if state is None or state.last_fetch is None:
            continue
        one = {"last_fetch_date": f"{state.last_fetch}T00:00:00", "last_updated": _written(row.updated_at)}
        whole = found.setdefault(row.symbol, {**one, "intervals": {}})
        whole["intervals"][row.interval] = one
        whole["last_fetch_date"] = min(whole["last_fetch_date"], one["last_fetch_date"])
        whole["last_updated"] = max(whole["last_updated"], one["last_updated"])
    return found


def _run(run: FetchRun, at: dt.datetime) -> dict[str, Any]:
    results = run.results.values()
    return {
        "timestamp": _written(at),
        "run_type": "incremental" if run.asked.get("incremental") else "full",
        "success": run.state == "done",
        "symbols_processed": sorted({each["symbol"] for each in results if each["state"] == "done"}),
        "files_created": sum(len(each["files"]) for each in results),
        "errors": sum(bool(each["error"]) for each in results),
    }


def _written(at: dt.datetime) -> str:
    return ist(at).isoformat(timespec="seconds")


def last_fetch_told(symbol: str, interval: str) -> dt.date | None:
    """Return the last day that the state file says was fetched of a series; None, with a warning, when it is broken.

    It is asked where neither a record nor a bar is left, so that a desk can take over another's file.
    """
    try:
        told = json.loads(file().read_text("utf-8"))["symbols"].get(symbol, {})
        word = told.get("intervals", {}).get(interval, told).get("last_fetch_date")
        return dt.datetime.fromisoformat(word).date() if word else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the state file is not believed", path=str(file()), why=str(error))
        return None
