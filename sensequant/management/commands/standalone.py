"""``manage.py standalone``: the whole desk in one process."""

from __future__ import annotations

import sys
from typing import Any

from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Serve the desk: pages, sockets, background jobs and the engine over the demo market, in one process."""

    help = "Run the whole desk in one process over a generated demo market."
    examples = "  manage.py standalone\n  PORT=8001 manage.py standalone"

    def run(self, **options: Any) -> None:
        """Serve until a signal comes."""
        from sensequant import standalone

        sys.exit(standalone.run())
