"""A report as Markdown: charts become small tables, and nothing a user typed is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from models_ml.core.reports import Block, Chart, Document, Heading, Table, Text, bins, said, thinned

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
ROWS = 12


def markdown(document: Document) -> str:
    """Return the report as Markdown."""
    parts = [f"# {escaped(document.title)}", escaped(document.subtitle), *map(_block, document.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {escaped(block.text)}"
    if isinstance(block, Text):
        return escaped(block.text)
    return _table(block) if isinstance(block, Table) else _table(as_table(block))


def _table(table: Table) -> str:
    head = [table.header, tuple("---" for _ in table.header)]
    rows = [f"| {' | '.join(map(escaped, row))} |" for row in (head[0], *table.rows)]
    rows.insert(1, f"| {' | '.join(head[1])} |")
    return (f"**{escaped(table.title)}**\n\n" if table.title else "") + "\n".join(rows)


def as_table(chart: Chart) -> Table:
    """Return what a chart shows as a table a reader can take in; long lines are thinned."""
    if chart.kind == "heatmap":
        rows = ((name, *(said(each) for each in row)) for name, row in zip(chart.lines, chart.z, strict=True))
        return Table(chart.title, ("", *chart.columns), tuple(rows))
    if chart.kind == "histogram":
        return Table(chart.title, (chart.x_title, *(s.name for s in chart.series)), tuple(_binned(chart)))
    return Table(chart.title, (chart.x_title or "", *(s.name for s in chart.series)), tuple(_points(chart)))


def _binned(chart: Chart) -> Iterable[tuple[str, ...]]:
    for series in chart.series:
        known = [y for y in series.y if y is not None]
        for low, high, n in bins(known, ROWS):
            yield (f"{said(low)} to {said(high)}", *(said(n) if s is series else "" for s in chart.series))


def _points(chart: Chart) -> Iterable[tuple[str, ...]]:
    for series in chart.series:
        same = all(list(s.x) == list(series.x) for s in chart.series)
        for k in thinned(range(len(series.x)), ROWS):
            cells = (said(s.y[k]) if same or s is series else "" for s in chart.series)
            yield (said(series.x[k]), *cells)
        if same:
            break
