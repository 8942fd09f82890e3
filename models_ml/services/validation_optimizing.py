"""The optimizer's part of a validation: a few configurations of the strategy on each symbol's own days, read-only.

What it finds stays in its own rows and files: no strategy's configuration is touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from models_ml.services import asking, optimizations
from models_ml.services.batch_plans import TeacherAsked
from sensequant.lib import paths
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.core.bars import DAY, INTERVALS
from trading.core.setups import parameters
from trading.services import markets, runs
from trading.services.market_clock import Clock

NEAR: Final = (0.8, 1.0, 1.25)
CONFIGS: Final = 8  # of each symbol: this is a look at whether the strategy holds, not a search for the best
log = get_logger("ModelValidation")


def evaluate(run_id: str, asked: TeacherAsked, *, workers: int | str, clock: Clock) -> dict[str, Any]:
    """Return ``optimizer_results``: the best configuration of each symbol, and why some have none."""
    best: dict[str, Any] = {}
    all_of: dict[str, Any] = {}
    errors = []
    for symbol in asked.symbols:
        try:
            told = _one(run_id, asked, symbol, optimizations.How(workers, clock), at=clock())
        except (SenseQuantError, ValueError) as error:
            if not (isinstance(error, SenseQuantError) or is_bad_input(error)):
                raise
            errors.append(f"{symbol}: {error}")
            continue
        all_of[symbol] = told
        if told["best"]:
            best[symbol] = _best(told)
    status = "success" if best and not errors else "partial" if best else "failed"
    return {"status": status, "best_configs": best, "errors": errors, "results": all_of}


def _one(run_id: str, asked: TeacherAsked, symbol: str, how: optimizations.How, *, at: dt.datetime) -> dict[str, Any]:
    """Return what the optimizer says of one symbol; a search that was broken off is gone on with."""
    start, end = asked.start or at.date(), asked.end or at.date()
    wanted = markets.Wanted(asked.source, (symbol,), asked.interval, start, end, asked.sound_rows)
    name = "swing" if INTERVALS[asked.interval] >= DAY else "intraday"
    given = {"search": "random", "max_configs": CONFIGS, "min_trades": 5, "export_report": False}
    order = runs.order(name, {}, None)
    search = asking.ask(wanted, order, {"parameters": _around(name, asking.usual(order, wanted))}, given)
    folder = str(paths.resolve(settings.DESK.validation_data_dir) / "optimization" / run_id / symbol)
    run = optimizations.open_run(search) or optimizations.keep(search, output_dir=folder, by=run_id, at=at)
    return optimizations.answer(optimizations.execute(run.pk, how, resume=True))


def _around(name: str, usual: Mapping[str, float]) -> dict[str, list[float]]:
    """Return the values to try of the strategy's own parameters: the usual one and a little less and more."""
    found = {}
    for each in parameters(name)["params"].values():
        near = [usual[each.name] * share for share in NEAR]
        whole = [round(value) if each.kind is int else round(value, 6) for value in near]
        found[each.name] = sorted({min(max(value, each.bound.low), each.bound.high) for value in whole})
    return found


def _best(told: dict[str, Any]) -> dict[str, Any]:
    """Return a symbol's best configuration with the figures of the days it was not chosen by."""
    best = told["best"]
    test = (told.get("test") or {}).get("best") or {}
    metrics = test.get("metrics") or test
    return {
        **best["parameters"], "sharpe_ratio": metrics.get("sharpe_ratio"), "trades": metrics.get("trades"),
        "verdict": told["honesty"].get("verdict"),
    }  # fmt: skip
