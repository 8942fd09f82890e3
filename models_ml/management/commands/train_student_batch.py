"""Train students from the teachers of a batch."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from models_ml import tasks
from models_ml.management.asking import add_workers, bar
from models_ml.management.commands.train_teacher_batch import text, unhappy
from models_ml.models import TrainingBatch
from models_ml.services import answers, batches, certifying, student_batches
from models_ml.services.batches import Crew
from models_ml.services.learning import MODEL_TYPES
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.fan_out import workers_asked


class Command(DeskCommand):
    """One batch: a student of every teacher that was trained, with its checklist."""

    needs_database = True
    help = (
        "Train a student of every teacher of a batch, write its promotion checklist, and list the runs in "
        "student_runs.json. Without --teacher-batch-dir the newest batch is meant. Exit code 1: some student failed."
    )
    examples = (
        "  manage.py train_student_batch\n"
        "  manage.py train_student_batch --teacher-batch-dir data/models/20251012_190000 --model-type lightgbm\n"
        "  manage.py train_student_batch --baseline-precision 0.65 --baseline-recall 0.60 --json\n"
        "  manage.py train_student_batch --resume\n"
        "  manage.py train_student_batch --incremental"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add which teachers to learn from and how."""
        parser.add_argument("--teacher-batch-dir", default="", metavar="DIR", help="default: the newest batch")
        parser.add_argument("--model-type", default="logistic", choices=MODEL_TYPES)
        parser.add_argument("--baseline-precision", type=float, metavar="P", help="default: the setting's")
        parser.add_argument("--baseline-recall", type=float, metavar="R", help="default: the setting's")
        parser.add_argument("--test-size", type=float, metavar="SHARE", help="of the sessions, the last (default 0.2)")
        parser.add_argument("--hyperparameter-tuning", action="store_true", help="tune with cross-validation")
        parser.add_argument("--cv-folds", type=int, metavar="N", help="folds of the tuning (default 5)")
        parser.add_argument("--validate", action="store_true", help="ask for the promotion uplifts as well")
        parser.add_argument("--no-checklist", action="store_true", help="write no promotion checklists")
        parser.add_argument("--resume", action="store_true", help="train what is missing; nothing is trained twice")
        parser.add_argument("--incremental", action="store_true", help="only new teachers, from the earlier students")
        parser.add_argument("--output-dir", default="", metavar="DIR", help="default: beside the teachers")
        parser.add_argument("--run", type=int, metavar="N", help="execute a batch the page queued")
        add_workers(parser)

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Train; exit 1 when a student failed, after telling of every one."""
        workers = workers_asked(options["workers"])
        batch = _batch(options)
        if batch.status == "queued":
            crew = Crew(tasks.WORKS["student"], workers, bar("students"))
            batch = batches.run(batch, crew, clock=now, certify=certifying.certify)
        data = answers.batch(batch)
        if batch.status == "done":
            return data, text(data)
        self._print(data, text(data), as_json=options["json"])
        self.stderr.write(f"error: {unhappy(data)}")
        sys.exit(1)


def _batch(options: dict[str, Any]) -> TrainingBatch:
    """Return the batch to run: a queued one, one to go on with, or a new one."""
    at = now()
    if options["run"] is not None:
        return batches.find(options["run"])
    teachers = student_batches.teacher_batch_of(options["teacher_batch_dir"], at=at)
    asked = student_batches.ask(
        teacher_batch=teachers, model_type=options["model_type"], baseline_precision=options["baseline_precision"],
        baseline_recall=options["baseline_recall"], incremental=options["incremental"],
        promotion=False if options["no_checklist"] else None, options=_own(options),
    )  # fmt: skip
    if options["resume"]:
        found = student_batches.to_resume(teachers, asked.digest)
        if found is not None:
            return student_batches.resume(found, by="shell", at=at)
    folder = batches.asked_folder(options["output_dir"])
    return student_batches.start(asked, teachers, folder=folder, by="shell", at=at)


def _own(options: dict[str, Any]) -> dict[str, Any]:
    """Return the student's own words that were given."""
    given = {
        "test_size": options["test_size"], "cv_folds": options["cv_folds"],
        "tune": options["hyperparameter_tuning"] or None, "validate": options["validate"] or None,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}
