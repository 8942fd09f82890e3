"""Make a candidate, put it under an audit, or list how releases stand."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser

from releases.models import Release
from releases.selectors import releases as found
from releases.services import candidates, lifecycle, signing
from releases.services.collecting import KINDS, Wanted
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput

SHOWN = 20


class Command(DeskCommand):
    """Candidates."""

    needs_database = True
    help = (
        "Make a release candidate of what is in force now, or of a named student and strategy versions: everything is "
        "copied and numbered. Put it under an audit with --judge; three people sign it on /releases."
    )
    examples = (
        '  manage.py release_candidate --by tara --summary "wider stops on banks"\n'
        "  manage.py release_candidate --by tara --kind major --student student-1f3a9c --config 12 --summary …\n"
        "  manage.py release_candidate --judge release_20261126_103000 --audit audit_20261126_101500 --by tara\n"
        "  manage.py release_candidate --list --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what is to be released, and by whom."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--judge", metavar="RELEASE", help="put this release under the audit of --audit")
        what.add_argument("--list", action="store_true", help="say how releases stand")
        parser.add_argument("--audit", metavar="AUDIT", default="", help="the audit a release is judged by")
        parser.add_argument("--kind", choices=KINDS, default="minor")
        parser.add_argument("--summary", default="", help="what changes, in a few words")
        parser.add_argument("--student", default="", metavar="NAME", help="version or folder of a student, or none")
        parser.add_argument(
            "--dirty", default="", metavar="WHY", help="why it may be although files of the program are in no commit"
        )
        parser.add_argument("--config", type=int, action="append", default=[], metavar="ID", help="a strategy version")
        parser.add_argument(
            "--by", default="", metavar="USER", help="the desk's user who makes it (and cannot sign it)"
        )

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do what was asked for."""
        if options["list"]:
            return self._list()
        user, at = self._user(options["by"]), now()
        if options["judge"]:
            row = candidates.judge(options["judge"], options["audit"], by=user.get_username(), at=at)
            return described(row), f"{row} is judged by {row.audit}: sign it on /releases/{row.release_id}"
        configs, dirty = tuple(options["config"]), options["dirty"]
        wanted = Wanted(options["kind"], options["summary"], options["student"], configs, dirty)
        row = candidates.make(wanted, user, at=at)
        if options["audit"]:
            row = candidates.judge(row.release_id, options["audit"], by=user.get_username(), at=at)
        return described(row), f"{row} is made: {row.state}"

    def _user(self, name: str) -> Any:
        wanted = name or getpass.getuser()
        user = get_user_model().objects.filter(username=wanted, is_active=True).first()
        if user is None:
            raise BadInput(
                f"the desk knows no user {wanted!r}", fix="name one with --by: who makes a release cannot sign it"
            )
        return user

    def _list(self) -> tuple[Any, str]:
        at, rows = now(), list(found.releases()[:SHOWN])
        data = [{**described(row), "missing": signing.missing(row, at=at)} for row in rows]
        return data, "\n".join(f"{row}: {row.state}" for row in rows) or "no release was made yet"


def described(row: Release) -> dict[str, Any]:
    """Return a release as scripts read it."""
    fresh = lifecycle.find(row.release_id)
    return {
        "release_id": fresh.release_id, "seq": fresh.seq, "kind": fresh.kind, "state": fresh.state,
        "author": fresh.author.get_username(), "audit": fresh.audit.audit_id if fresh.audit else None,
        "content_sha256": fresh.content_sha256, "manifest": fresh.manifest_path,
        "manifest_sha256": fresh.manifest_sha256,
    }  # fmt: skip
