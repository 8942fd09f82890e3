"""Write and sign the manifest of an approved release."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import CommandParser

from releases.management.commands.release_candidate import described
from releases.services import lifecycle, writing
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """The manifest of a release."""

    needs_database = True
    help = (
        "Write release/manifests/<release_id>.yaml of the newest approved release (or the one named), and its signed "
        "envelope: every signature is read again, every backup restored and compared first."
    )
    examples = (
        "  manage.py release_manifest\n"
        "  manage.py release_manifest release_20261126_103000 --by omar --json\n"
        "  manage.py verify_manifest release/manifests/release_20261126_103000.yaml"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add which release, and who deploys it."""
        parser.add_argument("release", nargs="?", default="", help="its name; the newest approved one when left out")
        parser.add_argument("--by", default="", metavar="NAME", help="who deploys it (default: the user of this shell)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Write it."""
        row = lifecycle.find(options["release"]) if options["release"] else writing.newest_approved()
        row = writing.write(row, by=options["by"] or getpass.getuser(), at=now())
        return described(row), f"{row.manifest_path}\nsha256 {row.manifest_sha256}"
