"""What a walk-forward came to: its windows side by side, what was left of the search, and how honest it all is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from models_ml.core import overfitting as statistics
from models_ml.core import walk_evidence as evidence
from models_ml.core import walk_forward
from models_ml.core.part_measures import measure
from models_ml.core.periods import Span
from models_ml.core.walk_evidence import Walked
from models_ml.core.walk_forward import Window
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.services import asking, judging, trials, walking
from models_ml.services.walking import Walk

SHOWN = ("total_return", "sharpe_ratio", "trades", "score")
Row = dict[str, Any]


def look(
    run: OptimizationRun, windows: Sequence[Window], searches: Sequence[OptimizationRun], days: Sequence[int]
) -> tuple[Row, Row]:
    """Trade the unseen days and return what is kept of them: the result, and the walk itself with its trades."""
    chosen = [_best(search) for search in searches]
    walk = walking.trade(run, windows, [trial.params for trial in chosen])
    plain = walking.trade(run, windows, [{}] * len(windows)) if run.spec["run_baseline"] else None
    seen = {
        "best": _measures(run, walk), "equity": walk.equity, "trades": walk.trades,
        **({"baseline": _measures(run, plain), "baseline_equity": plain.equity} if plain else {}),
    }  # fmt: skip
    rows = [
        _row(run, window, search, trial, part)
        for window, search, trial, part in zip(windows, searches, chosen, walk.curves, strict=True)
    ]
    block = _block(run, rows, walk, walk_forward.left_over(days, windows))
    space = asking.space_of(asking.Spec(**run.spec))
    block["drift"] = evidence.drift(space, [trial.params for trial in chosen])
    return {"walk_forward": block, "honesty": _honesty(run, searches, block, seen, walk)}, seen


def _best(search: OptimizationRun) -> Trial:
    return search.trials.get(role="config", rank=1)


def _measures(run: OptimizationRun, walk: Walk) -> Row:
    days = walk.curve.session
    return measure(walk.curve, Span(int(days[0]), int(days[-1]), int(days.size)), walking.limit(run))


def _row(run: OptimizationRun, window: Window, search: OptimizationRun, best: Trial, part: Any) -> Row:
    found = measure(part, window.test, walking.limit(run))
    searched = _annual(best.metrics)
    unseen = _annual(found)
    return {
        "number": window.number, "run_id": search.pk, "train": judging.days_of(window.train),
        "test": judging.days_of(window.test), "config_id": best.config_id, "parameters": best.params,
        "feasible": best.feasible, "score": best.score, "verdict": search.result["honesty"]["verdict"],
        "tried": search.result["honesty"]["trials_this_run"],
        "in_sample": {**{key: best.metrics.get(key) for key in SHOWN[:3]}, "annual_return": _json(searched)},
        "validation": {key: best.validation.get(key) for key in SHOWN[:3]},
        "out_of_sample": {
            **{key: found.get(key) for key in (*SHOWN[:3], "max_drawdown", "total_pnl", "win_rate")},
            "annual_return": _json(unseen),
        },
        "efficiency": _json(evidence.efficiency(unseen, searched)),
    }  # fmt: skip


def _annual(found: Row) -> float:
    return evidence.annual(1.0 + found["total_return"], found["days"])


def _block(run: OptimizationRun, rows: Sequence[Row], walk: Walk, left_over: int) -> Row:
    """Return the windows and what they come to together."""
    plan = walk_forward.plan(run.spec["walk_forward"])
    bests = [_best_metrics(row) for row in rows]
    growth, days = math.prod(g for g, _ in bests), sum(n for _, n in bests)
    searched = evidence.annual(growth, days)
    unseen = evidence.annual(float(np.prod(1.0 + walk.curve.returns)), walk.curve.returns.size)
    earned = [row["out_of_sample"]["total_return"] > 0.0 for row in rows]
    return {
        **plan._asdict(), "purge": run.spec["purge"], "left_over": left_over, "windows": list(rows),
        "in_sample_annual_return": _json(searched), "annual_return": _json(unseen),
        "efficiency": _json(evidence.efficiency(unseen, searched)),
        "profitable_windows": round(sum(earned) / len(earned), 6),
    }  # fmt: skip


def _best_metrics(row: Row) -> tuple[float, int]:
    """Return by how much a window's choice grew on the days that chose it, and how many those were."""
    trial = Trial.objects.only("metrics").get(run_id=row["run_id"], role="config", rank=1)
    return 1.0 + trial.metrics["total_return"], trial.metrics["days"]


def _honesty(run: OptimizationRun, searches: Sequence[OptimizationRun], block: Row, seen: Row, walk: Walk) -> Row:
    """Return how much of the stitched curve may be luck, every configuration of every window counted."""
    here = [trial for search in searches for trial in search.trials.filter(role="config", status="done")]
    before = judging.tried_before(run, {trial.digest for trial in here})
    tried = np.array([statistics.sharpe(trials.returns_of(trial)) for trial in here], np.float64)
    looks = judging.looks(run)
    told = evidence.examine(walk.curve.returns, tried[np.isfinite(tried)], len(here) + before, looks, run.spec["seed"])
    pbo = _mean([search.result["honesty"]["pbo"] for search in searches])
    found = Walked(
        trials=len(here) + before, windows=len(searches), unmet=sum(not row["feasible"] for row in block["windows"]),
        trades=len(walk.trades), days=int(walk.curve.returns.size), sharpe=told["sharpe"],
        searched=_known(block["in_sample_annual_return"]), unseen=_known(block["annual_return"]),
        profitable=block["profitable_windows"], deflated=told["deflated"], pbo=pbo, luck=told["luck"],
        least_days=told["least_days"], hurdle=told["hurdle"],
        beats_baseline=seen["best"]["total_return"] > seen["baseline"]["total_return"] if "baseline" in seen else None,
    )  # fmt: skip
    word, reasons = evidence.verdict(found)
    return {
        "trials": found.trials, "trials_this_run": len(here), "trials_before": before, "windows": found.windows,
        "deflated_sharpe": _json(found.deflated), "sharpe_hurdle": _json(found.hurdle), "pbo": _json(pbo),
        "reality_check_p": _json(found.luck), "min_track_record_days": _json(found.least_days),
        "min_backtest_years": _json(statistics.least_years(found.trials)), "days": found.days,
        "sharpe": _json(found.sharpe), "efficiency": block["efficiency"],
        "profitable_windows": block["profitable_windows"], "test_looks": looks, "verdict": word, "reasons": reasons,
    }  # fmt: skip


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else math.nan


def _json(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
