"""Numbers a busy process wants remembered, taken down in memory in about a microsecond and written by somebody else.

``record`` never touches a database and never waits for one: it adds to the ten-second slot of its name. Whoever keeps
them calls ``drain`` now and then; when nobody does, the oldest slots are forgotten and counted in ``lost``.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

from sensequant.lib.sketch import LOG
from sensequant.lib.stats import Stats

WIDTH = 10.0  # seconds of a slot
MOST = 20_000  # slots kept while nobody drains


@dataclass(frozen=True, slots=True)
class Slot:
    """The numbers of one name over ten seconds; ``age`` is how many seconds ago they began."""

    name: str
    age: float
    stats: Stats


@dataclass(slots=True)
class Recorder:
    """The slots of one process; safe to use from several threads."""

    most: int = MOST
    lost: int = 0  # slots forgotten because nobody drained
    _slots: dict[tuple[str, int], Stats] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, name: str, value: float) -> None:
        """Take down one value; what is not a finite number is left out."""
        if not math.isfinite(value):
            return
        size = abs(value)
        kind = "z" if size < 1e-9 else f"{'p' if value > 0 else 'n'}{math.ceil(math.log(size) / LOG)}"
        moment = time.monotonic()
        with self._lock:
            slot = self._slots.get((name, int(moment // WIDTH)))
            if slot is None:
                slot = self._open(name, int(moment // WIDTH))
            slot.low = min(slot.low, value)
            slot.high = max(slot.high, value)
            slot.total += value
            slot.count += 1
            slot.last, slot.last_at = value, moment
            slot.counts[kind] = slot.counts.get(kind, 0) + 1

    def drain(self) -> list[Slot]:
        """Return every slot, the one still open included, and forget them: two parts of a slot add up."""
        with self._lock:
            taken, self._slots = self._slots, {}
        now = time.monotonic()
        return [Slot(name, now - number * WIDTH, stats) for (name, number), stats in taken.items()]

    def _open(self, name: str, number: int) -> Stats:
        if len(self._slots) >= self.most:
            del self._slots[next(iter(self._slots))]
            self.lost += 1
        found = self._slots[(name, number)] = Stats()
        return found


mine = Recorder()
record, drain = mine.record, mine.drain
