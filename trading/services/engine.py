"""The engine: one loop for replay, dry-run and live, deciding with the core's own lines, one bar at a time.

It knows no database and no clock: it takes a moment's bars and returns what happened. ``recording`` remembers,
``runner`` paces.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sensequant.lib import measures
from sensequant.lib.logs import get_logger
from trading.adapters.paper import PaperBroker
from trading.core.desk import expire, order
from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.kernel import Kernel, kernel
from trading.core.panel import LaneSpec
from trading.core.risk import halt_level
from trading.core.rules import Setup
from trading.core.signals import LONG, SHORT
from trading.core.simulation import Schedule
from trading.core.state import (
    ACCOUNT_FLOATS,
    ACCOUNT_INTS,
    BARS,
    BLOCK,
    BREAKER,
    DAY_START,
    ENTRY,
    EQUITY,
    EVENTS,
    EXIT,
    HALT_AT,
    LANE_INTS,
    OPERATOR,
    PAUSED,
    PEND,
    QTY,
    SESSION,
    SIDE,
    WIDTH,
    Floats,
    Happening,
    Ints,
    happenings,
    new_account,
    new_lane,
)
from trading.core.strategies import strategy

INF = math.inf
ROWS_A_LANE = 14  # events one lane can cause in one moment, with room to spare
log = get_logger("engine")


class Market(Protocol):
    """Who fills: the paper market, or one that only looks on because a broker reports."""

    def act(self, bar: Bar, lane: tuple[Floats, Ints], account: tuple[Floats, Ints], events: Floats) -> None:
        """Act on one lane's bar before the desk does."""
        ...


class Judges(Protocol):
    """Students that are asked before an entry, and remember what they said."""

    @property
    def fallen(self) -> str:
        """Return why the first is silent."""
        ...

    def word(self, lane: int, bar: Bar, f: Any, direction: int) -> float:
        """Return what goes into the bar as ``student``."""
        ...

    def drain(self) -> tuple[Any, ...]:
        """Return what was said since the last time."""
        ...


class Latency:
    """A histogram of bar-to-intent times: bucket b counts times below 2^b microseconds."""

    def __init__(self, buckets: Sequence[int] = ()) -> None:
        """Begin with the counts of ``buckets``."""
        self.buckets = [*buckets, *([0] * (32 - len(buckets)))]

    def add(self, nanoseconds: int) -> None:
        """Count one time."""
        self.buckets[(nanoseconds // 1000).bit_length()] += 1

    def quantile(self, q: float) -> float | None:
        """Return an upper bound, in microseconds, of the share ``q`` of times; None without any."""
        total = sum(self.buckets)
        if not total:
            return None
        seen = 0
        for b, count in enumerate(self.buckets):
            seen += count
            if seen >= math.ceil(q * total):
                return float(2**b)
        return None


@dataclass(frozen=True, slots=True)
class Step:
    """What one moment brought: its bars' start, the happenings, and the feature rows of the lanes that had a bar."""

    ts: int
    happenings: list[Happening]
    features: dict[int, Any] = field(default_factory=dict)
    new_session: bool = False
    halted: tuple[int, ...] = ()  # lanes that stopped here
    scores: tuple[Any, ...] = ()  # what the students said


class Seat(NamedTuple):
    """Who decides in a lane, and who fills."""

    name: str
    core: Kernel
    setup: Setup
    broker: Market


class Engine:
    """Many lanes, one account; one strategy, or several of which each has its own lanes (``seats``, lane by lane)."""

    def __init__(
        self, name: str, setup: Setup, specs: Sequence[LaneSpec], *, capital: float, charges: Schedule,
        broker: Market | None = None, beside: Sequence[tuple[str, Setup, Sequence[LaneSpec]]] = (),
    ) -> None:  # fmt: skip
        """Trade ``specs`` by strategy ``name`` with ``capital`` rupees; Invalid for an unknown strategy.

        ``beside`` are more strategies with their setups and lanes on the same account, under the same limits and costs.
        """
        self.name, self.setup = name, setup
        self.rates, self.changes = charges.rates.tolist(), charges.changes.tolist()
        first = self._seat(name, setup, broker)
        self.core, self.broker = first.core, first.broker
        seats = [(first, specs), *((self._seat(*each[:2]), each[2]) for each in beside)]
        self.specs = tuple(spec for _, more in seats for spec in more)
        self.seats = [seat for seat, more in seats for _ in more]
        lanes = [new_lane(j, tick=spec.tick, lot=spec.lot, fixed=spec.fixed) for j, spec in enumerate(self.specs)]
        self.m = [[0.0] * strategy(seat.name).MEMORY for seat in self.seats]
        self.L, self.K = [floats for floats, _ in lanes], [ints for _, ints in lanes]
        self.A, self.N = new_account(capital)
        self.ev = [0.0] * (WIDTH * (ROWS_A_LANE * len(lanes) + len(lanes) + 4))
        self.halted: dict[int, str] = {}
        self.last: dict[int, Bar] = {}
        self.features: dict[int, Any] = {}
        self.latency = Latency()
        self.metric = "perf_intraday_tick_latency" if setup.rules.intraday else "perf_swing_daily_latency"  # ms
        self.bars = 0
        self.judges: Judges | None = None

    def _seat(self, name: str, setup: Setup, broker: Market | None = None) -> Seat:
        core = kernel(name, compiled=False)
        return Seat(name, core, setup, broker or PaperBroker(core, setup, self.rates))

    def step(self, ts: int, rows: Sequence[tuple[int, Bar]]) -> Step:
        """Take one moment's bars, lane by lane, and return what happened; a lane that fails stops alone."""
        turned = bool(rows) and rows[0][1].session != self.N[SESSION]
        seen: dict[int, Any] = {}
        before = len(self.halted)
        for lane, bar in rows:
            if lane in self.halted:
                continue
            begun = time.perf_counter_ns()
            try:
                seen[lane] = self._one(lane, bar)
            except Exception as error:
                self.halted[lane] = f"{type(error).__name__}: {error}"[:200]  # whatever it is, the other lanes go on
                log.exception("lane stopped", symbol=self.specs[lane].symbol, error=self.halted[lane])
            took = time.perf_counter_ns() - begun
            self.latency.add(took)
            measures.record(self.metric, took / 1e6)
            self.last[lane] = bar
            self.bars += 1
        self.features.update(seen)
        scores = self.judges.drain() if self.judges is not None else ()
        return Step(ts, self._drain(), seen, turned, tuple(self.halted)[before:], scores)

    def _one(self, lane: int, bar: Bar) -> Any:
        if not (0.0 < bar.open < INF and 0.0 < bar.high < INF and 0.0 < bar.low < INF and 0.0 < bar.close < INF):
            raise Invalid(f"{bar[:4]} are no prices")  # before they can reach the account all lanes share
        if bar.session != self.N[SESSION]:
            self._turn(bar.session, bar.ts)
        seat = self.seats[lane]
        seat.broker.act(bar, (self.L[lane], self.K[lane]), (self.A, self.N), self.ev)
        if self.judges is None:
            return seat.core.react(bar, self.m[lane], self.L[lane], self.K[lane], self.A, self.N, seat.setup, self.ev)
        return self._judged(lane, bar, self.judges)

    def _judged(self, lane: int, bar: Bar, judges: Judges) -> Any:
        """React as the core does, an entry's bar carrying the champion's word."""
        ints, seat = self.K[lane], self.seats[lane]
        f = seat.core.look(bar, self.m[lane], ints, seat.setup)
        opinion = seat.core.decide(f, ints[SIDE], seat.setup.params)
        if ints[SIDE] == 0 and opinion.direction in (LONG, SHORT):
            bar = bar._replace(student=judges.word(lane, bar, f, opinion.direction))
        seat.core.act(opinion, f, bar, self.L[lane], ints, self.A, self.N, seat.setup, self.ev)
        ints[BARS] += 1
        return f

    def _turn(self, session: int, ts: int) -> None:
        self.core.turn_day(session, ts, self.L, self.K, self.A, self.N, self.setup, self.rates, self.changes, self.ev)

    def _drain(self) -> list[Happening]:
        found = happenings(self.N, self.ev)
        self.N[EVENTS] = 0
        return found

    def finish(self, ts: int) -> Step:
        """Close the last session's books."""
        self.core.turn_day(self.N[SESSION] + 1, ts, [], [], self.A, self.N, self.setup, self.rates, [], self.ev)
        return Step(ts, self._drain(), {}, new_session=True)

    def pause(self, paused: bool) -> None:
        """Let entries through, or not; exits always go."""
        self.N[PAUSED] = int(paused)

    def block(self, lane: int, mask: int) -> None:
        """Let the bits of ``mask`` (see ``core.risk``) speak against entries of a lane until it is called again."""
        self.K[lane][BLOCK] = mask

    def reset_breaker(self) -> None:
        """Close the breaker: the day's loss limit counts from the equity of now."""
        self.N[BREAKER] = 0
        counted = [*self.A]
        counted[DAY_START] = self.A[EQUITY]
        self.A[HALT_AT] = halt_level(counted, self.setup.limits)

    def hold_breaker(self) -> None:
        """Keep the breaker open, as a halt that outlives this engine says."""
        self.N[BREAKER] = 1

    def square_off(self, ts: int) -> list[Happening]:
        """Order every position out at the next bars' opens, entries that wait taken back; ``ts`` is the last bar's."""
        for lane in range(len(self.specs)):
            floats, ints, bar = self.L[lane], self.K[lane], self.last.get(lane)
            if bar is None or lane in self.halted or ints[PEND] == EXIT:
                continue
            now = bar._replace(ts=ts)
            if ints[PEND] == ENTRY:
                expire(now, floats, ints, self.A, self.N, self.ev)
            if ints[SIDE] != 0:
                way, quantity = -ints[SIDE], ints[QTY]
                order(now, EXIT, way, quantity, bar.close, OPERATOR, floats, ints, self.A, self.N, self.ev)
        return self._drain()

    def take_back(self, ts: int) -> list[Happening]:
        """Let every entry that waits expire; ``ts`` is the last bar's."""
        for lane in range(len(self.specs)):
            floats, ints, bar = self.L[lane], self.K[lane], self.last.get(lane)
            if bar is not None and lane not in self.halted and ints[PEND] == ENTRY:
                expire(bar._replace(ts=ts), floats, ints, self.A, self.N, self.ev)
        return self._drain()

    def warm(self, lane: int, bars: Sequence[Bar]) -> None:
        """Let a lane's indicators see bars without acting on them."""
        seat = self.seats[lane]
        for bar in bars:
            seat.core.look(bar, self.m[lane], self.K[lane], seat.setup)
            self.K[lane][BARS] += 1

    def numbers(self) -> dict[str, Any]:
        """Return every number but the indicators' memory, as JSON can keep them exactly."""
        return {"A": self.A, "N": self.N, "L": self.L, "K": self.K, "latency": self.latency.buckets, "bars": self.bars}

    def restore(
        self, numbers: dict[str, Any], memory: Sequence[tuple[list[float], int]], today: Sequence[list[Bar]]
    ) -> None:
        """Continue from ``numbers``: ``memory`` per lane as of the session's start with the bars it had seen, and the
        session's bars so far and to come; those already seen are shown to the indicators again, and to nothing else.
        """
        self.A = [float(x) for x in numbers["A"]]  # JSON may hand 1e16 back as an int
        self.A += [0.0] * (ACCOUNT_FLOATS - len(self.A))  # an older run knew fewer slots
        self.N = [*numbers["N"], *([0] * (ACCOUNT_INTS - len(numbers["N"])))]
        self.L = [[float(x) for x in row] for row in numbers["L"]]
        self.K = [[*row, *([0] * (LANE_INTS - len(row)))] for row in numbers["K"]]
        self.latency = Latency(numbers["latency"])
        self.bars = numbers["bars"]
        for lane, (saved, seen) in enumerate(memory):
            self.m[lane], seat = list(saved), self.seats[lane]
            counts, self.K[lane][BARS] = self.K[lane][BARS], seen
            for bar in today[lane][: counts - seen]:
                self.features[lane] = seat.core.look(bar, self.m[lane], self.K[lane], seat.setup)
                self.K[lane][BARS] += 1
                self.last[lane] = bar
