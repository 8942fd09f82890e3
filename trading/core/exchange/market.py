"""One share's day so far, as a quote shows it: last price, extremes, volume, the touch, the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.core.exchange.book import UNIT, Touch, units
from trading.core.exchange.path import Ticks

BANDS: Final = {"equity": 0.20, "equity_fno": 0.10}


def limits(previous_close: float, segment: str, tick: float) -> tuple[float, float]:
    """Return the day's lowest and highest price, on the tick grid inside the band round the previous close."""
    band = BANDS[segment]
    lower = np.ceil(round(previous_close * (1 - band) / tick, 6)) * tick
    upper = np.floor(round(previous_close * (1 + band) / tick, 6)) * tick
    return max(round(float(lower), 2), tick), round(float(upper), 2)


@dataclass(slots=True)
class Market:
    """The state of one share; prices in rupees, ``turnover`` in rupees, times in milliseconds UTC."""

    tick: float
    previous_close: float
    lower: float
    upper: float
    volume_known: bool = True
    ms: int = 0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    last: float = 0.0
    before: float = 0.0  # the price before the last
    last_quantity: int = 0
    volume: int = 0
    turnover: float = 0.0

    def trade(self, ms: int, price: float, quantity: int) -> None:
        """Take one tick in."""
        if not self.ms:
            self.open = self.high = self.low = self.before = price
        else:
            self.before = self.last
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.ms, self.last, self.last_quantity = ms, price, quantity
        self.volume += quantity
        self.turnover += price * quantity

    def trade_many(self, ticks: Ticks) -> None:
        """Take many ticks in at once, as ``trade`` would one by one."""
        if not len(ticks):
            return
        self.trade(int(ticks.ms[0]), float(ticks.price[0]), int(ticks.volume[0]))
        if len(ticks) == 1:
            return
        self.high = max(self.high, float(ticks.price[1:].max()))
        self.low = min(self.low, float(ticks.price[1:].min()))
        self.before = float(ticks.price[-2])
        self.ms, self.last = int(ticks.ms[-1]), float(ticks.price[-1])
        self.last_quantity = int(ticks.volume[-1])
        self.volume += int(ticks.volume[1:].sum())
        self.turnover += float(ticks.price[1:] @ ticks.volume[1:])

    @property
    def average(self) -> float:
        """Return the mean price of the day's trades; the last price when no volume is known."""
        return self.turnover / self.volume if self.volume else self.last

    @property
    def change(self) -> float:
        """Return the move since the previous close, per cent."""
        return (self.last / self.previous_close - 1) * 100 if self.previous_close and self.last else 0.0

    @property
    def offers(self) -> tuple[float | None, float | None]:
        """Return bid and ask, a tick apart, one of them the last price; none beyond the day's limits."""
        if not self.ms:
            return None, None
        rising = self.last > self.before
        bid = self.last - self.tick if rising else self.last
        ask = self.last if rising else self.last + self.tick
        if self.last >= self.upper:  # only buyers are left
            bid, ask = self.last, self.upper + self.tick
        elif self.last <= self.lower:
            bid, ask = self.lower - self.tick, self.last
        return (
            round(bid, 4) if bid >= self.lower else None,
            round(ask, 4) if ask <= self.upper else None,
        )

    @property
    def touch(self) -> Touch:
        """Return the best offers in units."""
        bid, ask = self.offers
        return Touch(None if bid is None else units(bid), None if ask is None else units(ask))


def rupees(price: int) -> float:
    """Return units as rupees."""
    return price / UNIT
