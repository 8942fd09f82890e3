"""How the desk writes numbers and moments; ``static/js/format.js`` is the twin of this file, and a test compares them.

Rupees are grouped by lakh and crore, a negative number carries U+2212, a change always carries its sign and a shape,
what is unknown is an em dash, and every moment is shown in IST.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from sensequant.lib.clock import ist

MINUS, NOTHING = "−", "—"
NUMBERS = (int, float, Decimal)
DIGITS = re.compile(r"[+-]?\d*\.?\d+", re.ASCII)
LAKH, CRORE = Decimal(10**5), Decimal(10**7)
UNITS = tuple(Decimal(1).scaleb(-places) for places in range(7))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHAPES: Mapping[str, str] = MappingProxyType({"up": "▲", "down": "▼", "flat": "◆"})
# what an order's status or a state's level looks like: shape first, so that colour is never alone
STATUSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "working": ("○", "info"),
        "partial": ("◐", "info"),
        "filled": ("✔", "up"),
        "expired": ("–", "muted"),
        "cancelled": ("–", "muted"),
        "rejected": ("⛔", "down"),
        "queued": ("○", "muted"),
        "running": ("◐", "info"),
        "done": ("✔", "up"),
        "success": ("✔", "up"),
        "completed": ("✔", "up"),
        "pending": ("○", "muted"),
        "planned": ("○", "muted"),
        "skipped": ("–", "muted"),
        "failed": ("⛔", "down"),
        "closed": ("✔", "up"),
        "open": ("⛔", "down"),
        "half-open": ("◐", "info"),
        "off": ("–", "muted"),
        "ok": ("✔", "up"),
        "warn": ("▲", "warn"),
        "bad": ("⛔", "down"),
        "stopped": ("–", "muted"),
        "protected": ("✔", "up"),
        "unwatched": ("▲", "warn"),
        "unprotected": ("⛔", "down"),
        "left": ("✔", "up"),
        "held": ("◐", "warn"),
    }
)
SIDES: Mapping[str, str] = MappingProxyType({"BUY": "up", "LONG": "up", "SELL": "down", "SHORT": "down"})


class Shown(NamedTuple):
    """A value as it is written: the text, its tone (a CSS class) and the exact value where the text shortens it."""

    text: str
    tone: str = ""
    title: str = ""


UNKNOWN = Shown(NOTHING, "muted")


def decimal(value: Any) -> Decimal | None:
    """Return ``value`` (a number, or plain digits) as a finite decimal, or None when it is not one."""
    if isinstance(value, str):
        return Decimal(value) if DIGITS.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, NUMBERS):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def rounded(number: Decimal, places: int = 2) -> Decimal:
    """Return ``number`` rounded half up to ``places`` decimals."""
    return number.quantize(UNITS[places], ROUND_HALF_UP)


def grouped(number: Decimal, places: int = 2) -> str:
    """Return ``number`` rounded half up to ``places`` decimals, grouped as 1,23,45,678.50."""
    return _grouped(rounded(number, places))


def _grouped(number: Decimal) -> str:
    whole, point, fraction = str(number).lstrip("-").partition(".")
    if len(whole) > 3:
        head, tail = whole[:-3], whole[-3:]
        parts = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
        whole = ",".join([*parts, tail])
    text = f"{whole}{point}{fraction}"
    return f"{MINUS}{text}" if number < 0 else text


def signed(number: Decimal) -> str:
    """Return a rounded number grouped, with a plus sign before what is above zero."""
    return f"+{_grouped(number)}" if number > 0 else _grouped(number)


def direction(number: Decimal) -> str:
    """Return ``up``, ``down`` or ``flat`` for a rounded number."""
    return "up" if number > 0 else "down" if number < 0 else "flat"


def _rupees(text: str) -> str:
    return f"{text[0]}₹{text[1:]}" if text[0] in (MINUS, "+") else f"₹{text}"


def inr(number: Decimal) -> Shown:
    """Return rupees in full: ₹1,23,456.50."""
    return Shown(_rupees(grouped(number)))


def short(number: Decimal) -> str:
    """Return ``number`` in lakh or crore where it is that large: 48.20 L, 1.23 Cr."""
    for size, unit in ((CRORE, " Cr"), (LAKH, " L")):
        if abs(number) >= size:
            return f"{grouped(number / size)}{unit}"
    return grouped(number, 0)


def compact(number: Decimal) -> Shown:
    """Return rupees in short, the exact amount as the title."""
    return Shown(_rupees(short(number)), title=_rupees(grouped(number)))


def pnl(number: Decimal) -> Shown:
    """Return a gain or loss: shape, sign and amount without the currency."""
    number = rounded(number)
    tone = direction(number)
    return Shown(f"{SHAPES[tone]} {signed(number)}", tone)


def pnl_inr(number: Decimal) -> Shown:
    """Return a gain or loss in rupees: ▲ +₹3,530.00."""
    number = rounded(number)
    tone = direction(number)
    return Shown(f"{SHAPES[tone]} {_rupees(signed(number))}", tone)


def pct(number: Decimal) -> Shown:
    """Return a change that is already in per cent: +0.60%."""
    number = rounded(number)
    return Shown(f"{signed(number)}%", direction(number))


def pct_of_one(number: Decimal) -> Shown:
    """Return a change given as a fraction: 0.006 is +0.60%."""
    return pct(number * 100)


def share(number: Decimal) -> Shown:
    """Return a part of a whole: 0.4 is 40%."""
    return Shown(f"{grouped(number * 100, 0)}%")


def share2(number: Decimal) -> Shown:
    """Return a part of a whole with two decimals: 0.0812 is 8.12%."""
    return Shown(f"{grouped(number * 100)}%")


def ratio(number: Decimal) -> Shown:
    """Return a plain number with two decimals, coloured by its sign."""
    number = rounded(number)
    return Shown(_grouped(number), direction(number))


def number(value: Decimal) -> Shown:
    """Return a plain number with two decimals."""
    return Shown(grouped(value))


def qty(value: Decimal) -> Shown:
    """Return a count: no decimals."""
    return Shown(grouped(value, 0))


def volume(value: Decimal) -> Shown:
    """Return a count in short, exact in the title."""
    return Shown(short(value), title=grouped(value, 0))


def moment(value: Any) -> dt.datetime | None:
    """Return ``value`` (a datetime or ISO text) as the exchange's clock shows it, None when it is neither."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        return None
    return ist(value)


def day(value: dt.date) -> str:
    """Return a date as 22 Nov 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year:04}"


def few(names: Sequence[str]) -> str:
    """Return names as a list that stays short: ``ACME and 3 more``."""
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 2 else ", ".join(names)


def _clock(at: dt.datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}:{at.second:02}"


def _time(at: dt.datetime) -> Shown:
    clock = _clock(at)
    return Shown(clock, "", f"{day(at)} {clock} IST")


def _stamp(at: dt.datetime) -> Shown:
    clock, date = _clock(at), day(at)
    return Shown(f"{date} {clock[:5]}", "", f"{date} {clock} IST")


def _stamp_full(at: dt.datetime) -> Shown:
    return Shown(f"{day(at)} {_clock(at)} IST")


def age(seconds: Decimal) -> Shown:
    """Return a span of time in its largest unit: 4 s, 12 min, 3 h, 2 d."""
    whole = int(max(seconds, Decimal(0)))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return Shown(f"{whole // size} {unit}")
    return Shown(f"{whole} s")


def minutes(value: Decimal) -> Shown:
    """Return a span given in minutes."""
    return age(value * 60)


def _side(value: str) -> Shown:
    return Shown(value, f"side {SIDES.get(value, 'muted')}")


def _status(value: str) -> Shown:
    shape, tone = STATUSES.get(value, ("", ""))
    return Shown(f"{shape} {value}".strip(), tone)


def _objections(value: Iterable[str]) -> Shown:
    said = [value] if isinstance(value, str) and value else list(value)
    return Shown(f"✖ {' · '.join(said)}", "warn") if said else Shown("✔ acted on", "up")


def _word(value: Any) -> Shown:
    return Shown(str(value).replace("_", " "))


def _text(value: Any) -> Shown:
    return Shown(str(value))


NUMERIC: Mapping[str, Callable[[Decimal], Shown]] = MappingProxyType(
    {
        "inr": inr,
        "compact": compact,
        "pnl": pnl,
        "pnl_inr": pnl_inr,
        "pct": pct,
        "pct_of_one": pct_of_one,
        "share": share,
        "share2": share2,
        "ratio": ratio,
        "number": number,
        "qty": qty,
        "volume": volume,
        "age": age,
        "minutes": minutes,
    }
)
MOMENTS: Mapping[str, Callable[[dt.datetime], Shown]] = MappingProxyType(
    {"time": _time, "stamp": _stamp, "stamp_full": _stamp_full}
)
WORDS: Mapping[str, Callable[[Any], Shown]] = MappingProxyType(
    {"side": _side, "status": _status, "objections": _objections, "text": _text, "word": _word, "symbol": _text}
)


def show(value: Any, how: str) -> Shown:
    """Return ``value`` written as ``how`` says (a name of ``NUMERIC``, ``MOMENTS`` or ``WORDS``); unknown is a dash."""
    if how in NUMERIC:
        found = decimal(value)
        return UNKNOWN if found is None else NUMERIC[how](found)
    if how in MOMENTS:
        at = moment(value)
        return UNKNOWN if at is None else MOMENTS[how](at)
    if value is None or value == "":
        return UNKNOWN
    return WORDS[how](value)
