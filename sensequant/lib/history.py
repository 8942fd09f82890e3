"""How an app tells what happened in it: kinds of rows that are only added, each row told in the same few words.

Whoever keeps a history of everything (upper layers pull) reads these; an app names its kinds and knows no reader.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet


class Told(NamedTuple):
    """What one row says happened; ``content`` is everything about it that never changes, as plain values."""

    at: dt.datetime
    actor: str
    action: str
    object: str
    content: Mapping[str, Any]
    reason: str = ""
    ip: str = ""
    session: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of happening: the rows in which it has happened, and how one is told."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    tell: Callable[[Any], Told]
    few: bool = False  # a few rows, in any of which it may happen long after the row was made


@dataclass(frozen=True, slots=True)
class Kept:
    """A table whose rows are never deleted, and of which these columns never change; ``fixed`` empty: all of them."""

    model: type[Model]
    fixed: tuple[str, ...] = ()


def values(row: Model, *names: str) -> dict[str, Any]:
    """Return columns of a row as JSON has them: moments in UTC, numbers of ₹ as text."""
    return {name: plain(getattr(row, name)) for name in names}


def plain(value: Any) -> Any:
    """Return one value as JSON has it."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, float):
        return repr(value)  # every database gives the same text back; JSON of a whole float differs between them
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
