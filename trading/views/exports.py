"""A table's rows as a download."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

from sensequant.lib.tables import written
from trading.views.columns import Column


def as_csv(name: str, columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> HttpResponse:
    """Return ``rows`` as a download called ``name``.csv; its header is the rows' own keys."""
    head = written([[column.key for column in columns]])
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.write(head)
    for row in rows:
        answer.write(written([[row.get(column.key) for column in columns]]))
    return answer
