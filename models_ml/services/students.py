"""Train a student from a teacher's folder: learn, test once, write the checklist and the sealed folder."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings

from models_ml.adapters import teacher_files
from models_ml.adapters.teacher_files import Lesson
from models_ml.core import student_checklist
from models_ml.core.evaluation import classes_of
from models_ml.core.gates import Baseline
from models_ml.core.slices import Shares
from models_ml.core.student_checklist import Candidate, Compared
from models_ml.models import StudentRun
from models_ml.services.fitting import Scaled
from models_ml.services.learning import Ask, Earlier, Learned, judged, learn
from models_ml.services.places import kept
from models_ml.services.versions import environment
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.adapters import student_files
from trading.adapters.sealed_folders import Sealed, text_of, unseal
from trading.core.scoring import Scorer

MOST_SEED: Final = (1 << 31) - 1
CHECKLIST: Final = "promotion_checklist.json"
MARKDOWN: Final = "promotion_checklist.md"
NO_MODEL: Final = "no model: a trade at every row"

log = get_logger("Student")


@dataclass(frozen=True, slots=True)
class StudentSpec:
    """Which teacher to learn from, and how.

    ``test_size`` is the share of sessions, the last ones, it is tested on. ``earlier`` is the folder of a student to
    go on from. ``baseline_*`` are what its agreement with the teacher must reach. With ``validate`` its uplift over
    ``compared`` (a student's folder; without one, over a trade at every row) must reach the promotion thresholds.
    ``checklist``: write one. ``embargo`` is in seconds.
    """

    teacher_dir: str
    model_type: str = "logistic"
    test_size: float = 0.2
    tune: bool = False
    cv_folds: int = 5
    baseline_precision: float = 0.60
    baseline_recall: float = 0.55
    validate: bool = False
    compared: str = ""
    checklist: bool = True
    earlier: str = ""
    seed: int = 0
    embargo: int = 3_600

    def __post_init__(self) -> None:
        """Raise BadInput for numbers that cannot be used."""
        if not 0.05 <= self.test_size <= 0.6:
            raise BadInput(f"a test share of {self.test_size} cannot be used", fix="give --test-size 0.05 to 0.6")
        if not 2 <= self.cv_folds <= 20:
            raise BadInput(f"{self.cv_folds} folds cannot be used", fix="give --cv-folds 2 to 20")
        if not 0 <= self.seed <= MOST_SEED:
            raise BadInput(f"the seed {self.seed} cannot be used", fix=f"give a whole number from 0 to {MOST_SEED}")
        Baseline(self.baseline_precision, self.baseline_recall)

    def as_json(self) -> dict[str, Any]:
        """Return plain data; ``StudentSpec(**…)`` reads it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class StudentResult:
    """A trained student: its folder, the digest of its manifest, and the columns of its ``StudentRun``."""

    folder: Path
    digest: str
    version: str
    evaluation: dict[str, Any]
    checklist: dict[str, Any] | None
    report: dict[str, Any]
    dataset_digest: str
    test_digest: str
    looks: int
    seconds: float

    @property
    def metrics(self) -> dict[str, Any]:
        """Return the metrics of ``student_runs.json``: against the teacher, as the document has them, and realised."""
        agreed, found = self.evaluation["teacher_agreement"], self.evaluation["realised"]
        return {
            "accuracy": agreed.get("accuracy"), "precision": agreed.get("precision_macro"),
            "recall": agreed.get("recall_macro"), "f1": agreed.get("f1_macro"),
            "realised_accuracy": self.evaluation["accuracy"], "realised_precision": self.evaluation["precision_macro"],
            "realised_recall": self.evaluation["recall_macro"], "directional_auc": self.evaluation["directional_auc"],
            "net_mean": (found["net_mean"] or {}).get("value"), "trades": found["trades"],
        }  # fmt: skip

    def fields(self) -> dict[str, Any]:
        """Return what a ``StudentRun`` that succeeded keeps."""
        return {
            "status": "success", "error": "", "student_artifacts_path": kept(self.folder), "digest": self.digest,
            "version": self.version, "dataset_digest": self.dataset_digest, "metrics": self.metrics,
            "evaluation": self.evaluation, "seconds": self.seconds, "test_digest": self.test_digest,
            "looks": self.looks, "suspected_leak": bool(self.evaluation["leak"]["suspected"]),
            "promotion_checklist_path": kept(self.folder / MARKDOWN) if self.checklist else "",
            "recommendation": self.checklist["recommendation"] if self.checklist else "",
        }  # fmt: skip


def train(spec: StudentSpec, folder: Path, *, at: dt.datetime) -> StudentResult:
    """Train a student and write its folder; the same teacher, spec and moment give the same bytes.

    NotFound or BadInput when the teacher's folder cannot be used; Invalid when it holds too little to learn from.
    """
    begun = time.perf_counter()
    teacher, lesson = teacher_files.load(paths.resolve(spec.teacher_dir))
    ask = Ask(
        spec.model_type, Shares(test=spec.test_size), spec.embargo, spec.tune, spec.cv_folds, spec.seed,
        _earlier(spec, lesson) if spec.earlier else None,
    )  # fmt: skip
    learned = learn(lesson, str(teacher.told["digest"]), ask)
    looks = StudentRun.objects.filter(test_digest=learned.test_digest, status="success").count()
    version = student_files.version_of(student_files.packed(learned.scorer))
    checklist = _checklist(spec, lesson, replace(learned, scorer=learned.scorer), version, folder, looks, at)
    sealed = _written(spec, teacher, learned, folder, checklist, at)
    log.info("student trained", version=version, model_type=spec.model_type, folder=str(folder))
    return StudentResult(
        folder, sealed.digest, version, learned.evaluation, checklist, learned.report, str(teacher.told["dataset"]),
        learned.test_digest, looks, time.perf_counter() - begun,
    )  # fmt: skip


def _earlier(spec: StudentSpec, lesson: Lesson) -> Earlier:
    """Return the student to go on from; BadInput when it is of another kind or takes other features."""
    folder = paths.resolve(spec.earlier)
    scorer = student_files.load(folder)
    if scorer.model_type != spec.model_type or scorer.names != lesson.names:
        what = f"a {scorer.model_type} student of {len(scorer.names)} features"
        raise BadInput(f"{folder} holds {what}: nothing to go on from", fix="train without --incremental")
    learned = unseal(folder).read_json("metadata.json")["learned"]
    scale = learned["scale"]
    by = Scaled(*(np.array(scale[name], np.float64) for name in Scaled._fields)) if scale else None
    return Earlier(scorer.version, scorer.model, by, int(learned["known"]))


def _checklist(
    spec: StudentSpec, lesson: Lesson, learned: Learned, version: str, folder: Path, looks: int, at: dt.datetime
) -> dict[str, Any] | None:
    if not spec.checklist:
        return None
    span = learned.report["slices"]["test"]
    days = [str(ist(dt.datetime.fromtimestamp(span[key], dt.UTC)).date()) for key in ("start", "known")]
    candidate = Candidate(
        kept(folder), version, learned.evaluation, days[0], days[1], np.unique(lesson.symbol).tolist(), looks
    )
    compared = _compared(spec, lesson, learned) if spec.validate else None
    baseline = Baseline(spec.baseline_precision, spec.baseline_recall)
    return student_checklist.checklist(candidate, baseline, compared, at=ist(at).isoformat(timespec="seconds"))


def _compared(spec: StudentSpec, lesson: Lesson, learned: Learned) -> Compared:
    """Return the figures of the baseline on the very rows the candidate was tested on."""
    desk = settings.DESK
    least = {
        "min_precision_uplift": desk.promotion_min_precision_uplift,
        "min_hit_ratio_uplift": desk.promotion_min_hit_ratio_uplift,
        "min_sharpe_uplift": desk.promotion_min_sharpe_uplift,
    }
    rows = np.flatnonzero(lesson.ts >= learned.report["slices"]["test"]["start"])
    if spec.compared:
        folder = paths.resolve(spec.compared)
        scorer = student_files.load(folder)
        told = judged(_fitting(scorer, lesson, folder), lesson, rows, {}, seed=spec.seed)
        return Compared(kept(folder), student_checklist.figures(told), least, desk.promotion_require_all_criteria)
    truth, known = classes_of(lesson.y[rows]), lesson.net[rows][np.isfinite(lesson.net[rows])]
    metrics = {
        "precision_long": float(np.mean(truth == 0)), "hit_ratio": float(np.mean(known > 0)),
        "sharpe_ratio": 0.0,
    }  # fmt: skip
    return Compared(NO_MODEL, metrics, least, desk.promotion_require_all_criteria)


def _fitting(scorer: Scorer, lesson: Lesson, folder: Path) -> Scorer:
    if scorer.names != lesson.names:
        raise BadInput(f"{folder} takes other features than this teacher's", fix="compare with a student of the same")
    return scorer


def _written(
    spec: StudentSpec, teacher: Sealed, learned: Learned, folder: Path, checklist: Mapping[str, Any] | None,
    at: dt.datetime,
) -> Sealed:  # fmt: skip
    scale = {name: part.tolist() for name, part in learned.scale._asdict().items()} if learned.scale else None
    told = teacher.read_json("metadata.json")
    metadata = {
        "timestamp": ist(at).isoformat(timespec="seconds"), "teacher_dir": spec.teacher_dir,
        "model_type": spec.model_type, "test_size": spec.test_size, "cv_folds": spec.cv_folds,
        "hyperparameter_tuning": spec.tune, "spec": spec.as_json(), "test_digest": learned.test_digest,
        "teacher_metadata": {
            **{name: told[name] for name in ("timestamp", "symbols", "config_hash", "date_range", "version")},
            "manifest": teacher.digest,
        },
        "learned": {"known": learned.report["slices"]["fit"]["known"], "scale": scale}, "environment": environment(),
    }  # fmt: skip
    files = {
        "metadata.json": text_of(metadata), "evaluation_metrics.json": text_of(learned.evaluation),
        "training_report.json": text_of({**learned.report, "evaluation": learned.evaluation}),
    }  # fmt: skip
    if checklist:
        files |= {
            CHECKLIST: text_of(checklist),
            MARKDOWN: student_checklist.markdown(checklist, learned.evaluation).encode(),
        }
    until = ist(dt.datetime.fromtimestamp(learned.report["slices"]["calibrate"]["known"], dt.UTC)).date()
    more = {
        "teacher": teacher.digest, "dataset": teacher.told["dataset"], "seed": spec.seed, "trained_until": str(until)
    }  # fmt: skip
    return student_files.save(folder, learned.scorer, files, more)


def remember(spec: StudentSpec, folder: str, *, by: str, at: dt.datetime) -> StudentRun:
    """Return a new row for a training that begins now, by itself and in no batch; NotFound without the teacher."""
    told = unseal(paths.resolve(spec.teacher_dir))
    symbols = list(told.read_json("metadata.json")["symbols"])
    return StudentRun.objects.create(
        symbol=symbols[0] if len(symbols) == 1 else "", symbols=symbols, spec=spec.as_json(), status="running",
        teacher_artifacts_path=spec.teacher_dir, student_artifacts_path=folder, model_type=spec.model_type,
        incremental=bool(spec.earlier), created_at=at, created_by=by,
    )  # fmt: skip
