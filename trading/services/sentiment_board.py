"""The newest sentiment of each symbol in memory, for engines that must never wait: reading it takes no lock, no query.

A thread beside the engine loads it from the rows; ``value`` answers for a bar's end exactly as a replay of that bar
would, as long as the board was loaded since.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
from collections.abc import Iterable
from types import MappingProxyType

from trading.services import news_history

Points = tuple[tuple[int, ...], tuple[float, ...]]  # from when each counts (seconds UTC), and its value


class Board:
    """Each symbol's news of the last day."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._known: MappingProxyType[str, Points] = MappingProxyType({})

    def load(self, symbols: Iterable[str], *, at: dt.datetime) -> None:
        """Replace what is shown of ``symbols`` by what the rows and files say at ``at``; others stay as they are."""
        last = math.ceil((at + 2 * news_history.SETTLED).timestamp())
        fresh = dict(self._known)
        for symbol in symbols:
            news = news_history.between(symbol, last - 2 * news_history.MEMORY, last)
            fresh[symbol] = (tuple(when for when, _ in news), tuple(value for _, value in news))
        self._known = MappingProxyType(fresh)

    def value(self, symbol: str, end: float) -> float:
        """Return the sentiment known at ``end`` (seconds UTC), −1 … 1; NaN when nothing is."""
        points = self._known.get(symbol)
        if points is None:
            return math.nan
        k = bisect.bisect_right(points[0], end) - 1
        return points[1][k] if k >= 0 and end - points[0][k] <= news_history.MEMORY else math.nan


BOARD = Board()
"""The process's own."""
