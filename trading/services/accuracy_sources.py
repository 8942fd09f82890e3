"""Where accuracy can be measured: the desk's own record, traced backtests, and folders of traces."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from django.conf import settings

from sensequant.lib.errors import BadInput, NotFound
from trading.adapters import tracefiles
from trading.core.trace_table import Table
from trading.selectors import accuracy as selected
from trading.services import accuracy, trace_reading
from trading.services.telemetry import root

RECORD = "record"
SHOWN = 50
_KNOWN: dict[str, tuple[tuple[Any, ...], tuple[Table, dict[str, Any] | None, dict[str, Any]]]] = {}
"""Strategy to the newest record known when its measures were worked out, and the measures."""


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


def _measures(found: Table, read: dict[str, Any] | None) -> tuple[Table, dict[str, Any] | None, dict[str, Any]]:
    return found, read, accuracy.of(found)


def _remembered(strategy: str) -> tuple[Table, dict[str, Any] | None, dict[str, Any]]:
    """Return the record's traces and measures; as long as nothing was appended, those this process worked out before.

    Records are only ever appended, so the newest one's number says whether there is anything new.
    """
    newest = selected.newest_outcome()
    known = _KNOWN.get(strategy)
    if known is None or known[0] != newest:
        if len(_KNOWN) >= SHOWN:
            _KNOWN.clear()
        known = _KNOWN[strategy] = (newest, _measures(*table(RECORD, strategy)))
    return known[1]


def of(source: str, strategy: str = "", *, at: dt.datetime) -> dict[str, Any]:
    """Return everything that is said of a source's traces, for JSON; ``live``: the newest is minutes old."""
    return measured(source, strategy, at=at)[0]


def measured(source: str, strategy: str = "", *, at: dt.datetime) -> tuple[dict[str, Any], Table]:
    """Return what ``of`` does, and the traces themselves."""
    found, read, measures = _remembered(strategy) if source == RECORD else _measures(*table(source, strategy))
    last = float((found.ts + found.holding * 60.0).max()) if len(found) else None
    limit = settings.DESK.dashboard_live_threshold_minutes * 60
    closed = None if last is None else dt.datetime.fromtimestamp(last, dt.UTC)
    told = {
        "source": source, "strategy": strategy or None, "live": last is not None and 0 <= at.timestamp() - last < limit,
        "last_closed": closed, "read": read, **measures,
    }  # fmt: skip
    return told, found
