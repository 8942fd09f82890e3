"""One live session in the making: ticks go in, moments come out, each with the bars of all its lanes.

A moment is given out when every lane of it is settled: by its ticks, when the stream missed nothing of it; by history,
when it did; as nothing, when history knows later bars and not this one. What history does not give in time goes out as
the ticks made it (``partial``), and a bar nobody knows anything of is given up and said so. A bar that was given out is
never changed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from django.conf import settings

from trading.core.calendar import Session
from trading.core.features import Bar
from trading.core.freshness import Freshness
from trading.core.tick_bars import Aggregator, Closed, Pace, TickBar, Verdict
from trading.core.ticks import BROKEN, INF, Outage, Received, Tick, in_order, read, token_of
from trading.services.filling import Answer, Filler, Question
from trading.services.stream_bars import Kept, kept

WAIT: Final = "wait"
VERIFY: Final = 300  # market seconds after which history is asked again whether a silent share trades
NO_NEWS: Final = frozenset({Verdict.REGRESSED, Verdict.STRANGE, Verdict.AHEAD})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds of this machine's clock, however fast the market's clock runs.

    ``pace``: how long a moment waits for its ticks. ``stale``: the age of a lane's news that blocks it. ``partial`` and
    ``missing``: how long a moment waits for history when the ticks made a part of a bar, or nothing of it.
    """

    pace: Pace = field(default_factory=lambda: Pace(grace=settings.DESK.feed_grace_seconds))
    stale: float = field(default_factory=lambda: settings.DESK.feed_stale_seconds)
    partial: float = 5.0
    missing: float = 20.0


@dataclass(slots=True)
class Lane:
    """What one lane has had of the day, beside its ticks."""

    symbol: str
    session: Session | None
    kept: dict[int, Kept] = field(default_factory=dict)  # given out, by start
    settled: int = 0  # everything that starts up to here was settled in an earlier life
    history: dict[int, Kept] = field(default_factory=dict)  # what history said, by start
    reached: int = 0  # the newest start history has told of
    answered: int = 0  # history was asked up to this start, and answered
    hopeless: int = 0  # history was asked up to this start, and will never know
    why: str = ""  # what history last failed of
    doubtful: dict[int, Kept] = field(default_factory=dict)  # given out in doubt, not compared with history yet
    verified: int = 0  # the newest bar without a trade that history was asked about because the lane was silent
    deaf: Outage | None = None  # since when the stream lacks this lane alone
    told: set[int] = field(default_factory=set)  # starts of bars said to be missing

    def bar(self, row: Kept, minutes: int) -> Bar:
        """Return a bar with its place in the session."""
        assert self.session is not None  # noqa: S101 - a lane without a session has no bars
        opened, closed = int(self.session.open.timestamp()), int(self.session.close.timestamp())
        left = max(closed - row.start - 60 * minutes, 0) // 60
        place = (self.session.date.toordinal(), (row.start - opened) // 60, left, row.start)
        return Bar(*row[1:6], math.nan, *place)


class LiveDay:
    """The lanes' session of one day; ``mono`` is this machine's clock, ``clock`` the market's in seconds UTC."""

    def __init__(
        self, lanes: Sequence[Lane], tokens: Sequence[str], minutes: int, patience: Patience, filler: Filler
    ) -> None:
        """Begin the day with what the lanes have had of it."""
        self.lanes, self.minutes, self.patience, self.filler = list(lanes), minutes, patience, filler
        self.lane_of = {token: lane for lane, token in enumerate(tokens)}
        windows = [_windows(each.session) for each in lanes]
        self.aggregator = Aggregator(windows, minutes, patience.pace)
        self.fresh = Freshness(windows, patience.stale)
        self.refused: Counter[str] = Counter()  # messages that were no ticks, by their reason
        self.verdicts: Counter[Verdict] = Counter()
        self.missing: list[tuple[int, int, str]] = []  # (lane, start, why) of bars that were given up
        self.differing: list[tuple[int, Kept, Kept]] = []  # (lane, given out, what history says)
        self.deaf: list[int] = []  # lanes whose room should be joined again
        self.lost = True  # whether the stream may be missing something now
        self._outages: tuple[Outage, ...] | None = None
        self._recovered = -INF  # when (mono) the stream was last back
        self._answered_at = -INF
        self._holding: tuple[int, float, dict[int, Closed]] | None = None

    @property
    def over(self) -> bool:
        """Say whether every moment of the day was given out."""
        return self._holding is None and self.aggregator.head is None

    @property
    def due(self) -> int:
        """Return when (seconds UTC) the moment that is next given out is over."""
        return self.aggregator.ends[self.aggregator.next - bool(self._holding)]

    def take(self, quotes: Iterable[Received], clock: float) -> list[tuple[int, Tick]]:
        """Take raw quotes in and return those that are news, with their lanes, in the exchange's order."""
        news = []
        for tick in in_order(self._parsed(quotes, clock)):
            lane = self.lane_of.get(tick.token)
            if lane is None:
                self.refused["token"] += 1
                continue
            self._hears_again(lane, tick, clock)
            verdict = self.aggregator.add(lane, tick, clock)
            self.verdicts[verdict] += 1
            if verdict not in NO_NEWS and self.fresh.see(lane, tick):
                news.append((lane, tick))
        return news

    def _hears_again(self, number: int, tick: Tick, clock: float) -> None:
        """Let a lane's own outage be over with its first tick."""
        lane = self.lanes[number]
        if lane.deaf is not None:
            self.aggregator.books[number].missed(lane.deaf._replace(until=clock, ended=tick.received))
            lane.deaf = None

    def _parsed(self, quotes: Iterable[Received], clock: float) -> Iterator[Tick]:
        """Yield the ticks of raw quotes; a message of a lane that is none makes the lane's bar doubtful."""
        for quote in quotes:
            found = read(quote)
            if isinstance(found, Tick):
                yield found
                continue
            self.refused[found] += 1
            lane = self.lane_of.get(token_of(quote.raw[0])) if found in BROKEN else None
            if lane in self.aggregator.books:
                self.aggregator.books[lane].doubt(clock)

    def look(self, clock: float, mono: float) -> None:
        """Take note of what time it is."""
        self.aggregator.look(clock, mono)
        self.fresh.look(clock, mono)

    def missed(self, outages: Sequence[Outage]) -> bool:
        """Take note of the stream's outages; say whether it has come back since the last call."""
        if tuple(outages) == self._outages:
            return False
        for each in outages:
            if each not in (self._outages or ()):
                self.aggregator.missed(each)
        self._outages, before = tuple(outages), self.lost
        self.lost = any(each.until == INF for each in outages)
        self._recovered = max((each.ended for each in outages if each.until != INF), default=-INF)
        return before and not self.lost

    def answered(self, answers: Iterable[Answer], mono: float) -> None:
        """Take history's answers in."""
        for answer in answers:
            lane, question = self.lanes[answer.question.lane], answer.question
            lane.why = answer.why
            lane.hopeless = max(lane.hopeless, question.last if answer.hopeless else 0)
            if answer.bars is None:
                continue
            self._answered_at = mono
            lane.answered = max(lane.answered, question.last)
            for ts, *prices, volume in zip(*(column.tolist() for column in answer.bars.columns()), strict=True):
                if question.first <= ts <= question.last and min(prices) > 0:
                    lane.history[ts] = kept(ts, prices, volume, "history")
                    lane.reached = max(lane.reached, ts)
            self._compare(question.lane)

    def _compare(self, number: int) -> None:
        """Hold what was given out as partial against what history says now."""
        lane = self.lanes[number]
        for start in [start for start in lane.doubtful if start in lane.history]:
            ours, theirs = lane.doubtful.pop(start), lane.history[start]
            if ours[1:6] != theirs[1:6]:
                self.differing.append((number, ours, theirs))
        if not lane.doubtful:
            self.filler.satisfied(number, compare=True)

    def moment(self, mono: float, heard: float) -> tuple[int, list[tuple[int, Kept]], list[tuple[int, Kept]]] | None:
        """Return the next moment when it can be given out: its start, its bars, and those of them that are new."""
        if self._holding is None:
            if not self.aggregator.due(mono, heard):
                return None
            at = self.aggregator.next
            passed = self.aggregator.passed[at] if at < len(self.aggregator.passed) else mono
            closed = {
                lane: self._verified(lane, self.aggregator.grid[at], each, mono)
                for lane, each in self.aggregator.close(heard).items()
            }
            self._holding = (self.aggregator.grid[at], passed, closed)
        start, passed, closed = self._holding
        found = {lane: self._settled(lane, start, passed, each, mono) for lane, each in sorted(closed.items())}
        if WAIT in found.values():
            return None
        self._holding = None
        for lane, row in found.items():
            if row is None and not closed[lane].whole:
                self._give_up(lane, start)
        rows = [(lane, row) for lane, row in found.items() if isinstance(row, Kept)]
        new = [(lane, row) for lane, row in rows if start not in self.lanes[lane].kept]
        for lane, row in new:
            self._give(lane, row)
        return start, rows, new

    def _verified(self, number: int, start: int, closed: Closed, mono: float) -> Closed:
        """Doubt now and then that nobody trades in a share that is silent: its room may not be joined."""
        lane = self.lanes[number]
        if closed.bar is not None or not closed.whole or not self.fresh.stale(number, mono):
            return closed
        if start - lane.verified < VERIFY:
            return closed
        lane.verified = start
        return Closed(None, whole=False)

    def _give(self, number: int, row: Kept) -> None:
        lane = self.lanes[number]
        lane.kept[row.start] = row
        if row.origin == "history" and row.start == lane.verified and lane.deaf is None:
            self._went_deaf(number)
        if row.origin == "partial" and row.start > lane.hopeless:
            lane.doubtful[row.start] = row
        elif row.origin == "history":
            self.filler.satisfied(number)

    def _went_deaf(self, number: int) -> None:
        """Take note that a share trades and the stream does not say so: since its newest tick, nothing is whole."""
        lane, newest, book = self.lanes[number], self.fresh.ticks[number], self.aggregator.books[number]
        since = newest.ts if newest else book.origin
        lane.deaf = Outage(since, INF, float(since), INF, "the stream lacks this share")
        book.missed(lane.deaf)
        self.deaf.append(number)
        before = lane.kept.get(book.bucket(since))
        if before is not None and before.origin == "ticks":
            lane.doubtful[before.start] = before

    def _settled(
        self, number: int, start: int, passed: float, closed: Closed, mono: float
    ) -> Kept | Literal["wait"] | None:
        """Return a lane's bar of a moment, None when it has none, or WAIT while history may still tell."""
        lane = self.lanes[number]
        if start in lane.kept or start <= lane.settled:
            return lane.kept.get(start)
        if closed.whole:
            return _made(closed.bar, "ticks")
        if start in lane.history:
            return lane.history[start]
        if start < lane.reached:  # history knows later bars: nobody traded, or it lacks what we saw
            return _made(closed.bar, "partial")
        alone = closed.bar is not None or start == lane.verified or lane.deaf is not None
        if start > lane.hopeless and self._patient(passed, mono, alone=alone):
            self.filler.want(Question(number, lane.symbol, start, self._last_passed(start)))
            return WAIT
        return _made(closed.bar, "partial")

    def _give_up(self, number: int, start: int) -> None:
        """Take note that a bar is missing, unless history was asked and knows of none."""
        lane = self.lanes[number]
        if max(lane.answered, lane.reached) >= start:
            self.filler.satisfied(number)
        elif start > lane.settled and start != lane.verified:
            self.missing.append((number, start, lane.why or "history did not answer in time"))
            lane.told.add(start)

    def _patient(self, passed: float, mono: float, *, alone: bool) -> bool:
        """Say whether a moment that ended at ``passed`` may wait longer; ``alone``: for the sake of one lane only."""
        if self.lost and self._answered_at < passed:  # nobody knows anything: there is nothing to go on with
            done = len(self.aggregator.passed) == len(self.aggregator.grid)
            return not done or mono - self.aggregator.passed[-1] < self.patience.missing
        since = max(passed, self._recovered, self._answered_at if self.lost else -INF)
        return mono - since < (self.patience.partial if alone else self.patience.missing)

    def _last_passed(self, start: int) -> int:
        return max(start, self.aggregator.grid[len(self.aggregator.passed) - 1] if self.aggregator.passed else start)

    def check(self) -> None:
        """Ask history again about bars that were given out as partial, a few times."""
        for number, lane in enumerate(self.lanes):
            if not lane.doubtful:
                continue
            if self.filler.tries(number, compare=True) > len(self.filler.delays):
                lane.doubtful.clear()
                self.filler.satisfied(number, compare=True)
            else:
                first, last = min(lane.doubtful), max(lane.doubtful)
                self.filler.want(Question(number, lane.symbol, first, self._last_passed(last), compare=True))

    def late(self) -> dict[tuple[str, int], int]:
        """Return how many ticks came after their bar was closed, by (symbol, start), since the last call.

        History is asked what such a bar should have been; where there was none at all, one is missing.
        """
        found = {}
        for number, book in self.aggregator.books.items():
            lane, held = self.lanes[number], self._holding[0] if self._holding else INF
            for start in [start for start in book.late if start < held]:
                row, count = lane.kept.get(start), book.late.pop(start)
                if row is not None:
                    found[lane.symbol, start] = count
                    lane.doubtful.setdefault(start, row)
                elif start not in lane.told and start > lane.settled:
                    self.missing.append((number, start, "its ticks came too late"))
                    lane.told.add(start)
        return found


def _made(bar: TickBar | None, origin: str) -> Kept | None:
    return None if bar is None else kept(bar.start, bar[1:5], bar.volume, origin, bar.ticks)


def _windows(session: Session | None) -> list[tuple[int, int]]:
    phases = session.windows if session else ()
    return [(int(phase.start.timestamp()), int(phase.end.timestamp())) for phase in phases]
