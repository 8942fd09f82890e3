"""Everything the doors of the simulator share: the floor, the desk, the entrance, the faults, the request log."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sensequant.lib.redact import HIDDEN, NAMES
from trading.adapters.simulator.desk import Desk, Trade
from trading.adapters.simulator.entrance import Entrance, Quota
from trading.adapters.simulator.floor import Floor, Hears
from trading.adapters.simulator.shares import Share
from trading.core.bars import Bars
from trading.core.errors import Invalid
from trading.core.exchange.book import Order, copy
from trading.core.exchange.faults import FAULTS, ORDER_VERBS, Active, Faults, known

LOGGED: Final = 100_000
Older = Callable[[str, int, dt.date, dt.date], Bars]


@dataclass(slots=True)
class Request:
    """One request as the log shows it."""

    seq: int
    monotonic: float
    epoch: float
    method: str
    path: str
    verb: str
    order: bool
    body: dict[str, Any]
    status: int = 0
    fault: str = ""


class RequestLog:
    """The newest requests, and how many there were of each verb."""

    def __init__(self) -> None:
        """Start empty."""
        self.requests: deque[Request] = deque(maxlen=LOGGED)
        self.counts: Counter[str] = Counter()
        self._seq = 0

    def begin(self, method: str, path: str, verb: str, body: Mapping[str, Any], times: tuple[float, float]) -> Request:
        """Note a request the moment it came; ``times`` are the monotonic and the wall clock's seconds."""
        self._seq += 1
        self.counts[verb] += 1
        shown = {key: HIDDEN if key == "AppKey" or NAMES.search(key) else value for key, value in body.items()}
        entry = Request(self._seq, *times, method, path, verb, verb in ORDER_VERBS, shown)
        self.requests.append(entry)
        return entry

    def since(self, seq: int) -> list[Request]:
        """Return the requests after number ``seq``."""
        return [each for each in self.requests if each.seq > seq]


@dataclass
class Venue(Hears):
    """The simulated ICICI, whole."""

    floor: Floor
    desk: Desk
    entrance: Entrance
    quota: Quota
    monotonic: Callable[[], float]
    redirect_url: str
    master_rows: int = 0
    bank: float = 10_000_000.0
    older: Older | None = None
    log: RequestLog = field(default_factory=RequestLog)
    stale: tuple[list[Order], list[Trade]] = field(default_factory=lambda: ([], []))
    cut: Callable[[str, dict[str, Any]], Any] = lambda *_: None  # cuts sockets or the port: the server's business
    ready: bool = False
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    masters: dict[tuple[dt.date, bool], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the shares by every name they go by."""
        self.by_code = {share.listed.code: share for share in self.floor.shares.values()}
        self.by_token = {share.listed.token: share for share in self.floor.shares.values()}

    @property
    def faults(self) -> Faults:
        """Return the faults that strike at present."""
        return self.floor.faults

    def share(self, code: object) -> Share | None:
        """Return the share of an ISEC code; an NSE symbol is none."""
        return self.by_code.get(code) if isinstance(code, str) else None

    def found(self, name: str) -> Share:
        """Return the share of a symbol or an ISEC code; Invalid, naming all there are, when there is none."""
        share = self.floor.shares.get(name.upper()) or self.by_code.get(name.upper())
        if share is None:
            raise Invalid(f"symbol {name!r} is not listed: use one of {', '.join(self.floor.shares)}")
        return share

    def day_over(self) -> None:
        """End the session at midnight, and with it its sockets."""
        self.entrance.expired = True
        self.quota.new_day()
        self.keep_session()
        self.cut("session", {})

    def keep_session(self) -> None:
        """Write the session down."""
        self.desk.journal.write("session", api_session=self.entrance.api_session, expired=self.entrance.expired)

    def log_in(self) -> str:
        """Begin a new session; the older one's sockets are cut."""
        number = self.entrance.log_in()
        self.keep_session()
        self.cut("session", {})
        return number

    def strike(self, name: str, asked: Mapping[str, Any]) -> Active:
        """Switch a fault on, and let it strike at once if that is its kind; Invalid names what is wrong with it."""
        self.floor.advance()
        if asked.get("symbol"):
            asked = {**asked, "symbol": self.found(str(asked["symbol"])).listed.symbol}
        if known(name).where != "at once":
            active = self.faults.on(name, asked)
            if name == "book_stale":
                self.stale = (list(map(copy, self.desk.orders.values())), list(self.desk.trades))
            return active
        active = self.faults.on(name, {**asked, "times": 1})
        self.faults.count(active)
        self._at_once(active)
        return active

    def _at_once(self, active: Active) -> None:
        if active.name == "session_expired":
            self.entrance.expired = True
            self.keep_session()
        elif active.name == "session_replaced":
            self.log_in()
        else:
            self.cut(active.name, active.params)

    async def rest(self, seconds: float) -> None:
        """Let time pass, but not longer than the simulator lives."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)


def meanings() -> dict[str, dict[str, Any]]:
    """Return the table of faults for the control endpoint."""
    return {
        name: {"meaning": fault.meaning, "where": fault.where, "parameters": dict(fault.defaults)}
        for name, fault in FAULTS.items()
    }
