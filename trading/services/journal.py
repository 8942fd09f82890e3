"""The trade journal ``logs/trades.csv``: a row a fill, appended once it is recorded, rebuilt from the rows at start."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.logs import get_logger
from trading.models.engine import EngineRun
from trading.models.orders import Fill
from trading.models.positions import Trade

HEADER = ("timestamp", "symbol", "action", "price", "qty", "pnl", "costs", "reason", "order_ids")
log = get_logger("journal")


def path() -> Path:
    """Return where the journal lies."""
    return paths.home() / "logs" / "trades.csv"


def rebuild(run: EngineRun) -> None:
    """Write the journal of ``run`` anew from its rows; a failing disk is logged and costs the engine nothing."""
    trades = {(t.symbol, t.exit_time): t for t in Trade.objects.filter(run=run)}
    fills = Fill.objects.filter(order__run=run).select_related("order").order_by("at", "id")
    _write("w", [HEADER, *_rows(fills.iterator(), trades)])


def append(fills: Iterable[Fill], trades: Iterable[Trade]) -> None:
    """Add the rows of ``fills``; the fill that closed one of ``trades`` carries its profit."""
    _write("a", list(_rows(fills, {(t.symbol, t.exit_time): t for t in trades})))


def _rows(fills: Iterable[Fill], trades: dict[tuple[str, dt.datetime], Trade]) -> Iterator[tuple[object, ...]]:
    known = list(fills)
    last = {(fill.order.symbol, fill.at): fill.pk for fill in known if fill.order.purpose == "exit"}
    for fill in known:
        order, key = fill.order, (fill.order.symbol, fill.at)
        closed = trades.get(key) if last.get(key) == fill.pk else None
        yield (
            fill.at.astimezone(IST).isoformat(), order.symbol, order.side, fill.price, fill.quantity,
            closed.net_pnl if closed else "", fill.charges, order.reason or order.purpose,
            " ".join(map(str, closed.orders)) if closed else order.number,
        )  # fmt: skip


def _write(mode: str, rows: list[tuple[object, ...]]) -> None:
    if not rows:
        return
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with path().open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    except OSError as error:
        log.exception("journal not written", path=str(path()), error=str(error))
