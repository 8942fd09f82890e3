"""Reads of the API: rows that match what was asked, page by page, without counting them all."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet

from sensequant.lib.errors import BadInput, NotFound
from trading.core.calendar import IST
from trading.models import EngineRun, Instrument
from trading.selectors import live

M = TypeVar("M", bound=Model)
EDGE = dt.date(1900, 1, 1), dt.date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was narrowed to; None does not narrow."""

    symbol: str | None = None
    strategy: str | None = None
    run: int | None = None
    start: dt.date | None = None
    end: dt.date | None = None


def matching(rows: QuerySet[M], asked: Asked, at: str) -> QuerySet[M]:
    """Return the rows that match; ``at`` is the column the days are compared with, both days included.

    Raises BadInput for a symbol or run the desk does not know, and for days in the wrong order.
    """
    if asked.run is not None:
        rows = rows.filter(run_id=_known_run(asked.run))
    if asked.strategy is not None:
        rows = rows.filter(strategy=asked.strategy)
    if asked.symbol is not None:
        rows = _of_symbol(rows, asked.symbol)
    since, until = span(asked.start, asked.end)
    if since:
        rows = rows.filter(**{f"{at}__gte": since})
    return rows.filter(**{f"{at}__lt": until}) if until else rows


def span(start: dt.date | None, end: dt.date | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first moment of ``start`` and the first after ``end``, IST; raise BadInput if they are crossed."""
    if start and end and start > end:
        raise BadInput(f"start={start} is after end={end}", fix="give the earlier day as start")
    since = _midnight(start) if start else None
    return since, _midnight(end) + dt.timedelta(1) if end else None


def page(
    rows: QuerySet[M], order: Sequence[str], *, cursor: str | None, limit: int, newest_first: bool = True
) -> tuple[list[M], str | None]:
    """Return at most ``limit`` rows by ``order`` (columns, unique together) and the next page's cursor, or None."""
    if cursor:
        rows = rows.filter(_beyond(order, _decode(rows.model, order, cursor), "lt" if newest_first else "gt"))
    found = list(rows.order_by(*(f"-{name}" if newest_first else name for name in order))[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _encode(found[limit - 1], order)


def current_run() -> EngineRun:
    """Return the run in force; raise NotFound when the engine never ran."""
    run = live.current_run()
    if run is None:
        raise NotFound("the engine has not run yet", fix="start it: make run, or manage.py engine")
    return run


def one(rows: QuerySet[M], what: str, see: str, **key: Any) -> M:
    """Return the row with this key; raise NotFound saying ``what`` was sought and where to ``see`` those there are."""
    row = rows.filter(**key).first()
    if row is None:
        raise NotFound(f"{what} {next(iter(key.values()))} does not exist", fix=f"see {see}")
    return row


def _known_run(run: int) -> int:
    if not EngineRun.objects.filter(pk=run).exists():
        raise BadInput(f"run={run} does not exist", fix="see /api/v1/engine/runs")
    return run


def _of_symbol(rows: QuerySet[M], symbol: str) -> QuerySet[M]:
    found = rows.filter(symbol=symbol)
    if not found.exists() and not Instrument.objects.filter(symbol=symbol).exists():
        raise BadInput(f"symbol={symbol} is not known", fix="see /api/v1/symbols")
    return found


def _midnight(day: dt.date) -> dt.datetime:
    day = min(max(day, EDGE[0]), EDGE[1])
    return dt.datetime(day.year, day.month, day.day, tzinfo=IST)


def _beyond(order: Sequence[str], last: Sequence[Any], way: str) -> Q:
    """Return the condition of standing after ``last``: further in the first column, or equal there and so on.

    The first column's own bound says nothing new to us; by it the database finds the place in its index.
    """
    beyond, equal = Q(), Q()
    for name, value in zip(order, last, strict=True):
        beyond |= equal & Q(**{f"{name}__{way}": value})
        equal &= Q(**{name: value})
    return Q(**{f"{order[0]}__{way}e": last[0]}) & beyond


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, name) for name in order]
    text = json.dumps([v.isoformat() if isinstance(v, dt.datetime) else v for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(model: type[Model], order: Sequence[str], cursor: str) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        pairs = list(zip(order, values, strict=True))
        return [_value(model, name, value) for name, value in pairs]
    except (ValueError, TypeError, ValidationError, binascii.Error, OverflowError):
        raise BadInput(f"cursor={cursor[:80]} is none of ours", fix="take it from next, or leave it out") from None


def _value(model: type[Model], name: str, value: Any) -> Any:
    if not isinstance(value, str | int) or isinstance(value, bool) or "\x00" in str(value):
        raise TypeError(name)
    if isinstance(value, int) and abs(value) >= 2**63:
        raise OverflowError(name)
    found = cast("Field[Any, Any]", model._meta.get_field(name)).to_python(value)
    if isinstance(found, dt.datetime) and (found.tzinfo is None or not EDGE[0].year < found.year < EDGE[1].year):
        raise ValueError(name)
    return found
