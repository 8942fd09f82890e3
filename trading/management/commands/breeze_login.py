"""Log in at Breeze from a terminal."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.models.broker import BrokerSession
from trading.services import sessions
from trading.services.market_clock import market_clock


class Command(DeskCommand):
    """Today's session for a desk without a browser."""

    needs_database = True
    help = "Log in at Breeze: open the printed address anywhere, and hand over what stands behind apisession=."
    examples = (
        "  manage.py breeze_login                      # prints the address, asks for the API session\n"
        "  manage.py breeze_login --api-session 12345678\n"
        "  echo 12345678 | manage.py breeze_login --api-session -\n"
        "  manage.py breeze_login --status --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add where the API session comes from."""
        parser.add_argument("--api-session", metavar="DIGITS", help="as handed over by the login page; - reads it")
        parser.add_argument("--status", action="store_true", help="only say how the session stands")
        parser.add_argument("--forget", action="store_true", help="forget today's session")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Log in, or say how it stands."""
        at = market_clock()()
        if options["forget"]:
            sessions.revoke(at=at, by=getpass.getuser())
        if options["status"] or options["forget"]:
            row = sessions.current(at=at)
            return ({"state": "none"}, "nobody has logged in yet") if row is None else _told(row)
        given = options["api_session"] or sessions.published().get("api_session", "") or self._ask()
        text = sys.stdin.readline() if given == "-" else given
        return _told(sessions.log_in(text, at=at, by=getpass.getuser()))

    def _ask(self) -> str:
        address = sessions.login_page()
        if not sys.stdin.isatty():
            self.stderr.write(f"open {address}")
            raise BadInput("no API session was given", fix="log in there, then give --api-session DIGITS")
        sys.stderr.write(f"Open this address, log in, and copy what stands behind apisession= :{os.linesep}{address}\n")
        return getpass.getpass("API session: ")


def _told(row: BrokerSession) -> tuple[Any, str]:
    data = {
        "state": row.state, "login_user": row.login_user, "expires_at": row.expires_at.isoformat(), "note": row.note,
    }  # fmt: skip
    return (
        data,
        f"session of {row.login_user}: {row.state}, until {row.expires_at:%Y-%m-%d %H:%M} UTC {row.note}".strip(),
    )
