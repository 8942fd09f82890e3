"""``manage.py train_student``: a student the engine can score with, from a teacher's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from models_ml.models import Promotion, StudentRun
from models_ml.services import places, trainings
from models_ml.services.learning import MODEL_TYPES
from models_ml.services.students import CHECKLIST, MARKDOWN, StudentResult, StudentSpec
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand

RATES = (
    ("precision", "precision"), ("hit ratio", "hit_ratio"), ("net return of a trade", "net_mean"),
    ("Sharpe ratio a year", "sharpe"),
)  # fmt: skip


class Command(DeskCommand):
    """Distil, calibrate, choose thresholds, test once on later rows, and seal."""

    needs_database = True
    help = (
        "Train a student from a teacher's folder. It is fitted, calibrated and tested on three stretches of time, in "
        "that order. What it would have earned on the last one decides; agreement with its teacher is told beside."
    )
    examples = (
        "  manage.py train_student --teacher-dir data/models/20250112_143000/teacher \\\n"
        "    --output-dir data/models/20250112_143000/student --model-type logistic --test-size 0.2\n"
        "  manage.py train_student --teacher-dir data/models/20250112_143000/teacher \\\n"
        "    --output-dir data/models/20250112_143000/student --hyperparameter-tuning --cv-folds 5\n"
        "  manage.py train_student --teacher-dir data/models/20251012_190000/RELIANCE_2024Q1 \\\n"
        "    --output-dir data/models/20251012_190000/RELIANCE_2024Q1_student --batch-mode \\\n"
        "    --baseline-precision 0.60 --baseline-recall 0.55 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the teacher, where to, and how to learn."""
        desk = settings.DESK
        parser.add_argument("--teacher-dir", required=True, metavar="DIR", help="folder of train_teacher")
        parser.add_argument("--output-dir", metavar="DIR", default="", help="default: student, beside the teacher")
        parser.add_argument("--model-type", default="logistic", choices=MODEL_TYPES, help="default: logistic")
        parser.add_argument("--test-size", type=float, default=0.2, help="share of sessions tested on (%(default)s)")
        parser.add_argument("--hyperparameter-tuning", action="store_true", help="choose among some, walking forward")
        parser.add_argument("--cv-folds", type=int, default=5, help="folds of the tuning (%(default)s)")
        parser.add_argument(
            "--batch-mode", action="store_true", help="for scripts: nothing is asked (nor is it without)"
        )
        parser.add_argument(
            "--baseline-precision", type=float, default=desk.student_batch_baseline_precision, metavar="SHARE",
            help="agreement with the teacher it must reach (%(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--baseline-recall", type=float, default=desk.student_batch_baseline_recall, metavar="SHARE",
            help="agreement with the teacher it must reach (%(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--validate", action="store_true",
            help="also backtest the sessions it was tested on against --baseline-model, by PROMOTION_MIN_*",
        )  # fmt: skip
        parser.add_argument(
            "--baseline-model", metavar="DIR", default="",
            help="a student's folder (default: the one in place, else the strategy alone)",
        )  # fmt: skip
        parser.add_argument("--incremental", action="store_true", help="go on from the earlier student of its kind")
        parser.add_argument("--earlier", metavar="DIR", default="", help="the student --incremental goes on from")
        parser.add_argument("--seed", type=int, default=0, help="seed of the training (%(default)s)")
        parser.add_argument("--embargo", type=int, default=3_600, help="seconds kept between slices (%(default)s)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Train and tell."""
        teacher = places.found(options["teacher_dir"])
        beside = Path(teacher).parent / (
            "student" if Path(teacher).name == "teacher" else f"{Path(teacher).name}_student"
        )
        folder = places.kept(paths.resolve(options["output_dir"] or beside))
        spec = StudentSpec(
            teacher, options["model_type"], options["test_size"], options["hyperparameter_tuning"], options["cv_folds"],
            options["baseline_precision"], options["baseline_recall"], options["validate"],
            places.found(options["baseline_model"]) if options["baseline_model"] else "",
            earlier=_earlier(options, teacher, folder), seed=options["seed"], embargo=options["embargo"],
        )  # fmt: skip
        row, made = trainings.learn(spec, folder, by="shell", at=now())
        data, text = _data(row, folder, made), _text(row, folder, made)
        if spec.validate:
            judged = trainings.validate(spec, folder, made, by="shell", at=now())
            data["validation"] = {
                "promotion": judged.pk, "recommendation": judged.recommendation, "checklist": judged.checklist
            }  # fmt: skip
            text += f"\n{_validated(judged)}"
        return data, text


def _earlier(options: dict[str, Any], teacher: str, folder: str) -> str:
    if options["earlier"]:
        return places.found(options["earlier"])
    if not options["incremental"]:
        return ""
    return trainings.earlier_of(options["model_type"], trainings.symbols_of(teacher), folder)


def _data(row: StudentRun, folder: str, made: StudentResult) -> dict[str, Any]:
    found = made.checklist or {}
    return {
        "run": row.pk, "folder": folder, "version": made.version, "manifest": made.digest,
        "model_type": row.model_type, "metrics": made.metrics, "evaluation": made.evaluation,
        "recommendation": found.get("recommendation"), "reason": found.get("reason"), "looks": made.looks,
        "suspected_leak": row.suspected_leak, "report": made.report, "seconds": made.seconds,
        "checklist": {"json": f"{folder}/{CHECKLIST}", "markdown": f"{folder}/{MARKDOWN}"} if found else None,
    }  # fmt: skip


def _text(row: StudentRun, folder: str, made: StudentResult) -> str:
    found, realised = made.evaluation, made.evaluation["realised"]
    agreed, area = found["teacher_agreement"], found["directional_auc"]
    lines = [
        f"student {made.version} (run {row.pk}, {row.model_type}) in {folder}, {made.seconds:.1f} s",
        f"  on {found['rows']:,} later rows: accuracy {found['accuracy']:.3f}, precision "
        f"{found['precision_macro']:.3f}, recall {found['recall_macro']:.3f}, calibration error "
        f"{found['calibration_error']:.3f}",
        f"  LONG told from what is not: {'unknown' if area is None else f'{area:.3f}'} (a coin: 0.500)",
        f"  {realised['trades']:,} trades in {realised['sessions']} sessions, net of charges:",
        *(f"    {label:<34}{_interval(realised[name])}" for label, name in RATES),
        f"    {'over base rate, where decided':<34}{_interval((realised['decided'] or {}).get('uplift'))}",
    ]
    if agreed:
        lines.append(
            f"  agrees with its teacher on {agreed['accuracy']:.1%} (told, and promotes nobody): precision "
            f"{agreed['precision_macro']:.3f}, recall {agreed['recall_macro']:.3f}"
        )
    lines += [f"  suspected leak: {why}" for why in found["leak"]["reasons"]]
    if made.looks:
        lines.append(f"  note: {made.looks} earlier trainings were tested on the same rows")
    if made.checklist:
        lines.append(f"{made.checklist['recommendation']}: {made.checklist['reason']}")
    return "\n".join(lines)


def _validated(judged: Promotion) -> str:
    period, mine, other = (
        judged.checklist[key] for key in ("validation_period", "candidate_metrics", "baseline_metrics")
    )
    figures = ", ".join(f"{name.replace('_', ' ')} {_figure(mine[name])} ({_figure(other.get(name))})" for name in mine)
    return (
        f"backtest from {period['start']} to {period['end']} against {judged.checklist['baseline_model']}: {figures}\n"
        f"{judged.recommendation}: {judged.checklist['reason']}\nchecklist: {judged.folder}_promotion_checklist.md"
    )


def _figure(value: float | None) -> str:
    return "—" if value is None else f"{value:,.3f}"


def _interval(told: dict[str, Any] | None) -> str:
    if not told or told["value"] is None:
        return "—"
    ends = "" if told["low"] is None else f"  [{told['low']:+.4f}, {told['high']:+.4f}]"
    return f"{told['value']:+.4f}{ends}"
