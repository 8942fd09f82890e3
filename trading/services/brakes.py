"""What the halts mean to a running engine: entries blocked, positions left, the breaker kept until it is released."""

from __future__ import annotations

import datetime as dt

from trading.core.risk import KILLED, NOT_RELEASED
from trading.core.state import BREAKER, DAY_START, EQUITY
from trading.models.engine import EngineRun
from trading.services import halts
from trading.services.engine import Engine
from trading.services.release_gate import Gate


class Brakes:
    """Watches the halts and the release for one engine; ``killed`` says whether the kill switch is on."""

    def __init__(self, run: EngineRun, engine: Engine) -> None:
        """Watch for ``engine``, which drives ``run``."""
        self.run, self.engine = run, engine
        self.killed = self.held = False
        self.gate = Gate(run)
        self._tripped = False  # a halt of kind breaker was seen, or made, since the breaker opened
        self._left: set[int] = set()  # halts whose square-off was begun
        self._wanted: set[int] = set()

    def look(self, *, at: dt.datetime) -> None:
        """Read the halts, and keep breaker and rows of one mind."""
        found = halts.engaged()
        self.killed = any(each.kind == halts.KILL for each in found)
        self.held = any(each.kind == halts.RELEASE for each in found)
        self.gate.look(at=at)
        self._wanted = {each.pk for each in found if each.action == halts.SQUARE_OFF}
        if self.engine.setup.limits.latched:
            self._breaker(any(each.kind == halts.BREAKER for each in found), at=at)

    @property
    def mask(self) -> int:
        """Return what speaks against every entry."""
        return (KILLED if self.killed else 0) | (NOT_RELEASED if self.held or self.gate.refused else 0)

    @property
    def unheard(self) -> bool:
        """Say whether the breaker has opened, is to stay so, and no halt tells of it yet."""
        return bool(self.engine.setup.limits.latched and self.engine.N[BREAKER] == 1 and not self._tripped)

    @property
    def leaving(self) -> bool:
        """Say whether a halt is engaged that wants nothing held."""
        return bool(self._wanted)

    def leave_now(self) -> bool:
        """Say, once for each halt that asks for it, that every position must be left."""
        fresh = self._wanted - self._left
        self._left |= fresh
        return bool(fresh)

    def _breaker(self, engaged: bool, *, at: dt.datetime) -> None:
        opened = self.engine.N[BREAKER] == 1
        if engaged:
            self.engine.hold_breaker()
            self._tripped = True
        elif opened and self._tripped:  # a person released it
            self.engine.reset_breaker()
            self._tripped = False
        elif opened:
            lost = self.engine.A[DAY_START] - self.engine.A[EQUITY]
            why = f"the day's loss of ₹{lost:,.2f} reached its limit"
            halts.engage(halts.BREAKER, why, at=at, by=halts.SYSTEM, run=self.run)
            self._tripped = True
