"""What learning remembers of fetches and validations, and how it is mended."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from models_ml.services import states
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import NotFound


class Command(DeskCommand):
    """The state of fetches and validations, or what was mended of it."""

    needs_database = True
    help = (
        "Show the last day fetched of each symbol and the validations; with --repair, bring the rows and "
        "data/state/validation_runs.json together: what one of them lost, the other gives back."
    )
    examples = (
        "  manage.py learning_state --json\n"
        "  manage.py learning_state --repair\n"
        "  manage.py learning_state --import old-desk/data/state/validation_runs.json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to mend."""
        parser.add_argument("--repair", action="store_true", help="make rows and state file whole")
        parser.add_argument("--import", dest="file", default="", metavar="FILE", help="take over another state file")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Return the state, or what was mended."""
        if not options["repair"] and not options["file"]:
            told = states.picture()
            return told, _text(told)
        file = Path(options["file"]).expanduser() if options["file"] else None
        if file is not None and not file.is_file():
            raise NotFound(f"there is no file {file}", fix="name a validation_runs.json")
        found = states.repair(at=now(), file=file)
        lines = [
            f"{found.rows} validations taken over from {found.file}, {found.records} records written",
            *(f"passed over: {line}" for line in found.unreadable),
        ]
        return asdict(found), "\n".join(lines)


def _text(told: dict[str, Any]) -> str:
    lines = [f"{symbol:<16}fetched to {day}" for symbol, day in told["historical"]["symbols"].items()]
    for run in told["validation_runs"]:
        kind = "dry run" if run["dryrun"] else "approved" if run["approved"] else "not approved"
        lines.append(f"{run['run_id']:<40}{run['status']:<12}{kind}")
    return "\n".join(lines) or "nothing was fetched or validated yet"
