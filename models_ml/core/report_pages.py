"""Reports as HTML pages that need nothing else: no script, no address, every word escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.6rem 0 1.4rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #8884;"
    "text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".banner{border:2px solid #b00;padding:.6rem 1rem;font-weight:700}.note{color:#777}.scroll{overflow-x:auto}"
    "svg text{font:11px system-ui,sans-serif;fill:currentColor}"
)
WIDE, TALL, GAP = 640, 18, 6


def page(title: str, parts: Iterable[str], *, banner: str = "") -> str:
    """Return a whole page; ``banner`` stands before everything else, ``parts`` are HTML."""
    told = f'<p class="banner" role="status">{escape(banner)}</p>' if banner else ""
    body = "\n".join([told, f"<h1>{escape(title)}</h1>", *parts])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """Return a heading."""
    return f"<h2>{escape(text)}</h2>"


def prose(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(text)}</p>"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; numbers are set to the right, None is a dash."""
    body = ["".join(_cell(value) for value in row) for row in rows]
    if not body:
        return f'<p class="note">{escape(caption)}: none.</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    told = f"<caption>{escape(caption)}</caption>"
    return f'<div class="scroll"><table>{told}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return '<td class="n">–</td>'
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, int | float):
        return f'<td class="n">{value:,.4f}</td>' if isinstance(value, float) else f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def bars(caption: str, values: Sequence[tuple[str, float | None]], *, high: float = 1.0, mark: float = -1.0) -> str:
    """Return a bar chart of values from 0 to ``high``; ``mark`` draws a line that ought to be reached."""
    known = [(name, value) for name, value in values if value is not None and math.isfinite(value)]
    if not known:
        return f'<p class="note">{escape(caption)}: nothing to draw.</p>'
    tall = (TALL + GAP) * len(known)
    room = WIDE - 260
    parts = []
    for k, (name, value) in enumerate(known):
        top = k * (TALL + GAP)
        wide = room * min(max(value / high, 0.0), 1.0)
        parts.append(
            f'<text x="0" y="{top + 13}">{escape(name)}</text>'
            f'<rect x="190" y="{top}" width="{wide:.1f}" height="{TALL}" fill="#4a78b5"/>'
            f'<text x="{196 + wide:.1f}" y="{top + 13}">{value:.3f}</text>'
        )
    if mark >= 0:
        at = 190 + room * min(mark / high, 1.0)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{tall}" stroke="#b00" stroke-dasharray="4 3"/>')
    label = escape(caption, quote=True)
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><svg role="img" aria-label="{label}" width="{WIDE}" '
        f'height="{tall}" viewBox="0 0 {WIDE} {tall}">{"".join(parts)}</svg></figure>'
    )
