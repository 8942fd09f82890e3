"""``manage.py prepare``: everything a new version needs before its processes start."""

from __future__ import annotations

from typing import Any

from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Bring database, static files and groups up to date; harmless when they are, and while the desk runs."""

    help = "Apply migrations, collect static files, make the groups. Run it before the processes of a new version."
    examples = "  manage.py prepare && honcho start"

    def run(self, **options: Any) -> tuple[Any, str]:
        """Prepare."""
        from sensequant import standalone

        standalone.migrate()
        standalone.collect_static()
        standalone.groups()
        return {"prepared": True}, "the database, the static files and the groups are up to date"
