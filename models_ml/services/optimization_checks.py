"""An optimisation looked at again and changed nowhere: what it came to, and whether its bars still say the same.

``again`` checks the request as ``optimize --validate-only`` does and takes baseline and leaders through the desk anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from models_ml.core import rechecks
from models_ml.core.part_measures import measure
from models_ml.core.periods import Span
from models_ml.core.verdicts import EVIDENCE
from models_ml.models import OptimizationRun, Trial, ValidationRun
from models_ml.services import optimizations, trials
from sensequant.lib.errors import SenseQuantError, is_bad_input
from trading.core.panel import LaneBars
from trading.core.rolls import rolled
from trading.services import markets, runs

LEADERS = 5


def newest(strategy: str) -> OptimizationRun | None:
    """Return the newest optimisation that was finished: of ``strategy``, else of any.

    A validation's looks are none; nor are walk-forwards and their windows, which choose no one configuration.
    """
    looks = ValidationRun.objects.values("run_id")
    rows = OptimizationRun.objects.filter(status="done", parent=None).exclude(created_by__in=looks)
    rows = rows.filter(windows=None).order_by("-finished_at", "-id")
    return rows.filter(strategy=strategy).first() or rows.first()


def evidence(run: OptimizationRun) -> dict[str, Any]:
    """Return what a finished run came to, on the days its best one was not chosen by: those of test, else validation.

    ``active`` says which of the two the strategy's active parameters are: baseline, best or neither.
    """
    best, base = _best(run), _baseline(run)
    part = "test" if run.test.get("best") else "validation"
    found: dict[str, Any] = {
        "run": run.pk, "strategy": run.strategy, "symbols": run.symbols, "interval": run.interval,
        "start": str(run.start), "end": str(run.end), "finished_at": run.finished_at, "part": part,
        "config_id": best.config_id if best else None, "parameters": best.params if best else None,
        "baseline": _measures(run, base, part, "baseline"), "best": _measures(run, best, part, "best"),
        "honesty": run.result.get("honesty", {}), "sensitivity": run.result.get("sensitivity", {}),
        "folder": run.output_dir, "active": _active(run, best, base),
    }  # fmt: skip
    found["proven"] = found["honesty"].get("verdict") == EVIDENCE
    return found


def _best(run: OptimizationRun) -> Trial | None:
    return run.trials.filter(role="config", status="done").exclude(rank=None).order_by("rank").first()


def _baseline(run: OptimizationRun) -> Trial | None:
    return run.trials.filter(role="baseline", status="done").first()


def _measures(run: OptimizationRun, trial: Trial | None, part: str, name: str) -> dict[str, Any]:
    if trial is None:
        return {}
    return dict(run.test.get(name) or {}) if part == "test" else dict(trial.validation)


def _active(run: OptimizationRun, best: Trial | None, base: Trial | None) -> str:
    """Return whose effective parameters would trade now."""
    try:
        now = trials.identity(runs.order(run.strategy, {}, float(run.capital)), {}, trials.wanted_of(run))
    except ValueError:
        return "neither"
    known = (("best", best), ("baseline", base))  # whoever trades the baseline trades it, were it the best as well
    names = {trial.digest: name for name, trial in known if trial is not None}
    return names.get(now, "neither")


def read_in(run: OptimizationRun, *, at: dt.datetime) -> None:
    """Read the run's bars: what is new of their files is written down now, and ``again`` at this moment writes nothing.

    Bars that cannot be read are told by ``again``.
    """
    with suppress(SenseQuantError, ValueError):
        markets.lanes(trials.wanted_of(run), at=at)


def again(run: OptimizationRun, *, at: dt.datetime) -> dict[str, Any]:
    """Return what the run's best and baseline come to now, and whether that is what was kept; nothing is written.

    ``best_config_consistent`` and ``delta_tolerance_met`` are None when it cannot be told; ``warnings`` says why.
    """
    found: dict[str, Any] = {"best_config_consistent": None, "delta_tolerance_met": None, "warnings": []}
    try:
        found["request"] = optimizations.preview(optimizations.asked_of(run), at=at)
        lanes = markets.lanes(trials.wanted_of(run), at=at)
    except (SenseQuantError, ValueError) as error:
        if not (isinstance(error, SenseQuantError) or is_bad_input(error)):
            raise
        return {**found, "warnings": [f"the optimisation cannot be run again: {error}"]}
    best, base = _best(run), _baseline(run)
    if best is None or base is None:
        return {**found, "warnings": ["no baseline was run" if best else "no configuration was ranked"]}
    return {**found, **_compared(run, lanes, best, base)}


def _compared(run: OptimizationRun, lanes: list[LaneBars], best: Trial, base: Trial) -> dict[str, Any]:
    here = trials.ground(run)
    leaders = run.trials.filter(role="config", status="done", rank__lte=LEADERS).order_by("rank")
    told = {trial.pk: trials.measured(here, trials.run_through(here, trial.params, here.panel)[0])
            for trial in (base, *leaders)}  # fmt: skip
    part = "test" if run.test.get("best") else "validation"
    kept = rechecks.deltas(_measures(run, base, part, "baseline"), _measures(run, best, part, "best"))
    if part == "test":
        before, after = (_on_test(run, lanes, trial) for trial in (base, best))
    else:
        before, after = told[base.pk]["validation"], told[best.pk]["validation"]
    fresh = rechecks.deltas(before, after)
    warnings = _changed(run, lanes, best) + rechecks.differing(kept, fresh)
    best_still = rechecks.still_best([(told[t.pk]["feasible"], told[t.pk]["score"]) for t in leaders])
    if not best_still:
        warnings.append(f"{best.config_id} is no longer the best of the first {LEADERS}")
    same_score = rechecks.within(best.score, told[best.pk]["score"])
    if not same_score:
        warnings.append(f"the score of {best.config_id} was {best.score}, is {told[best.pk]['score']}")
    return {
        "part": part, "kept_deltas": kept, "found_deltas": fresh, "found": {"baseline": before, "best": after},
        "best_config_consistent": best_still and same_score and not _changed(run, lanes, best),
        "delta_tolerance_met": not rechecks.differing(kept, fresh), "warnings": warnings,
    }  # fmt: skip


def _on_test(run: OptimizationRun, lanes: list[LaneBars], trial: Trial) -> dict[str, Any]:
    """Return a trial's measures on the test days again; they were looked at before, for these very two."""
    here = trials.ground(run, lanes)
    curved, _ = trials.run_through(here, trial.params, rolled(lanes))
    return measure(curved, Span(*run.parts["test"]), here.limit)


def _changed(run: OptimizationRun, lanes: list[LaneBars], best: Trial) -> list[str]:
    """Return what is no longer as it was when the run was judged: its bars, its files."""
    told = []
    if run.market and trials.fingerprint(lanes) != run.market:
        told.append("the bars have changed since the optimisation")
    try:
        first = json.loads((Path(run.output_dir) / "configs.json").read_text(encoding="utf-8"))[0]
    except (OSError, ValueError, LookupError, TypeError):
        return told
    if not isinstance(first, Mapping) or (first.get("config_id"), first.get("parameters")) != (
        best.config_id,
        best.params,
    ):
        told.append(f"configs.json in {run.output_dir} names another best configuration")
    return told


def files(run: OptimizationRun) -> dict[str, bytes]:
    """Return the run's papers by name, those of its folder that are there."""
    names = ("optimization_summary.json", "baseline_metrics.json", "ranked_results.csv", "accuracy_report.md",
             "deployment_plan.md")  # fmt: skip
    found = {}
    for name in names:
        path = Path(run.output_dir) / name
        if path.is_file() and path.stat().st_size < 32 << 20:
            found[name] = path.read_bytes()
    return found


def state(run: OptimizationRun | None) -> str:
    """Return a digest of everything kept of a run, rows and files: who only looks leaves it as it is."""
    total = hashlib.sha256()
    if run is None:
        return total.hexdigest()
    total.update(repr(OptimizationRun.objects.filter(pk=run.pk).values_list().get()).encode())
    for row in Trial.objects.filter(run=run).order_by("pk").values_list().iterator():
        total.update(repr([bytes(each) if isinstance(each, memoryview) else each for each in row]).encode())
    folder = Path(run.output_dir)
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            total.update(f"{path.relative_to(folder)}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
