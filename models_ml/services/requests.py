"""Optimisations asked for from a page or the API: the words checked, a run queued."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models_ml.models.optimizations import OptimizationRun
from models_ml.services import asking, optimizations, searching
from sensequant.lib.errors import BadInput
from sensequant.lib.fan_out import FLEET, fleet
from trading.core.calendar import IST
from trading.services import markets, runs


def request(  # noqa: PLR0913 - the doors give them one by one
    *, symbols: Sequence[str], strategy: str, interval: str, start: dt.date, end: dt.date, source: str = "",
    directory: str = "", params: Mapping[str, Any] | None = None, capital: Decimal | float | None = None,
    grid: Mapping[str, Any] | None = None, given: Mapping[str, Any] | None = None, workers: str = "cores", by: str,
    at: dt.datetime,
) -> OptimizationRun:  # fmt: skip
    """Return a queued run, everything about it checked; ``grid`` is a grid file's object, empty: the strategy's bounds.

    ``source`` is csv, breeze, hybrid, stream or demo; empty: csv when a ``directory`` is named, else the demo market.
    """
    place = runs.source_of(source or ("csv" if directory else markets.DEMO), directory)
    wanted = markets.want(place, symbols, interval, start, end, today=at.astimezone(IST).date())
    order = runs.order(strategy, params or {}, None if capital is None else float(capital))
    asked = asking.ask(wanted, order, grid or {}, given or {})
    if asked.spec.search != "adaptive":
        searching.candidates(asked)  # refuses a grid that contradicts itself
    if workers == FLEET and not fleet():
        raise BadInput("there is no fleet here: background jobs run inside one process", fix="set REDIS_URL, or cores")
    return optimizations.keep(asked, by=by, at=at, workers=workers)
