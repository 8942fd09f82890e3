"""The bars of live sessions, kept as the desk decided on them, and read again for restarts and replays."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import F

from trading.core.bars import Bars
from trading.core.calendar import IST
from trading.models.fetching import StreamBar

PLACES = Decimal("0.0001")
MADE = ("ticks", "partial", "history")


class Kept(NamedTuple):
    """One bar as it is kept: ``start`` seconds UTC, rupees, shares (NaN unknown), how it came to be, ticks seen."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    origin: str
    ticks: int = 0


def kept(start: int, prices: Sequence[float], volume: float, origin: str, ticks: int = 0) -> Kept:
    """Return a bar rounded as the table keeps it, so that what is decided on is what is read again."""
    opened, high, low, closed = (float(_money(price)) for price in prices)
    shares = float(round(volume)) if volume >= 0 and math.isfinite(volume) else math.nan
    high, low = max(opened, high, closed), min(opened, low, closed)
    return Kept(start, opened, high, low, closed, shares, origin, ticks)


def save(interval: str, rows: Iterable[tuple[str, Kept]]) -> None:
    """Keep the bars of one moment, (symbol, bar) each; one that is kept already stays as it is."""
    StreamBar.objects.bulk_create(
        [
            StreamBar(
                symbol=symbol, interval=interval, start=_moment(bar.start), open=_money(bar.open),
                high=_money(bar.high), low=_money(bar.low), close=_money(bar.close), origin=bar.origin,
                volume=int(bar.volume) if bar.volume == bar.volume else None, ticks=bar.ticks,
            )
            for symbol, bar in rows
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def count_late(interval: str, late: Mapping[tuple[str, int], int]) -> None:
    """Add ticks that came after their bar was closed, by (symbol, bar start), to what is kept of the bars."""
    with transaction.atomic():
        for (symbol, start), count in late.items():
            StreamBar.objects.filter(symbol=symbol, interval=interval, start=_moment(start)).update(
                late=F("late") + count
            )


def of_day(symbol: str, interval: str, day: int) -> list[Kept]:
    """Return a symbol's bars of an epoch day in IST, oldest first."""
    midnight = day * 86_400 - 19_800
    return _rows(symbol, interval, _moment(midnight), _moment(midnight + 86_400))


def forget_after(symbols: Sequence[str], interval: str, day: int, at: dt.datetime) -> int:
    """Remove the day's bars that are not over at ``at`` and return how many there were.

    At a real venue there are none; a simulated one may live a day again.
    """
    end = _moment((day + 1) * 86_400 - 19_800)
    rows = StreamBar.objects.filter(symbol__in=symbols, interval=interval, start__gt=at, start__lt=end)
    return rows.delete()[0]


def load(symbol: str, interval: str, start: dt.date, end: dt.date) -> Bars:
    """Return a symbol's bars of the sessions from ``start`` to ``end``, both included; none is empty Bars."""
    first = dt.datetime.combine(start, dt.time(), IST)
    found = _rows(symbol, interval, first, dt.datetime.combine(end + dt.timedelta(days=1), dt.time(), IST))
    ts = np.array([bar.start for bar in found], np.int64)
    return Bars(ts, *(np.array([bar[k] for bar in found], np.float64) for k in range(1, 6)))


def symbols(interval: str) -> list[str]:
    """Return the symbols of which bars are kept, sorted."""
    rows = StreamBar.objects.filter(interval=interval, origin__in=MADE)
    return list(rows.order_by("symbol").values_list("symbol", flat=True).distinct())


def close_before(symbol: str, interval: str, day: int) -> float:
    """Return a symbol's last kept close before an epoch day, NaN when there is none."""
    rows = StreamBar.objects.filter(symbol=symbol, interval=interval, start__lt=_moment(day * 86_400 - 19_800))
    newest = rows.filter(origin__in=MADE).order_by("-start").values_list("close", flat=True).first()
    return math.nan if newest is None else float(newest)


def _rows(symbol: str, interval: str, first: dt.datetime, end: dt.datetime) -> list[Kept]:
    rows = StreamBar.objects.filter(symbol=symbol, interval=interval, start__gte=first, start__lt=end)
    return [
        Kept(
            int(row.start.timestamp()), float(row.open), float(row.high), float(row.low), float(row.close),
            math.nan if row.volume is None else float(row.volume), row.origin, row.ticks,
        )
        for row in rows.filter(origin__in=MADE).order_by("start")
    ]  # fmt: skip


def _moment(ts: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ts, dt.UTC)


def _money(price: float) -> Decimal:
    return Decimal(repr(price)).quantize(PLACES)
