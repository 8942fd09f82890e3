"""Which release is in force, how its watch stands, and what is under way."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.selectors import operations as found
from releases.services import resuming, status, status_files
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """A look, or the taking up of what was killed."""

    needs_database = True
    help = "Say which release is in force, whether what is here is what was released, and how its watch stands."
    examples = "  manage.py release_status\n  manage.py release_status --json\n  manage.py release_status --resume"

    def arguments(self, parser: CommandParser) -> None:
        """Add the taking up."""
        parser.add_argument("--resume", action="store_true", help="take up a deployment or a rollback that was killed")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Look."""
        at = now()
        if options["resume"]:
            done = resuming.resume(at=at)
            return found.told(done), f"{done} is {done.state}"
        status_files.write(at=at)
        data = status.told(at=at)
        return data, status.words(data)
