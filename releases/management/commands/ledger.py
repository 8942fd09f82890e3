"""Keep the ledger: the process that takes in what happened, and its chores one by one."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from django.core.management.base import CommandParser

from releases.services import ledger, ledger_archives, ledger_heads
from releases.services.ledger_keeping import BY, Keeper
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """The ledger's process."""

    needs_database = True
    help = "Keep the ledger: run until a signal comes, or do one of its chores once."
    examples = (
        "  manage.py ledger run          take in what happens, sign, read, archive, until a signal comes\n"
        "  manage.py ledger pull         take in what has happened, now\n"
        "  manage.py ledger sign         sign where the trails stand, now, and send it out\n"
        "  manage.py ledger archive      move what is older than LEDGER_KEEP_DAYS into a sealed file"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the chore."""
        parser.add_argument("chore", choices=["run", "pull", "sign", "archive"])
        parser.add_argument("--with-parent", action="store_true", help="run: stop when who began it is gone")

    def waits(self, options: dict[str, Any]) -> bool:
        """Wait for a database that is away, as the process that keeps it."""
        return bool(options["chore"] == "run")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do it."""
        self.with_parent: bool = options["with_parent"]
        found: tuple[Any, str] = getattr(self, f"do_{options['chore']}")()
        return found

    def do_run(self) -> tuple[Any, str]:
        """Keep it until SIGTERM or Ctrl-C."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if self.with_parent:
            threading.Thread(target=_end_with, args=(os.getppid(), stop), daemon=True).start()
        Keeper().run(stop)
        return {"stopped": True}, "stopped"

    def do_pull(self) -> tuple[Any, str]:
        """Take in everything."""
        taken = ledger.pull(at=now(), whole=True)
        stands = ledger.head()
        return {"taken": taken, "seq": stands.number, "digest": stands.digest}, f"{taken} new, {stands.number} in all"

    def do_sign(self) -> tuple[Any, str]:
        """Sign a head."""
        row = ledger_heads.sign(at=now())
        return {"seq": row.seq, "digest": row.digest, "sha256": row.sha256}, f"signed: {row}"

    def do_archive(self) -> tuple[Any, str]:
        """Archive."""
        row = ledger_archives.archive(by=BY, at=now())
        if row is None:
            return {"archived": 0}, "nothing is old enough"
        return {"archived": row.through - row.first + 1, "path": row.path}, f"entries {row} are in {row.path}"


def _end_with(parent: int, stop: threading.Event) -> None:
    """Stop when the process that began this one is gone, however it went."""
    while not stop.wait(1.0):
        if os.getppid() != parent:
            stop.set()
