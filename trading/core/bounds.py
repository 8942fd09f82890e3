"""Parameters as named tuples whose fields state their bounds, units and meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from trading.core.errors import Invalid

P = TypeVar("P", bound=NamedTuple)


@dataclass(frozen=True, slots=True)
class Bound:
    """The least and greatest a parameter may be, its unit, and what it means to a reader."""

    low: float
    high: float
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as the pages, the optimiser and the checks see it."""

    name: str
    kind: type
    default: float
    bound: Bound


@cache
def fields(cls: type[NamedTuple]) -> Mapping[str, Field]:
    """Return the parameters of ``cls``, in their order, by name."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for name, hint in hints.items():
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{cls.__name__}.{name} states no Bound")
        kind, bound = get_args(hint)[:2]
        found[name] = Field(name, kind, cls._field_defaults[name], bound)
    return MappingProxyType(found)


def make(cls: type[P], values: Mapping[str, Any]) -> P:
    """Return a ``cls`` with ``values`` over its defaults, each of the right kind and within its bounds.

    Raises Invalid naming the parameter, the value and what would be accepted.
    """
    known = fields(cls)
    for name in values:
        if name not in known:
            raise Invalid(f"unknown parameter {name!r}: use one of {', '.join(sorted(known))}")
    build: Any = cls
    made: P = build(**{name: _value(field, values.get(name, field.default)) for name, field in known.items()})
    return made


def _value(field: Field, given: Any) -> Any:
    low, high, unit = field.bound.low, field.bound.high, field.bound.unit
    try:
        number = float(given)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"{field.name}={given!r} is not a number: use {low:g} to {high:g} {unit}") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise Invalid(f"{field.name}={given} is out of bounds: use {low:g} to {high:g} {unit}")
    if field.kind is int and number != int(number):
        raise Invalid(f"{field.name}={given} is not a whole number: use {low:g} to {high:g} {unit}")
    return field.kind(number)
