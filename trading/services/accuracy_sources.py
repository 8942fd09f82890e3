"""Where accuracy can be measured: the desk's own record, traced backtests, and folders of traces."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from django.conf import settings

from sensequant.lib.errors import BadInput, NotFound
from trading.adapters import tracefiles
from trading.core.trace_table import Table, joined
from trading.selectors import accuracy as selected
from trading.selectors.accuracy import Newest
from trading.services import accuracy, prediction_watch, trace_reading
from trading.services.telemetry import root

RECORD = "record"
SHOWN = 50
_KNOWN: dict[tuple[str, str], Kept] = {}
"""Database and strategy to what was read and worked out last."""


class Source(NamedTuple):
    """One place: its name in addresses, and what a reader calls it."""

    name: str
    title: str


def sources() -> list[Source]:
    """Return every source there is: the record first, then the newest backtests, then folders by name."""
    runs = [
        Source(f"backtest-{run.pk}", f"Backtest {run.pk}: {run.strategy}, {run.start} to {run.end}")
        for run in selected.traced_backtests()[:SHOWN]
    ]
    return [Source(RECORD, "The desk's own record"), *runs, *_folders()]


def _folders() -> list[Source]:
    top = root()
    if not top.is_dir():
        return []
    inside = sorted(each for each in top.iterdir() if each.is_dir() and tracefiles.candidates(each))
    return [Source(f"folder-{each.name}", f"Folder {each.name}") for each in inside][:SHOWN]


def table(source: str, strategy: str = "") -> tuple[Table, dict[str, Any] | None]:
    """Return the traces of a source, and what was read where it is files; NotFound for one that is not there."""
    if source == RECORD:
        return selected.recorded(strategy), None
    kind, _, name = source.partition("-")
    paths: list[str] = []
    if kind == "backtest" and name.isdecimal() and len(name) < 19:
        run = selected.traced_backtest(int(name))
        paths = list(run.telemetry["files"]) if run else []
    elif kind == "folder" and any(each.name == source for each in _folders()):
        paths = [str(root() / name)]
    if not paths:
        raise NotFound(f"there is no source of traces {source!r}", fix="look at the list of sources")
    try:
        found = trace_reading.load(paths, strategy or "both")
    except BadInput as error:
        raise NotFound(error.message, fix=error.fix) from None
    return found.table, found.told()


def read_ahead(*, at: dt.datetime) -> None:
    """Read the record and its chains before the first visitor asks for them: afterwards only what is new is read."""
    measured(RECORD, at=at)
    prediction_watch.checked(at=at)


class Kept(NamedTuple):
    """The record's traces as they were read: how many outcomes there were, the newest of them, and the measures."""

    outcomes: int
    newest: Newest | None
    traces: Table
    measures: dict[str, Any]


def _remembered(strategy: str) -> tuple[Table, dict[str, Any]]:
    """Return the record's traces and measures: those this process knew, and what was appended since.

    Records are only ever appended. Where the newest that was known is not there any more, or more is new than what
    comes after it, everything is read again.
    """
    place = (selected.database(), strategy)
    if len(_KNOWN) >= SHOWN:
        _KNOWN.clear()
    known = _KNOWN[place] = _followed(_KNOWN.get(place), strategy)
    return known.traces, known.measures


def _followed(known: Kept | None, strategy: str) -> Kept:
    newest = selected.newest_outcome()
    count = selected.count_outcomes(newest) if newest else 0
    if known is not None and (known.outcomes, known.newest) == (count, newest):
        return known
    found = (known and newest and _with_new(known, newest, count, strategy)) or selected.recorded(strategy, newest)
    return Kept(count, newest, found, accuracy.of(found))


def _with_new(known: Kept, newest: Newest, count: int, strategy: str) -> Table | None:
    """Return the traces that were known and those after them; None where that is not all there is."""
    more = selected.appended(known.newest, newest, strategy) if known.newest else None
    if more is None or known.outcomes + more.outcomes != count:
        return None
    return joined([more.traces, known.traces]).take(slice(selected.MOST))


def of(source: str, strategy: str = "", *, at: dt.datetime) -> dict[str, Any]:
    """Return everything that is said of a source's traces, for JSON; ``live``: the newest is minutes old."""
    return measured(source, strategy, at=at)[0]


def measured(source: str, strategy: str = "", *, at: dt.datetime) -> tuple[dict[str, Any], Table]:
    """Return what ``of`` does, and the traces themselves."""
    read = None
    if source == RECORD:
        found, measures = _remembered(strategy)
    else:
        found, read = table(source, strategy)
        measures = accuracy.of(found)
    last = float((found.ts + found.holding * 60.0).max()) if len(found) else None
    limit = settings.DESK.dashboard_live_threshold_minutes * 60
    closed = None if last is None else dt.datetime.fromtimestamp(last, dt.UTC)
    told = {
        "source": source, "strategy": strategy or None, "live": last is not None and 0 <= at.timestamp() - last < limit,
        "last_closed": closed, "read": read, **measures,
    }  # fmt: skip
    return told, found
