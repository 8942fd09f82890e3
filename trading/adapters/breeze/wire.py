"""One session's line to Breeze: keys, addresses, time limits and the SDK, and one way of asking through it."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sensequant.lib import redact
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.adapters.breeze import loader, words
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.errors import NotSent, Refused, SessionLost, Transient
from trading.adapters.breeze.exchange import Exchange, TooLate, Unanswered, Watch
from trading.adapters.breeze.http import TIMEOUTS, Http, shared
from trading.adapters.breeze.pool import Timeouts

Heard = Callable[[str, dict[str, Any]], None]
BULKY: Final = frozenset({"history"})  # thousands of rows that nobody will look up again
log = get_logger("breeze")


class Budget(Protocol):
    """Who lets calls through. ``kind`` is "call", "order" for an order request (a call too), or "history" for bars."""

    def spend(self, kind: str, *, exit: bool = False) -> None:
        """Take one ``kind`` from the budget or raise BudgetSpent at once; ``exit`` may use what is reserved."""
        ...


class NoBudget:
    """Lets everything through: for tests, and for asking a simulator."""

    def spend(self, kind: str, *, exit: bool = False) -> None:
        """Take nothing."""


@dataclass(frozen=True, slots=True)
class ForExits:
    """A budget whose every call may use what is reserved: for whoever only gets out of positions."""

    budget: Budget

    def spend(self, kind: str, *, exit: bool = False) -> None:
        """Take one ``kind`` as an exit's."""
        self.budget.spend(kind, exit=True)


@dataclass(frozen=True, slots=True)
class Keys:
    """What proves who we are; ``session_token`` is what ``exchange_session`` returned, base64 of "USER:KEY"."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    session_token: str = field(repr=False)
    user_id: str = ""

    @property
    def session_key(self) -> str:
        """Return the key inside the token, which the sockets want by itself; SessionLost when there is none."""
        return _opened(self.session_token)[1]


@dataclass
class Wire:
    """A line to Breeze that several threads may ask through.

    ``timeouts`` are seconds to connect and to read; ``on_message`` hears every answer as (verb, what was said) with
    secrets hidden, and may fail without harm.
    """

    keys: Keys
    addresses: Addresses
    budget: Budget
    timeouts: Timeouts = TIMEOUTS
    on_message: Heard | None = None

    def __post_init__(self) -> None:
        """Hide the keys from every log from now on."""
        user, key = _opened(self.keys.session_token)
        redact.register((self.keys.api_key, self.keys.api_secret, self.keys.session_token, key))
        self.user_id = self.keys.user_id or user
        self.http: Http = shared(self.timeouts)  # the process's pool with this line's time limits
        self._turn = threading.Lock()
        self._sdk: Any = None

    def sdk(self) -> Any:
        """Return the SDK's ``BreezeConnect``, logged in with our keys; it never downloads its master."""
        with self._turn:
            if self._sdk is None:
                self._sdk = self._connected()
            return self._sdk

    def _connected(self) -> Any:
        module = loader.load(self.addresses, http=self.http)
        sdk = module.BreezeConnect(self.keys.api_key)
        sdk.user_id, sdk.session_key, sdk.secret_key = self.user_id, self.keys.session_key, self.keys.api_secret
        sdk.interval = ""  # the SDK reads it before it sets it
        sdk.get_stock_script_list()
        sdk.api_handler = module.ApificationBreeze(sdk)
        sdk.api_handler.base64_session_token = self.keys.session_token
        return sdk

    def ask(self, verb: str, call: Callable[[Any], Any], *, moves: bool = False, deadline: float | None = None) -> Any:
        """Let ``call`` ask through the SDK, once, and return what its last answer holds under ``Success``.

        None means that Breeze says there is nothing. Only where it ``moves`` money is an order verb let out, and none
        after the monotonic second ``deadline``. Budgets are the caller's. Raise NotSent, OutcomeUnknown, Busy,
        Transient, SessionLost, Refused or BadInput.
        """
        sdk = self.sdk()
        returned: Any = None
        failure: Exception | None = None
        with self.http.watch(moves=moves, deadline=deadline) as watch:
            try:
                returned = call(sdk)
            except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions; the exchanges say what happened
                failure = error
        self._tell(verb, watch)
        return _outcome(verb, watch, returned, failure)

    def _tell(self, verb: str, watch: Watch) -> None:
        if self.on_message is None:
            return
        for exchange in watch.exchanges:
            try:
                self.on_message(verb, _record(exchange, brief=verb in BULKY))
            except Exception:
                log.exception("an answer of the broker could not be recorded", verb=verb)


def _outcome(verb: str, watch: Watch, returned: Any, failure: Exception | None) -> Any:
    """Return what the last of the exchanges gave, or raise for the first that did not end well."""
    success: Any = None
    for exchange in watch.exchanges:
        success = settled(exchange)
    if objection := words.own_refusal(returned):
        raise Refused(f"{verb}: {objection}") if watch.exchanges else BadInput(f"{verb}: {objection}")
    if not watch.exchanges:
        raise BadInput(f"{verb}: the SDK asked nothing ({type(failure or returned).__name__})")
    if failure is not None:
        sent = any(exchange.method != "GET" for exchange in watch.exchanges)
        raise words.unclean(f"{verb}: the SDK broke off ({type(failure).__name__})", moves=sent)
    return success


def settled(exchange: Exchange) -> Any:
    """Return what an exchange gave; otherwise raise the error that says what is certain about it."""
    moves = exchange.method != "GET"
    if exchange.status is not None:
        return words.judge(exchange.status, exchange.body, moves=moves)
    if isinstance(exchange.failure, TooLate):
        raise NotSent("the moment to send had passed; nothing was sent")
    why = f"no answer from Breeze ({exchange.why})"
    if moves and not exchange.written:
        raise NotSent(f"{why}; nothing was sent", fix="check the line to ICICI")
    raise words.unclean(why, moves=moves)


def _record(exchange: Exchange, *, brief: bool) -> dict[str, Any]:
    """Return what may be filed of an exchange: the answer word for word, secrets hidden."""
    said: Any = exchange.body.decode("utf-8", errors="replace")
    try:
        said = json.loads(said)
    except (ValueError, RecursionError):
        said = said[:2_000]
    if brief and isinstance(said, dict) and isinstance(said.get("Success"), list):
        said = {**said, "Success": f"{len(said['Success'])} rows"}
    return {
        "method": exchange.method,
        "path": exchange.path,
        "http": exchange.status,
        "sent": exchange.written,
        "ms": round(exchange.ms, 1),
        "failure": exchange.why,
        "answer": redact.value(said),
    }


def exchange_session(
    api_key: str,
    api_session: str,
    addresses: Addresses,
    *,
    budget: Budget | None = None,
    timeouts: Timeouts = TIMEOUTS,
) -> tuple[str, str]:
    """Return (user id, session token) for the ``apisession`` of a login, asking as the SDK's login does.

    BadInput when the key or the session cannot be right, SessionLost when it has expired or was used up, otherwise
    Busy or Transient.
    """
    if not api_key or not api_session.strip():
        raise BadInput("a login needs the API key and the API session", fix="set BREEZE_API_KEY, then log in at ICICI")
    redact.register((api_key, api_session))
    (budget or NoBudget()).spend("call", exit=True)
    http = shared(timeouts)
    body = json.dumps({"SessionToken": api_session.strip(), "AppKey": api_key}, separators=(",", ":"))
    with http.watch() as watch:
        try:
            http.get(f"{addresses.api}customerdetails", data=body, headers={"Content-Type": "application/json"})
        except Unanswered:
            log.debug("the login was not answered")  # the exchange below says why
    success = settled(watch.exchanges[-1])
    token = success.get("session_token") if isinstance(success, dict) else None
    if not isinstance(token, str):
        raise Transient("Breeze answered the login without a session token", fix=words.LOGIN)
    user, key = _opened(token)
    redact.register((token, key))
    return user, token


def _opened(token: str) -> tuple[str, str]:
    """Return (user id, session key) of a session token; SessionLost when it holds neither."""
    try:
        user, _, key = base64.b64decode(token.encode("ascii"), validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        user, key = "", ""
    if not user or not key:
        raise SessionLost("the session token is not one of Breeze", fix=words.LOGIN)
    return user, key
