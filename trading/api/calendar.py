"""When the exchange is open."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import ist, now
from sensequant.lib.errors import BadInput
from trading.api.fields import Day, Moment, Segment
from trading.core.calendar import Calendar
from trading.core.errors import Invalid
from trading.services import calendar

router = Router(tags=["calendar"])
MONTH = dt.timedelta(days=30)
LONGEST = dt.timedelta(days=3_700)


class PhaseOut(Schema):
    """A stretch of a session."""

    name: str = Field(description="pre_open, continuous, closing_auction, post_close, …", examples=["continuous"])
    start: str = Field(description="IST.", examples=["09:15"])
    end: str = Field(description="IST, not included.", examples=["15:30"])


class SessionOut(Schema):
    """One trading day."""

    date: dt.date = Field(description="The day.", examples=["2026-11-20"])
    kind: str = Field(description="regular, special or muhurat.", examples=["regular"])
    name: str = Field(description="Name of a special session; empty otherwise.", examples=[""])
    provisional: bool = Field(description="The exchange has not confirmed the hours yet.", examples=[False])
    settles: bool = Field(description="Trades settle on this day.", examples=[True])
    settlement_holiday: str = Field(description="Why they do not; empty otherwise.", examples=[""])
    phases: list[PhaseOut] = Field(description="Its phases, in order.")
    steps: list[PhaseOut] = Field(description="The parts inside its call auctions.")


class ClosureOut(Schema):
    """A weekday on which the exchange is closed."""

    date: dt.date = Field(description="The day.", examples=["2026-12-25"])
    name: str = Field(description="Why.", examples=["Christmas"])


class CalendarOut(Schema):
    """Sessions and closures of a span of days."""

    segment: str = Field(description="Segment.", examples=["equity"])
    start: dt.date = Field(description="First day.", examples=["2026-11-01"])
    end: dt.date = Field(description="Last day, included.", examples=["2026-11-30"])
    known_from: dt.date = Field(description="First day the calendar knows.", examples=["2008-01-01"])
    known_until: dt.date = Field(description="Last day the calendar knows.", examples=["2026-12-31"])
    sessions: list[SessionOut] = Field(description="The trading days.")
    closures: list[ClosureOut] = Field(description="The closures.")


class TodayOut(Schema):
    """Where the exchange stands now."""

    now: Moment = Field(description="The present moment, to the minute.")
    date: dt.date = Field(description="Today in India.", examples=["2026-11-23"])
    segment: str = Field(description="Segment.", examples=["equity"])
    phase: str = Field(description="The phase it is in, or closed.", examples=["continuous"])
    session: SessionOut | None = Field(description="Today's session; null when closed.")
    closure: str = Field(description="Name of today's holiday; empty otherwise.", examples=[""])
    previous_session: dt.date = Field(description="The trading day before.", examples=["2026-11-20"])
    next_session: dt.date | None = Field(
        description="The trading day after; null when the calendar does not know yet.", examples=["2026-11-25"]
    )


class CalendarFilter(Schema):
    """Which days."""

    start: Day | None = Field(default=None, description="First day; today when left out.", examples=["2026-11-01"])
    end: Day | None = Field(default=None, description="Last day; 30 days on when left out.", examples=["2026-11-30"])
    segment: Segment = Field(default="equity", description="equity, or equity_fno for shares with F&O.")


class TodayFilter(Schema):
    """Which segment."""

    segment: Segment = Field(default="equity", description="equity, or equity_fno for shares with F&O.")


@router.get("/sessions", response=CalendarOut, summary="Sessions of a span of days")
def sessions(request: HttpRequest, wanted: Query[CalendarFilter]) -> dict[str, Any]:
    """Return the sessions and closures; days outside what the calendar knows are a problem that names its range."""
    start = wanted.start or ist(now()).date()
    end = wanted.end or min(start, dt.date.max - MONTH) + MONTH
    if start > end:
        raise BadInput(f"start={start} is after end={end}", fix="give the earlier day as start")
    if end - start > LONGEST:
        raise BadInput(f"{start} to {end} is over {LONGEST.days} days", fix="ask for a shorter span")
    return calendar.listing(start, end, wanted.segment)


@router.get("/today", response=TodayOut, summary="Where the exchange stands now")
def today(request: HttpRequest, wanted: Query[TodayFilter]) -> dict[str, Any]:
    """Return today's session, the phase it is in, and the trading days around it."""
    at = ist(now()).replace(second=0, microsecond=0)
    day, known = at.date(), calendar.current()
    listed = calendar.listing(day, day, wanted.segment)
    return {
        "now": at,
        "date": day,
        "segment": wanted.segment,
        "phase": known.phase(at, wanted.segment),
        "session": next(iter(listed["sessions"]), None),
        "closure": known.closure(day) or "",
        "previous_session": known.previous_session(day),
        "next_session": _next(known, day),
    }


def _next(known: Calendar, day: dt.date) -> dt.date | None:
    try:
        return known.next_session(day)
    except Invalid:  # beyond the last day the exchange has announced
        return None
