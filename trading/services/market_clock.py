"""What time it is at the venue: the wall clock at ICICI, the simulator's own where one stands for it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.conf import settings

from sensequant.lib import clock
from sensequant.lib.errors import Unavailable
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.probe import SimulatedClock, clock_of

Clock = Callable[[], dt.datetime]
AGAIN = 1.0  # seconds between looks at a simulator's clock, which an operator may wind
SLOWEST = 0.001  # a clock that stands still


def addresses() -> Addresses:
    """Return the addresses BREEZE_BASE_URL asks for; BadInput when it names more than an origin."""
    return Addresses.of(settings.DESK.breeze_base_url)


class MarketClock:
    """A clock to call: the venue's present moment. ``simulated`` says whether money is real there.

    A simulator that stops answering leaves its clock running as it last ran: an outage is no reason to lose the time.
    """

    def __init__(self, origin: str) -> None:
        """Read the clock of ``origin`` (empty: the wall clock); Unavailable when it is silent."""
        self.origin = origin
        self._clock: SimulatedClock | None = clock_of(origin) if origin else None
        self._looked = time.monotonic()

    @property
    def simulated(self) -> bool:
        """Say whether a simulator stands for the venue."""
        return self._clock is not None

    @property
    def speed(self) -> float:
        """Return how many market seconds pass in a second, never quite none."""
        return max(self._clock.speed, SLOWEST) if self._clock else 1.0

    @property
    def ended(self) -> bool:
        """Say whether the simulator's data is over; never at a real venue."""
        self._look()
        return self._clock is not None and self._clock.ended

    def __call__(self) -> dt.datetime:
        """Return the venue's moment, aware, UTC."""
        if self._clock is None:
            return clock.now()
        self._look()
        return self._clock.now()

    def _look(self) -> None:
        if self._clock is None or time.monotonic() - self._looked < AGAIN:
            return
        self._looked = time.monotonic()
        try:
            self._clock = clock_of(self.origin) or self._clock
        except Unavailable:
            return


def market_clock() -> MarketClock:
    """Return the clock of the venue the settings name."""
    return MarketClock(addresses().origin)
