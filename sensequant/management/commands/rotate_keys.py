"""``manage.py rotate_keys``: a new key for what is sealed at rest, and everything sealed anew with it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib import seal
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.security import events, factors
from trading.services import sessions


class Command(DeskCommand):
    """The key of the broker's session and of second factors."""

    needs_database = True
    help = (
        "Make a new key, seal everything at rest anew with it, and forget the old ones. With the key in the setting "
        "BREEZE_TOKEN_KEY: put the new key in front of it, a comma after it, then run this."
    )
    examples = "  manage.py rotate_keys\n  manage.py rotate_keys --keep-old   # backups of before can still be opened"

    def arguments(self, parser: CommandParser) -> None:
        """Add whether old keys stay."""
        parser.add_argument("--keep-old", action="store_true", help="keep the old keys, which then only open")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Rotate, seal anew, forget."""
        if not seal.of_setting():
            seal.rotate()
        done = {"broker sessions": sessions.reseal(), "second factors": factors.reseal()}
        gone = [] if options["keep_old"] else seal.forget_old()
        newest = next(iter(seal.keys()))
        events.note("keys rotated", at=now(), who="the shell", newest=newest, forgotten=gone, sealed=done)
        told = ", ".join(f"{count} {name}" for name, count in done.items())
        return {"key": newest, "forgotten": gone, **done}, f"{told} sealed anew with key {newest}"
