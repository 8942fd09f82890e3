"""A desk to play with: the real lines of the core, uncompiled, fed bar by bar with what a script says."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from tests.trading.core import scripted
from trading.core import state as slot
from trading.core.features import Bar
from trading.core.kernel import bind
from trading.core.rules import SIZING_MODES
from trading.core.setups import make_setup
from trading.core.signals import STAY
from trading.core.simulation import NO_CHARGES, schedule

CORE = bind(scripted, None)
MONDAY = dt.date(2026, 11, 16).toordinal()
OPEN_AT = 9 * 3600 + 15 * 60 - 19_800
PLAIN = {
    "flat": 0.0, "slippage": 0.0, "participation": 0.0, "stop_loss": 0.0, "take_profit": 0.0, "sizing": "quantity",
    "by_confidence": 0, "entry_cutoff": 0,
}  # fmt: skip
FREE = NO_CHARGES


def rules(minutes=5, *, confidence=1.0, atr=math.nan, **changes):
    """Return a setup without costs, protection or limits, but for ``changes``."""
    values = {**PLAIN, **changes}
    setup = make_setup("crossover", 5, {}, values)
    return setup._replace(params=scripted.Params(confidence, atr), minutes=minutes)


def sized(mode, **changes):
    """Return a setup that sizes by ``mode``."""
    assert mode in SIZING_MODES
    return rules(sizing=mode, **changes)


def indian(plan="prime-2999", product="margin", first=dt.date(2026, 11, 2), last=dt.date(2026, 12, 30)):
    """Return the dated charges of a plan."""
    return schedule(plan, product, first, last)


class Desk:
    """Lanes on one account; ``feed`` shows a lane a bar and returns what happened."""

    def __init__(self, setup, *, capital=1_000_000.0, charges=FREE, lanes=1, tick=0.05, lot=1, fixed=100):
        self.setup, self.rates, self.changes = setup, charges.rates.tolist(), charges.changes.tolist()
        made = [slot.new_lane(j, tick=tick, lot=lot, fixed=fixed) for j in range(lanes)]
        self.L, self.K = [floats for floats, _ in made], [ints for _, ints in made]
        self.m = [[0.0] for _ in made]
        self.A, self.N = slot.new_account(capital)
        self.ev = [0.0] * (slot.WIDTH * 50_000)
        self.capital = capital

    def feed(self, bar, lane=0):
        """Let the lane see the bar as the engine does; return what happened."""
        before = self.N[slot.EVENTS]
        if bar.session != self.N[slot.SESSION]:
            self.turn(bar.session, bar.ts)
        L, K = self.L[lane], self.K[lane]
        CORE["settle"](bar, L, K, self.A, self.N, self.setup, self.rates, self.ev)
        CORE["react"](bar, self.m[lane], L, K, self.A, self.N, self.setup, self.ev)
        return self.happened()[before:]

    def turn(self, session, ts=0):
        CORE["turn_day"](
            session, ts, self.L, self.K, self.A, self.N, self.setup, self.rates, self.changes, self.ev
        )  # fmt: skip

    def happened(self, kind=None):
        """Return everything that happened so far, or everything of one kind."""
        every = slot.happenings(self.N, self.ev)
        return [each for each in every if kind is None or each.kind == kind]

    def trades(self):
        return [each.values for each in self.happened(slot.TRADED)]

    def fills(self):
        return [each.values for each in self.happened(slot.FILLED)]

    def __getattr__(self, name):
        """Read the account's numbers by name: ``desk.cash``, ``desk.equity``, ``desk.breaker``."""
        word = name.upper()
        if word in ("CASH", "EQUITY", "EXPOSURE", "RESERVED", "DRAWDOWN", "PEAK", "CHARGES_DAY", "DAY_START"):
            return self.A[getattr(slot, word)]
        if word in ("OPEN", "WAITING", "BREAKER", "TRADES_DAY", "ORDERS", "PAUSED"):
            return self.N[getattr(slot, word)]
        raise AttributeError(name)

    def position(self, lane=0):
        """Return the signed number of shares held."""
        return self.K[lane][slot.SIDE] * self.K[lane][slot.QTY]


def bar(price=100.0, *, o=None, h=None, l=None, v=1e6, say=STAY, day=0, left=200, news=math.nan, ts=None):
    """Return a bar that closes at ``price``; what is not said follows from it."""
    first = price if o is None else o
    high, low = max(first, price) if h is None else h, min(first, price) if l is None else l
    session = MONDAY + day
    start = (session - 719_163) * 86_400 + OPEN_AT + (370 - left) * 60 if ts is None else ts
    return Bar(first, high, low, price, v, news, session, say, left, start)


def market(seed, *, sessions=3, bars=8, lanes=1, minutes=5, talk=0.3, tick=0.05, thin=False):
    """Yield (lane, bar) of a random market whose script speaks on a share ``talk`` of bars, moment by moment."""
    rng = np.random.default_rng(seed)
    price = np.round(rng.uniform(50, 2000, lanes) / tick) * tick
    for day in range(sessions):
        for k in range(bars):
            for lane in range(lanes):
                steps = np.cumsum(rng.normal(0, 0.012, 4))
                path = np.round(np.round(price[lane] * np.exp(steps) / tick) * tick, 2)
                price[lane] = max(path[-1], 1.0)
                volume = float(rng.choice([0, 40, 400, 5000, math.nan])) if thin else 1e6
                say = int(rng.choice([1, -1, 0])) if rng.random() < talk else STAY
                yield lane, bar(
                    path[-1], o=path[0], h=path.max(), l=path.min(), v=volume, say=say, day=day,
                    left=(bars - 1 - k) * minutes,
                )  # fmt: skip
