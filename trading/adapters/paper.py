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

    def __init__(self, core: Kernel, setup: Setup, rates: RateTable) -> None:
        """Fill with the lines of ``core`` as ``setup`` says, at the charges ``rates``."""
        self._settle, self._setup, self._rates = core.settle, setup, rates

    def act(self, bar: Bar, lane: tuple[Floats, Ints], account: tuple[Floats, Ints], events: Floats) -> None:
        """Settle one lane's waiting order and protection against this bar."""
        self._settle(bar, *lane, *account, self._setup, self._rates, events)
