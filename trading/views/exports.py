"""Tables as CSV that a spreadsheet cannot mistake for formulas."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from sensequant.lib.clock import ist
from trading.views.columns import Column

FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def as_csv(name: str, columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> HttpResponse:
    """Return ``rows`` as a download called ``name``.csv; its header is the rows' own keys."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerow([column.key for column in columns])
    writer.writerows([safe(row.get(column.key)) for column in columns] for row in rows)
    return answer
