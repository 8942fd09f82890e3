"""Sign a release in a role one holds, or say what one would sign."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.core.roles import APPROVE, DECISIONS, MEANING, ROLES
from releases.management import asking
from releases.services import lifecycle, signing
from releases.services.signing import Proof, Word
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """One person's word on one release."""

    needs_database = True
    help = (
        "Approve or reject a release in a role you hold, with your password: bound to its content, its audit, the "
        "flags and their waivers. --show prints the digest of all that; sign it with --seen when you have read it."
    )
    examples = (
        "  manage.py release_sign release_20261126_103000 --show\n"
        '  manage.py release_sign release_20261126_103000 --role "Risk Manager" --note "limits and way back" \\\n'
        "    --seen 9f31c2… --by rafi"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add which release, in which role, and what was read."""
        parser.add_argument("release", help="its name")
        parser.add_argument("--show", action="store_true", help="say what is to be read, and its digest; sign nothing")
        parser.add_argument("--role", choices=ROLES, default=ROLES[0])
        parser.add_argument("--decision", choices=DECISIONS, default=APPROVE)
        parser.add_argument("--note", default="", help="what you looked at")
        parser.add_argument("--seen", default="", metavar="SHA256", help="digest of what you read, as --show prints it")
        asking.add_person(parser, what="signs")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Show, or sign."""
        at, row = now(), lifecycle.find(options["release"])
        if options["show"]:
            data = {"release_id": row.release_id, "state": row.state, "seen": signing.read_digest(row),
                    "missing": signing.missing(row, at=at)}  # fmt: skip
            lines = [f"{row}: {row.summary}", f"audit {row.audit}, content sha256 {row.content_sha256}"]
            lines += [f"{role} confirms: {MEANING[role]}" for role in ROLES]
            return data, "\n".join([*lines, *data["missing"], f"seen {data['seen']}"])
        who = asking.person(options)
        word = Word(options["role"], options["decision"], options["note"], options["seen"])
        signing.sign(row.release_id, who.user, word, Proof(who.password, who.code), at=at)
        row = lifecycle.find(row.release_id)
        data = {"release_id": row.release_id, "state": row.state, "missing": signing.missing(row, at=at)}
        return data, f"{row} is {row.state}; {'; '.join(data['missing']) or 'nothing is missing'}"
