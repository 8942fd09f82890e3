"""Read the whole ledger and name what was done to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from releases.services import ledger_checks
from sensequant.lib import release_keys
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput


class Command(DeskCommand):
    """The reading."""

    needs_database = True
    help = "Read every entry, archive, signed head and source row. Exit 1 names the seq and what is wrong."
    examples = (
        "  manage.py verify_ledger\n"
        "  manage.py verify_ledger --json\n"
        "  manage.py verify_ledger --heads /media/usb/ledger_heads.jsonl --public-key release.pub\n"
        "  manage.py verify_ledger --without-sources        the chain alone, about four times as fast"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what the chain is compared with."""
        parser.add_argument("--heads", type=Path, default=None, metavar="FILE", help="a copy of ledger_heads.jsonl")
        parser.add_argument("--public-key", type=Path, default=None, metavar="FILE", help="of who signed the heads")
        parser.add_argument("--without-sources", action="store_true", help="do not read the rows behind the entries")

    def run(self, **options: Any) -> None:
        """Read, and exit 1 when something is wrong."""
        if options["heads"] is not None and not options["heads"].exists():
            raise BadInput(f"there is no file {options['heads']}", fix="name a copy of ledger_heads.jsonl")
        public = release_keys.public(options["public_key"]) if options["public_key"] else None
        found = ledger_checks.verify(
            heads=options["heads"], public=public, sources=not options["without_sources"]
        )  # fmt: skip
        self._print(found.as_json(), _told(found), as_json=options["json"])
        if not found.sound:
            first = found.breaks[0]
            more = f" (and {len(found.breaks) - 1} more)" if len(found.breaks) > 1 else ""
            where = f"seq {first.number}" if first.number else "the ledger"
            where = f"the trail {first.chain}, entry {first.number}" if first.chain != "ledger" else where
            self.stderr.write(f"error: {where}: {first.what}: {first.why}{more}")
            sys.exit(1)


def _told(found: ledger_checks.Result) -> str:
    lines = [
        f"{found.entries} entries ({found.archived} of them archived), {found.sources} source rows and {found.heads} "
        f"signed heads read in {found.seconds:.1f} s; {found.waiting} rows wait to be taken in",
        f"the chain stands at {found.last}: {found.digest or 'nothing yet'}",
    ]
    lines += [f"  {each.chain} {each.number}: {each.what}: {each.why}" for each in found.breaks[:50]]
    lines.append("every one as it was written" if found.sound else f"{len(found.breaks)} things are wrong")
    return "\n".join(lines)
