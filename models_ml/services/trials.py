"""One configuration tried: its bars through the desk as a backtest takes them, its measures kept on its row, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models_ml.core.objectives import score
from models_ml.core.part_measures import Curve, curve, measure, within
from models_ml.core.periods import Parts, Span
from models_ml.models.optimizations import OptimizationRun, Trial
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.fan_out import Work, digest_of
from trading.adapters.tracefiles import candidates
from trading.core.kernel import is_compiled
from trading.core.panel import LaneBars, Panel
from trading.core.rolls import Roll, rest, rolled
from trading.core.rules import Setup
from trading.core.setups import flat
from trading.core.simulation import Outcome, Schedule, simulate
from trading.core.strategies import strategy
from trading.core.traces import threshold
from trading.services import markets, runs, telemetry
from trading.services.strategies import CHARGES
from trading.services.telemetry import Predictor

Floats = npt.NDArray[np.float64]
LITTLE = np.dtype("<f8")
LOOK_WORTH_LOADING = 150_000  # bars: two plain passes over them take as long as loading what is compiled already


@dataclass(frozen=True, slots=True)
class Ground:
    """What all configurations of a run stand on: the bars of train and validation, and the dated charges."""

    strategy: str
    limit: float  # per cent beyond which a move is a direction
    wanted: markets.Wanted
    order: runs.Ordered
    panel: Panel | Roll
    charges: Schedule
    parts: Parts
    spec: Mapping[str, Any]
    compiled: bool


def wanted_of(run: OptimizationRun) -> markets.Wanted:
    """Return the bars a run was asked to use, test days included."""
    return markets.Wanted(run.source, tuple(run.symbols), run.interval, run.start, run.end, run.sound_rows)


def order_of(run: OptimizationRun) -> runs.Ordered:
    """Return the strategy, the shared parameters and the capital of a run."""
    return runs.Ordered(run.strategy, run.params, float(run.capital))


def parts_of(run: OptimizationRun) -> Parts:
    """Return the run's train, validation and test days; a window of a walk-forward has no test days of its own."""
    return Parts(**{name: Span(*run.parts[name]) for name in Parts._fields if name in run.parts})


def ground(run: OptimizationRun, lanes: Sequence[LaneBars] | None = None) -> Ground:
    """Return what the run's configurations stand on; bars of the test days are not even read.

    With the ``lanes`` of one last look, the desk runs plain unless this process has the compiler already or the look
    is long: for two short passes loading it costs more memory than the time is worth.
    """
    parts, order = parts_of(run), order_of(run)
    last = dt.date.fromordinal(parts.validation.last)
    wanted = replace(wanted_of(run), end=last)
    bars = list(lanes) if lanes is not None else markets.lanes(wanted, at=run.created_at)
    joined = rolled(bars)
    compiled = runs.worth_compiling(run.strategy, len(joined) * max(1, run.total))
    if lanes is not None and "numba" not in sys.modules:
        ready = is_compiled(run.strategy)
        compiled = len(joined) > (LOOK_WORTH_LOADING if ready else runs.BARS_WORTH_COMPILING)
    return Ground(
        run.strategy, threshold(run.strategy, strategy(run.strategy).KIND), wanted, order, joined,
        runs.charges_of(order, wanted, bars), parts, run.spec, compiled,
    )  # fmt: skip


@lru_cache(maxsize=2)
def _ground(run_id: int, digest: str, total: int) -> Ground:
    """Return the ground of a run, read once by each worker."""
    return ground(OptimizationRun.objects.get(pk=run_id))


def evaluate(trial_id: int) -> None:
    """Try one waiting configuration of a running optimisation and keep what came out; again changes nothing."""
    trial = Trial.objects.select_related("run").get(pk=trial_id)
    if trial.status != "waiting" or trial.run.status != "running":
        return
    here = _ground(trial.run_id, trial.run.digest, trial.run.total)
    try:
        curved, outcome = run_through(here, trial.params, here.panel)
        found: dict[str, Any] = measured(here, curved)
        trace(here, trial, outcome)
    except (SenseQuantError, ValueError) as error:
        if not isinstance(error, SenseQuantError) and not is_bad_input(error):
            raise
        found = {"status": "failed", "error": str(error)}
    Trial.objects.filter(pk=trial.pk, status="waiting").update(**found)


WORK = Work(evaluate, "models_ml.tasks.evaluate_trials", most=8)


def trace(here: Ground, trial: Trial, outcome: Outcome) -> None:
    """Write the traces of a configuration's predictions into a folder of its own, in place of any there were.

    A disk that fails is told in the log; the search goes on.
    """
    if not here.spec["telemetry_sample_rate"]:
        return
    folder = trace_folder(trial.run) / trial.config_id
    for file in candidates(folder) if folder.is_dir() else ():
        file.unlink(missing_ok=True)
    rate, setup = here.spec["telemetry_sample_rate"], _setup(here, trial.params)
    wanted = telemetry.capture(folder, rate=rate, at=trial.run.created_at)
    symbols = [spec.symbol for spec in here.panel.specs]
    telemetry.record(outcome, [Predictor(here.strategy, setup, symbols)], wanted, run=trial.config_id)


def trace_folder(run: OptimizationRun) -> Path:
    """Return the folder that holds one folder of traces for each configuration."""
    return Path(run.spec["telemetry_dir"] or Path(run.output_dir) / "telemetry")


def measured(here: Ground, curved: Curve) -> dict[str, Any]:
    """Return what is kept of a configuration: its measures on train and validation, its score, its daily returns."""
    train = measure(curved, here.parts.train, here.limit)
    returns = np.concatenate((within(curved, here.parts.train), within(curved, here.parts.validation)))
    return {
        "status": "done",
        "metrics": train,
        "validation": measure(curved, here.parts.validation, here.limit),
        "score": score(here.spec["objective"], train),
        "feasible": feasible(train, here.spec),
        "returns": returns.astype(LITTLE).tobytes(),
    }


def run_through(here: Ground, params: Mapping[str, Any], bars: Panel | Roll) -> tuple[Curve, Outcome]:
    """Return a configuration's curve and outcome over ``bars``, just as ``manage.py backtest`` would run it."""
    capital = here.order.capital
    outcome = simulate(
        here.strategy, _setup(here, params), bars, capital=capital, charges=here.charges, compiled=here.compiled
    )
    return curve(outcome.events, capital), outcome


def _setup(here: Ground, params: Mapping[str, Any]) -> Setup:
    order = runs.Ordered(here.strategy, {**here.order.params, **params}, here.order.capital)
    return runs.setup_of(order, here.wanted)


def feasible(train: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Say whether a configuration's training days meet the constraints."""
    return bool(train["trades"] >= spec["min_trades"] and train["max_drawdown"] <= spec["max_drawdown"])


def returns_of(trial: Trial) -> Floats:
    """Return a trial's daily returns, train then validation."""
    return np.frombuffer(bytes(trial.returns), LITTLE).astype(np.float64)


def identity(order: runs.Ordered, params: Mapping[str, Any], wanted: markets.Wanted) -> str:
    """Return what makes a configuration the same as another: strategy, interval and every effective parameter.

    Raises Invalid when the parameters contradict each other.
    """
    whole = runs.Ordered(order.strategy, {**order.params, **params}, order.capital)
    words = {key: str(whole.params[key]) for key in CHARGES if key in whole.params}
    values = {key: float(value) for key, value in flat(runs.setup_of(whole, wanted)).items()}
    return digest_of({"strategy": order.strategy, "interval": wanted.interval, "values": values, **words})


def fingerprint(lanes: Sequence[LaneBars]) -> str:
    """Return the SHA-256 of the lanes' bars: another price or another day is another market."""
    total = hashlib.sha256()
    for each in lanes:
        total.update(each.spec.symbol.encode())
        for name in ("ts", "open", "high", "low", "close", "volume"):
            total.update(np.ascontiguousarray(getattr(each.bars, name)).data)
        rest(each.bars)
    return total.hexdigest()
