"""Ticks become bars: each lane's session in buckets counted from its open, whatever order the ticks come in.

A bucket is folded so that order does not matter: the first and last trade are told by time, then by the day's volume,
then by arrival. A bar's volume is what the day's volume grew by; that of the day's first bar counts from nought. A
bucket is closed once and never changes: what comes later is counted as late. A bar that overlaps an outage of the
stream, or holds the first trade known after one, is not whole: what it lacks can only come from history.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate
from typing import Final, NamedTuple

from trading.core.errors import Invalid
from trading.core.ticks import NAN, Outage, Tick, known

Window = tuple[int, int]
Key = tuple[int, float, int]
State = tuple[int, float, float]

IST_OFFSET: Final = 19_800
DAY: Final = 86_400
BELIEVED: Final = 5  # ticks in a row with a smaller volume of the day, after which it is the larger that was wrong
REMEMBERED: Final = 64  # trades of a lane that are known again when they are repeated
CORRECTED: Final = 20  # ticks in a row with another previous close and a price so near (a share of it) that it is ours
NEAR: Final = 0.01
TIMED: Final = 20  # newest trades that tell how far the stream lags behind the market
AHEAD: Final = 300  # seconds the exchange's time may be ahead of ours before it is taken for a mistake


class Verdict(StrEnum):
    """What a tick was: a trade that counts, one already known, or why it does not count."""

    TRADE = "trade"
    QUOTE = "quote"  # the newest trade told again, with other offers
    LATE = "late"  # its bar is closed
    REGRESSED = "regressed"  # later, and yet with less volume: told by a stale source
    STRANGE = "strange"  # another previous close: a different share told under this one's name
    OUTSIDE = "outside"  # no continuous trading then: an auction, another day
    AHEAD = "ahead"  # its time has not come yet


DOUBTFUL: Final = frozenset({Verdict.REGRESSED, Verdict.STRANGE})


class TickBar(NamedTuple):
    """A closed bar: ``start`` seconds UTC, rupees, shares (NaN when unknown), how many trades were seen."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    ticks: int


class Closed(NamedTuple):
    """What a closed bucket came to: its bar, None without a trade; not ``whole`` when something may be missing."""

    bar: TickBar | None
    whole: bool


class _Bucket:
    """An open bar."""

    __slots__ = ("broken", "close", "first", "high", "last", "low", "open", "ticks", "untold", "volume")

    def __init__(self, key: Key, price: float) -> None:
        self.first = self.last = key
        self.open = self.close = self.high = self.low = price
        self.volume, self.ticks, self.broken, self.untold = -1.0, 0, False, False

    def fold(self, key: Key, price: float) -> None:
        if key < self.first:
            self.first, self.open = key, price
        if key >= self.last:
            self.last, self.close = key, price
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.volume = max(self.volume, key[1])
        self.untold |= key[1] < 0
        self.ticks += 1


class Book:
    """One lane's session: ``windows`` are its continuous stretches as (start, end) in seconds UTC."""

    def __init__(self, windows: Sequence[Window], seconds: int) -> None:
        """Make bars of ``seconds``, counted from the first window's start."""
        self.windows, self.seconds = tuple(windows), seconds
        self.origin, self.end = windows[0][0], windows[-1][1]
        self.midnight = self.origin - (self.origin + IST_OFFSET) % DAY
        self.open: dict[int, _Bucket] = {}
        self.closed_until = self.origin  # every bucket that starts before this is closed
        self.watermark = 0  # the newest time of a trade
        self.volume = 0.0  # of the day, up to the last closed bar
        self.late: Counter[int] = Counter()  # per bar, until it is asked for
        self.outages: list[Outage] = []
        self._newest: State = (0, -1.0, 0.0)
        self._recent: deque[State] = deque(maxlen=REMEMBERED)
        self._peak: tuple[int, float] = (0, -1.0)  # the largest volume of the day, and the first time of it
        self._contrary = 0
        self._previous_close = NAN
        self._odd = 0  # ticks in a row with another previous close
        self._sure = True  # whether the volume before the next trade is known
        self._unsure_until = -1  # the last bucket in which it was not
        self._doubted: set[int] = set()

    def starts(self) -> list[int]:
        """Return the start of every bar the session can have, oldest first."""
        return sorted({k for a, b in self.windows for k in range(self.bucket(a), b, self.seconds)})

    def bucket(self, ts: int) -> int:
        """Return the start of the bar that ``ts`` lies in."""
        return ts - (ts - self.origin) % self.seconds

    def end_of(self, start: int) -> int:
        """Return when the bar that begins at ``start`` is over."""
        return min(start + self.seconds, self.end)

    def missed(self, outage: Outage) -> None:
        """Take note of an outage; one that was over before the open is none."""
        if outage.until > self.origin and outage.since < self.end:
            self.outages = [each for each in self.outages if each.began != outage.began] + [outage]
            self._sure = False

    def torn(self, start: int) -> bool:
        """Say whether the bar that begins at ``start`` overlaps an outage."""
        return any(outage.since < self.end_of(start) and outage.until > start for outage in self.outages)

    def add(self, tick: Tick) -> Verdict:
        """Take a tick in, in whatever order it comes."""
        if tick.ts < self.midnight:
            return Verdict.OUTSIDE
        if self._strange(tick):
            return Verdict.STRANGE
        state = (tick.ts, known(tick.volume_today), tick.price)
        if state == self._newest or state in self._recent:
            self._settle(tick, None)
            return Verdict.QUOTE
        if self._regressed(tick):
            return Verdict.REGRESSED
        self._recent.append(state)
        self._newest = max(self._newest, state)
        self.watermark = max(self.watermark, tick.ts)
        return self._place(tick, (*state[:2], tick.seq))

    def _place(self, tick: Tick, key: Key) -> Verdict:
        """Put a new trade where it belongs."""
        start = self.bucket(tick.ts)
        if not any(a <= tick.ts < b for a, b in self.windows):
            self._settle(tick, None)
            return Verdict.OUTSIDE
        if start < self.closed_until:
            self.volume = max(self.volume, key[1])  # its shares belong to a closed bar, not to the next
            self._settle(tick, None)
            self.late[start] += 1
            return Verdict.LATE
        bucket = self.open.get(start)
        if bucket is None:
            bucket = self.open[start] = _Bucket(key, tick.price)
        bucket.fold(key, tick.price)
        self._settle(tick, start)
        bucket.broken |= start <= self._unsure_until
        return Verdict.TRADE

    def doubt(self, clock: float) -> None:
        """Let the bar of the moment count as not whole: a message of it could not be used."""
        self._doubted |= {self.bucket(int(clock)), self.bucket(self.watermark)}

    def _settle(self, tick: Tick, start: int | None) -> None:
        """After an outage, let the first tick that came after it say what the volume of the day is."""
        if self._sure:
            return
        if start is not None:
            self._unsure_until = max(self._unsure_until, start)
        if all(tick.received >= outage.ended for outage in self.outages):
            self._sure = True

    def _strange(self, tick: Tick) -> bool:
        """Say whether the tick is of another share: its previous close is not ours, and was not merely corrected."""
        close, ours = tick.previous_close, self._previous_close
        if close != close or close == ours:
            self._odd = 0
            return False
        if ours != ours or tick.ts < self.origin:
            self._previous_close = close
            return False
        self._odd += 1
        newest = self._newest[2]
        if self._odd < CORRECTED or abs(tick.price - newest) > NEAR * newest:
            return True
        self._previous_close, self._odd = close, 0
        return False

    def _regressed(self, tick: Tick) -> bool:
        """Say whether the tick contradicts the largest volume of the day known, until it is contradicted often."""
        ts, volume = tick.ts, tick.volume_today
        if volume != volume:
            return False
        if volume >= self._peak[1]:
            self._peak = (min(ts, self._peak[0]) if volume == self._peak[1] else ts, volume)
            self._contrary = 0
            return False
        if ts <= self._peak[0]:
            return False  # merely out of order
        self._contrary += 1
        if self._contrary < BELIEVED:
            return True
        self._peak, self._contrary, self._sure, self.volume = (ts, volume), 0, False, min(self.volume, volume)
        for start, bucket in self.open.items():
            bucket.volume, bucket.broken = min(bucket.volume, volume), True
            self._unsure_until = max(self._unsure_until, start)
        return False

    def close(self, start: int) -> Closed:
        """Close the bar that begins at ``start``; the bars before it must be closed."""
        self.closed_until = max(self.closed_until, start + self.seconds)
        bucket = self.open.pop(start, None)
        torn = self.torn(start) or start in self._doubted
        if bucket is None:
            return Closed(None, not torn)
        # what was traded before a broken bar's first trade is not known, so neither is its own share of the growth
        volume = bucket.volume - self.volume if bucket.volume >= 0 and not bucket.broken else NAN
        self.volume = max(self.volume, bucket.volume)
        untold = bucket.untold and self._peak[1] >= 0  # the day's volume is known, and some trades did not tell it
        if untold:
            self._doubt_next()
        prices = (bucket.open, bucket.high, bucket.low, bucket.close)
        bar = TickBar(start, *prices, volume if volume >= 0 else NAN, bucket.ticks)
        return Closed(bar, not (torn or bucket.broken or untold))

    def _doubt_next(self) -> None:
        """Let the next bar with a trade count as not whole: its growth is not all its own."""
        if self.open:
            self.open[min(self.open)].broken = True
        else:
            self._sure = False


class Pace(NamedTuple):
    """How long a moment waits, in seconds of this machine.

    ``hold`` after every lane has traded in a later bar, for trades overtaken on their way; ``grace`` after its end by
    the clock; ``quiet`` when nothing at all was heard since its end, after which it is not whole.
    """

    hold: float = 0.1
    grace: float = 2.0
    quiet: float = 30.0


USUAL: Final = Pace()


class Aggregator:
    """The sessions of several lanes, closed moment by moment, all lanes of a moment at once.

    It reads no clock: ``clock`` is the market's time in seconds UTC, ``mono`` this machine's monotonic one.
    """

    def __init__(self, windows: Sequence[Sequence[Window]], minutes: int, pace: Pace = USUAL) -> None:
        """Make bars of ``minutes`` for one lane per entry of ``windows``; a lane with no window stays empty."""
        if minutes not in (1, 5, 15):
            raise Invalid(f"ticks become bars of 1, 5 or 15 minutes, not of {minutes}")
        self.pace, self.seconds = pace, minutes * 60
        self.books = {lane: Book(each, self.seconds) for lane, each in enumerate(windows) if each}
        self._trading: tuple[int, dict[int, Book]] = (-1, {})
        self._grids = {lane: frozenset(book.starts()) for lane, book in self.books.items()}
        self.grid = sorted(frozenset().union(*self._grids.values()))
        ends = (max(book.end_of(k) for book in self._at(k).values()) for k in self.grid)
        self.ends = list(accumulate(ends, max))
        self.next = 0  # the first moment that is not closed
        self.passed: list[float] = []  # when (mono) each moment's end was first seen to be over
        self._crossed: float | None = None  # since when every lane has traded beyond the next moment
        self._lags: deque[float] = deque(maxlen=TIMED)

    def _at(self, start: int) -> dict[int, Book]:
        """Return the books of the lanes that trade then; those of the newest question are remembered."""
        if self._trading[0] != start:
            self._trading = (start, {lane: book for lane, book in self.books.items() if start in self._grids[lane]})
        return self._trading[1]

    @property
    def head(self) -> int | None:
        """Return the start of the next moment to be closed; None when the day is done."""
        return self.grid[self.next] if self.next < len(self.grid) else None

    def add(self, lane: int, tick: Tick, clock: float) -> Verdict:
        """Take a lane's tick in."""
        book = self.books.get(lane)
        if book is None:
            return Verdict.OUTSIDE
        verdict = Verdict.AHEAD if tick.ts > clock + AHEAD else book.add(tick)
        if verdict is Verdict.TRADE:
            self._lags.append(clock - tick.ts)
        elif verdict in DOUBTFUL:
            book.doubt(clock)
        return verdict

    @property
    def lag(self) -> float:
        """Return by how many market seconds the newest trades come late at least; 0 before the first."""
        return min(self._lags, default=0.0)

    def missed(self, outage: Outage) -> None:
        """Take note of an outage in the stream."""
        for book in self.books.values():
            book.missed(outage)

    def look(self, clock: float, mono: float) -> None:
        """Take note of what time it is."""
        over = bisect_right(self.ends, clock)
        self.passed += [mono] * (over - len(self.passed))

    def due(self, mono: float, heard: float) -> bool:
        """Say whether the next moment can be closed; ``heard`` is when (mono) the stream's newest message came."""
        if self.next >= len(self.grid):
            return False
        if self._overtaken(mono):
            return True
        if self.next >= len(self.passed):
            return False
        start = self.grid[self.next]
        waited = mono - self.passed[self.next]
        if all(book.torn(start) for book in self._at(start).values()):  # it can only come from history
            return waited >= self.pace.grace or self.next + 1 < len(self.passed)
        return waited >= self.pace.grace and (self._heard(heard) or waited >= self.pace.quiet)

    def close(self, heard: float) -> dict[int, Closed]:
        """Close the next moment and return what each lane that trades then came to."""
        start = self.grid[self.next]
        sure = self._crossed is not None or self._heard(heard)
        found = {lane: book.close(start) for lane, book in self._at(start).items()}
        self.next += 1
        self._crossed = None
        return found if sure else {lane: Closed(each.bar, whole=False) for lane, each in found.items()}

    def _overtaken(self, mono: float) -> bool:
        end = self.ends[self.next]
        for book in self._at(self.grid[self.next]).values():
            if book.watermark < end:
                return False
        if self._crossed is None:
            self._crossed = mono
        return mono - self._crossed >= self.pace.hold

    def _heard(self, heard: float) -> bool:
        """Say whether the stream has lived beyond the next moment's end; after the last one, nothing need come.

        A message that came after the end says so, unless messages come late: then a trade after the end must.
        """
        end = self.ends[self.next]
        if any(book.watermark >= end for book in self.books.values()):
            return True
        if self.lag > self.pace.grace:
            return False
        last = self.next + 1 == len(self.grid) or self.grid[self.next + 1] > end
        return last or (self.next < len(self.passed) and heard >= self.passed[self.next])
