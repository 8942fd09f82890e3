"""Every defect of the broker that has been seen in the wild, by name, and which of them strike at present."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trading.core.errors import Invalid

COMMON: Final = ("times", "symbol", "verb")
ORDER_VERBS: Final = ("place", "modify", "cancel", "square_off")
VERBS: Final = (
    *ORDER_VERBS, "customer", "master", "history", "history_v1", "quotes", "funds", "set_funds", "margin", "add_margin",
    "demat_holdings", "portfolio_holdings", "positions", "order_list", "order_detail", "trade_list", "trade_detail",
    "preview", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A defect: what it does, where it strikes, and its own parameters with their defaults.

    ``where`` is ``instead`` (of any answer), ``after`` (the request was carried out), ``master``, ``history``,
    ``book``, ``orders``, ``notices``, ``stream``, ``market`` or ``at once`` (it strikes when it is switched on).
    """

    where: str
    meaning: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    verbs: tuple[str, ...] = ()  # struck when no verb is named; none: every one


def _order(meaning: str, where: str, **defaults: Any) -> Fault:
    return Fault(where, meaning, defaults, ORDER_VERBS)


def _on(where: str, *verbs: str, **defaults: Any) -> Any:
    return lambda meaning: Fault(where, meaning, defaults, verbs)


_READS = ("order_list", "order_detail", "trade_list", "trade_detail")

FAULTS: Final[dict[str, Fault]] = {
    "timeout_before_accept": _order("The order is not taken and no answer comes", "instead", seconds=60.0),
    "timeout_after_accept": _order("The order is taken, but no answer comes", "after", seconds=60.0),
    "reset_after_accept": _order("The order is taken and the connection is reset", "after"),
    "html_502_after_accept": _order("The order is taken and answered with nginx's 502 page", "after"),
    "html_502": Fault("instead", "nginx's 502 page instead of an answer"),
    "html_503": Fault("instead", "nginx's 503 page instead of an answer"),
    "html_429": Fault("instead", "nginx's 429 page instead of an answer"),
    "limit_minute": Fault("instead", "Limit exceed: API call per minute (HTTP 401, Status 5)"),
    "limit_day": Fault("instead", "Limit exceed: API call per day (HTTP 401, Status 5)"),
    "garbage_json": Fault("instead", "HTTP 200 with JSON that breaks off"),
    "aspnet_error": Fault("instead", "An ASP.NET exception: Message, ExceptionType, StackTrace (#94)"),
    "invalid_checksum": Fault("instead", "Authentication Fail :: Invalid Checksum, as with a skewed clock (#78)"),
    "slow": Fault("instead", "The answer comes late", {"seconds": 2.0}),
    "connect_refused": Fault("at once", "Nobody listens on the port; all connections are cut", {"seconds": 5.0}),
    "session_expired": Fault("at once", "The session ends: Resource not available, until somebody logs in again"),
    "session_replaced": Fault("at once", "Somebody logs in elsewhere; the older session and its sockets end"),
    "public_key_missing": _on("instead", "customer")("customerdetails: Public Key does not exist"),
    "master_truncated": _on("master", "master")("The security master breaks off in the middle (#52)"),
    "master_404": _on("master", "master")("The security master is not found (#189)"),
    "master_html": _on("master", "master")("An HTML page where the security master was"),
    "master_cdnse_last": _on("master", "master")("Currency rows come last, so the SDK files them over NSE's"),
    "history_swapped_daily": _on("history", "history")("Daily bars with open and close swapped (#101)"),
    "history_missing_first_bar": _on("history", "history")("The session's first bar is missing (#89)"),
    "history_incomplete": _on("history", "history", every=7)("Every so manieth bar is missing (#178)"),
    "history_500": _on("history", "history")("History answers Status 500"),
    "empty_history": _on("history", "history")("Status 200 with an empty list, as for an unknown code (#116)"),
    "book_error": _on("book", *_READS)("Reading orders and trades answers Status 500"),
    "book_empty": _on("book", *_READS)("The book is said to be empty: No Data Found"),
    "book_truncated": _on("book", *_READS, rows=1)("Only the first rows of the book are shown"),
    "book_delayed": _on("book", *_READS, seconds=5.0)("Orders cannot be seen in the book until they are so old"),
    "book_stale": _on("book", *_READS)("The book is shown as it was when this was switched on"),
    "status_regress": _on("book", *_READS)("Orders already filled are shown as Ordered again"),
    "cancel_no_effect": _on("orders", "cancel")("A cancel succeeds and changes nothing (#238)"),
    "modify_no_effect": _on("orders", "modify")("A change succeeds and changes nothing (#138, #238)"),
    "reject_without_reason": _on("orders", "place")("The order is taken, then shows as Rejected, without a reason"),
    "fill_after_cancel": _on("orders", "cancel")("A fill crosses the cancel: it comes with the next tick"),
    "notifications_duplicate": Fault("notices", "Order notifications come twice"),
    "notifications_shuffled": Fault("notices", "Order notifications come in the wrong order", {"batch": 4}),
    "notifications_delayed": Fault("notices", "Order notifications come late", {"seconds": 2.0}),
    "notifications_lost": Fault("notices", "Order notifications do not come"),
    "stream_disconnect": Fault("at once", "The server sends Socket.IO DISCONNECT (#143)", {"feed": ""}),
    "engineio_close": Fault("at once", "The server sends Engine.IO CLOSE (#143)", {"feed": ""}),
    "stream_mute": Fault("stream", "The socket stays connected, but no tick comes (#152)"),
    "ticks_late": Fault("stream", "Ticks come late", {"seconds": 5.0}),
    "ticks_repeated": Fault("stream", "Ticks come twice"),
    "ticks_out_of_order": Fault("stream", "Ticks come in the wrong order", {"batch": 4}),
    "ticks_index_none_fields": Fault("stream", "Ticks carry None in most fields, as an index's do"),
    "short_lists": Fault("stream", "Ticks break off after a few fields", {"items": 9}),
    "wrong_token_ticks": Fault("stream", "Ticks of another share come under this one's token"),
    "ltp_frozen": Fault("stream", "The last price stands still in stream and quotes, without an error"),
    "halt": Fault("market", "The share is halted: nothing trades, orders are refused"),
    "circuit": Fault("market", "The share is locked at a limit of the day", {"side": "upper"}),
}  # fmt: skip


@dataclass(slots=True)
class Active:
    """A fault switched on: ``times`` it still strikes (None: until cleared), and on whom."""

    name: str
    number: int
    times: int | None = None
    symbol: str = ""
    verb: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    struck: int = 0

    def shown(self) -> dict[str, Any]:
        """Return the fault as the control endpoint shows it."""
        return {
            "name": self.name, "number": self.number, "times": self.times, "symbol": self.symbol, "verb": self.verb,
            "struck": self.struck, **self.params,
        }  # fmt: skip


class Faults:
    """The faults that strike at present, in the order they were switched on."""

    def __init__(self) -> None:
        """Start with none."""
        self.active: list[Active] = []
        self._number = 0

    def on(self, name: str, asked: Mapping[str, Any]) -> Active:
        """Switch a fault on; Invalid names a wrong fault, parameter or value."""
        fault = known(name)
        params = dict(fault.defaults)
        for each, value in asked.items():
            if each in fault.defaults:
                params[each] = _like(fault.defaults[each], each, value)
            elif each not in COMMON:
                accepted = ", ".join((*COMMON, *fault.defaults))
                raise Invalid(f"fault {name} has no parameter {each!r}: it takes {accepted}")
        verb = str(asked.get("verb") or "")
        if verb and verb not in VERBS:
            raise Invalid(f"verb {verb!r} is not known: use one of {', '.join(VERBS)}")
        self._number += 1
        found = Active(name, self._number, _times(asked), str(asked.get("symbol") or "").upper(), verb, params)
        self.active.append(found)
        return found

    def off(self, name: str = "") -> list[Active]:
        """Switch off all faults, or those called ``name``, and return them."""
        gone = [each for each in self.active if not name or each.name == name]
        self.active = [each for each in self.active if each not in gone]
        return gone

    def any(self, *names: str, symbol: str = "") -> Active | None:
        """Return the first active fault of these names that concerns ``symbol``, without counting a strike."""
        return next((each for each in self.active if each.name in names and each.symbol in ("", symbol)), None)

    def strike(self, where: str, *, verb: str = "", symbol: str = "", names: tuple[str, ...] = ()) -> Active | None:
        """Return the first fault that strikes here now, counting the strike; None when nothing does."""
        for each in self.active:
            if _concerns(each, where, verb, symbol) and (not names or each.name in names):
                self.count(each)
                return each
        return None

    def count(self, each: Active) -> None:
        """Count a strike; a fault that has struck often enough is over."""
        each.struck += 1
        if each.times is not None:
            each.times -= 1
            if each.times <= 0:
                self.active.remove(each)


def _concerns(each: Active, where: str, verb: str, symbol: str) -> bool:
    fault = FAULTS[each.name]
    verbs = (each.verb,) if each.verb else fault.verbs
    return fault.where == where and (not verbs or verb in verbs) and each.symbol in ("", symbol)


def known(name: str) -> Fault:
    """Return the fault called ``name``; Invalid, naming near matches, when there is none."""
    if name not in FAULTS:
        near = difflib.get_close_matches(name, FAULTS, n=3) or sorted(FAULTS)
        raise Invalid(f"fault {name!r} is not known: did you mean {', '.join(near)}?")
    return FAULTS[name]


def _times(asked: Mapping[str, Any]) -> int | None:
    times = asked.get("times")
    if times is None:
        return None
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise Invalid(f"times {times!r} is not a number of strikes: give a whole number from 1, or leave it out")
    return times


def _like(default: Any, name: str, value: Any) -> Any:
    """Return ``value`` as the kind of thing ``default`` is."""
    if isinstance(default, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise Invalid(f"{name} {value!r} is not a number from 0")
    return type(default)(value)
