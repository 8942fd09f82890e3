"""``manage.py prune``: delete rows that are older than they are kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.services import retention


class Command(DeskCommand):
    """Delete old rows, or count them."""

    needs_database = True
    help = "Delete what is older than RETENTION_*_DAYS. Orders, fills, trades, predictions and the ledger always stay."
    examples = "  manage.py prune --dry-run\n  manage.py prune --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add whether only to count."""
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Count or delete."""
        found = retention.counted(at=now()) if options["dry_run"] else retention.prune(at=now())
        word = "would go" if options["dry_run"] else "deleted"
        return found, "\n".join(f"{count:>10,} {name} {word}" for name, count in found.items())
