"""``manage.py import_actions``: splits, bonuses, rights, dividends and demergers from a CSV file."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.services import actions
from trading.services.actions import Imported

SHOWN = 20


class Command(DeskCommand):
    """Record corporate actions; bars before their ex-dates are adjusted by them whenever they are read."""

    needs_database = True
    help = (
        "Record corporate actions from a CSV file: all its lines, or none. Columns: symbol, kind, ex_date, terms; "
        "and if you like ratio, price, cum_close, amount (parts of the terms), known_on, source."
    )
    examples = (
        "  manage.py import_actions actions.csv --dryrun\n"
        "  manage.py import_actions actions.csv --json\n"
        "\n"
        "a file may say:\n"
        "  symbol,kind,ex_date,terms\n"
        "  NESTLEIND,split,2024-01-05,10:1\n"
        "  RELIANCE,bonus,2024-10-28,1:1\n"
        "  GRASIM,rights,2024-01-10,6:179 at 1812 cum 2086.70\n"
        "  TCS,dividend,2024-01-19,18 cum 3903.15\n"
        "  ITC,demerger,2025-01-06,0.945\n"
        "\n"
        "a split names the old and the new face value; a bonus new shares for shares held; rights also the issue\n"
        "price and, like a dividend, the last close before the ex-date; a demerger the price without the part that\n"
        "leaves divided by the price with it. Only special dividends: prices are not adjusted for ordinary ones."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the file and the rehearsal."""
        parser.add_argument("file", help="a CSV file with a header")
        parser.add_argument("--dryrun", action="store_true", help="say what would be recorded, and record nothing")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Record the file and report."""
        done = actions.import_csv(Path(options["file"]), at=now(), by=_who(), dryrun=options["dryrun"])
        return done.as_dict(), _text(done)


def _text(done: Imported) -> str:
    told = "would be recorded" if done.dryrun else "recorded"
    more = [f"and {len(done.actions) - SHOWN:,} more"] if len(done.actions) > SHOWN else []
    head = f"{done.added} new, {done.changed} changed, {done.same} as before: {told}"
    return "\n".join([*done.actions[:SHOWN], *more, head])


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "shell"
