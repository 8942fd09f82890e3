"""Scores at hand: fresh for a time of their own, the least recently used making room, counted by provider."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Final, NamedTuple

from trading.core.hybrid import Part

SIZE: Final = 1_000


class Entry(NamedTuple):
    """What a provider said of a symbol (None: it had nothing to say), and until when (seconds UTC) that is fresh."""

    part: Part | None
    at: float
    expires: float


class ScoreCache:
    """At most ``size`` entries by (provider, symbol); safe to share between threads.

    An entry that has expired is no hit, but stays as a last resort until it is cleaned away.
    """

    def __init__(self, size: int = SIZE) -> None:
        """Begin empty."""
        self.size = size
        self.hits: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        self.evictions = 0
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        """Return the number of entries, expired ones included."""
        return len(self._entries)

    def get(self, provider: str, symbol: str, now: float) -> Entry | None:
        """Return the entry while it is fresh; None otherwise. Both are counted."""
        with self._turn:
            entry = self._entries.get((provider, symbol))
            if entry is None or not entry.at <= now < entry.expires:
                self.misses[provider] += 1
                return None
            self._entries.move_to_end((provider, symbol))
            self.hits[provider] += 1
            return entry

    def last(self, provider: str, symbol: str) -> Entry | None:
        """Return the entry, fresh or not, and count nothing."""
        return self._entries.get((provider, symbol))

    def put(self, provider: str, symbol: str, entry: Entry) -> None:
        """Keep an entry; the least recently used one makes room."""
        with self._turn:
            self._entries[provider, symbol] = entry
            self._entries.move_to_end((provider, symbol))
            while len(self._entries) > self.size:
                self._entries.popitem(last=False)
                self.evictions += 1

    def cleanup(self, now: float, keep: float = 0.0) -> int:
        """Drop what expired more than ``keep`` seconds ago, and return how many entries that were."""
        with self._turn:
            gone = [key for key, entry in self._entries.items() if entry.expires + keep <= now]
            for key in gone:
                del self._entries[key]
        return len(gone)

    def counted(self) -> dict[str, tuple[int, int]]:
        """Return the hits and misses of each provider since the last time, and begin counting anew."""
        with self._turn:
            names = self.hits.keys() | self.misses.keys()
            found = {name: (self.hits[name], self.misses[name]) for name in names}
            self.hits.clear()
            self.misses.clear()
        return found
