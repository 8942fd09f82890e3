"""Validate models: teachers, students, optimizer, reports, summary, record."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from models_ml import tasks
from models_ml.core.validation import TITLES
from models_ml.core.validation_text import DRY
from models_ml.management.asking import add_bars, add_workers, bar, bars_asked
from models_ml.models import ValidationRun
from models_ml.services import answers, batch_plans, certifying, validations
from models_ml.services.learning import MODEL_TYPES
from models_ml.services.validation_steps import How
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from sensequant.lib.fan_out import workers_asked


class Command(DeskCommand):
    """One validation: six steps, a summary, and whether the models may be promoted."""

    needs_database = True
    help = (
        "Validate models on historical days: train teachers and students on every window, look at the strategy's "
        "configurations, write reports and a summary, and keep the run. A dry run, which trains nothing, is the "
        "default. Exit code 1: the run failed, or some symbol did."
    )
    examples = (
        "  manage.py run_model_validation --symbols RELIANCE TCS INFY --start-date 2024-01-01 --end-date 2024-12-31\n"
        "  manage.py run_model_validation --symbols RELIANCE --start-date 2023-07-03 --end-date 2024-03-28 "
        "--csv ~/bars --no-dryrun\n"
        "  manage.py run_model_validation --symbols TCS --start-date 2024-01-01 --end-date 2024-03-31 --no-dryrun "
        "--skip-optimizer --skip-reports --json\n"
        "  manage.py run_model_validation --run-id validation_q1_2024 --symbols RELIANCE --start-date 2024-01-01 "
        "--end-date 2024-03-31"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to validate on and how."""
        add_bars(parser)
        parser.add_argument("--no-dryrun", action="store_true", help="really train")
        parser.add_argument("--skip-optimizer", action="store_true", help="leave step 3 out")
        parser.add_argument("--skip-reports", action="store_true", help="leave step 4 out")
        parser.add_argument("--model-type", default="logistic", choices=MODEL_TYPES, help="kind of student")
        parser.add_argument("--run-id", default="", metavar="NAME", help="names the run; that of an earlier: go on")
        parser.add_argument("--run", default="", metavar="NAME", help="execute a validation the page queued")
        add_workers(parser)

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Validate; exit 1 when the run did not complete, after telling how far it came."""
        workers = workers_asked(options["workers"])
        run = validations.find(options["run"]) if options["run"] else _kept(options)
        steps = {name: bar(TITLES[name]) for name in TITLES}
        how = How(tasks.WORKS, workers, now, certifying.certify, lambda step, done, total: steps[step](done, total))
        run = validations.execute(run, how, resume=not options["run"])
        data = answers.validation(run)
        if run.status == "completed":
            return data, _text(data)
        self._print(data, _text(data), as_json=options["json"])
        self.stderr.write(f"error: validation {run.run_id} is {run.status}: {_why(data)}")
        sys.exit(1)


def _kept(options: dict[str, Any]) -> ValidationRun:
    missing = [f"--{name}" for name in ("symbols", "start-date", "end-date") if not options[name.replace("-", "_")]]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", fix="see --help for examples")
    at = now()
    asked = validations.Asked(
        batch_plans.ask_teachers(**bars_asked(options), at=at), options["model_type"], options["skip_optimizer"],
        options["skip_reports"],
    )  # fmt: skip
    return validations.keep(asked, dryrun=not options["no_dryrun"], run_id=options["run_id"], by="shell", at=at)


def _text(data: dict[str, Any]) -> str:
    told = data.get("promotion_recommendation", {})
    lines = [f"validation {data['run_id']}: {data['status']}"]
    if data["dryrun"]:
        lines.append(DRY.strip("*"))
    lines += [f"  {TITLES[name]:<24}{state}" for name, state in data["steps"].items()]
    lines += [f"  {symbol:<24}{one['status']}" for symbol, one in data.get("symbol_results", {}).items()]
    if told:
        lines.append("APPROVED" if told["approved"] else "NOT APPROVED")
        lines.append(told["reason"])
    return "\n".join([*lines, f"summary: {data['folder']}/validation_summary.md"])


def _why(data: dict[str, Any]) -> str:
    errors = [line for one in data.get("symbol_results", {}).values() for line in one["errors"]]
    sections = [data.get(name, {}).get("error", "") for name in ("teacher_results", "student_results")]
    return next((word for word in (data["error"], *sections, *errors) if word), "see the summary")
