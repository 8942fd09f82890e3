"""The calendar in force: the shipped one with the exchange's later circulars applied."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from django.db import DatabaseError

from sensequant.lib.errors import NotFound, Unavailable
from trading.core.calendar import NSE, SETTLEMENT_HOLIDAYS, Calendar, Override, Phase, Session
from trading.models.calendar import CalendarOverride

COLUMNS = ("date", "closed", "open_time", "close_time", "name", "completes_year")
Row = tuple[dt.date, bool, dt.time | None, dt.time | None, str, bool]


def current() -> Calendar:
    """Return NSE's calendar with the recorded overrides; one small query, and a rebuild only after a change."""
    try:
        rows = tuple(CalendarOverride.objects.order_by("date").values_list(*COLUMNS))
    except DatabaseError as error:
        raise Unavailable(f"the calendar overrides cannot be read: {error}", fix="run manage.py migrate") from error
    return _built(rows)


@lru_cache(maxsize=4)
def _built(rows: tuple[Row, ...]) -> Calendar:
    """Return the calendar of these rows; the rows themselves are the token that tells a change."""
    return NSE.with_overrides(_override(*row) for row in rows) if rows else NSE


def set_override(
    *,
    day: dt.date,
    closed: bool = False,
    window: tuple[dt.time, dt.time] | None = None,
    name: str = "",
    note: str = "",
    completes_year: bool = False,
    by: str,
) -> CalendarOverride:
    """Record what a circular says of ``day`` in place of what was recorded; ``Invalid`` if it contradicts itself."""
    opens, closes = window or (None, None)
    _override(day, closed, opens, closes, name, completes_year)
    row, _ = CalendarOverride.objects.update_or_create(
        date=day,
        defaults={
            "closed": closed,
            "open_time": opens,
            "close_time": closes,
            "name": name,
            "note": note,
            "completes_year": completes_year,
            "created_by": by,
        },
    )
    return row


def remove_override(*, day: dt.date) -> None:
    """Forget the override of ``day``; raise ``NotFound`` if there is none."""
    deleted, _ = CalendarOverride.objects.filter(date=day).delete()
    if not deleted:
        raise NotFound(f"the calendar has no override of {day}")


def listing(start: dt.date, end: dt.date, segment: str) -> dict[str, Any]:
    """Return the sessions and closures from ``start`` to ``end`` as plain data, times as ``HH:MM`` IST."""
    calendar = current()
    days = [start + dt.timedelta(n) for n in range((end - start).days + 1)]
    closures = {day: name for day in days if (name := calendar.closure(day)) is not None}
    return {
        "segment": segment,
        "start": start,
        "end": end,
        "known_from": calendar.known_from,
        "known_until": calendar.known_until,
        "sessions": [_described(session, calendar) for session in calendar.sessions(start, end, segment)],
        "closures": [{"date": day, "name": name} for day, name in closures.items()],
    }


def _described(session: Session, calendar: Calendar) -> dict[str, Any]:
    return {
        "date": session.date,
        "kind": session.kind,
        "name": session.name,
        "provisional": session.provisional,
        "settles": calendar.is_settlement_day(session.date),
        "settlement_holiday": SETTLEMENT_HOLIDAYS.get(session.date, ""),
        "phases": [_stretch(phase) for phase in session.phases],
        "steps": [_stretch(step) for step in session.steps],
    }


def _stretch(phase: Phase) -> dict[str, str]:
    return {"name": phase.name, "start": f"{phase.start:%H:%M}", "end": f"{phase.end:%H:%M}"}


def _override(
    day: dt.date, closed: bool, opens: dt.time | None, closes: dt.time | None, name: str, completes_year: bool
) -> Override:
    windows = ((opens, closes),) if opens and closes else ()
    return Override(day, closed, windows, name, completes_year)
