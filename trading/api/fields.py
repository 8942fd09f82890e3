"""The kinds of value that cross the API, and how each is written."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from sensequant.lib.clock import ist
from trading.core.bars import ALIASES, INTERVALS
from trading.core.calendar import SEGMENTS
from trading.core.orders import Status
from trading.core.strategies import STRATEGIES

SYMBOL = r"^[A-Z0-9][A-Z0-9&_\-]{0,31}$"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EARLIEST, LATEST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WHOLE = re.compile(r"-?\d+")


YesNo = Annotated[bool, Field(strict=True)]
"""true or false in a body; pydantic would take 0, 1, "yes" and "off" for one of them."""


def _day(given: Any) -> Any:
    """Refuse what pydantic would read as seconds since 1970."""
    if isinstance(given, str) and not DAY.fullmatch(given):
        raise ValueError("write YYYY-MM-DD")
    return given


def _moment(given: Any) -> Any:
    """Return an aware moment, brought into the span any bar can have; whole numbers are seconds since 1970."""
    if not isinstance(given, str):
        return given
    if WHOLE.fullmatch(given):
        if given.startswith("-"):
            raise ValueError("seconds since 1970 are not negative")
        return min(max(EPOCH + dt.timedelta(seconds=min(int(given), 10**11)), EARLIEST), LATEST)
    try:
        moment = dt.datetime.fromisoformat(given.replace(" ", "+"))  # what an unescaped + arrives as
    except ValueError:
        raise ValueError("write a moment such as 2026-11-20T10:42:00+05:30") from None
    if moment.tzinfo is None:
        raise ValueError("give the offset, e.g. +05:30")
    try:
        return min(max(moment, EARLIEST), LATEST)
    except OverflowError:  # the year 1 or 9999, moved over its edge by the offset
        return EARLIEST if moment.year < LATEST.year else LATEST


def _whole(given: Any) -> Any:
    """Refuse 1.0, 1_000 and blanks, which Python would take for whole numbers."""
    if isinstance(given, str) and not WHOLE.fullmatch(given):
        raise ValueError("write a whole number")
    return given


def _finite(given: Any) -> Any:
    return None if isinstance(given, float) and not math.isfinite(given) else given


Money = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["1532.4500"]}, mode="serialization"),
]
"""Rupees as a decimal string, never rounded by a float on the way."""

Moment = Annotated[
    dt.datetime,
    PlainSerializer(lambda value: ist(value).isoformat(), return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-20T10:42:00+05:30"]}, mode="serialization"
    ),
]
"""A moment as the exchange's clock shows it."""

Day = Annotated[dt.date, BeforeValidator(_day)]
AskedMoment = Annotated[
    dt.datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]}),
]
"""A moment in an address: ISO 8601 with its offset, or seconds since 1970 (UTC)."""
Number = Annotated[int | float | None, BeforeValidator(_finite)]
"""A number, or null where it has no meaning."""

Id = Annotated[int, Field(ge=1, le=2**63 - 1), BeforeValidator(_whole)]
WHOLE_ONLY = BeforeValidator(_whole)
Symbol = Annotated[str, Field(pattern=SYMBOL, examples=["RELIANCE"])]


def _among(names: Iterable[str]) -> Callable[[str], str]:
    """Return a check that a word is one of ``names``, whose refusal lists them."""
    known = tuple(names)

    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"use one of {', '.join(known)}")
        return word

    return check


def _words(names: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(names)})


TESTED = (*STRATEGIES, "both")  # both: intraday and swing on one account
TestedName = Annotated[str, AfterValidator(_among(TESTED)), _words(TESTED)]
StrategyName = Annotated[str, AfterValidator(_among(STRATEGIES)), _words(STRATEGIES)]
IntervalName = Annotated[str, AfterValidator(_among((*INTERVALS, *ALIASES))), _words((*INTERVALS, *ALIASES))]
Segment = Annotated[str, AfterValidator(_among(SEGMENTS)), _words(SEGMENTS)]
OrderStatus = Annotated[str, AfterValidator(_among(Status)), _words(Status)]
Flag = Literal["true", "false"]
"""A yes or no in an address."""

Rupees = Annotated[
    Decimal,
    Field(gt=0, max_digits=14, decimal_places=4),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 9_999_999_999, "multipleOf": 0.0001},
                {"type": "string", "pattern": r"^\d{1,10}(\.\d{1,4})?$"},
            ]
        }
    ),
]
"""A price somebody gives, as a string or a number."""
