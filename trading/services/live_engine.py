"""The engine where somebody else fills: the same lanes and decisions, deals as the broker reports them."""

from __future__ import annotations

from collections.abc import Sequence

from trading.core import live
from trading.core.features import Bar
from trading.core.panel import LaneSpec
from trading.core.rules import Setup
from trading.core.simulation import Schedule
from trading.core.state import LAST, NOTHING, ORDER, PEND, SESSION, Floats, Happening, Ints
from trading.services.engine import Engine


class Onlooker:
    """Stands where the paper market stands and fills nothing: positions are only valued at each bar's close."""

    def __init__(self, setup: Setup) -> None:
        """Value positions as ``setup`` says."""
        self._setup = setup

    def act(self, bar: Bar, lane: tuple[Floats, Ints], account: tuple[Floats, Ints], events: Floats) -> None:
        """Value the lane's position at the bar's close."""
        live.look_on(bar, *lane, *account, self._setup, events)


class LiveEngine(Engine):
    """An engine for a venue that reports; every method returns what happened, to be recorded before anything is sent.

    ``ts`` are seconds UTC, prices rupees, quantities shares.
    """

    def __init__(
        self, name: str, setup: Setup, specs: Sequence[LaneSpec], *, capital: float, charges: Schedule
    ) -> None:  # fmt: skip
        """Trade ``specs`` by strategy ``name`` with ``capital`` rupees; Invalid for an unknown strategy."""
        super().__init__(name, setup, specs, capital=capital, charges=charges, broker=Onlooker(setup))

    def waits_for(self, lane: int) -> int:
        """Return the number of the order the lane waits for, or 0."""
        return self.K[lane][ORDER] if self.K[lane][PEND] != NOTHING else 0

    def deal(self, lane: int, ts: int, quantity: int, price: float) -> list[Happening]:
        """Book a deal of the order the lane waits for."""
        now = self._now(price, ts)
        live.deal(now, quantity, self.L[lane], self.K[lane], self.A, self.N, self.setup, self.rates, self.ev)
        return self._drain()

    def late_deal(
        self, lane: int, ts: int, quantity: int, price: float, *, number: int, purpose: int, way: int
    ) -> list[Happening]:
        """Book a deal of order ``number``, which the lane no longer waits for."""
        now, mine, all_ = self._now(price, ts), (self.L[lane], self.K[lane]), (self.A, self.N)
        live.late_deal(now, number, purpose, way, quantity, *mine, *all_, self.setup, self.rates, self.ev)
        return self._drain()

    def give_up(self, lane: int, ts: int) -> list[Happening]:
        """Let the lane wait no longer for its order."""
        live.give_up(self._now(0.0, ts), self.L[lane], self.K[lane], self.A, self.N, self.ev)
        return self._drain()

    def leave(self, lane: int, ts: int, price: float, why: int) -> list[Happening]:
        """Order the lane's whole position out, sized at ``price``."""
        live.leave(self._now(price, ts), why, self.L[lane], self.K[lane], self.A, self.N, self.ev)
        return self._drain()

    def value(self, lane: int) -> float:
        """Return the price a lane's position was valued at last."""
        return self.L[lane][LAST]

    def threatened(self, lane: int, price: float) -> int:
        """Return why the lane's position must be left at ``price``, or NOTHING."""
        return live.threatened(price, self.L[lane], self.K[lane])

    def _now(self, price: float, ts: int) -> Bar:
        session = (ts + 19_800) // 86_400 + 719_163
        if session != self.N[SESSION]:
            self._turn(session, ts)
        return live.at(price, session, ts)
