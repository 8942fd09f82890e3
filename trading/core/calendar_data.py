"""The NSE calendar as dated data: closures, special sessions, hours in force and settlement holidays.

Weekday closures 2007-2023 are the dates on which two published calendars (exchange_calendars' XBOM and
pandas_market_calendars' NSE) agree, 15 November 2013 apart, where the exchange's own bars decide; 2024-2026 follow
the exchange's circulars. Special sessions marked provisional have a sure date and an unconfirmed hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["regular", "special", "muhurat"]

KNOWN_FROM: Final = dt.date(2007, 1, 1)
KNOWN_UNTIL: Final = dt.date(2026, 12, 31)

SEGMENTS: Final = ("equity", "equity_fno")

CLOSURES: Final[dict[int, str]] = {
    2007: (
        "01-01 Bakri Id; 01-26 Republic Day; 01-30 Moharram; 02-16 Mahashivratri; 03-27 Ram Navami; "
        "04-06 Good Friday; 05-01 Maharashtra Day; 05-02 Buddha Pournima; 08-15 Independence Day; "
        "10-02 Gandhi Jayanti; 12-21 Bakri Id; 12-25 Christmas"
    ),
    2008: (
        "03-06 Mahashivratri; 03-20 Id-e-Milad; 03-21 Good Friday; 04-14 Ambedkar Jayanti / Ram Navami; "
        "04-18 Mahavir Jayanti; 05-01 Maharashtra Day; 05-19 Buddha Pournima; 08-15 Independence Day; "
        "09-03 Ganesh Chaturthi; 10-02 Id-ul-Fitr / Gandhi Jayanti; 10-09 Dussehra; 10-30 Diwali Balipratipada; "
        "11-13 Guru Nanak Jayanti; 11-27 Mumbai attacks; 12-09 Bakri Id; 12-25 Christmas"
    ),
    2009: (
        "01-08 Moharram; 01-26 Republic Day; 02-23 Mahashivratri; 03-10 Id-e-Milad; 03-11 Holi; 04-03 Ram Navami; "
        "04-07 Mahavir Jayanti; 04-10 Good Friday; 04-14 Ambedkar Jayanti; 04-30 Parliamentary election; "
        "05-01 Maharashtra Day; 09-21 Id-ul-Fitr; 09-28 Dussehra; 10-02 Gandhi Jayanti; "
        "10-13 State assembly election; 10-19 Diwali Balipratipada; 11-02 Guru Nanak Jayanti; 12-25 Christmas; "
        "12-28 Moharram"
    ),
    2010: (
        "01-01 New Year's Day; 01-26 Republic Day; 02-12 Mahashivratri; 03-01 Holi; 03-24 Ram Navami; "
        "04-02 Good Friday; 04-14 Ambedkar Jayanti; 09-10 Id-ul-Fitr; 11-17 Bakri Id; 12-17 Moharram"
    ),
    2011: (
        "01-26 Republic Day; 03-02 Mahashivratri; 04-12 Ram Navami; 04-14 Ambedkar Jayanti; 04-22 Good Friday; "
        "08-15 Independence Day; 08-31 Id-ul-Fitr; 09-01 Ganesh Chaturthi; 10-06 Dussehra; "
        "10-27 Diwali Balipratipada; 11-07 Bakri Id; 11-10 Guru Nanak Jayanti; 12-06 Moharram"
    ),
    2012: (
        "01-26 Republic Day; 02-20 Mahashivratri; 03-08 Holi; 04-05 Mahavir Jayanti; 04-06 Good Friday; "
        "05-01 Maharashtra Day; 08-15 Independence Day; 08-20 Id-ul-Fitr; 09-19 Ganesh Chaturthi; "
        "10-02 Gandhi Jayanti; 10-24 Dussehra; 11-14 Diwali Balipratipada; 11-28 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2013: (
        "03-27 Holi; 03-29 Good Friday; 04-19 Ram Navami; 04-24 Mahavir Jayanti; 05-01 Maharashtra Day; "
        "08-09 Id-ul-Fitr; 08-15 Independence Day; 09-09 Ganesh Chaturthi; 10-02 Gandhi Jayanti; 10-16 Bakri Id; "
        "11-04 Diwali Balipratipada; 11-15 Moharram; 12-25 Christmas"
    ),
    2014: (
        "02-27 Mahashivratri; 03-17 Holi; 04-08 Ram Navami; 04-14 Ambedkar Jayanti; 04-18 Good Friday; "
        "04-24 Parliamentary election; 05-01 Maharashtra Day; 07-29 Id-ul-Fitr; 08-15 Independence Day; "
        "08-29 Ganesh Chaturthi; 10-02 Gandhi Jayanti; 10-03 Dussehra; 10-06 Bakri Id; 10-15 State assembly election; "
        "10-24 Diwali Balipratipada; 11-04 Moharram; 11-06 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2015: (
        "01-26 Republic Day; 02-17 Mahashivratri; 03-06 Holi; 04-02 Mahavir Jayanti; 04-03 Good Friday; "
        "04-14 Ambedkar Jayanti; 05-01 Maharashtra Day; 09-17 Ganesh Chaturthi; 09-25 Bakri Id; 10-02 Gandhi Jayanti; "
        "10-22 Dussehra; 11-12 Diwali Balipratipada; 11-25 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2016: (
        "01-26 Republic Day; 03-07 Mahashivratri; 03-24 Holi; 03-25 Good Friday; 04-14 Ambedkar Jayanti; "
        "04-15 Ram Navami; 04-19 Mahavir Jayanti; 07-06 Id-ul-Fitr; 08-15 Independence Day; 09-05 Ganesh Chaturthi; "
        "09-13 Bakri Id; 10-11 Dussehra; 10-12 Moharram; 10-31 Diwali Balipratipada; 11-14 Guru Nanak Jayanti"
    ),
    2017: (
        "01-26 Republic Day; 02-24 Mahashivratri; 03-13 Holi; 04-04 Ram Navami; 04-14 Ambedkar Jayanti / Good Friday; "
        "05-01 Maharashtra Day; 06-26 Id-ul-Fitr; 08-15 Independence Day; 08-25 Ganesh Chaturthi; "
        "10-02 Gandhi Jayanti; 10-20 Diwali Balipratipada; 12-25 Christmas"
    ),
    2018: (
        "01-26 Republic Day; 02-13 Mahashivratri; 03-02 Holi; 03-29 Mahavir Jayanti; 03-30 Good Friday; "
        "05-01 Maharashtra Day; 08-15 Independence Day; 08-22 Bakri Id; 09-13 Ganesh Chaturthi; 09-20 Moharram; "
        "10-02 Gandhi Jayanti; 10-18 Dussehra; 11-08 Diwali Balipratipada; 11-23 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2019: (
        "03-04 Mahashivratri; 03-21 Holi; 04-17 Mahavir Jayanti; 04-19 Good Friday; 04-29 Parliamentary election; "
        "05-01 Maharashtra Day; 06-05 Id-ul-Fitr; 08-12 Bakri Id; 08-15 Independence Day; 09-02 Ganesh Chaturthi; "
        "09-10 Moharram; 10-02 Gandhi Jayanti; 10-08 Dussehra; 10-21 State assembly election; "
        "10-28 Diwali Balipratipada; 11-12 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2020: (
        "02-21 Mahashivratri; 03-10 Holi; 04-02 Ram Navami; 04-06 Mahavir Jayanti; 04-10 Good Friday; "
        "04-14 Ambedkar Jayanti; 05-01 Maharashtra Day; 05-25 Id-ul-Fitr; 10-02 Gandhi Jayanti; "
        "11-16 Diwali Balipratipada; 11-30 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2021: (
        "01-26 Republic Day; 03-11 Mahashivratri; 03-29 Holi; 04-02 Good Friday; 04-14 Ambedkar Jayanti; "
        "04-21 Ram Navami; 05-13 Id-ul-Fitr; 07-21 Bakri Id; 08-19 Moharram; 09-10 Ganesh Chaturthi; 10-15 Dussehra; "
        "11-05 Diwali Balipratipada; 11-19 Guru Nanak Jayanti"
    ),
    2022: (
        "01-26 Republic Day; 03-01 Mahashivratri; 03-18 Holi; 04-14 Ambedkar Jayanti / Mahavir Jayanti; "
        "04-15 Good Friday; 05-03 Id-ul-Fitr; 08-09 Moharram; 08-15 Independence Day; 08-31 Ganesh Chaturthi; "
        "10-05 Dussehra; 10-26 Diwali Balipratipada; 11-08 Guru Nanak Jayanti"
    ),
    2023: (
        "01-26 Republic Day; 03-07 Holi; 03-30 Ram Navami; 04-04 Mahavir Jayanti; 04-07 Good Friday; "
        "04-14 Ambedkar Jayanti; 05-01 Maharashtra Day; 06-29 Bakri Id; 08-15 Independence Day; "
        "09-19 Ganesh Chaturthi; 10-02 Gandhi Jayanti; 10-24 Dussehra; 11-14 Diwali Balipratipada; "
        "11-27 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2024: (
        "01-22 Ram Mandir consecration; 01-26 Republic Day; 03-08 Mahashivratri; 03-25 Holi; 03-29 Good Friday; "
        "04-11 Id-ul-Fitr; 04-17 Ram Navami; 05-01 Maharashtra Day; 05-20 Parliamentary election; 06-17 Bakri Id; "
        "07-17 Moharram; 08-15 Independence Day; 10-02 Gandhi Jayanti; 11-15 Guru Nanak Jayanti; "
        "11-20 State assembly election; 12-25 Christmas"
    ),
    2025: (
        "02-26 Mahashivratri; 03-14 Holi; 03-31 Id-ul-Fitr; 04-10 Mahavir Jayanti; 04-14 Ambedkar Jayanti; "
        "04-18 Good Friday; 05-01 Maharashtra Day; 08-15 Independence Day; 08-27 Ganesh Chaturthi; "
        "10-02 Dussehra / Gandhi Jayanti; 10-22 Diwali Balipratipada; 11-05 Guru Nanak Jayanti; 12-25 Christmas"
    ),
    2026: (
        "01-15 Municipal elections; 01-26 Republic Day; 03-03 Holi; 03-26 Ram Navami; 03-31 Mahavir Jayanti; "
        "04-03 Good Friday; 04-14 Ambedkar Jayanti; 05-01 Maharashtra Day; 05-28 Bakri Id; 06-26 Moharram; "
        "09-14 Ganesh Chaturthi; 10-02 Gandhi Jayanti; 10-20 Dussehra; 11-10 Diwali Balipratipada; "
        "11-24 Guru Nanak Jayanti; 12-25 Christmas"
    ),
}

# One session a line: date, kind, ``?`` when the hours are unconfirmed, name | phases. ``standard`` means the hours
# then in force. Diwali sessions are kept here even on weekdays, because the ordinary session of that day is cancelled.
SPECIAL_SESSIONS: Final = """
2007-11-09 muhurat Diwali | continuous 18:00-19:00
2008-03-04 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-05 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-07 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-10 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-11 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-12 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-13 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-14 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-17 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-03-18 special? Sun outage hours | continuous 09:55-11:45, continuous 12:30-16:15
2008-10-28 muhurat Diwali | continuous 18:15-19:15
2009-10-17 muhurat? Diwali | continuous 18:15-19:15
2010-02-06 special? Saturday system test | continuous 11:00-12:30
2010-11-05 muhurat? Diwali | continuous 18:15-19:15
2011-10-26 muhurat Diwali | pre_open 16:30-16:45, continuous 16:45-18:00, post_close 18:10-18:20
2012-01-07 special? Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45
2012-03-03 special? Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45
2012-04-28 special Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45
2012-09-08 special? Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45
2012-11-13 muhurat Diwali | pre_open 15:30-15:45, continuous 15:45-17:00
2013-05-11 special? Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45
2013-11-03 muhurat? Diwali | pre_open 18:00-18:15, continuous 18:15-19:30
2014-03-22 special Saturday system test | pre_open 11:00-11:15, continuous 11:15-12:45, post_close 13:05-13:15
2014-10-23 muhurat Diwali | pre_open 18:15-18:30, continuous 18:30-19:30
2015-02-28 special Union Budget | standard
2015-11-11 muhurat Diwali | pre_open 17:30-17:45, continuous 17:45-18:45
2016-10-30 muhurat Diwali | pre_open 18:15-18:30, continuous 18:30-19:30, post_close 19:40-19:50
2017-10-19 muhurat Diwali | pre_open 18:15-18:30, continuous 18:30-19:30
2018-11-07 muhurat Diwali | pre_open 17:15-17:30, continuous 17:30-18:30
2019-10-27 muhurat Diwali | pre_open 18:00-18:15, continuous 18:15-19:15, post_close 19:25-19:35
2020-02-01 special Union Budget | standard
2020-11-14 muhurat Diwali | pre_open 18:00-18:15, continuous 18:15-19:15, post_close 19:25-19:35
2021-02-24 special Exchange outage | pre_open 09:00-09:15, continuous 09:15-11:40, pre_open 15:30-15:45,\
 continuous 15:45-17:00, post_close 17:10-17:30
2021-11-04 muhurat Diwali | pre_open 18:00-18:15, continuous 18:15-19:15, post_close 19:25-19:35
2022-10-24 muhurat Diwali | pre_open 18:00-18:15, continuous 18:15-19:15
2023-11-12 muhurat Diwali | pre_open 18:00-18:15, continuous 18:15-19:15, post_close 19:25-19:35
2024-01-20 special Saturday in place of 22 January | standard
2024-03-02 special Disaster recovery drill | pre_open 09:00-09:15, continuous 09:15-10:00, pre_open 11:15-11:30,\
 continuous 11:30-12:30, post_close 12:40-12:50
2024-05-18 special? Disaster recovery drill | pre_open 09:00-09:15, continuous 09:15-10:00, pre_open 11:30-11:45,\
 continuous 11:45-12:40, post_close 12:50-13:00
2024-11-01 muhurat Diwali | pre_open 17:45-18:00, continuous 18:00-19:00
2025-02-01 special Union Budget | standard
2025-10-21 muhurat Diwali | pre_open 13:30-13:45, continuous 13:45-14:45
2026-02-01 special Union Budget | standard
2026-11-08 muhurat? Diwali | pre_open 18:00-18:15, continuous 18:15-19:15
"""

# Hours in force: first date, segments | phases | steps inside the call auctions.
# 18 Oct 2010: NSE pre-open session. 3 Aug 2026: closing auction for stocks with F&O (SEBI circular of 16 Jan 2026).
# 7 Sep 2026: two-part pre-open. 7 Dec 2026: the auction moves behind a full session (NSE/CMTR/76963 of 15 Oct 2026).
HOURS: Final = """
2007-01-01 equity equity_fno | continuous 09:55-15:30 |
2010-01-04 equity equity_fno | continuous 09:00-15:30 |
2010-10-18 equity equity_fno | pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:40-16:00 |\
 order_entry 09:00-09:08, matching 09:08-09:12, buffer 09:12-09:15
2026-08-03 equity | pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:50-16:00 |\
 order_entry 09:00-09:08, matching 09:08-09:12, buffer 09:12-09:15
2026-08-03 equity_fno | pre_open 09:00-09:15, continuous 09:15-15:15, closing_auction 15:15-15:35,\
 post_close 15:50-16:00 |\
 order_entry 09:00-09:08, matching 09:08-09:12, buffer 09:12-09:15, reference_price 15:15-15:20,\
 limit_and_market 15:20-15:25, limit_only 15:25-15:30, matching 15:30-15:35
2026-09-07 equity | pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:50-16:00 |\
 limit_and_market 09:00-09:05, limit_only 09:05-09:10, matching 09:10-09:12, buffer 09:12-09:15
2026-09-07 equity_fno | pre_open 09:00-09:15, continuous 09:15-15:15, closing_auction 15:15-15:35,\
 post_close 15:50-16:00 |\
 limit_and_market 09:00-09:05, limit_only 09:05-09:10, matching 09:10-09:12, buffer 09:12-09:15,\
 reference_price 15:15-15:20, limit_and_market 15:20-15:25, limit_only 15:25-15:30, matching 15:30-15:35
2026-12-07 equity_fno | pre_open 09:00-09:15, continuous 09:15-15:30, closing_auction 15:30-15:40,\
 post_close 15:50-16:00 |\
 limit_and_market 09:00-09:05, limit_only 09:05-09:10, matching 09:10-09:12, buffer 09:12-09:15,\
 reference_price 15:30-15:31, limit_and_market 15:31-15:36, limit_only 15:36-15:40
"""

# Days on which the exchange trades and the clearing banks or depositories do not settle, beside weekends and Diwali.
# Complete for 2024-2026; for 2021-2023 only the dates a notice could be found for, before that none.
SETTLEMENT_HOLIDAYS: Final[dict[int, str]] = {
    2021: "08-16 Parsi New Year",
    2022: "05-16 Buddha Pournima; 08-16 Parsi New Year",
    2023: "03-22 Gudi Padwa; 05-05 Buddha Pournima; 08-16 Parsi New Year",
    2024: (
        "02-19 Shivaji Jayanti; 04-01 Annual bank closing; 04-09 Gudi Padwa; 05-23 Buddha Pournima; 09-18 Id-e-Milad"
    ),
    2025: "02-19 Shivaji Jayanti; 04-01 Annual bank closing; 05-12 Buddha Pournima; 09-08 Id-e-Milad",
    2026: "02-19 Shivaji Jayanti; 03-19 Gudi Padwa; 04-01 Annual bank closing; 08-26 Id-e-Milad",
}


class Span(NamedTuple):
    """A named stretch of a day, in minutes from midnight IST, end excluded."""

    name: str
    start: int
    end: int


class Plan(NamedTuple):
    """What one day is to be: its kind, its name, its phases and the steps inside its auctions."""

    kind: Kind
    name: str
    provisional: bool
    phases: tuple[Span, ...]
    steps: tuple[Span, ...]

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Return the continuous windows as (start, end) minutes of the day."""
        return tuple((span.start, span.end) for span in self.phases if span.name == "continuous")


Hours = tuple[tuple[Span, ...], tuple[Span, ...]]


def spans(text: str) -> tuple[Span, ...]:
    """Parse ``pre_open 09:00-09:15, continuous 09:15-15:30``."""
    found = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        name, _, hours = piece.partition(" ")
        start, _, end = hours.partition("-")
        found.append(Span(name, int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:])))
    return tuple(found)


def named_days(years: Mapping[int, str]) -> dict[dt.date, str]:
    """Parse ``01-26 Republic Day; 03-03 Holi`` of each year."""
    entries = ((year, entry.strip()) for year, text in years.items() for entry in text.split(";"))
    return {dt.date(year, int(entry[:2]), int(entry[3:5])): entry[6:] for year, entry in entries}


def special_plans() -> dict[dt.date, Plan]:
    """Parse ``SPECIAL_SESSIONS``; a standard session has no phases of its own."""
    plans = {}
    for line in SPECIAL_SESSIONS.strip().splitlines():
        head, _, hours = line.partition("|")
        day, kind, name = head.strip().split(" ", 2)
        word: Kind = "muhurat" if kind.startswith("muhurat") else "special"
        stretches = () if hours.strip() == "standard" else spans(hours)
        plans[dt.date.fromisoformat(day)] = Plan(word, name, kind.endswith("?"), stretches, ())
    return plans


def hours_in_force() -> dict[str, tuple[list[dt.date], list[Hours]]]:
    """Parse ``HOURS`` into, per segment, the first dates in order and the (phases, steps) in force from each."""
    found: dict[str, tuple[list[dt.date], list[Hours]]] = {segment: ([], []) for segment in SEGMENTS}
    for line in HOURS.strip().splitlines():
        head, phases, steps = line.split("|")
        since, *segments = head.split()
        for segment in segments:
            found[segment][0].append(dt.date.fromisoformat(since))
            found[segment][1].append((spans(phases), spans(steps)))
    return found
