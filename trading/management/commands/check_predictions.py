"""Check that no recorded prediction was changed, left out or slipped in."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import Failed, NotFound
from trading.services import predictions


class Command(DeskCommand):
    """A check of every chain, or of one run's."""

    needs_database = True
    help = "Follow the chain of recorded predictions link by link; exit 1 where one breaks."
    examples = "  manage.py check_predictions\n  manage.py check_predictions --run 12 --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add which run."""
        parser.add_argument("--run", type=int, metavar="N", help="one engine run (default: all)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Check; Failed, after the answer was given, when something does not hold."""
        found = predictions.check(options["run"])
        if options["run"] is not None and not (found["chains"] or found["breaks"]):
            raise NotFound(f"run {options['run']} has recorded no prediction", fix="leave --run out to check them all")
        if found["sound"]:
            return found, f"{found['records']:,} records in {found['chains']} chains, every one as it was written"
        if options["json"]:
            self.stdout.write(json.dumps(found))
        first = found["breaks"][0]
        told = f"{first['chain']} breaks at record {first['number']}: {first['why']}"
        more = len(found["breaks"]) - 1
        raise Failed(told + (f" (and {more} more)" if more else ""))
