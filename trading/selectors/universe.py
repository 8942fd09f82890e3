"""Which shares there were: the dated names of a share, and whether it is still listed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q

from trading.models.instruments import Listing


def names(symbol: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Return the names a share bore from ``first`` to ``last``, oldest first; empty when no master tells.

    A share is followed through renamings by its ISIN. ``until`` is None while a name holds.
    """
    isins = set(Listing.objects.filter(symbol=symbol).exclude(isin="").values_list("isin", flat=True))
    rows = Listing.objects.filter(Q(symbol=symbol) | Q(isin__in=isins), since__lte=last)
    rows = rows.filter(Q(until=None) | Q(until__gte=first)).order_by("since", "id")
    return [
        {"symbol": row.symbol, "series": row.series, "isin": row.isin, "since": row.since, "until": row.until}
        for row in rows
    ]
