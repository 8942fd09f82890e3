"""Every page's tables as CSV: ``?tables=csv`` gives what the page shows (several tables as a zip), ``&table=2`` one.

The numbers are those on the page, without their grouping and signs of direction; text cannot become a formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from sensequant.lib.tables import Drawn, of_page, written

WORD = "tables"
ELSEWHERE = ("/admin/", "/api/")


class TablesAsCsv:
    """Turn a page into its tables where that is asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; with its tables instead of the page when it says so."""
        response = self.get_response(request)
        if request.method != "GET" or request.GET.get(WORD) != "csv" or request.path.startswith(ELSEWHERE):
            return response
        kind = response.headers.get("Content-Type", "")
        if not isinstance(response, HttpResponse) or response.status_code != 200 or not kind.startswith("text/html"):
            return response
        return download(of_page(response.content.decode()), request.GET.get("table", ""), slug(request.path) or "live")


def download(tables: list[Drawn], number: str, name: str) -> HttpResponse:
    """Return the table of that number (counted from 1) as CSV, or all of them: one as CSV, several as a zip."""
    if number:
        wanted = int(number) if re.fullmatch(r"[0-9]{1,3}", number) else 0
        if not 1 <= wanted <= len(tables):
            return _plain(f"This page has {len(tables)} tables; there is none of number {number[:20]!r}.\n")
        tables = [tables[wanted - 1]]
    if not tables:
        return _plain("This page has no table.\n")
    if len(tables) == 1:
        return _file(f"{name}-{slug(tables[0].name)}.csv", "text/csv; charset=utf-8", written(tables[0].rows).encode())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for k, table in enumerate(tables, 1):
            packed.writestr(f"{k:02}-{slug(table.name)}.csv", written(table.rows))
    return _file(f"{name}.zip", "application/zip", out.getvalue())


def slug(text: str) -> str:
    """Return text as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


def _plain(text: str) -> HttpResponse:
    return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")


def _file(name: str, kind: str, content: bytes) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
