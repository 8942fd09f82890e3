"""Every rule a bar file is judged by: what breaking it means for the rows, and what the user can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trading.core.bar_report import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What a broken rule does, and the usual way to mend it."""

    severity: Severity
    fix: str


DROP, QUARANTINE, REJECT, WARN = Severity.DROP, Severity.QUARANTINE, Severity.REJECT, Severity.WARN

RULES: Final[dict[str, Rule]] = {
    "no_rows": Rule(REJECT, "export the file again"),
    "unreadable": Rule(QUARANTINE, "mend these rows; times are YYYY-MM-DD HH:MM:SS, prices plain numbers"),
    "ohlc": Rule(QUARANTINE, "mend or delete these rows"),
    "negative_volume": Rule(QUARANTINE, "mend these rows; leave the volume empty when it is unknown"),
    "future": Rule(QUARANTINE, "check the dates (day and month swapped?) and this machine's clock"),
    "wrong_interval": Rule(REJECT, "name the file for the interval it holds, or ask for that interval"),
    "wrong_timezone": Rule(REJECT, "check the time column: no usual time zone fits DATA_FEED_NAIVE_TIMEZONE"),
    "mixed_resolution": Rule(QUARANTINE, "move these rows to a file of their own interval"),
    "calendar_unknown": Rule(WARN, "add the exchange's calendar of that year to the overrides"),
    "not_a_session": Rule(QUARANTINE, "check the dates; if NSE did trade, add the day to the calendar overrides"),
    "end_labelled": Rule(WARN, "the bars seem labelled by their end: subtract one interval from every timestamp"),
    "outside_hours": Rule(DROP, "nothing to do: call auctions and after-hours rows are left out"),
    "irregular_interval": Rule(WARN, "check the source's clock; the bars are used as they stand"),
    "unsorted": Rule(WARN, "sort the file by time"),
    "duplicate": Rule(DROP, "delete the repeated rows"),
    "conflicting_duplicate": Rule(QUARANTINE, "decide which row of each time is right"),
    "mixed_instrument": Rule(QUARANTINE, "the file holds two instruments or contracts: fetch these days again"),
    "unadjusted_action": Rule(REJECT, "adjust the older prices and volumes"),
    "level_break": Rule(WARN, "check for a corporate action, a demerger or another instrument"),
    "missing_bars": Rule(WARN, "nothing to do if nobody traded in those minutes; otherwise fetch these days again"),
    "missing_sessions": Rule(WARN, "fetch these sessions, or leave them out of the range"),
    "unknown_volume": Rule(WARN, "volume rules and VWAP pass over these bars; fill the volume in if you have it"),
}  # fmt: skip
