"""How old each part of the live picture may be before it must not be read as the present: every such limit, here.

A part is as old as what it was made of. ``books`` is what the engine itself keeps (cash, orders, signals, trades):
true at the moment of publishing. ``prices`` is what hangs on the newest bar (unrealised gain, exposure, features): true
when that bar was taken, and not late until the next one is due. ``states`` are words a server looks up for a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BOOKS: Final = "books"
PRICES: Final = "prices"
STATES: Final = "states"
LIMITS: Final[Mapping[str, float]] = MappingProxyType({BOOKS: 5.0, PRICES: 20.0, STATES: 45.0})  # seconds
SILENT: Final = 30.0  # seconds without a picture: what the engine said last no longer counts


def late_after(part: str, due: float = 0.0) -> float:
    """Return the age in seconds at which ``part`` is late when the next of it is due ``due`` seconds after the last."""
    return LIMITS[part] + max(due, 0.0)


def until_next_bar(minutes: int, speed: float) -> float:
    """Return the seconds between two bars of ``minutes`` played ``speed`` times as fast as life; 0 plays at once."""
    return minutes * 60.0 / speed if speed > 0.0 else 0.0
