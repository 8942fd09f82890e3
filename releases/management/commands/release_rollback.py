"""Go back to a release that was in force."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.management import asking
from releases.selectors import operations as found
from releases.services import rolling_back
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """A rollback, or the review of one."""

    needs_database = True
    help = (
        "Stop entries, verify and mend the release before, switch to it in one transaction, try it, audit anew, record "
        "and tell. An operator may alone in an emergency; another person reviews that within 24 hours."
    )
    examples = (
        '  manage.py release_rollback --reason "hit ratio fell since Monday" --by rafi\n'
        '  manage.py release_rollback --to release_20261005_180000 --reason "back to before the new student"\n'
        '  manage.py release_rollback --review 7 --reason "read the log; it was right" --by rafi'
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add where to, why, and who."""
        parser.add_argument("--to", metavar="ID", default="", help="default: the release before")
        parser.add_argument("--reason", default="", help="why; it is kept and told")
        parser.add_argument("--review", type=int, metavar="NUMBER", help="review an emergency rollback instead")
        parser.add_argument("--yes", action="store_true", help="do not ask; needs --confirm")
        parser.add_argument("--confirm", metavar="ID", default="", help="name of the release in force, typed again")
        asking.add_person(parser, what="rolls back")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Ask, go back; or review."""
        at = now()
        if options["review"] is not None:
            who = asking.person(options)
            who.confirm()
            row = rolling_back.review(options["review"], who.user, options["reason"], at=at)
            return found.told(row), f"{row} is reviewed"
        current, back_to = rolling_back.target(options["to"])
        asking.sure("rollback", yes=options["yes"])
        typed = options["confirm"] or asking.asked(f"Type {current.release_id} to leave it: ", "--confirm")
        done = rolling_back.back(
            typed, options["reason"], asking.person(options), at=at, to=options["to"]
        )  # fmt: skip
        data = found.told(done)
        return data, f"back on {back_to.release_id}: {data['steps'][-1]['told'].get('told', '')}"
