"""Stop the desk, or let it go on, from a terminal."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.services import halts


class Command(DeskCommand):
    """The kill switch."""

    needs_database = True
    help = "Engage the kill switch (no entry is sent any more), release it, or say how it stands."
    examples = (
        '  manage.py kill_switch on --reason "prices look wrong"\n'
        '  manage.py kill_switch on --square-off --reason "leave everything"\n'
        '  manage.py kill_switch off --reason "checked with the exchange" --by asha\n'
        "  manage.py kill_switch status --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to do, why, and who does it."""
        parser.add_argument("what", choices=("on", "off", "status"))
        parser.add_argument("--reason", default="", help="why, in a few words")
        parser.add_argument("--square-off", action="store_true", help="with on: leave every position, too")
        parser.add_argument("--by", default="", metavar="NAME", help="who does it (default: the user of this shell)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do it, and say how the switch stands."""
        by, at, what = options["by"] or getpass.getuser(), now(), options["what"]
        if options["square_off"] and what != "on":
            raise BadInput(f"--square-off does not go with {what}", fix="use it with on")
        if what == "on":
            halts.engage(halts.KILL, options["reason"], at=at, by=by, square_off=options["square_off"])
        elif what == "off":
            halts.release(halts.KILL, options["reason"], at=at, by=by)
        found = next(iter(halts.engaged(halts.KILL)), None)
        if found is None:
            return {"engaged": False}, "the kill switch is off"
        data = {
            "engaged": True, "by": found.engaged_by, "at": found.engaged_at.isoformat(), "reason": found.reason,
            "action": found.action,
        }  # fmt: skip
        since = f"{found.engaged_at:%Y-%m-%d %H:%M:%S} UTC"
        return data, f"the kill switch is ON since {since} by {found.engaged_by}: {found.reason}"
