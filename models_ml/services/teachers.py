"""Train a teacher: bars to a frozen dataset, a booster with hindsight, and the sealed folder of §16.3."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from models_ml.adapters import teacher_files
from models_ml.core.assembly import WARMUP
from models_ml.core.frozen import Frozen
from models_ml.models import TeacherRun
from models_ml.services import datasets
from models_ml.services.fitting import Grown
from models_ml.services.places import kept
from models_ml.services.teaching import Taught, teach
from models_ml.services.versions import config_hash, environment
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.adapters.sealed_folders import Sealed, unseal
from trading.core.bars import DAY
from trading.services import markets, runs

Progress = Callable[[Iterable[str]], Iterable[str]]

DEFAULT: Final = Grown()
MOST_SEED: Final = (1 << 31) - 1

log = get_logger("Teacher")


@dataclass(frozen=True, slots=True)
class TeacherSpec:
    """What to teach on and how.

    ``source`` is a source of bars (``runs.source_of``); days are IST and both included. ``params`` are of the strategy
    whose features are taken, ``labels`` of what a label means (``Barriers``); ``warmup`` bars give no rows. ``holdout``
    is the share of sessions, the last ones, that the teacher never sees; ``embargo`` is in seconds.
    """

    symbols: tuple[str, ...]
    source: str
    interval: str
    start: dt.date
    end: dt.date
    sound_rows: bool = False
    strategy: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    warmup: int = WARMUP
    seed: int = 0
    holdout: float = 0.2
    folds: int = 4
    embargo: int = 3_600
    grown: Grown = DEFAULT

    def __post_init__(self) -> None:
        """Raise BadInput for numbers that cannot be used."""
        if not 0 <= self.seed <= MOST_SEED:
            raise BadInput(f"the seed {self.seed} cannot be used", fix=f"give a whole number from 0 to {MOST_SEED}")
        if not 1 <= self.folds <= 20:
            raise BadInput(f"{self.folds} folds cannot be used", fix="give 1 to 20")
        if not 0.0 <= self.holdout <= 0.6:
            raise BadInput(f"a held-out share of {self.holdout} cannot be used", fix="give 0 to 0.6")

    def as_json(self) -> dict[str, Any]:
        """Return plain data; ``TeacherSpec.of_json`` reads it."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {
            **told, "symbols": list(self.symbols), "start": str(self.start), "end": str(self.end),
            "params": dict(self.params), "labels": dict(self.labels), "grown": self.grown._asdict(),
        }  # fmt: skip

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> TeacherSpec:
        """Return what ``as_json`` told; BadInput when it is no such thing."""
        try:
            start, end = (dt.date.fromisoformat(told[name]) for name in ("start", "end"))
            grown = Grown(**told["grown"])
            return cls(**{**told, "symbols": tuple(told["symbols"]), "start": start, "end": end, "grown": grown})
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"this is no description of a training: {error}", fix="use a teacher's metadata.json"
            ) from None


@dataclass(frozen=True, slots=True)
class TeacherResult:
    """A trained teacher: its folder, the digest of its manifest, and the columns of its ``TeacherRun``."""

    folder: Path
    digest: str
    version: str
    dataset_digest: str
    metrics: dict[str, Any]
    evaluation: dict[str, Any]
    seconds: float
    stages: dict[str, float]

    def fields(self) -> dict[str, Any]:
        """Return what a ``TeacherRun`` that succeeded keeps."""
        return {
            "status": "success", "error": "", "artifacts_path": kept(self.folder), "digest": self.digest,
            "version": self.version, "dataset_digest": self.dataset_digest, "metrics": self.metrics,
            "evaluation": self.evaluation, "seconds": self.seconds,
        }  # fmt: skip


def plan_of(spec: TeacherSpec, *, at: dt.datetime) -> datasets.Plan:
    """Return the dataset a spec is taught on, its words checked: BadInput, NotFound or Invalid names what cannot be.

    Without a strategy the features are those of ``swing`` on daily bars and of ``intraday`` on shorter ones.
    """
    wanted = markets.want(
        spec.source, spec.symbols, spec.interval, spec.start, spec.end, today=ist(at).date(), sound_rows=spec.sound_rows
    )
    name = spec.strategy or ("swing" if wanted.minutes >= DAY else "intraday")
    return datasets.plan(wanted, runs.order(name, spec.params, None), spec.labels, warmup=spec.warmup)


def train(spec: TeacherSpec, folder: Path, *, at: dt.datetime, progress: Progress = iter) -> TeacherResult:
    """Build the dataset, train, and write the folder; ``progress`` is given the symbols to go through.

    Raises what building a dataset raises, and what ``train_on`` does.
    """
    begun = time.perf_counter()
    data = datasets.build(plan_of(spec, at=at), at=at, progress=progress)
    built = time.perf_counter() - begun
    made = train_on(data, spec, folder, at=at)
    return replace(made, seconds=made.seconds + built, stages={"dataset": built, **made.stages})


def again(folder: Path, place: Path) -> TeacherResult:
    """Train once more what the manifest in ``folder`` describes, into ``place``: the same bytes on the same machine.

    BadInput when the bars are no longer those it was taught on.
    """
    told = unseal(folder).read_json("metadata.json")
    spec, at = TeacherSpec.of_json(told["spec"]), dt.datetime.fromisoformat(told["timestamp"])
    data = datasets.build(plan_of(spec, at=at), at=at)
    if data.digest != told["dataset"]["digest"]:
        before = told["dataset"]["digest"]
        raise BadInput(
            f"{folder} was taught on the dataset {before[:12]}, and its bars now give {data.digest[:12]}",
            fix="restore the bars, the code and the settings of that time",
        )
    return train_on(data, spec, place, at=at)


def train_on(data: Frozen, spec: TeacherSpec, folder: Path, *, at: dt.datetime) -> TeacherResult:
    """Train on a dataset and write the folder; the same dataset, spec and moment give the same bytes.

    Invalid when there is too little to learn from, BadInput when the folder cannot be written.
    """
    begun = time.perf_counter()
    taught = teach(data, holdout=spec.holdout, folds=spec.folds, embargo=spec.embargo, grown=spec.grown, seed=spec.seed)
    fitted = time.perf_counter()
    sealed = _written(taught, data, spec, folder, at)
    metrics = metrics_of(taught.evaluation)
    done = time.perf_counter()
    log.info("teacher trained", version=sealed.told["version"], rows=len(data), folder=str(folder), f1=metrics["f1"])
    return TeacherResult(
        folder, sealed.digest, str(sealed.told["version"]), data.digest, metrics, taught.evaluation, done - begun,
        {"fit": fitted - begun, "write": done - fitted},
    )  # fmt: skip


def metrics_of(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of ``teacher_runs.json``: macro averages on rows the teacher had not seen."""
    return {
        "precision": evaluation["precision_macro"], "recall": evaluation["recall_macro"],
        "f1": evaluation["f1_macro"], "accuracy": evaluation["accuracy"],
    }  # fmt: skip


def _written(taught: Taught, data: Frozen, spec: TeacherSpec, folder: Path, at: dt.datetime) -> Sealed:
    asked = spec.as_json()
    version = f"teacher-{hashlib.sha256(taught.booster.encode()).hexdigest()[:12]}"
    dataset = {"digest": data.digest, "manifest": dict(data.manifest)}
    metadata = {
        "timestamp": ist(at).isoformat(timespec="seconds"), "symbols": list(spec.symbols),
        "date_range": {"start": asked["start"], "end": asked["end"]}, "config_hash": config_hash(asked),
        "version": version, "model_type": "lightgbm", "rounds": taught.rounds, "spec": asked, "dataset": dataset,
        "environment": environment(),
    }  # fmt: skip
    papers = {
        "metadata.json": metadata, "dataset_stats.json": taught.stats, "evaluation_metrics.json": taught.evaluation,
        "feature_importance.json": taught.importance,
    }  # fmt: skip
    code = str(dict(data.manifest.get("signature") or {}).get("code", ""))
    told = {
        "version": version,
        "digest": code,
        "dataset": data.digest,
        "config_hash": config_hash(asked),
        "seed": spec.seed,
    }
    return teacher_files.save(folder, taught.lesson, taught.booster, told, papers)


def remember(spec: TeacherSpec, folder: str, *, by: str, at: dt.datetime) -> TeacherRun:
    """Return a new row for a training that begins now, by itself and in no batch."""
    return TeacherRun.objects.create(
        symbol=spec.symbols[0] if len(spec.symbols) == 1 else "", symbols=list(spec.symbols), spec=spec.as_json(),
        status="running", start=spec.start, end=spec.end, artifacts_path=folder, created_at=at, created_by=by,
    )  # fmt: skip
