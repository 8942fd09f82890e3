"""``manage.py restore``: come back from a backup, into a fresh database and a fresh home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.backups import restoring
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Restore a backup."""

    help = "Restore a backup into an empty database and a fresh SENSEQUANT_HOME; nothing is ever overwritten."
    examples = (
        "  SENSEQUANT_HOME=/srv/desk2 manage.py restore /mnt/backups/backup_20261126_193000\n"
        "  DATABASE_URL=postgres://…/fresh manage.py restore FOLDER --identity key.txt"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the backup and the key that opens it."""
        parser.add_argument("folder", type=Path, help="a folder backup_<moment>")
        parser.add_argument("--identity", type=Path, help="file of the age key it was sealed for")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Restore and compare."""
        told = restoring.restore(options["folder"], identity=options["identity"])
        return told, f"restored {options['folder']} of {told['made_at']}: {len(told['tables'])} tables compared"
