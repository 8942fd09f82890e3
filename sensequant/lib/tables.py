"""Tables as CSV that a spreadsheet cannot mistake for formulas; also those of a page as it was drawn."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from sensequant.lib.clock import ist

FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[▲▼◆]?\s*([+−-]?)\s*₹?\s*([0-9][0-9,]*(?:\.[0-9]+)?)", re.ASCII)
VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr"})


def safe(value: Any) -> str:
    """Return ``value`` as a CSV cell; text that begins like a formula gets an apostrophe, numbers stay numbers.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return ist(value).isoformat()
    text = "; ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def written(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV text, every cell made safe."""
    out = io.StringIO()
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def plain(text: str) -> Any:
    """Return what a numeric cell shows as a number: no shape, no grouping, no rupee; the text where it is no number."""
    found = NUMBER.fullmatch(text)
    if found is None:
        return "" if text == "—" else text
    return Decimal(("-" if found[1] in ("−", "-") else "") + found[2].replace(",", ""))


@dataclass(slots=True)
class Drawn:
    """One table of a page: its name and its rows, the heading row first."""

    name: str
    rows: list[list[Any]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Reads the tables of a page; a table's name is its label, or the text of the element that labels it."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Drawn] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []  # tag and id of every open element
        self._row: list[Any] | None = None
        self._cell: list[str] | None = None
        self._numeric = self._inside = False
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append((tag, found.get("id", "")))
        if tag in ("script", "style", "button", "form"):
            self._skip += 1
        if tag == "table":
            self.tables.append(Drawn(found.get("aria-label") or "#" + found.get("aria-labelledby", "")))
            self._inside = True
        elif tag == "tbody" and "none" in found.get("class", "").split():
            self._inside = False
        elif tag == "tr" and self._inside:
            self._row = []
        elif tag in ("td", "th") and self._row is not None:
            self._cell, self._numeric = [], "n" in found.get("class", "").split()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag in ("script", "style", "button", "form"):
            self._skip -= 1
        if tag in ("td", "th") and self._cell is not None and self._row is not None:
            text = " ".join("".join(self._cell).split())
            self._row.append(plain(text) if self._numeric and tag == "td" else text)
            self._cell = None
        elif tag == "tr" and self._row is not None:
            if self._row:
                self.tables[-1].rows.append(self._row)
            self._row = None
        elif tag == "table":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        if self._cell is not None:
            self._cell.append(data)
        for _, name in self._open:
            if name:
                self.texts.setdefault(name, []).append(data)


def of_page(html: str) -> list[Drawn]:
    """Return the tables of a page in their order, with what they show; numbers as numbers."""
    reader = _Reader()
    reader.feed(html)
    for k, table in enumerate(reader.tables, 1):
        told = reader.texts.get(table.name[1:], []) if table.name.startswith("#") else [table.name]
        table.name = " ".join("".join(told).split()) or f"table {k}"
    return reader.tables
