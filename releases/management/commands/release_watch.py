"""Check the release under watch, or end a watch that cannot tell."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.management import asking
from releases.services import watching
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """One look of the watch; the beat rings for it by itself."""

    needs_database = True
    help = "Check the release under watch when it is time, and act by rule: hold and page, reduce, roll back, or end."
    examples = (
        "  manage.py release_watch\n  manage.py release_watch --now --json\n"
        '  manage.py release_watch --conclude --reason "too few trades to tell; read them all" --by rafi'
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add when and what."""
        parser.add_argument("--now", action="store_true", help="check although two hours are not over")
        parser.add_argument("--conclude", action="store_true", help="end a watch that is held open (a Risk Manager)")
        parser.add_argument("--reason", default="", help="why it may end")
        asking.add_person(parser, what="ends it")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Look, or end it."""
        if options["conclude"]:
            who = asking.person(options)
            who.confirm()
            watch = watching.conclude(who.user, options["reason"], at=now())
            return {"release_id": watch.release.release_id, "state": watch.state}, f"{watch.release} is stable"
        check = watching.look(at=now(), force=options["now"])
        if check is None:
            return {"checked": False}, "nothing is watched, or no check is due"
        data = {
            "checked": True, "release_id": check.watch.release.release_id, "word": check.word, "action": check.action,
            "told": check.told, "verdicts": check.verdicts,
        }  # fmt: skip
        return data, f"{check.watch.release.release_id}: {check.word} ({check.action}) {check.told}".rstrip()
