"""What goes down the sockets: bare lists and comma-separated lines, as ICICI's servers send them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trading.adapters.simulator.rows import moment, money, touch_size
from trading.adapters.simulator.shares import Share
from trading.core.exchange.book import UNIT, Order

QUOTE_ITEMS: Final = 21
LEVELS: Final = 5
CRORE: Final = 1e7
LETTERS: Final = {
    "Requested": "R", "Queued": "Q", "Ordered": "O", "Partially Executed": "P", "Executed": "E", "Rejected": "J",
    "Expired": "X", "Partially Executed And Expired": "B", "Partially Executed And Cancelled": "D", "Freezed": "F",
    "Cancelled": "C",
}  # fmt: skip
CANDLES: Final = {"1SEC": 1, "1MIN": 60, "5MIN": 300, "30MIN": 1800}


def quotes_room(token: str) -> str:
    """Return the room of a share's quotes."""
    return f"4.1!{token}"


def depth_room(token: str) -> str:
    """Return the room of a share's depth."""
    return f"4.2!{token}"


def quote(share: Share, *, as_index: bool = False) -> list[Any]:
    """Return the 21 items of an equity quote; an index has None in most of them."""
    market = share.market
    last = share.frozen or market.last
    bare = as_index or share.listed.index
    bid, ask = market.offers
    size = touch_size(share)
    sides = [bid or 0.0, size if bid else 0, ask or 0.0, size if ask else 0]
    traded = [
        market.last_quantity, round(market.average, 2), market.volume, size * 40, size * 40,
        f"{market.turnover / CRORE:.2f}C",
    ]  # fmt: skip
    trend = "+" if market.last > market.before else "-" if market.last < market.before else ""
    return [
        quotes_room(share.listed.token), market.open, last, market.high, market.low, round(market.change, 2),
        *([None] * 4 if bare else sides),
        *([None] * 6 if bare else traded),
        trend,
        *([None, None] if bare else [market.lower, market.upper]),
        market.ms // 1000, market.previous_close,
    ]  # fmt: skip


def depth(share: Share) -> list[Any]:
    """Return the five best offers of both sides."""
    market, size = share.market, touch_size(share)
    bid, ask = market.offers
    rows = []
    for level in range(LEVELS):
        buy = None if bid is None else round(bid - level * market.tick, 4)
        sell = None if ask is None else round(ask + level * market.tick, 4)
        bought = [buy, size * (level + 1), level + 1] if buy is not None and buy >= market.lower else [0.0, 0, 0]
        sold = [sell, size * (level + 1), level + 1] if sell is not None and sell <= market.upper else [0.0, 0, 0]
        rows.append([*bought, "", *sold, ""])
    return [depth_room(share.listed.token), market.ms // 1000, rows]


def notice(order: Order, code: str, user_id: str, sequence: int) -> list[Any]:
    """Return the 47 items of an equity order notification."""
    at = moment(order.changed_ms)
    pending = order.pending if order.working else 0
    row: list[Any] = [
        "5", "0", user_id, f"{user_id}{sequence}", "0", "1", str(sequence), f"{at:%Y%m%d}", f"{at:%H%M%S}", "O", "1",
        "4", "0000000000", "NSE", code, order.side[0], "L", order.validity[0].replace("D", "T"),
        money(order.limit / UNIT), "C", LETTERS[order.status], f"{moment(order.placed_ms):%d-%b-%Y}",
        f"{moment(order.placed_ms):%d-%b-%Y}", order.id, str(order.quantity), str(pending), str(order.filled),
        str(order.cancelled), str(order.expired), "0", "0.00", "N", money(pending * order.limit / UNIT), "N3",
        "WEB", "N", "", "Rolling", "C", "", "", "",
        money(order.average), "N", "N", "0.00", "",
    ]  # fmt: skip
    return row


@dataclass(slots=True)
class Candle:
    """One bar of the OHLC stream while it grows; ``whole``: it was watched from its beginning."""

    seconds: int
    channel: str
    start: int = 0
    values: tuple[float, float, float, float, int] | None = None
    whole: bool = False
    volume_before: int = 0

    def take(self, share: Share, origin: int) -> str:
        """Take the newest tick in; return the line of the bar it has ended, or an empty text."""
        market = share.market
        at = market.ms // 1000
        start = at - (at - origin) % self.seconds
        line = self.end(share, start) if start != self.start else ""
        if self.values is None or start != self.start:
            self.whole = self.start != 0 or market.volume == market.last_quantity
            self.start = start
            self.values = (market.last, market.last, market.last, market.last, market.last_quantity)
        else:
            first, high, low, _, volume = self.values
            high, low = max(high, market.last), min(low, market.last)
            self.values = (first, high, low, market.last, volume + market.last_quantity)
        return line

    def end(self, share: Share, now: int) -> str:
        """Return the line of a bar that is over at ``now`` (seconds UTC) and was whole, and begin none."""
        if self.values is None or now < self.start + self.seconds:
            return ""
        line = ohlc(share, self.start, self.values, self.channel) if self.whole else ""
        self.values = None
        return line


def ohlc(share: Share, start: int, values: Sequence[float], channel: str) -> str:
    """Return one line of the OHLC stream: low before high before open, and the bar's start."""
    first, high, low, last, volume = values
    stamp = f"{moment(start * 1000):%Y-%m-%d %H:%M:%S}"
    prices = ",".join(f"{price:.10g}" for price in (low, high, first, last))
    return f"NSE,{share.listed.code},{prices},{int(volume)},{stamp},{channel}"
