"""How often the news of a symbol are asked for: as often as they go stale while it can be traded, seldom otherwise."""

from __future__ import annotations

import datetime as dt
from typing import Final

from trading.core.calendar import IST, Calendar

CALM: Final = 3_600.0  # seconds between questions while no session is near
BEFORE: Final = dt.timedelta(minutes=75)  # before the open the news of the night are read


def pace(lives: float, at: dt.datetime, calendar: Calendar, segment: str = "equity") -> float:
    """Return the seconds until the next question; ``lives`` is how many a score is fresh."""
    session = calendar.session(at.astimezone(IST).date(), segment)
    near = session is not None and session.open - BEFORE <= at <= session.close
    return lives if near else max(lives, CALM)
