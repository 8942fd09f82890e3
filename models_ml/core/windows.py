"""Which stretches of days a batch trains on: windows that do not overlap, each with its label (US-024)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

SHORTEST = 3  # a rest shorter than a third of a window is left over: too little to train on

A_DAY = dt.timedelta(days=1)


class NoWindow(ValueError):
    """The days asked for hold no window."""

    bad_input = True


class Window(NamedTuple):
    """Calendar days ``start`` to ``end``, both included, of one symbol; ``label`` such as RELIANCE_2024Q1."""

    symbol: str
    start: dt.date
    end: dt.date
    label: str

    @property
    def days(self) -> int:
        """Return how many calendar days it spans."""
        return (self.end - self.start).days + 1


class Plan(NamedTuple):
    """The windows of a batch, oldest first, and the stretches of days that are too short to be one."""

    windows: tuple[Window, ...]
    left_over: tuple[Window, ...]


def quarter(start: dt.date, end: dt.date) -> str:
    """Return the calendar quarter that holds the middle of the days, such as 2024Q1.

    Windows of 90 days drift against the quarters, and the one from 31 March is a second quarter's in all but one day.
    """
    middle = start + (end - start) // 2
    return f"{middle.year}Q{(middle.month + 2) // 3}"


def tiled(symbol: str, start: dt.date, end: dt.date, days: int) -> Plan:
    """Return the windows of ``days`` calendar days from ``start`` on; NoWindow when not even one is long enough.

    What is left at the end is a window of its own from a third of ``days`` on, and left over below that.
    """
    _check(start, end, days)
    found = []
    first = start
    while first <= end:
        last = min(first + dt.timedelta(days=days - 1), end)
        found.append((first, last))
        first = last + A_DAY
    return _plan(symbol, found, days)


def trailing(symbol: str, newest: dt.date, trained: dt.date | None, days: int, *, first: dt.date) -> Plan:
    """Return the windows that hold days after ``trained``: tiles of ``days`` that end with ``newest``.

    A day by itself trains nothing, so the newest window reaches back over days that were trained on before; windows
    without a new day are not made. ``first`` is the first day there is; None for ``trained``: nothing was yet.
    """
    _check(min(first, newest), newest, days)
    since = first if trained is None else max(trained + A_DAY, first)
    found = []
    last = newest
    while last >= since:
        begin = max(last - dt.timedelta(days=days - 1), first)
        found.append((begin, last))
        last = begin - A_DAY
    return _plan(symbol, found[::-1], days)


def _check(start: dt.date, end: dt.date, days: int) -> None:
    if days < SHORTEST:
        raise NoWindow(f"a window of {days} days is too short: give --window-days {SHORTEST} or more")
    if start > end:
        raise NoWindow(f"the start {start} lies after the end {end}: swap --start-date and --end-date")


def _plan(symbol: str, spans: list[tuple[dt.date, dt.date]], days: int) -> Plan:
    long: list[Window] = []
    short: list[Window] = []
    names: dict[str, int] = {}
    for start, end in spans:
        name = f"{symbol}_{quarter(start, end)}"
        enough = SHORTEST * ((end - start).days + 1) >= days
        if enough:
            names[name] = names.get(name, 0) + 1
        again = names.get(name, 0)
        told = name if again <= 1 or not enough else f"{name}_{again}"
        (long if enough else short).append(Window(symbol, start, end, told))
    return Plan(tuple(long), tuple(short))
