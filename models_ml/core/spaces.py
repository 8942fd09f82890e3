"""What may be tried: each parameter's values or range, and the configurations a grid or a draw makes of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trading.core.bounds import Field
from trading.core.errors import Invalid

LEVELS = 4  # values a range is cut into when a grid has to be made of it
WIDE = 20.0  # a range whose ends are that many times apart is cut by ratio, not by difference
MOST_LEVELS = 1_000
MOST_GRID = 10_000_000


class Choice(NamedTuple):
    """One parameter's values, if it has a list of them, else its range; ``step`` 0 is any value between."""

    name: str
    values: tuple[float, ...]
    low: float
    high: float
    step: float
    whole: bool


Space = tuple[Choice, ...]


def of_fields(fields: Mapping[str, Field]) -> Space:
    """Return a strategy's own bounds as the space to search."""
    return tuple(
        Choice(field.name, (), field.bound.low, field.bound.high, 0.0, field.kind is int) for field in fields.values()
    )


def of_config(given: Any, fields: Mapping[str, Field]) -> Space:
    """Return the space a grid file asks for; Invalid names what in it cannot be used.

    A parameter is a list of values, or an object with ``low`` and ``high`` (``min`` and ``max`` too) and perhaps
    ``step``.
    """
    if not isinstance(given, Mapping) or not given:
        raise Invalid('the grid names no parameter: write {"parameters": {"sma": [10, 20, 30]}}')
    found = []
    for name, wish in given.items():
        if name not in fields:
            raise Invalid(f"the grid names {name!r}: use one of {', '.join(sorted(fields))}")
        found.append(_choice(fields[name], wish))
    return tuple(found)


def _choice(field: Field, wish: Any) -> Choice:
    whole = field.kind is int
    if isinstance(wish, Mapping):
        low = _number(field, wish.get("low", wish.get("min")))
        high = _number(field, wish.get("high", wish.get("max")))
        step = float(wish.get("step", 0.0)) if _is_number(wish.get("step", 0.0)) else math.nan
        if not low < high or not step >= 0.0 or (step and (high - low) / step > MOST_LEVELS):
            raise Invalid(f"the grid's range of {field.name} cannot be used: give low < high and a sensible step")
        return Choice(field.name, (), low, high, step, whole)
    wishes = wish if isinstance(wish, list | tuple) else [wish]
    values = tuple(dict.fromkeys(_number(field, each) for each in wishes))
    if not 1 <= len(values) <= MOST_LEVELS:
        raise Invalid(f"the grid gives {field.name} {len(values)} values: use 1 to {MOST_LEVELS}")
    return Choice(field.name, values, min(values), max(values), 0.0, whole)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(field: Field, value: Any) -> float:
    low, high, unit = field.bound.low, field.bound.high, field.bound.unit
    if not _is_number(value) or not low <= value <= high or (field.kind is int and value != int(value)):
        kind = "whole number" if field.kind is int else "number"
        raise Invalid(f"the grid gives {field.name} the value {value!r}: use a {kind} from {low:g} to {high:g} {unit}")
    return float(value)


def levels(choice: Choice, usual: float | None = None, count: int = LEVELS) -> tuple[float, ...]:
    """Return the values a grid takes of a parameter, rising; of a free range ``count`` and the ``usual`` one."""
    if choice.values:
        return choice.values
    if choice.step:
        steps = math.floor((choice.high - choice.low) / choice.step + 1e-9)
        return _tidy(choice, [choice.low + k * choice.step for k in range(steps + 1)])
    found = [at(choice, k / (count - 1)) for k in range(count)]
    if usual is not None and choice.low <= usual <= choice.high:
        found.append(usual)
    return _tidy(choice, found)


def _tidy(choice: Choice, values: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted({float(round(v)) if choice.whole else round(v, 10) for v in values}))


def at(choice: Choice, share: float) -> float:
    """Return the value ``share`` (0 … 1) of the way through a range, by ratio where the range is wide."""
    if choice.low > 0.0 and choice.high / choice.low >= WIDE:
        value = choice.low * (choice.high / choice.low) ** share
    else:
        value = choice.low + (choice.high - choice.low) * share
    return float(round(value)) if choice.whole else round(value, 10)


def whereabouts(choice: Choice, value: float) -> float:
    """Return how far through its range a value lies, 0 … 1; the inverse of ``at``."""
    if choice.high <= choice.low:
        return 0.0
    if choice.low > 0.0 and choice.high / choice.low >= WIDE:
        return math.log(value / choice.low) / math.log(choice.high / choice.low)
    return (value - choice.low) / (choice.high - choice.low)


def grid(space: Space, usual: Mapping[str, float], most: int, seed: int) -> Iterator[dict[str, float]]:
    """Yield the grid's configurations in their order; when it has more than ``most``, in a random order.

    The caller stops when it has enough; of a huge grid some may come twice.
    """
    axes = [levels(choice, usual.get(choice.name)) for choice in space]
    size = math.prod(len(axis) for axis in axes)
    names = [choice.name for choice in space]
    if size <= most:
        for values in itertools.product(*axes):
            yield dict(zip(names, values, strict=True))
        return
    if size <= MOST_GRID:
        for k in np.random.default_rng(seed).permutation(size):
            yield dict(zip(names, _nth(axes, int(k)), strict=True))
        return
    rng = np.random.default_rng(seed)
    while True:
        yield {name: axis[int(rng.integers(len(axis)))] for name, axis in zip(names, axes, strict=True)}


def _nth(axes: Sequence[tuple[float, ...]], k: int) -> list[float]:
    found = []
    for axis in reversed(axes):
        k, place = divmod(k, len(axis))
        found.append(axis[place])
    return found[::-1]


def draws(space: Space, seed: int) -> Iterator[dict[str, float]]:
    """Yield configurations drawn evenly over the space (by ratio where a range is wide), without end."""
    rng = np.random.default_rng(seed)
    while True:
        found = {}
        for choice in space:
            if choice.values:
                found[choice.name] = choice.values[int(rng.integers(len(choice.values)))]
            elif choice.step:
                options = levels(choice)
                found[choice.name] = options[int(rng.integers(len(options)))]
            else:
                found[choice.name] = at(choice, float(rng.random()))
        yield found


def size(space: Space, usual: Mapping[str, float]) -> int:
    """Return how many configurations the whole grid has."""
    return math.prod(len(levels(choice, usual.get(choice.name))) for choice in space)
