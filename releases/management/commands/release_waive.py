"""Waive an open flag of an audit, or take a waiver back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.core.roles import WAIVERS
from releases.management import asking
from releases.services import audits, waivers, waiving
from releases.services.signing import Proof
from releases.services.waiving import Wish
from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """One person's half of a waiver."""

    needs_database = True
    help = (
        "Waive an open flag of an audit, by its number in the risk register: a Risk Manager and a Quant Lead do it "
        "together, neither of whom asked for the audit or made a release judged by it. It counts for a while."
    )
    examples = (
        '  manage.py release_waive audit_20261126_101500 1 --role "Risk Manager" --reason "…" --days 7 --by rafi\n'
        '  manage.py release_waive audit_20261126_101500 --end 3 --reason "Monday\'s losses" --by rafi'
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add which flag, in which role, why, and for how long."""
        parser.add_argument("audit", help="its name")
        parser.add_argument("number", type=int, nargs="?", default=0, help="number of the flag in the risk register")
        parser.add_argument("--role", choices=WAIVERS, default=WAIVERS[0])
        parser.add_argument("--reason", default="", help="why the risk may be taken, or why the waiver ends")
        parser.add_argument("--days", type=int, default=7, help="how long it counts (default 7)")
        parser.add_argument("--end", type=int, metavar="WAIVER", help="take this waiver back instead")
        asking.add_person(parser, what="waives")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Waive, or take back."""
        who, at = asking.person(options), now()
        if options["end"] is not None:
            who.confirm()
            row = waiving.take_back(options["audit"], options["end"], who.user, options["reason"], at=at)
        else:
            wish = Wish(options["number"], options["role"], options["reason"], options["days"])
            row = waiving.waive(options["audit"], who.user, wish, Proof(who.password, who.code), at=at)
        left = waivers.open_flags(audits.find(options["audit"]), at=at)
        data = {"id": row.pk, "code": row.code, "role": row.role, "expires_at": row.expires_at, "open": len(left)}
        ended = "ended" if row.revoked_at else f"until {ist(row.expires_at):%d %b %Y %H:%M} IST"
        return data, f"{row}, {ended}; {len(left)} flags are open"
