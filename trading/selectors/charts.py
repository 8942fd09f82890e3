"""What stands on a price chart beside the bars: the strategy's own averages, and where the desk traded."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from trading.core.bars import INTERVALS, Bars
from trading.core.bounds import fields, make
from trading.core.calendar import NSE
from trading.core.features import Bar
from trading.core.strategies import strategy
from trading.models import EngineRun, Fill

ON_PRICE = {"fast": "Fast SMA", "slow": "Slow SMA", "sma": "SMA", "ema": "EMA", "vwap": "VWAP"}  # feature → its name
Line = list[float | None]


def averages(run: EngineRun, bars: Bars) -> dict[str, Line]:
    """Return the run's averages in rupees, one value a bar (None while warming up), by name: {"SMA 20": […]}.

    They come from the strategy's own ``advance``, the same lines the engine decides by.
    """
    chosen = strategy(run.strategy)
    known = fields(chosen.Params)
    given = run.plan.get("params") or {}
    params = make(chosen.Params, {name: given[name] for name in known if name in given})
    rows = _features(chosen, params, bars, INTERVALS[run.interval])
    names = [name for name in chosen.Features._fields if name in ON_PRICE]
    return {_title(name, params): [_number(getattr(row, name)) for row in rows] for name in names}


def _features(chosen: Any, params: Any, bars: Bars, length: int) -> list[Any]:
    memory = [0.0] * chosen.MEMORY
    state = chosen.recall(memory)
    places = NSE.session_columns(bars.ts, length)
    prices = zip(*(column.tolist() for column in bars.columns()), strict=True)
    stands = zip(places.session.tolist(), places.minute.tolist(), places.left.tolist(), strict=True)
    found = []
    for i, ((ts, opened, high, low, close, volume), place) in enumerate(zip(prices, stands, strict=True)):
        bar = Bar(opened, high, low, close, volume, math.nan, *place, ts)
        state, row = chosen.advance(state, memory, i, bar, params)
        found.append(row)
    return found


def _title(name: str, params: Any) -> str:
    window = getattr(params, name, None)
    return f"{ON_PRICE[name]} {window:g}" if isinstance(window, int | float) else ON_PRICE[name]


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def rows(bars: Bars) -> list[list[float | None]]:
    """Return the bars as [epoch seconds, open, high, low, close, volume or None] each."""
    columns = [column.tolist() for column in bars.columns()]
    return [[ts, o, h, low, c, _number(v)] for ts, o, h, low, c, v in zip(*columns, strict=True)]


def marks(run: EngineRun, symbol: str, since: dt.datetime) -> list[dict[str, Any]]:
    """Return the run's fills of ``symbol`` from ``since`` on, oldest first, as a chart marks them."""
    fills = (
        Fill.objects.filter(order__run=run, order__symbol=symbol, at__gte=since)
        .order_by("at", "id")
        .values_list("at", "order__side", "order__purpose", "quantity", "price", "order__reason")
    )
    return [
        {
            "time": int(at.timestamp()),
            "side": side,
            "purpose": purpose,
            "quantity": quantity,
            "price": str(price),
            "reason": why,
        }
        for at, side, purpose, quantity, price, why in fills
    ]
