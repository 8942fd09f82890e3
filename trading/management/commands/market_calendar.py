"""``market_calendar``: the exchange's sessions, closures, special sessions and hours of a year or month."""

from __future__ import annotations

import calendar as months
import datetime as dt
from itertools import groupby
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.calendar import SEGMENTS
from trading.services import calendar

Listed = dict[str, Any]


class Command(DeskCommand):
    """Print the market calendar."""

    help = "Show the trading sessions, closures, special sessions and session hours of a year or month."
    examples = (
        "  manage.py market_calendar --year 2026\n"
        "  manage.py market_calendar --year 2026 --month 12 --segment equity_fno\n"
        "  manage.py market_calendar --year 2026 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the period and the segment."""
        parser.add_argument("--year", type=int, required=True, help="the calendar year, e.g. 2026")
        parser.add_argument("--month", type=int, help="1 to 12: list every day of one month")
        parser.add_argument("--segment", default="equity", choices=SEGMENTS, help="equity, or stocks with F&O")

    def run(self, **options: Any) -> tuple[Any, str]:
        """List the period and lay it out."""
        start, end = _period(options["year"], options["month"])
        data = calendar.listing(start, end, options["segment"])
        return data, _text(data, every_day=options["month"] is not None)


def _period(year: int, month: int | None) -> tuple[dt.date, dt.date]:
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise BadInput(f"--year {year} is not a year")
    if month is None:
        return dt.date(year, 1, 1), dt.date(year, 12, 31)
    if not 1 <= month <= 12:
        raise BadInput(f"--month {month} is not a month", fix="use 1 to 12")
    return dt.date(year, month, 1), dt.date(year, month, months.monthrange(year, month)[1])


def _text(data: Listed, *, every_day: bool) -> str:
    sessions: list[Listed] = data["sessions"]
    special = [session for session in sessions if session["kind"] != "regular"]
    unsettled = [session for session in sessions if session["settlement_holiday"]]
    blocks = [
        f"NSE {data['segment']}, {data['start']} to {data['end']}: {len(sessions)} sessions, "
        f"{len(data['closures'])} closures, {len(special)} special sessions "
        f"(calendar known until {data['known_until']})",
        _block("Closed on", [f"{_day(item['date'])}  {item['name']}" for item in data["closures"]]),
        _block("Special sessions", [_special(session) for session in special]),
        _block("Open, but no settlement", [f"{_day(s['date'])}  {s['settlement_holiday']}" for s in unsettled]),
        _block("Regular hours (IST)", _hours([s for s in sessions if s["kind"] == "regular"])),
    ]
    if every_day:
        blocks.append(_block("Sessions", [f"{_day(s['date'])}  {_phases(s['phases'])}" for s in sessions]))
    return "\n\n".join(filter(None, blocks))


def _block(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _day(day: dt.date) -> str:
    return f"{day} {day:%a}"


def _special(session: Listed) -> str:
    doubt = "  (hours unconfirmed)" if session["provisional"] else ""
    return f"{_day(session['date'])}  {session['kind']:7}  {_phases(session['phases'])}  {session['name']}{doubt}"


def _phases(phases: list[dict[str, str]]) -> str:
    return ", ".join(f"{phase['name']} {phase['start']}-{phase['end']}" for phase in phases)


def _hours(sessions: list[Listed]) -> list[str]:
    """Return one line (and one for the auctions' steps) per stretch of days with the same hours."""
    lines = []
    for (phases, steps), group in groupby(sessions, key=lambda s: (_phases(s["phases"]), _phases(s["steps"]))):
        days = [session["date"] for session in group]
        lines.append(f"{days[0]} to {days[-1]}  {phases}")
        if steps:
            lines.append(f"{'':24}  auctions: {steps}")
    return lines
