"""The paper market: it fills by the core's one fill rule and has no way to reach a real broker."""

from __future__ import annotations

from trading.core.booking import RateTable
from trading.core.features import Bar
from trading.core.kernel import Kernel
from trading.core.rules import Setup
from trading.core.state import Floats, Ints


class PaperBroker:
    """Fills what waits from the bar itself: the next open, stops and targets with gaps, a share of the volume.

    Replay and dry-run are built with this type only; it holds no address, no session and no client.
    """

    def __init__(self, core: Kernel) -> None:
        """Fill with the lines of ``core``."""
        self._core = core

    def act(
        self, bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, setup: Setup, rates: RateTable, ev: Floats
    ) -> None:
        """Settle one lane's waiting order and protection against this bar."""
        self._core.settle(bar, L, K, A, N, setup, rates, ev)
