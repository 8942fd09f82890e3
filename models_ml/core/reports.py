"""A report as its parts: headings, sentences, facts, tables and charts, whatever it is written as later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Value = float | str
Numbers = Sequence[float | None]


class Heading(NamedTuple):
    """A heading."""

    text: str


class Text(NamedTuple):
    """One paragraph."""

    text: str


class Table(NamedTuple):
    """A table of words; the first column names the row."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Series(NamedTuple):
    """One line, or one set of bars or points."""

    name: str
    x: Sequence[Value]
    y: Numbers


class Chart(NamedTuple):
    """A chart: ``kind`` is line, bar, hbar, scatter, histogram (of every series' ``y``) or heatmap (``z`` by row)."""

    kind: str
    title: str
    series: tuple[Series, ...] = ()
    x_title: str = ""
    y_title: str = ""
    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    z: tuple[tuple[float | None, ...], ...] = ()


Block = Heading | Text | Table | Chart


class Document(NamedTuple):
    """A whole report."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]


def said(value: object, form: str = "{:,.4g}") -> str:
    """Return a value in words: a dash for what has no meaning."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return form.format(value)


def bins(values: Sequence[float], count: int = 20) -> list[tuple[float, float, int]]:
    """Return a histogram as (from, to, how many); one bin when all values are equal."""
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [(low, high, len(values))]
    width = (high - low) / count
    found = [0] * count
    for value in values:
        found[min(int((value - low) / width), count - 1)] += 1
    return [(low + k * width, low + (k + 1) * width, n) for k, n in enumerate(found)]


def thinned(points: Sequence[int], most: int) -> list[int]:
    """Return at most about ``most`` of the places, the first and the last among them."""
    step = max(1, len(points) // most)
    return sorted({*points[::step], points[-1]}) if points else []
