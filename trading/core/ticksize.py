"""The smallest price step of a share: a dated table over the close of the last trading day of the month before.

The exchange looks once a month and lets the step stand until it looks again, through splits, bonuses and any rise.
Its circulars leave gaps ("250 to 1,000", "1,001 to 5,000"): a close between two bands belongs to the upper one, whose
coarser steps the lower band would take as well, so that no price is ever refused for lying between two steps.
Sources: NSE's circular in force from 15 April 2025; its rule of 10 June 2024.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.core.calendar import Calendar
from trading.core.errors import Invalid

FUND_TICK: Final = Decimal("0.01")
"""Exchange-traded funds are left out of the bands."""


@dataclass(frozen=True, slots=True)
class Band:
    """Closes up to ``until`` (rupees; included unless ``below``), None for all above, have this ``tick``."""

    until: Decimal | None
    tick: Decimal
    below: bool = False

    def holds(self, close: Decimal) -> bool:
        """Say whether the close lies in the band or under it."""
        return self.until is None or close < self.until or (close == self.until and not self.below)


def _bands(*rows: tuple[str, str], rest: str) -> tuple[Band, ...]:
    """Return the bands; the first ends below its border, as the circulars say, the others include theirs."""
    given = tuple(Band(Decimal(until), Decimal(tick), below=at == 0) for at, (until, tick) in enumerate(rows))
    return (*given, Band(None, Decimal(rest)))


TABLES: Final[tuple[tuple[dt.date, tuple[Band, ...]], ...]] = (
    (dt.date.min, _bands(rest="0.05")),
    (dt.date(2024, 6, 10), _bands(("250", "0.01"), rest="0.05")),
    (
        dt.date(2025, 4, 15),
        _bands(
            ("250", "0.01"), ("1000", "0.05"), ("5000", "0.10"), ("10000", "0.50"), ("20000", "1.00"), rest="5.00"
        ),
    ),
)  # fmt: skip
"""Since when, and what."""


def table_on(on: dt.date) -> tuple[dt.date, tuple[Band, ...]]:
    """Return the table in force on a day, with its first day."""
    return next(row for row in reversed(TABLES) if row[0] <= on)


def tick_for(close: Decimal, on: dt.date, *, fund: bool = False) -> Decimal:
    """Return the step in rupees that holds on ``on`` for a share that closed at ``close`` on the day of the review.

    ``fund``: an exchange-traded fund. Raise ``Invalid`` for a close that is not a positive number.
    """
    if not close.is_finite() or close <= 0:
        raise Invalid(f"a close of {close} gives no tick size: it must be a positive number of rupees")
    if fund:
        return FUND_TICK
    return next(band.tick for band in table_on(on)[1] if band.holds(close))


def review_day(on: dt.date, calendar: Calendar) -> dt.date:
    """Return the day whose close decides the step on ``on``: the last trading day of the month before.

    Raise ``Invalid`` when the calendar does not know that month.
    """
    return calendar.previous_session(on.replace(day=1))


def holds_from(on: dt.date, calendar: Calendar) -> dt.date:
    """Return since when the step of ``on`` holds: the month's first trading day, or a later new table's first day."""
    first = calendar.next_session(on.replace(day=1) - dt.timedelta(days=1))
    return max(first, table_on(on)[0])
