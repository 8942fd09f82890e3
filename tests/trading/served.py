"""A broker's history in memory, real bars in real answers, for stories about fetching."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache

import numpy as np

from sensequant.lib.errors import NotFound
from trading.adapters.breeze.errors import SessionLost
from trading.core.bars import INTERVALS, Bars, empty
from trading.core.calendar import IST, NSE
from trading.core.chunks import MOST, expected
from trading.services.fetch_calls import Line

CODES = {"RELIANCE": "RELIND", "TCS": "TCS", "INFY": "INFTEC"}
LEVELS = {"RELIND": 2500.0, "TCS": 3600.0, "INFTEC": 1500.0}
FIRST, UNTIL = dt.date(2022, 12, 1), dt.date(2024, 3, 28)


def made(code: str, unit: str, first: dt.date = FIRST, last: dt.date = UNTIL, segment: str = "equity") -> Bars:
    """Return every bar of the sessions, prices on the paise; yours to change."""
    return Bars(*(column.copy() for column in _made(code, unit, first, last, segment).columns()))


@cache
def _made(code: str, unit: str, first: dt.date, last: dt.date, segment: str) -> Bars:
    ts = expected(NSE.sessions(first, last, segment), INTERVALS[unit])
    rng = np.random.default_rng([sum(map(ord, code)), INTERVALS[unit]])
    day = 0.008 if unit == "1day" else 0.0004
    close = np.round(LEVELS[code] * np.exp(np.cumsum(rng.normal(0, day, ts.size)) * 0.5), 2)
    opens = np.append(LEVELS[code], close)[: ts.size]
    high, low = np.maximum(opens, close) + 0.05, np.minimum(opens, close) - 0.05
    return Bars(ts, opens, high, low, close, rng.integers(100, 10**6, ts.size).astype(float))


class Served:
    """``MarketData`` that answers as Breeze does: at most 1,000 candles, nothing for a code it does not know.

    ``troubles`` are called before each answer with the number of the call and may raise; ``spoil`` may change it.
    """

    def __init__(self, known: dict[tuple[str, str], Bars] | None = None) -> None:
        self.known = known if known is not None else {}
        self.asked: list[tuple[str, str, dt.datetime, dt.datetime]] = []
        self.troubles: list[Callable[[int], None]] = []
        self.spoil: Callable[[Bars], Bars] = lambda bars: bars
        self.logged_in = True
        self.lost: list[str] = []

    def history(self, code: str, interval: str, start: dt.datetime, end: dt.datetime) -> Bars:
        """Return one answer."""
        self.asked.append((code, interval, start, end))
        for trouble in self.troubles:
            trouble(len(self.asked))
        whole = self.known.get((code, interval))
        if whole is None:
            whole = self.known[code, interval] = made(code, interval) if code in LEVELS else empty()
        return self.spoil(whole.between(int(start.timestamp()), int(end.timestamp()) + 1).until(MOST))

    def quote(self, code: str):  # pragma: no cover - nobody asks
        raise NotImplementedError

    def line(self) -> Line:
        return Line(self._data, self._code, self.lost.append)

    def _data(self) -> Served:
        if not self.logged_in:
            raise SessionLost("there is no session at the broker", fix="log in")
        return self

    def _code(self, symbol: str) -> str:
        if symbol not in CODES:
            raise NotFound(f"{symbol} is not a symbol NSE lists", fix="did you mean RELIANCE?")
        return CODES[symbol]


def failing(error: Callable[[], Exception], *calls: int) -> Callable[[int], None]:
    """Return a trouble that raises at the calls of these numbers (none: at every call)."""

    def trouble(number: int) -> None:
        if not calls or number in calls:
            raise error()

    return trouble


def between(bars: Bars, first: dt.date, last: dt.date) -> Bars:
    """Return the bars of the days from ``first`` to ``last``."""
    begin, end = (int(dt.datetime.combine(day, dt.time(), IST).timestamp()) for day in (first, last))
    return bars.between(begin, end + 86_400)


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one.columns(), other.columns(), strict=True))


def without(bars: Bars, *starts: dt.datetime) -> Bars:
    """Return the bars but for those that start at these moments."""
    good = ~np.isin(bars.ts, [int(start.timestamp()) for start in starts])
    return Bars(*(column[good] for column in bars.columns()))
