"""Which days' snapshots are wanted, and which of them are there already."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from trading.core.snapshot_lines import SUFFIX, SnapshotLine, ends
from trading.services import news_history, snapshot_states

SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9&_-]{0,31}")
COMPLETED: Final = dt.timedelta(days=3)  # a day that was fetched too early is completed this long
FIRST: Final = dt.date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, checked; days are IST and both included."""

    symbols: tuple[str, ...]
    start: dt.date
    end: dt.date
    providers: tuple[str, ...]
    folder: str
    incremental: bool = False
    lookback: int = 30
    force: bool = False
    dryrun: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One day of one symbol; ``before`` is what it completes."""

    symbol: str
    day: dt.date
    there: bool = False
    before: SnapshotLine | None = None


def ask(  # noqa: PLR0913 - the doors give them one by one
    *, symbols: Sequence[str] = (), start: dt.date | None = None, end: dt.date | None = None,
    providers: Sequence[str] = (), folder: str = "", incremental: bool = False, lookback: int | None = None,
    force: bool = False, dryrun: bool = False, at: dt.datetime,
) -> Asked:  # fmt: skip
    """Return the request with the settings' answers to what it leaves open; BadInput names what is wrong with it."""
    desk, today = settings.DESK, at.astimezone(IST).date()
    names = tuple(dict.fromkeys(word.strip().upper() for word in symbols if word.strip())) or desk.symbols
    if bad := [name for name in names if not SYMBOL.fullmatch(name)]:
        raise BadInput(f"{bad[0]!r} is not an NSE symbol", fix="write it as RELIANCE or M&M")
    wanted = tuple(dict.fromkeys(providers)) or desk.sentiment_snapshot_providers
    back = desk.incremental_lookback_days if lookback is None else lookback
    if not 1 <= back <= 365:
        raise BadInput(f"a lookback of {back} days cannot be used", fix="give 1 to 365")
    first, last = _span(start, end, today, back)
    where = Path(folder).absolute() if folder else paths.resolve(desk.sentiment_snapshot_output_dir)
    if incremental and start is not None:
        raise BadInput("--incremental goes on from the last day fetched, not from --start-date", fix="leave one out")
    _usable(wanted, dryrun=dryrun)
    return Asked(names, first, last, wanted, str(where), incremental, back, force, dryrun)


def _span(start: dt.date | None, end: dt.date | None, today: dt.date, back: int) -> tuple[dt.date, dt.date]:
    last = end or today
    first = start or last - dt.timedelta(days=back - 1)
    if first > last:
        raise BadInput(f"the start {first} lies after the end {last}", fix="swap --start-date and --end-date")
    if last > today:
        raise BadInput(f"the end {last} lies in the future", fix=f"use a date up to {today}")
    if first < FIRST:
        raise BadInput(f"the start {first} lies before {FIRST}", fix="no provider goes back that far")
    return first, last


def _usable(providers: Sequence[str], *, dryrun: bool) -> None:
    """Refuse providers that have no key; a dry run asks nobody."""
    desk = settings.DESK
    keys = {
        "newsapi": ("SENTIMENT_NEWSAPI_API_KEY", desk.sentiment_newsapi_api_key),
        "twitter": ("SENTIMENT_TWITTER_BEARER_TOKEN", desk.sentiment_twitter_bearer_token),
        "stub": ("", "none"),
    }
    for name in providers:
        if name not in keys:
            raise BadInput(f"there is no provider {name!r}", fix=f"use {', '.join(keys)}")
        setting, key = keys[name]
        if not key and not dryrun:
            raise BadInput(f"{name} has no key", fix=f"set {setting}, or use --dryrun")


def tasks(asked: Asked, *, at: dt.datetime) -> list[Task]:
    """Return every day of every symbol, oldest first; an incremental run begins after a symbol's last whole day."""
    found = []
    for symbol in asked.symbols:
        first = asked.start
        if asked.incremental:
            last = snapshot_states.last_whole(symbol, Path(asked.folder), since=asked.start)
            first = last + dt.timedelta(days=1) if last else first
        days = (asked.end - first).days + 1
        found += [_task(asked, symbol, first + dt.timedelta(days=k), at) for k in range(max(0, days))]
    return found


def _task(asked: Asked, symbol: str, day: dt.date, at: dt.datetime) -> Task:
    line = news_history.read(Path(asked.folder) / symbol / f"{day.isoformat()}{SUFFIX}")
    if line is None:
        return Task(symbol, day)
    if asked.dryrun:  # what is there is never given up for a mock
        return Task(symbol, day, there=not (line.mock and asked.force))
    if asked.force or line.mock:
        return Task(symbol, day)
    completes = not line.complete and ends(day) <= at < ends(day) + COMPLETED
    return Task(symbol, day, there=not completes, before=line if completes else None)
