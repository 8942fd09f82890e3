"""Keep the bundles of audits: in the archive after six months, for a year at least."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.services import archiving
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import Failed


class Command(DeskCommand):
    """One look at every bundle."""

    needs_database = True
    help = (
        "Move the bundles of audits older than six months to release/archive/, each compared with its digest before "
        "and after. What a release that trades, may trade or may come back refers to stays. Nothing is deleted unless "
        "--delete-after says so. Exit code 1: some bundle is not as it was sealed."
    )
    examples = (
        "  manage.py release_archive --dry-run\n"
        "  manage.py release_archive\n"
        "  manage.py release_archive --delete-after 60 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what is only told, and what is deleted."""
        parser.add_argument("--dry-run", action="store_true", help="tell, move nothing")
        parser.add_argument("--delete-after", type=int, metavar="MONTHS", help="delete archived ones older (least 12)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Move, and say what was moved."""
        found = archiving.archive(at=now(), dry_run=options["dry_run"], delete_after=options["delete_after"])
        if found.failed:
            self._print(found.as_json(), _text(found), as_json=options["json"])
            first = found.failed[0]
            raise Failed(f"{len(found.failed)} bundles stayed; {first['audit_id']}: {first['why']}")
        return found.as_json(), _text(found)


def _text(found: archiving.Report) -> str:
    verb = "would be " if found.dry_run else ""
    lines = [f"{verb}moved: {each['from']} -> {each['to']}" for each in found.moved]
    lines += [f"{verb}deleted: {each['from']}" for each in found.deleted]
    lines += [f"stays, a release needs it: {name}" for name in found.needed]
    return "\n".join(lines) or "no bundle is old enough"
