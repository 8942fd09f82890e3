"""Give a role by two administrators, take one away by one, or list what was asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandParser

from releases.management.asking import add_person, person
from releases.models import RoleGrant
from releases.services import granting, people
from sensequant.lib import identity
from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand

SHOWN = 50


class Command(DeskCommand):
    """Roles."""

    needs_database = True
    help = (
        "Ask that somebody be given a role (a group, staff or administrator); another administrator confirms it. "
        "Taking one away needs one administrator."
    )
    examples = (
        '  manage.py role_grant --ask tara --role "Risk Manager" --reason "joins the risk desk" --by asha\n'
        "  manage.py role_grant --confirm 3 --by rafi\n"
        "  manage.py role_grant --refuse 3 --by rafi\n"
        '  manage.py role_grant --take tara --role "Risk Manager" --reason "left the desk" --by asha\n'
        "  manage.py role_grant --list --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what is done, and by whom."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--ask", metavar="USER", help="who should have the role")
        what.add_argument("--confirm", type=int, metavar="N", help="give what another administrator asked for")
        what.add_argument("--refuse", type=int, metavar="N", help="end a request")
        what.add_argument("--take", metavar="USER", help="who should have the role no longer")
        what.add_argument("--list", action="store_true", help="say what was asked for, the newest first")
        parser.add_argument("--role", default="", help="name of a group, or staff, or administrator")
        parser.add_argument("--reason", default="", help="why")
        add_person(parser)

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do what was asked for."""
        if options["list"]:
            rows = [_told(row) for row in RoleGrant.objects.select_related("user", "asked_by", "confirmed_by")[:SHOWN]]
            return rows, "\n".join(_line(each) for each in rows) or "no role was asked for yet"
        who = person(options)
        identity.confirm(who.user, who.password, who.code)
        by, at = who.user, now()
        if options["take"]:
            user = people.named(options["take"])
            granting.take(user, options["role"], options["reason"], by=by, at=at)
            return {"user": str(user), "taken": options["role"]}, f"{user} is no longer {options['role']}"
        if options["ask"]:
            row = granting.ask(people.named(options["ask"]), options["role"], options["reason"], by=by, at=at)
        elif options["confirm"] is not None:
            row = granting.confirm(options["confirm"], by=by, at=at)
        else:
            row = granting.refuse(options["refuse"], by=by, at=at)
        told = _told(row)
        return told, _line(told)


def _told(row: RoleGrant) -> dict[str, Any]:
    state = "over" if row.ended_at else "granted" if row.confirmed_at else "waits for a second administrator"
    return {
        "id": row.pk, "user": str(row.user), "role": row.role, "state": state, "reason": row.reason,
        "asked_by": str(row.asked_by), "asked_at": _when(row.asked_at), "confirmed_by": str(row.confirmed_by or ""),
        "confirmed_at": _when(row.confirmed_at), "ended_at": _when(row.ended_at),
    }  # fmt: skip


def _when(at: dt.datetime | None) -> str:
    return ist(at).isoformat(timespec="seconds") if at else ""


def _line(each: dict[str, Any]) -> str:
    return f"{each['id']}: {each['role']} for {each['user']}, asked by {each['asked_by']}: {each['state']}"
