"""A broker's tick as the desk sees it, and how a raw message becomes one.

The raw equity quote is a list of 21 items: 0 room ``4.1!<token>``, 1 open, 2 last, 3 high, 4 low, 5 change, 6 bid,
7 bid quantity, 8 ask, 9 ask quantity, 10 last quantity, 11 average, 12 volume of the day, 13 and 14 totals offered,
15 value, 16 trend, 17 lower circuit, 18 upper circuit, 19 time of the last trade (seconds since the epoch), 20 previous
close. An index carries None in most of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

NAN: Final = float("nan")
INF: Final = math.inf
ROOM: Final = "4.1!"  # quotes of the NSE
LAYOUT: Final = 21
BROKEN: Final = frozenset({"layout", "price"})  # reasons that mean that something was lost
LAST_TIME: Final = 1 << 32


class Tick(NamedTuple):
    """One quote: the newest trade, the day's volume up to it, the best offers and the day's limits; rupees, shares.

    ``ts`` is when the newest trade took place, in seconds UTC of the exchange's clock; ``received`` is when the message
    arrived, in seconds of this machine's monotonic clock; ``seq`` counts the messages in the order they arrived. NaN
    stands for unknown.
    """

    token: str
    ts: int
    price: float
    volume_today: float
    bid: float
    ask: float
    lower: float
    upper: float
    received: float
    seq: int
    previous_close: float = NAN


class Received(NamedTuple):
    """A message as it came: untouched, when (monotonic seconds) and its number."""

    raw: Any
    at: float
    seq: int


class Outage(NamedTuple):
    """A stretch in which the stream may have missed something.

    ``since`` and ``until`` are market seconds UTC, ``began`` and ``ended`` monotonic ones; infinite while it lasts.
    """

    since: float
    until: float
    began: float
    ended: float
    reason: str = ""


def room(token: str) -> str:
    """Return the room in which quotes of ``token`` are sent."""
    return ROOM + token


def parse(message: Received, refused: Counter[str] | None = None) -> Tick | None:
    """Return the tick of a raw message, or None for what is none, counted in ``refused`` by its reason; never raise."""
    found = read(message)
    if isinstance(found, Tick):
        return found
    if refused is not None:
        refused[found] += 1
    return None


def read(message: Received) -> Tick | str:
    """Return the tick of a raw message, or why it is none; never raise.

    Reasons: ``no list``, ``room`` (no quote of the NSE), ``layout`` (not 21 items), ``time`` (no trade yet), ``price``.
    """
    raw = message.raw
    if not isinstance(raw, list | tuple) or not raw:
        return "no list"
    token = token_of(raw[0])
    if not token:
        return "room"
    if len(raw) != LAYOUT:
        return "layout"
    when, price = _number(raw[19]), _number(raw[2])
    if not 0 < when < LAST_TIME:
        return "time"
    if not 0 < price < INF:
        return "price"
    volume, bid, ask, lower, upper = (_number(raw[k]) for k in (12, 6, 8, 17, 18))
    return Tick(
        token, int(when), price, volume if volume >= 0 else NAN, _offer(bid), _offer(ask), _offer(lower),
        _offer(upper), message.at, message.seq, _offer(_number(raw[20])),
    )  # fmt: skip


def token_of(place: object) -> str:
    """Return the token of a quotes room, empty when it is none."""
    return place[len(ROOM) :] if isinstance(place, str) and place.startswith(ROOM) else ""


def in_order(ticks: Iterable[Tick]) -> list[Tick]:
    """Return ticks in the order of the exchange: by time, then by the day's volume, then as they came.

    Each message is delivered by a thread of its own, so the order of arrival says little.
    """
    return sorted(ticks, key=lambda tick: (tick.ts, known(tick.volume_today), tick.seq))


def known(volume: float) -> float:
    """Return a day's volume as it can be compared: −1 when it is unknown."""
    return -1.0 if volume != volume else volume


def _offer(price: float) -> float:
    """Return a price, or NaN for the 0 that stands for none."""
    return price if price > 0 else NAN


def _number(value: object) -> float:
    """Return a finite number, written out or not; NaN for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return NAN
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return NAN
    return number if math.isfinite(number) else NAN
