"""Recorded predictions and their outcomes, as columns and as rows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from trading.core.errors import Invalid
from trading.core.strategies import STRATEGIES
from trading.core.trace_table import Builder, Table, at_once
from trading.core.traces import FIELDS
from trading.models import BacktestRun, PredictionRecord

MOST = 20_000  # outcomes a page measures; the newest


class Newest(NamedTuple):
    """The scored prediction appended last: its row and digest, and the latest market time of any."""

    row: int
    digest: str
    at: dt.datetime


class Appended(NamedTuple):
    """What was scored since: how many outcomes of any strategy, and the traces of the strategy asked for."""

    outcomes: int
    traces: Table


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


def appended(known: Newest, newest: Newest, strategy: str = "") -> Appended | None:
    """Return what was scored since ``known`` was the newest, up to ``newest``; None if it is gone or later than some.

    What is earlier in market time (another run's, a replay's) would not stand in front of what was known.
    """
    rows = outcomes().filter(pk__gt=known.row, pk__lte=newest.row)
    oldest = rows.reverse().values_list("at", flat=True).first()
    kept = PredictionRecord.objects.filter(pk=known.row, digest=known.digest).exists()
    if not kept or (oldest is not None and oldest < known.at):
        return None
    return Appended(rows.count(), _table(rows.filter(strategy=strategy) if strategy else rows))


def recorded(strategy: str = "", until: Newest | None = None) -> Table:
    """Return the newest scored predictions (``until`` a row) as columns; one that cannot be read is left out."""
    rows = outcomes(strategy)
    return _table(rows.filter(pk__lte=until.row) if until else rows)


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


def newest_outcome() -> Newest | None:
    """Return the scored prediction that was appended last, with the latest market time of any; None without one."""
    last = PredictionRecord.objects.filter(kind="outcome").order_by("-id").values_list("id", "digest").first()
    at = outcomes().values_list("at", flat=True).first()
    return None if last is None or at is None else Newest(*last, at)


def count_outcomes(until: Newest | None = None) -> int:
    """Return how many predictions were scored, ``until`` a row."""
    rows = PredictionRecord.objects.filter(kind="outcome")
    return (rows.filter(pk__lte=until.row) if until else rows).count()


def database() -> str:
    """Return the name of the database that is asked: what is remembered is remembered of one."""
    return str(connection.settings_dict["NAME"])


def open_predictions() -> int:
    """Return how many predictions have no outcome: positions that are open, and entries that came to nothing."""
    said = PredictionRecord.objects.filter(kind="prediction").count()
    return said - count_outcomes()


def traced_backtests() -> QuerySet[BacktestRun]:
    """Return the backtests whose predictions were traced, the newest first."""
    return BacktestRun.objects.filter(status="done", telemetry__traces__gt=0).order_by("-id")


def traced_backtest(pk: int) -> BacktestRun | None:
    """Return one of them; None when there is none."""
    return traced_backtests().filter(pk=pk).first()
