"""``manage.py api_token``: make, list and revoke the keys with which scripts use the API."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.rights import SCOPES
from trading.models import ApiToken
from trading.services import tokens

ACTIONS = ("create", "list", "revoke")
DAYS = 30


class Command(DeskCommand):
    """Manage the keys of scripts."""

    needs_database = True
    help = "Make, list and revoke the keys (bearer tokens) with which scripts use /api/v1."
    examples = (
        "  manage.py api_token create --user asha --scope read --days 30 --name notebook\n"
        "  manage.py api_token create --user asha --scope trade --days 1 --from 10.0.0.0/8\n"
        "  manage.py api_token list --user asha --json\n"
        "  manage.py api_token revoke sq_Ab3xY9Zk"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the action and what it is about."""
        parser.add_argument("action", choices=ACTIONS, help="create, list or revoke")
        parser.add_argument("prefix", nargs="?", help="revoke: the beginning of the key, as list shows it")
        parser.add_argument("--user", metavar="NAME", help="whose key it is (create), or whose to list")
        parser.add_argument("--scope", default="read", help=f"{', '.join(SCOPES)} (default %(default)s)")
        parser.add_argument(
            "--days", type=int, default=DAYS, help="how long it lives (default %(default)s, at most 90)"
        )
        parser.add_argument("--name", default="", help="what it is for")
        parser.add_argument("--from", dest="networks", action="append", default=[], metavar="NETWORK",
                            help="address or network it may be used from; repeatable (default: any)")  # fmt: skip

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do what was asked."""
        return {"create": _create, "list": _list, "revoke": _revoke}[options["action"]](options)


def _create(options: dict[str, Any]) -> tuple[Any, str]:
    if not options["user"]:
        raise BadInput("no user was named", fix="give --user NAME")
    row, key = tokens.issue(
        username=options["user"],
        scope=options["scope"],
        days=options["days"],
        name=options["name"],
        networks=options["networks"],
        by=_who(),
        at=now(),
    )
    told = f"{key}\n\nfor {row.user}, scope {row.scope}, until {ist(row.expires_at):%Y-%m-%d %H:%M} IST."
    return {**_described(row), "token": key}, f"{told}\nKeep it now: it is not stored and never shown again."


def _list(options: dict[str, Any]) -> tuple[Any, str]:
    rows = ApiToken.objects.select_related("user").order_by("-id")
    if options["user"]:
        rows = rows.filter(user__username=options["user"])
    found = [_described(row) for row in rows]
    lines = [
        f"{r['prefix']:12} {r['user']:16} {r['scope']:6} {r['state']:8} {r['expires_at'][:16]:17} "
        f"{(r['last_used_at'] or 'never')[:16]:17} {r['name']}"
        for r in found
    ]
    head = f"{'begins':12} {'user':16} {'scope':6} {'state':8} {'until':17} {'last used':17} what for"
    return {"tokens": found}, "\n".join([head, *lines]) if lines else "no keys"


def _revoke(options: dict[str, Any]) -> tuple[Any, str]:
    if not options["prefix"]:
        raise BadInput("no key was named", fix="give the beginning of it, as api_token list shows it")
    row = tokens.revoke(options["prefix"], by=_who(), at=now())
    return _described(row), f"{row.prefix} of {row.user} is revoked"


def _described(row: ApiToken) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    return {
        **{name: getattr(row, name) for name in ("prefix", "name", "scope", "networks", "created_by", "revoked_by")},
        **{name: ist(value).isoformat() if (value := getattr(row, name)) else None for name in times},
        "user": row.user.get_username(),
        "state": tokens.state(row, now()),
    }


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "shell"
