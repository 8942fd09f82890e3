"""What a search came to: the ranking, the sensitivity, the one look at the test days, and how honest it all is."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import QuerySet

from models_ml.core import overfitting as statistics
from models_ml.core import plateaus, spaces
from models_ml.core.evidence import Context, Evidence, examine
from models_ml.core.part_measures import measure
from models_ml.core.periods import Span
from models_ml.core.verdicts import verdict
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.services import asking, trials
from trading.core.panel import LaneBars
from trading.core.rolls import rolled
from trading.services import markets

TOP = 5
CURVES = (
    "sharpe_ratio",
    "sortino_ratio",
    "total_return",
    "total_pnl",
    "max_drawdown",
    "trades",
    "win_rate",
    "hit_ratio",
)


def rank(run: OptimizationRun) -> list[Trial]:
    """Give every configuration that was tried its rank and return them, best first.

    Those that meet the constraints come first, by score; what has no score comes last; equals in order of search.
    """
    done = list(run.trials.filter(role="config", status="done").order_by("number"))
    done.sort(key=lambda t: (not t.feasible, t.score is None, -(t.score or 0.0), t.number))
    for place, trial in enumerate(done, start=1):
        trial.rank = place
    Trial.objects.bulk_update(done, ["rank"], batch_size=500)
    return done


def ever_tried(run: OptimizationRun) -> int:
    """Return how many different configurations were ever tried on these days, this run's among them.

    Counted are all optimisations whose symbols and days of choice overlap with this one's on the same kind of market.
    """
    return _on_these_days(run).values("digest").distinct().count()


def tried_before(run: OptimizationRun, known: set[str]) -> int:
    """Return how many configurations other than those of the digests ``known`` were ever tried on these days."""
    return len(set(_on_these_days(run).values_list("digest", flat=True).distinct()) - known)


def _on_these_days(run: OptimizationRun) -> QuerySet[Trial]:
    others = OptimizationRun.objects.filter(start__lte=run.end, end__gte=run.start)
    symbols, demo = set(run.symbols), run.source == markets.DEMO
    near = [
        each.pk for each in others.only("symbols", "source")
        if symbols & set(each.symbols) and (each.source == markets.DEMO) == demo
    ]  # fmt: skip
    return Trial.objects.filter(run__in=near, role="config", status="done").order_by()


def looks(run: OptimizationRun) -> int:
    """Return how many optimisations have looked at test days that overlap with this one's, itself included."""
    if "test" not in run.parts:
        return 0
    first, last = run.parts["test"][:2]
    symbols, demo, count = set(run.symbols), run.source == markets.DEMO, 0
    for each in OptimizationRun.objects.exclude(test_touched_at=None).only("symbols", "source", "parts"):
        other = each.parts["test"]
        same = symbols & set(each.symbols) and (each.source == markets.DEMO) == demo
        count += bool(same and other[0] <= last and other[1] >= first)
    return count


def touch_test(
    run: OptimizationRun, best: Trial, baseline: Trial | None, lanes: Sequence[LaneBars], *, at: dt.datetime
) -> dict[str, Any]:
    """Look at the test days, once: the best configuration and the baseline; a second call returns what was seen.

    That it was touched is recorded before anything of it is known. A window of a walk-forward has no test days: {}.
    """
    if "test" not in run.parts:
        return {}
    won = OptimizationRun.objects.filter(pk=run.pk, test_touched_at=None).update(test_touched_at=at)
    run.refresh_from_db()
    if not won and run.test:
        return dict(run.test)
    here, bars = trials.ground(run, lanes), rolled(lanes)
    seen: dict[str, Any] = {"config_id": best.config_id, "touched_at": (run.test_touched_at or at).isoformat()}
    for name, trial in (("best", best), ("baseline", baseline)):
        if trial is not None:
            curved, _ = trials.run_through(here, trial.params, bars)
            seen[name] = measure(curved, Span(*run.parts["test"]), here.limit)
    OptimizationRun.objects.filter(pk=run.pk).update(test=seen)
    return seen


def honesty(
    run: OptimizationRun, ranked: Sequence[Trial], baseline: Trial | None, test: dict[str, Any]
) -> dict[str, Any]:
    """Return how much of the best result may be luck, and the verdict with its reasons."""
    flat = _plateau(run, ranked)
    box = _evidence(run, ranked, baseline, test, flat.isolated)
    seen = box.findings
    word, reasons = verdict(seen)
    return {
        "trials": seen.trials,
        "trials_this_run": box.tried,
        "trials_before": seen.trials - box.tried,
        "effective_trials": _json(statistics.effective(seen.trials, box.alike)),
        "mean_correlation": _json(box.alike),
        "deflated_sharpe": _json(seen.deflated),
        "sharpe_hurdle": _json(box.hurdle),
        "pbo": _json(box.cscv.pbo),
        "pbo_slope": _json(box.cscv.slope),
        "pbo_loss": _json(box.cscv.loss),
        "reality_check_p": _json(seen.luck),
        "min_track_record_days": _json(seen.least_days),
        "min_backtest_years": _json(statistics.least_years(seen.trials)),
        "days": seen.days,
        "sharpe": _json(box.sharpe),
        "plateau": {k: _json(v) if isinstance(v, float) else v for k, v in flat._asdict().items()},
        "decay": {
            "train_sharpe": _json(seen.train), "validation_sharpe": _json(seen.validation),
            "test_sharpe": _json(_known(seen.test)), "standard_errors": _json(seen.fell),
        },
        "test_looks": looks(run),
        "verdict": word,
        "reasons": reasons,
    }  # fmt: skip


def _evidence(
    run: OptimizationRun, ranked: Sequence[Trial], baseline: Trial | None, test: dict[str, Any], isolated: bool
) -> Evidence:
    best = ranked[0]
    known = Context(
        ever=ever_tried(run),
        feasible=best.feasible,
        trades=best.metrics["trades"],
        isolated=isolated,
        beats_baseline=None if baseline is None else _beats(best, baseline),
        test=_known(test.get("best", {}).get("sharpe_ratio")) if "test" in run.parts else None,
    )
    matrix = np.column_stack([trials.returns_of(trial) for trial in ranked])
    return examine(matrix, 0, trials.parts_of(run).train.sessions, known, run.spec["seed"])


def _beats(best: Trial, baseline: Trial) -> bool:
    return best.score is not None and (baseline.score is None or best.score > baseline.score)


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def days_of(span: Sequence[int]) -> dict[str, Any]:
    """Return a span as answers have it: its first and last day, and how many sessions that is."""
    first, last, sessions = span
    return {
        "first": dt.date.fromordinal(first).isoformat(), "last": dt.date.fromordinal(last).isoformat(),
        "sessions": sessions,
    }  # fmt: skip


def _json(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _places(run: OptimizationRun, ranked: Sequence[Trial]) -> tuple[spaces.Space, Any, Any]:
    """Return the space's searched parameters and, by configuration, their values and whereabouts."""
    space = tuple(c for c in asking.space_of(asking.Spec(**run.spec)) if c.high > c.low)
    values = np.array([[trial.params[c.name] for c in space] for trial in ranked], np.float64).reshape(len(ranked), -1)
    places = np.array([[spaces.whereabouts(c, v) for c, v in zip(space, row, strict=True)] for row in values.tolist()])
    return space, values, places.reshape(len(ranked), -1)


def _plateau(run: OptimizationRun, ranked: Sequence[Trial]) -> plateaus.Plateau:
    scored = [trial for trial in ranked if trial.score is not None]
    if not scored:
        return plateaus.Plateau(math.nan, math.nan, math.nan, math.nan, False)
    _, _, places = _places(run, scored)
    return plateaus.plateau(places, np.array([trial.score for trial in scored], np.float64), 0)


def sensitivity(run: OptimizationRun, ranked: Sequence[Trial]) -> dict[str, Any]:
    """Return each parameter's sensitivity, the strongest first, and a heat map over the first two."""
    scored = [trial for trial in ranked if trial.score is not None]
    if len(scored) < 2:
        return {"parameters": [], "heat": {}}
    space, values, _ = _places(run, scored)
    scores = np.array([trial.score for trial in scored], np.float64)
    names = [choice.name for choice in space]
    found = plateaus.sensitivities(names, values, scores)
    order = [names.index(each.name) for each in found]
    return {
        "parameters": [
            {
                "name": each.name, "correlation": _json(each.correlation), "spread": _json(each.spread),
                "means": [[_json(v), _json(m), n] for v, m, n in each.means],
            }
            for each in found
        ],
        "heat": plateaus.heat([each.name for each in found], values[:, order], scores),
    }  # fmt: skip
