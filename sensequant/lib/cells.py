"""Tables as HTML, made by plain functions: a hundred rows are a thousand cells, too many for a template's loop.

Whatever a row says is escaped here. What a column is, ``trading.views.columns`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import Any, Protocol
from urllib.parse import quote_plus

from django.utils.safestring import SafeString

from sensequant.lib import formats

NAMED = ("objections", "text")  # ways of writing that are a CSS class too
Read = Callable[[str], Any]
Draw = Callable[[Read], str]


class ColumnLike(Protocol):
    """What drawing needs to know of a column; ``heading``: its cells are the headings of their rows."""

    key: str
    title: str
    how: str
    help: str
    sort: str
    link: str
    hint: str
    heading: bool
    numeric: bool

    def __hash__(self) -> int:
        """Return a column's hash: how it is drawn is worked out once."""


def body(columns: Sequence[ColumnLike], rows: Iterable[Any], empty: str) -> SafeString:
    """Return the body of a table, and a second one that says ``empty`` where there is no row."""
    found = lines(columns, rows)
    nothing = f'<tbody class="none"><tr><td colspan="{len(columns)}">{escape(empty)}</td></tr></tbody>'
    return SafeString(f"<tbody>{found}</tbody>{nothing if empty and not found else ''}")


def lines(columns: Sequence[ColumnLike], rows: Iterable[Any]) -> SafeString:
    """Return ``rows`` (mappings or objects) as lines of a table."""
    draws = [_drawn(column) for column in columns]
    reads = (row.get if isinstance(row, dict) else _reader(row) for row in rows)
    return SafeString("\n".join([f"<tr>{''.join([draw(read) for draw in draws])}</tr>" for read in reads]))


def head(
    columns: Sequence[ColumnLike], order: Callable[[ColumnLike], tuple[str, SafeString]] | None = None
) -> SafeString:
    """Return the head of a table; ``order`` gives a column's ``aria-sort``, and its title as a link that sorts."""
    found = []
    for column in columns:
        ordered, title = order(column) if order and column.sort else ("", escape(column.title))
        told = (
            f"{_said('class', 'n' if column.numeric else '')}{_said('title', column.help)}{_said('aria-sort', ordered)}"
        )
        found.append(f'<th scope="col"{told}>{title}</th>')
    return SafeString(f"<thead><tr>{''.join(found)}</tr></thead>")


def _reader(row: Any) -> Read:
    return lambda key: getattr(row, key, None)


def _said(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""


@lru_cache(maxsize=1_024)
def _drawn(column: ColumnLike) -> Draw:
    """Return what draws the cells of ``column``."""
    key, how, link, hint = column.key, column.how, column.link, column.hint
    begins, ends = ('<th scope="row"', "</th>") if column.heading else ("<td", "</td>")
    named = how in NAMED and not (column.heading or column.numeric)
    own = "n" if column.numeric else how if named else ""

    def draw(read: Read) -> str:
        said, tone, title = formats.show(read(key), how)
        text = escape(said)
        if how == "symbol":
            text = f'<a href="/?symbol={quote_plus(said)}" data-symbol="{text}">{text}</a>'
        elif link and (address := read(link)):
            text = _link(str(address), text)
        shown = f"{own} {tone}".strip() if tone else own
        return f"{begins}{_said('class', shown)}{_said('title', read(hint) if hint else title)}>{text}{ends}"

    return draw


def _link(address: str, text: str) -> str:
    """Return a link; one that leads away tells nobody where from."""
    away = "" if address.startswith(("/", "#", "?")) else ' rel="noopener noreferrer nofollow"'
    return f'<a href="{escape(address)}"{away}>{text}</a>'
