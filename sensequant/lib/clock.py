"""The only place that reads the wall clock; doors read it once and pass ``at`` down."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one door to the clock


def ist(at: dt.datetime) -> dt.datetime:
    """Return ``at`` as the exchange's clock shows it."""
    return at.astimezone(IST)
