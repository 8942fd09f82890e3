"""How templates write values: the formats of ``sensequant.lib.formats``, table cells, the masthead and small curves."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any, Protocol
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sensequant.lib import formats, paths
from trading.selectors import live

register = template.Library()


class ColumnLike(Protocol):
    """What ``cell`` needs to know of a column."""

    key: str
    how: str
    numeric: bool
    link: str


@register.filter
def shown(value: Any, how: str) -> SafeString:
    """Write ``value`` as ``how`` says, inside a span that carries its tone and its exact value."""
    seen = formats.show(value, how)
    title = format_html(' title="{}"', seen.title) if seen.title else ""
    tone = format_html(' class="{}"', seen.tone) if seen.tone else ""
    return format_html("<span{}{}>{}</span>", tone, title, seen.text)


@register.filter
def written(value: Any, how: str) -> str:
    """Write ``value`` as ``how`` says, as bare text."""
    return formats.show(value, how).text


@register.filter
def iso(value: Any) -> str:
    """Return a moment as ISO text in UTC, for ``<time datetime>``; empty when there is none."""
    at = formats.moment(value)
    return at.astimezone(dt.UTC).isoformat(timespec="seconds") if at else ""


def value_of(row: Any, key: str) -> Any:
    """Return the value of ``row`` (a mapping or an object) called ``key``; None when it has none."""
    return row.get(key) if isinstance(row, dict) else getattr(row, key, None)


@register.simple_tag
def cell(row: Any, column: ColumnLike) -> SafeString:
    """Return the table cell of ``row`` in ``column``."""
    seen = formats.show(value_of(row, column.key), column.how)
    tone = f"{'n ' if column.numeric else ''}{column.how if column.how in ('objections', 'text') else ''} {seen.tone}"
    title = format_html(' title="{}"', seen.title) if seen.title else ""
    inner: SafeString | str = seen.text
    if column.how == "symbol":
        address = "/?" + urlencode({"symbol": seen.text})
        inner = format_html('<a href="{}" data-symbol="{}">{}</a>', address, seen.text, seen.text)
    elif column.link and (address := value_of(row, column.link)):
        inner = format_html('<a href="{}">{}</a>', address, seen.text)
    return format_html('<td class="{}"{}>{}</td>', " ".join(tone.split()), title, inner)


@register.simple_tag(takes_context=True)
def masthead(context: dict[str, Any]) -> live.Masthead:
    """Return what every page's header says: mode, market time; from the page's own snapshot where it has one."""
    return live.masthead(context["newest"] if "newest" in context else live.newest("live"))


@register.simple_tag
def demo_account() -> dict[str, str] | None:
    """Return the demo user's name and where its password is kept; None on a desk that has no demo user."""
    file = paths.home() / "demo_password"
    own_machine = settings.DESK.bind_address.strip("[]") in ("127.0.0.1", "::1", "localhost")
    return {"user": "demo", "file": str(file)} if own_machine and file.exists() else None


@register.simple_tag
def form_key() -> str:
    """Return a key for a form, so that sending it twice does its work once."""
    return str(uuid.uuid4())


@register.simple_tag
def query(request: HttpRequest, **changes: Any) -> str:
    """Return this page's query string with ``changes``; an empty value removes its name."""
    found = request.GET.copy()
    for name, value in changes.items():
        found[name] = value
        if value in ("", None):
            del found[name]
    return f"?{found.urlencode()}"


@register.filter
def as_json(value: Any) -> str:
    """Return ``value`` as JSON text, for a data attribute."""
    return json.dumps(value, default=str)


@register.simple_tag
def curve(points: list[list[float]], width: int = 1000, height: int = 160) -> SafeString:
    """Return an SVG line through ``points`` ([[x, y], …]): what stands where a script would draw the chart."""
    if len(points) < 2:
        return SafeString("")
    xs, ys = [float(p[0]) for p in points], [float(p[1]) for p in points]
    left, low = min(xs), min(ys)
    wide, tall = (max(xs) - left) or 1.0, (max(ys) - low) or 1.0
    path = " ".join(
        f"{(x - left) / wide * width:.1f},{height - 4 - (y - low) / tall * (height - 8):.1f}"
        for x, y in zip(xs, ys, strict=True)
    )
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<polyline points="{}" fill="none" vector-effect="non-scaling-stroke"></polyline></svg>',
        width,
        height,
        path,
    )


@register.simple_tag
def curves(series: list[dict[str, Any]], width: int = 1000, height: int = 200) -> SafeString:
    """Return several lines ([{"name", "points": [[x, y], …]}, …]) on one scale as SVG, with a line at zero."""
    every = [point for each in series for point in each["points"]]
    if not every:
        return SafeString("")
    left, right = min(p[0] for p in every), max(p[0] for p in every)
    low, high = min(0.0, *(p[1] for p in every)), max(0.0, *(p[1] for p in every))
    wide, tall = (right - left) or 1.0, (high - low) or 1.0

    def place(x: float, y: float) -> str:
        return f"{(x - left) / wide * width:.1f},{height - 4 - (y - low) / tall * (height - 8):.1f}"

    line = '<polyline class="{}" points="{}" fill="none" vector-effect="non-scaling-stroke"></polyline>'
    drawn = format_html_join(
        "", line, ((f"l{k}", " ".join(place(*p) for p in each["points"])) for k, each in enumerate(series))
    )
    told = "; ".join(f"{each['name']}: {each['points'][-1][1]:+.2f} %" for each in series)
    zero = format_html(line, "zero", f"{place(left, 0.0)} {place(right, 0.0)}")
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>',
        width, height, told, zero, drawn,
    )  # fmt: skip


@register.simple_tag
def sort_link(request: HttpRequest, column: Any) -> str:
    """Return the address that orders by ``column``: the highest first, then the lowest."""
    turned = request.GET.get("sort") == f"-{column.sort}"
    return query(request, sort=column.sort if turned else f"-{column.sort}", page="")


@register.simple_tag
def sorted_as(request: HttpRequest, column: Any) -> SafeString | str:
    """Return ``aria-sort`` for the column the table is ordered by."""
    wanted = request.GET.get("sort", "")
    if not column.sort or wanted.removeprefix("-") != column.sort:
        return ""
    return format_html('aria-sort="{}"', "descending" if wanted.startswith("-") else "ascending")
