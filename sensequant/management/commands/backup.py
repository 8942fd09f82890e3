"""``manage.py backup``: the database and the files, restored once before the backup counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from sensequant.backups import making, restoring
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Make a backup, or prove an old one again."""

    needs_database = True
    help = "Save the database and the files, restore the copy in a scratch database, and compare every table."
    examples = (
        "  manage.py backup --to /mnt/backups --keep 14\n"
        "  manage.py backup --recipient age1…            sealed; only the holder of the key can restore it\n"
        "  manage.py backup --check /mnt/backups/backup_20261126_193000"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add where, for whom, and how many."""
        desk = settings.DESK
        parser.add_argument("--to", type=Path, help=f"folder of the backups (default BACKUP_DIR, {desk.backup_dir})")
        parser.add_argument("--recipient", default=desk.backup_recipient, help="age public key to seal it for")
        parser.add_argument("--keep", type=int, default=desk.backup_keep, help="backups that stay; 0: all")
        parser.add_argument("--check", type=Path, metavar="FOLDER", help="only prove that this backup can be restored")
        parser.add_argument("--identity", type=Path, help="file of the age key, for --check of a sealed backup")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Make or check."""
        if options["check"]:
            told = restoring.check(options["check"], identity=options["identity"])
            return told, f"{options['check']} can be restored: {len(told['tables'])} tables are as they were saved"
        to = options["to"] or paths.resolve(settings.DESK.backup_dir)
        made = making.make(to, at=now(), recipient=options["recipient"], keep=options["keep"])
        told = {"folder": str(made), **making.read(made)}
        return told, f"{made}: {len(told['tables'])} tables saved, restored and compared"
