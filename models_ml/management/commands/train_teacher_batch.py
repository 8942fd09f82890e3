"""Train teachers over symbols and windows."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from models_ml import tasks
from models_ml.management.asking import add_bars, add_workers, bar, bars_asked, share
from models_ml.models import TrainingBatch
from models_ml.services import answers, batch_plans, batches, certifying, teacher_batches
from models_ml.services.batches import Crew
from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from sensequant.lib.fan_out import workers_asked

SHOWN = 40
PROOFS = {"null_market": "null market", "known_edge": "known edge"}


class Command(DeskCommand):
    """One batch: each window of each symbol, and what came of it."""

    needs_database = True
    help = (
        "Train a teacher on every window of every symbol; the runs are written to teacher_runs.json in the batch's "
        "folder under data/models. A window that fails stops no other. Exit code 1: some window failed."
    )
    examples = (
        "  manage.py train_teacher_batch --symbols RELIANCE TCS --start-date 2023-07-03 --end-date 2024-03-28 "
        "--csv ~/bars\n"
        "  manage.py train_teacher_batch --window-days 90 --resume\n"
        "  manage.py train_teacher_batch --incremental --json\n"
        "  manage.py train_teacher_batch --batch-dir data/models/20251012_190000 --resume --workers celery"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to train on and how."""
        add_bars(parser)
        add_workers(parser)
        parser.add_argument("--resume", action="store_true", help="go on with the batch that asked for the same")
        parser.add_argument("--batch-dir", default="", metavar="DIR", help="with --resume: the folder of that batch")
        parser.add_argument("--incremental", action="store_true", help="only windows with days not trained on yet")
        parser.add_argument("--output-dir", default="", metavar="DIR", help="where batches lie (default: data/models)")
        parser.add_argument("--run", type=int, metavar="N", help="execute a batch the page queued")

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Train; exit 1 when a window failed, after telling of every one."""
        workers = workers_asked(options["workers"])
        batch = _batch(options)
        if batch.status == "queued":
            crew = Crew(tasks.WORKS["teacher"], workers, bar("teachers"))
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
        return teacher_batches.planned(batches.find(options["run"]), by="page", at=at)
    if options["batch_dir"] and not options["resume"]:
        raise BadInput(f"--batch-dir {options['batch_dir']} needs --resume", fix="or use --output-dir for a new batch")
    bare = options["resume"] and not (options["symbols"] or options["start_date"] or options["incremental"])
    asked = None
    if not bare and not options["batch_dir"]:
        asked = batch_plans.ask_teachers(**bars_asked(options), incremental=options["incremental"], at=at)
    if options["resume"]:
        found = teacher_batches.to_resume(asked, options["batch_dir"], today=ist(at).date())
        if found is not None:
            return found if found.status == "done" else teacher_batches.resume(found, by="shell", at=at)
    if asked is None:
        asked = batch_plans.ask_teachers(**bars_asked(options), incremental=options["incremental"], at=at)
    folder = batches.asked_folder(options["output_dir"])
    batch = teacher_batches.queue(asked, folder=folder, by="shell", at=at)
    return teacher_batches.planned(batch, by="shell", at=at)


def text(data: dict[str, Any]) -> str:
    """Return a batch for people."""
    lines = [_line(row) for row in data["runs"][:SHOWN]]
    more = len(data["runs"]) - SHOWN
    lines += [f"… and {more} more"] if more > 0 else []
    found = data["summary"]
    if not data["runs"]:
        lines.append("nothing is new: no window was trained")
    rate = found.get("success_rate")
    lines.append(
        f"{data['kind']} {data['batch_id']}: {data['status']}; {found.get('completed', 0)} trained, "
        f"{found.get('failed', 0)} failed, {found.get('skipped', 0)} skipped, {found.get('pending', 0)} not begun"
        + ("" if rate is None else f"; {rate:.0%} of those tried succeeded")
    )
    lines.append(
        f"average precision {share(found.get('avg_precision'))}, recall {share(found.get('avg_recall'))}, "
        f"F1 {share(found.get('avg_f1'))}"
    )
    proofs = data["certificates"]
    lines += [f"{words}: {proofs[name]['told']}" for name, words in PROOFS.items() if name in proofs]
    return "\n".join([*lines, f"runs: {data['runs_file']}"])


def _line(row: dict[str, Any]) -> str:
    m = row["metrics"]
    told = row["error"]
    if row["status"] == "success":
        told = f"precision {share(m.get('precision'))}  recall {share(m.get('recall'))}  F1 {share(m.get('f1'))}"
        told += f"  {row['recommendation']}" if row.get("recommendation") else ""
    return f"{row['status']:<8}{row['window_label']:<28}{told}".rstrip()


def unhappy(data: dict[str, Any]) -> str:
    """Return in one line what is lacking and why."""
    lacking = [row for row in data["runs"] if row["status"] not in ("success", "skipped")]
    why = data["error"] or next((row["error"] for row in lacking if row["error"]), data["status"])
    return f"{len(lacking)} of {len(data['runs'])} windows were not trained: {why}"
