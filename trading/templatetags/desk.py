"""How templates write values: the formats of ``sensequant.lib.formats``, table cells, the masthead and small curves."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sensequant.lib import cells, formats, paths
from sensequant.lib.cells import ColumnLike
from sensequant.lib.clock import now
from sensequant.lib.inputs import InputLike, drawn
from trading.core import ageing

register = template.Library()


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


@register.simple_tag(takes_context=True)
def table_head(context: dict[str, Any], columns: Sequence[ColumnLike], region: str = "") -> SafeString:
    """Return a table's head; with a ``region`` (an element's id), its columns order what is shown there anew."""
    return cells.head(columns, _Order(context["request"], region) if region else None)


@register.simple_tag
def table_body(columns: Sequence[ColumnLike], rows: Iterable[Any], empty: str = "") -> SafeString:
    """Return a table's body, and what stands there when it has no row."""
    return cells.body(columns, rows, empty)


@register.simple_tag
def table_rows(columns: Sequence[ColumnLike], rows: Iterable[Any]) -> SafeString:
    """Return a table's rows alone, for a body that scripts go on with."""
    return cells.lines(columns, rows)


@register.simple_tag
def parameter_inputs(inputs: Iterable[InputLike]) -> SafeString:
    """Return the inputs of a group of parameters."""
    return drawn(inputs)


@register.inclusion_tag("trading/_as_of.html", takes_context=True)
def as_of(context: dict[str, Any], part: str) -> dict[str, Any]:
    """Say when ``part`` of the page's snapshot was true and how old that is by now; a script counts on."""
    told = (context["newest"].body.get("as_of") or {}).get(part) or {}
    return _as_of(part, formats.moment(told.get("at")), told.get("late_after"))


@register.inclusion_tag("trading/_as_of.html")
def looked_up(part: str) -> dict[str, Any]:
    """Say the same of what a server has looked up for this page just now."""
    return _as_of(part, now(), ageing.late_after(part))


def _as_of(part: str, at: dt.datetime | None, late_after: float | None) -> dict[str, Any]:
    age = None if at is None else max(0.0, (now() - at).total_seconds())
    late = age is not None and late_after is not None and age > late_after
    return {"part": part, "at": at, "age": age, "late_after": late_after, "late": late}


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


class _Order:
    """Orders what is shown in ``region`` by a column: the highest first, then the lowest."""

    def __init__(self, request: HttpRequest, region: str) -> None:
        asked = request.GET.copy()
        self.now, self.region = (asked.pop("sort", None) or [""])[-1], region
        asked.pop("page", None)
        self.rest = asked.urlencode()

    def __call__(self, column: ColumnLike) -> tuple[str, SafeString]:
        """Return the column's ``aria-sort`` and its title as a link."""
        falling = self.now == f"-{column.sort}"
        sign = "" if falling else "-"
        address = "?" + "&".join(filter(None, (self.rest, urlencode({"sort": f"{sign}{column.sort}"}))))
        ordered = "descending" if falling else "ascending" if self.now == column.sort else ""
        swap = format_html('hx-target="#{0}" hx-select="#{0}" hx-swap="outerHTML" hx-push-url="true"', self.region)
        return ordered, format_html('<a href="{0}" hx-get="{0}" {1}>{2}</a>', address, swap, column.title)
