"""Recorded predictions and their outcomes, as columns and as rows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from trading.core.errors import Invalid
from trading.core.strategies import STRATEGIES
from trading.core.trace_table import Builder, Table, at_once
from trading.core.traces import FIELDS
from trading.models import BacktestRun, PredictionRecord

MOST = 20_000  # outcomes a page measures; the newest


def outcomes(strategy: str = "", run_id: int | None = None) -> QuerySet[PredictionRecord]:
    """Return the scored predictions, the newest first."""
    rows = PredictionRecord.objects.filter(kind="outcome")
    if strategy:
        rows = rows.filter(strategy=strategy)
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    return rows.order_by("-at", "-id")


def closed(kind: str, start: dt.datetime | None, end: dt.datetime) -> Table:
    """Return the newest scored predictions of strategies of ``kind``, closed after ``start`` and until ``end``."""
    names = [name for name, module in STRATEGIES.items() if kind == module.KIND]
    rows = outcomes().filter(strategy__in=names, at__lte=end)
    return _table(rows if start is None else rows.filter(at__gt=start))


def newest() -> str:
    """Return the digest of the newest scored prediction; empty without one."""
    return outcomes().values_list("digest", flat=True).first() or ""


def recorded(strategy: str = "", run_id: int | None = None) -> Table:
    """Return the newest scored predictions of the desk's own runs as columns; one that cannot be read is left out."""
    return _table(outcomes(strategy, run_id))


def _table(rows: QuerySet[PredictionRecord]) -> Table:
    traces = list(_traces(rows.values_list("payload", flat=True)[:MOST].iterator()))
    try:
        return at_once(traces)
    except Invalid:
        return _one_by_one(traces)


def _traces(payloads: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    decode, fields = json.JSONDecoder().raw_decode, itemgetter(*FIELDS)
    for text in payloads:
        try:
            yield fields(decode(text)[0]["trace"])
        except (ValueError, KeyError, TypeError):  # ``check_predictions`` says what became of it
            continue


def _one_by_one(traces: Iterable[Sequence[Any]]) -> Table:
    builder = Builder()
    for row in traces:
        with suppress(Invalid, ValueError, TypeError):
            builder.add(row)
    return builder.table()


def newest_outcome() -> tuple[Any, ...]:
    """Return what tells the newest scored prediction from any other: its row, its digest, and which database."""
    rows = PredictionRecord.objects.filter(kind="outcome").order_by("-id")
    return (*(rows.values_list("id", "digest").first() or ()), str(connection.settings_dict["NAME"]))


def open_predictions() -> int:
    """Return how many predictions have no outcome: positions that are open, and entries that came to nothing."""
    said = PredictionRecord.objects.filter(kind="prediction").count()
    return said - PredictionRecord.objects.filter(kind="outcome").count()


def traced_backtests() -> QuerySet[BacktestRun]:
    """Return the backtests whose predictions were traced, the newest first."""
    return BacktestRun.objects.filter(status="done", telemetry__traces__gt=0).order_by("-id")


def traced_backtest(pk: int) -> BacktestRun | None:
    """Return one of them; None when there is none."""
    return traced_backtests().filter(pk=pk).first()
