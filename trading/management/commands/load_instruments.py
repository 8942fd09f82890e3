"""``manage.py load_instruments``: which shares there are, under which names, read from the broker's security master."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.services import instruments
from trading.services.instruments import Reading
from trading.services.market_clock import addresses, market_clock

SHOWN = 12


class Command(DeskCommand):
    """Read a security master and say what it changed and what it refused."""

    needs_database = True
    help = (
        "Read the broker's security master: NSE symbols, the broker's codes, exchange tokens, ISINs and series, with "
        "the days they hold. What is not there any more is closed, never deleted. A file that cannot be read, or that "
        "holds a fifth fewer shares than are known, changes nothing."
    )
    examples = (
        "  manage.py load_instruments --fetch\n"
        "  manage.py load_instruments SecurityMaster.zip\n"
        "  manage.py load_instruments NSEScripMaster.txt --force --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add where the master comes from."""
        parser.add_argument("path", nargs="?", help="SecurityMaster.zip, or the NSEScripMaster.txt in it")
        parser.add_argument("--fetch", action="store_true", help="download it from ICICI, or from BREEZE_BASE_URL")
        parser.add_argument("--force", action="store_true", help="accept one with far fewer shares than are known")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Read it and report."""
        path, fetch = options["path"], options["fetch"]
        if bool(path) == fetch:
            raise BadInput("say where the master is", fix="name a file, or give --fetch; not both")
        if fetch:
            clock = market_clock()
            reading = instruments.fetch(at=clock(), addresses=addresses(), force=options["force"])
        else:
            reading = instruments.load(Path(path), at=now(), force=options["force"])
        return reading.as_dict(), _text(reading)


def _text(reading: Reading) -> str:
    file, changes = reading.file, reading.changes
    head = f"{file.day}: {file.usable:,} shares of {file.rows:,} rows from {file.source}"
    if not reading.fresh:
        return f"{head}\nnothing to do: this very file was read for the day before"
    lines = [head, f"{changes.added:,} new, {changes.changed:,} changed, {changes.closed:,} gone"]
    lines += [f"{word} is also the code of {symbol}; it means the NSE symbol" for word, symbol in reading.collisions]
    named = {word for word, _ in reading.collisions}
    dead = [row for row in file.refused if row[1].endswith("not traded")]
    others = [row for row in file.refused if row not in dead and row[0] not in named]
    lines += [f"  {symbol}: {why}" for symbol, why in others[:SHOWN]]
    lines += [f"  and {len(others) - SHOWN:,} more (--json shows all)"] if len(others) > SHOWN else []
    lines += [f"{len(dead):,} shares have no token: they are not traded any more"] if dead else []
    return "\n".join(lines)
