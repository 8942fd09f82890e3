"""What learning asks of the desk after a session: which run traded, its trades, the students' words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sensequant.lib.clock import IST
from trading.models import ActiveModel, EngineRun, ModelScore, Signal, Trade

SETTLES = dt.timedelta(days=40)
PREFERRED = ("live", "dry-run", "replay")


@dataclass(frozen=True, slots=True)
class Closed:
    """One closed trade: rupees, shares, seconds UTC; ``features`` and ``sentiment`` are those of its entry's signal."""

    symbol: str
    side: int
    quantity: int
    entry_price: float
    exit_price: float
    entry_ts: int
    exit_ts: int
    net: float
    features: dict[str, Any]
    sentiment: float | None


@dataclass(frozen=True, slots=True)
class Said:
    """What one student said of one decision: the chance it gave, from which on it would act, and what came of it."""

    number: int
    symbol: str
    ts: int
    side: int
    chance: float
    threshold: float
    inputs: Sequence[float | None]
    outcome: float | None


def day_span(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the moments at which the IST days ``first`` to ``last`` begin and end."""
    begin = dt.datetime.combine(first, dt.time(), IST)
    return begin, dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), IST)


def run_that_traded(day: dt.date, number: int | None = None) -> EngineRun | None:
    """Return the run to review for ``day``: the one asked for, else the newest that closed trades, real ones first."""
    if number is not None:
        return EngineRun.objects.filter(pk=number).first()
    begin, end = day_span(day, day)
    runs = EngineRun.objects.filter(trades__exit_time__gte=begin, trades__exit_time__lt=end).distinct().order_by("-id")
    found = {run.mode: run for run in reversed(runs)}
    return next((found[mode] for mode in PREFERRED if mode in found), None)


def closed(run: EngineRun, first: dt.date, last: dt.date) -> list[Closed]:
    """Return the run's trades that were closed on the IST days ``first`` to ``last``, oldest first."""
    begin, end = day_span(first, last)
    rows = Trade.objects.filter(run=run, exit_time__gte=begin, exit_time__lt=end).order_by("exit_time", "id")
    return [_closed(run, row) for row in rows]


def _closed(run: EngineRun, row: Trade) -> Closed:
    entry = (
        Signal.objects.filter(
            run=run, symbol=row.symbol, direction=row.side, at__lt=row.entry_time, objections=[]
        )
        .order_by("-at")
        .first()
    )  # fmt: skip
    return Closed(
        row.symbol, 1 if row.side == "LONG" else -1, row.quantity, float(row.entry_price), float(row.exit_price),
        int(row.entry_time.timestamp()), int(row.exit_time.timestamp()), float(row.net_pnl),
        entry.features if entry else {}, entry.sentiment if entry else None,
    )  # fmt: skip


def said(model: ActiveModel, *, until: dt.datetime) -> list[Said]:
    """Return everything a student said of bars that started before ``until``, oldest first."""
    rows = ModelScore.objects.filter(model=model, at__lt=until).order_by("at", "id")
    return [_said(row) for row in rows.iterator()]


def unsettled(*, until: dt.datetime) -> dict[int, list[Said]]:
    """Return what was said of bars that started before ``until`` and has no outcome yet, by run, oldest first.

    What has none after so many days never will: it could not have been traded.
    """
    found: dict[int, list[Said]] = {}
    rows = ModelScore.objects.filter(outcome=None, at__lt=until, at__gte=until - SETTLES).order_by("at", "id")
    for row in rows.iterator():
        found.setdefault(row.run_id, []).append(_said(row))
    return found


def _said(row: ModelScore) -> Said:
    return Said(
        row.pk, row.symbol, int(row.at.timestamp()), 1 if row.direction == "LONG" else -1, row.chance, row.threshold,
        row.inputs, row.outcome,
    )  # fmt: skip


def run_of(number: int) -> EngineRun:
    """Return a run by its number."""
    return EngineRun.objects.get(pk=number)
