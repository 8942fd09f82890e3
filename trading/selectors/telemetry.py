"""Trades that were predicted, of one kind of strategy within a span of time, as columns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from trading.core.errors import Invalid
from trading.core.strategies import STRATEGIES
from trading.core.trace_table import Builder, Table
from trading.core.traces import FIELDS
from trading.models import EngineRun, PredictionRecord


def closed(
    kind: str, *, modes: Sequence[str], since: dt.datetime | None = None, until: dt.datetime
) -> tuple[Table, int]:  # fmt: skip
    """Return the scored predictions of strategies of ``kind`` by runs in ``modes``, and how many cannot be read.

    Their positions were closed after ``since`` (None: ever), by ``until``.
    """
    names = [name for name, chosen in STRATEGIES.items() if kind == chosen.KIND]
    rows = PredictionRecord.objects.filter(
        kind="outcome", strategy__in=names, run__mode__in=list(modes), at__lte=until
    ).order_by("at", "id")
    if since is not None:
        rows = rows.filter(at__gt=since)
    builder, unread = Builder(), 0
    for text in rows.values_list("payload", flat=True).iterator():
        try:
            found = json.loads(text)["trace"]
            builder.add([found[name] for name in FIELDS])
        except (Invalid, ValueError, KeyError, TypeError):
            unread += 1
    return builder.table(), unread


def kinds() -> dict[str, str]:
    """Return the kind of strategy, intraday or swing, of every run's name; the newest of a name counts."""
    rows = EngineRun.objects.order_by("id").values_list("name", "strategy")
    return {name: STRATEGIES[strategy].KIND for name, strategy in rows if strategy in STRATEGIES}
