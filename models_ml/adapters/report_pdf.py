"""A report as PDF pages and charts as images, drawn by matplotlib; needs no browser and no other program."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import Any

from models_ml.core.reports import Block, Chart, Document, Heading, Table, Text

PAGE = 8.27, 11.69  # A4, inches
TOP, BOTTOM, LEFT = 0.94, 0.06, 0.08
LINE = 0.0155  # of the page's height
CHART = 0.28
WIDTH = 104  # letters a line
LOOK: dict[str, Any] = {"text.parse_math": False, "font.size": 8, "axes.grid": True, "grid.alpha": 0.3}
COLOURS = ("#1f5fbf", "#b45309", "#6d28d9", "#0f766e", "#be123c")


class _Pages:
    """Pages filled from the top."""

    def __init__(self, pdf: Any, figure: Any) -> None:
        self.pdf, self.make, self.at = pdf, figure, 0.0
        self.page: Any = None

    def room(self, height: float) -> Any:
        """Return the page, a new one when there is too little room left."""
        if self.page is None or self.at - height < BOTTOM:
            self.end()
            self.page, self.at = self.make(figsize=PAGE), TOP
        return self.page

    def write(self, text: str, *, size: float = 8.5, weight: str = "normal", family: str = "sans-serif") -> None:
        """Write one line."""
        page = self.room(LINE * size / 8.5)
        page.text(LEFT, self.at, text, size=size, weight=weight, family=family, va="top")
        self.at -= LINE * size / 8.5

    def end(self) -> None:
        """Keep the page."""
        if self.page is not None:
            self.pdf.savefig(self.page)


def write(document: Document, path: Path) -> None:
    """Write the report; OSError is the caller's."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    about = {"Title": document.title, "Creator": "SenseQuant", "CreationDate": None}
    with mpl.rc_context(LOOK), PdfPages(path, metadata=about) as pdf:
        pages = _Pages(pdf, Figure)
        for line in textwrap.wrap(document.title, 60):
            pages.write(line, size=15, weight="bold")
        for line in textwrap.wrap(document.subtitle, WIDTH):
            pages.write(line)
        for block in document.blocks:
            _block(block, pages)
        pages.end()


def _block(block: Block, pages: _Pages) -> None:
    if isinstance(block, Heading):
        pages.room(LINE * 4)
        pages.at -= LINE
        pages.write(block.text[:90], size=11.5, weight="bold")
    elif isinstance(block, Text):
        for line in textwrap.wrap(block.text, WIDTH):
            pages.write(line)
    elif isinstance(block, Table):
        _table(block, pages)
    else:
        _chart(block, pages)


def _table(table: Table, pages: _Pages) -> None:
    if table.title:
        pages.write(table.title[:WIDTH], weight="bold")
    rows = [table.header, *table.rows]
    wide = [min(34, max(len(row[k]) for row in rows)) for k in range(len(table.header))]
    for row in rows:
        cells = (
            cell[:most].ljust(most) if k == 0 else cell[:most].rjust(most)
            for k, (cell, most) in enumerate(zip(row, wide, strict=True))
        )  # fmt: skip
        pages.write("  ".join(cells)[:120], size=7, family="monospace")
    pages.at -= LINE / 2


def _chart(chart: Chart, pages: _Pages) -> None:
    page = pages.room(CHART)
    axes = page.add_axes((LEFT + 0.06, pages.at - CHART + 0.06, 0.78, CHART - 0.09))
    _draw(axes, chart)
    pages.at -= CHART


def _draw(axes: Any, chart: Chart) -> None:
    axes.set_title(chart.title, size=9)
    axes.set_xlabel(chart.x_title)
    axes.set_ylabel(chart.y_title)
    axes.set_prop_cycle(color=list(COLOURS))
    DRAWN[chart.kind](axes, chart)
    if len(chart.series) > 1:
        axes.legend(fontsize=7)


def png(chart: Chart) -> bytes:
    """Return one chart as a PNG image; the same chart gives the same bytes. Only for processes that may be large."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(8.0, 4.5), layout="constrained")
        _draw(figure.add_subplot(), chart)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _known(series: Any) -> tuple[list[Any], list[float]]:
    pairs = [(x, y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _line(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        axes.plot(*_known(series), label=series.name, linewidth=1)
    _few_ticks(axes, chart)


def _scatter(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        axes.scatter(*_known(series), label=series.name, s=6)


def _bar(axes: Any, chart: Chart) -> None:
    count = len(chart.series)
    for k, series in enumerate(chart.series):
        places = [j + (k - (count - 1) / 2) * 0.8 / count for j in range(len(series.x))]
        axes.bar(places, [y or 0.0 for y in series.y], 0.8 / count, label=series.name)
    names = [str(x) for x in chart.series[0].x]
    axes.set_xticks(
        range(len(names)), names, rotation=30 if len(names) > 6 else 0, ha="right" if len(names) > 6 else "center"
    )


def _hbar(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        axes.barh([str(x) for x in series.x], [y or 0.0 for y in series.y], label=series.name)


def _histogram(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        axes.hist([y for y in series.y if y is not None], bins=30, alpha=0.7, label=series.name)


def _heatmap(axes: Any, chart: Chart) -> None:
    z = [[float("nan") if each is None else each for each in row] for row in chart.z]
    axes.grid(visible=False)
    axes.imshow(z, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(chart.columns)), chart.columns)
    axes.set_yticks(range(len(chart.lines)), chart.lines)
    known = [each for row in chart.z for each in row if each is not None]
    middle = (min(known) + max(known)) / 2.0 if known else 0.0
    for j, row in enumerate(chart.z):
        for k, each in enumerate(row):
            if each is not None:
                ink = "white" if each > middle else "black"
                axes.text(k, j, f"{each:.3g}", ha="center", va="center", size=7, color=ink)


def _few_ticks(axes: Any, chart: Chart) -> None:
    if chart.series and chart.series[0].x and isinstance(chart.series[0].x[0], str):
        every = list(dict.fromkeys(x for series in chart.series for x in series.x))
        axes.set_xticks(range(0, len(every), max(1, len(every) // 6)))


DRAWN = {"line": _line, "scatter": _scatter, "bar": _bar, "hbar": _hbar, "histogram": _histogram, "heatmap": _heatmap}
