"""Does anything know the future? Truncation and poison tests of feature functions, strategies and the whole desk.

A value of row t may depend on rows up to t and on nothing else. So it must stay what it is when everything after a
cut is taken away (truncation), and when everything after the cut is replaced by absurd numbers (poison). Both are
done at random cuts and compared on every row up to the cut, not only where a trade happened. Source: the method of
freqtrade's look-ahead analysis, widened to all rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Array = npt.NDArray[Any]
Columns = Mapping[str, Array]
Compute = Callable[[dict[str, Array]], Mapping[str, Array]]

TRUNCATION, POISON = "truncation", "poison"
PROBES = 12
TOLERANCE = 1e-9  # relative; rolling sums of a library may differ in the last digits from another start
POISONS: tuple[float, ...] = (1000.0, float("nan"))


class Leak(NamedTuple):
    """One output that changed with what came after ``cut``: its row, its value with the future and without."""

    name: str
    test: str
    cut: float
    row: int
    whole: float
    cut_off: float

    def __str__(self) -> str:
        """Return the leak as a sentence."""
        return (
            f"{self.name} at row {self.row} is {self.whole:.10g}, but {self.cut_off:.10g} when what follows "
            f"{self.cut:.10g} is {'taken away' if self.test == TRUNCATION else 'poisoned'}"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what leaked: at most one leak a column and test, the first one met."""

    names: tuple[str, ...]
    cuts: tuple[float, ...]
    leaks: tuple[Leak, ...]

    @property
    def clean(self) -> bool:
        """Say whether nothing leaked."""
        return not self.leaks

    @property
    def leaking(self) -> tuple[str, ...]:
        """Return the names of the columns that leak, each once."""
        return tuple(dict.fromkeys(leak.name for leak in self.leaks))


def check(
    compute: Compute, columns: Columns, *, times: Array | None = None, fixed: Sequence[str] = (), warm: int = 0,
    probes: int = PROBES, seed: int = 0, tolerance: float = TOLERANCE,
) -> Report:  # fmt: skip
    """Return what ``compute`` leaks: it takes columns and returns named columns, row for row.

    ``columns`` all have n rows; a row belongs to ``times`` (numbers that grow with time; without it the row's own
    position), so a table of several symbols is cut at a moment, across all of them. ``fixed`` names columns that are
    known ahead, as a calendar is: they are cut but not poisoned. The first ``warm`` moments are never cut at.
    Raises Invalid when the columns differ in length, when there are fewer than three moments left to cut at, or when
    ``compute`` returns another number of rows than it was given.
    """
    given = {name: np.asarray(column) for name, column in columns.items()}
    moments = _moments(given, times)
    whole = _computed(compute, given)
    found: dict[tuple[str, str], Leak] = {}
    cuts = _cuts(moments, warm, probes, seed)
    for cut in cuts:
        known = moments <= cut
        for test, shortened in _futures(given, known, fixed):
            then = _computed(compute, shortened)
            rows = np.flatnonzero(known)
            for leak in _differences(whole, then, test, cut, rows, tolerance):
                found.setdefault((leak.name, test), leak)
    return Report(tuple(whole), tuple(float(cut) for cut in cuts), tuple(found.values()))


def _moments(columns: dict[str, Array], times: Array | None) -> Array:
    sizes = {len(column) for column in columns.values()}
    if len(sizes) != 1:
        raise Invalid(f"the columns to check must be of one length, not of {sorted(sizes)}")
    moments = np.arange(sizes.pop()) if times is None else np.asarray(times)
    if moments.shape != (len(next(iter(columns.values()))),):
        raise Invalid(f"there must be one time a row, not {moments.shape}")
    return moments


def _cuts(moments: Array, warm: int, probes: int, seed: int) -> Array:
    """Return random moments to cut after, in their order; the last one has nothing after it and is no choice."""
    choices = np.unique(moments)[warm:-1]
    if len(choices) < 3:
        raise Invalid(f"{len(choices)} moments are too few to cut at: give more rows than {warm + 3}")
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(choices, size=min(probes, len(choices)), replace=False))


def _futures(columns: dict[str, Array], known: Array, fixed: Sequence[str]) -> Iterator[tuple[str, dict[str, Array]]]:
    """Yield the columns without their future, and with futures that cannot be."""
    yield TRUNCATION, {name: column[known] for name, column in columns.items()}
    for poison in POISONS:
        yield (
            POISON,
            {name: column if name in fixed else _poisoned(column, known, poison) for name, column in columns.items()},
        )


def _poisoned(column: Array, known: Array, poison: float) -> Array:
    if np.issubdtype(column.dtype, np.integer) and np.isfinite(poison):
        return np.where(known, column, column * int(poison))
    return np.where(known, column, column * poison) if np.issubdtype(column.dtype, np.floating) else column


def _computed(compute: Compute, columns: dict[str, Array]) -> dict[str, npt.NDArray[np.float64]]:
    rows = len(next(iter(columns.values())))
    found = {name: np.asarray(column, np.float64) for name, column in compute(dict(columns)).items()}
    for name, column in found.items():
        if column.shape != (rows,):
            raise Invalid(f"{name} has shape {column.shape} for {rows} rows: return one number a row")
    return found


def _differences(
    whole: dict[str, Array], then: dict[str, Array], test: str, cut: float, rows: Array, tolerance: float
) -> Iterator[Leak]:
    for name, column in whole.items():
        if name not in then:
            raise Invalid(f"{name} is missing when there is less data: return the same columns for any rows")
        a, b = column[rows], then[name] if test == TRUNCATION else then[name][rows]
        size = np.max(np.abs(a[np.isfinite(a)]), initial=0.0)
        wrong = np.flatnonzero(~np.isclose(a, b, rtol=tolerance, atol=tolerance * 1e-3 * size, equal_nan=True))
        if wrong.size:
            last = int(wrong[-1])
            yield Leak(name, test, float(cut), int(rows[last]), float(a[last]), float(b[last]))
