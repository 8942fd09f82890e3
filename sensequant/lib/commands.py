"""The base of every management command: ``--json``, exit codes, progress, one clear error line."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, NoReturn, TypeVar

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from sensequant.lib import outage
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger

T = TypeVar("T")


class DeskCommand(BaseCommand):
    """A command that answers on stdout, logs on stderr and exits 0 (done), 1 (failed) or 2 (bad input).

    Subclasses write ``arguments`` and ``run``; ``run`` returns ``(data, text)``: the object printed under
    ``--json`` and the text printed otherwise, or None when it has already written all it has to say.
    """

    examples: ClassVar[str] = ""
    needs_database: ClassVar[bool] = False
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django declares it so

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, its ``--help`` ending in this command's examples."""
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        epilog = f"examples:\n{self.examples}" if self.examples else None
        parser = super().create_parser(prog_name, subcommand, epilog=epilog, **kwargs)
        if getattr(self, "_called_from_command_line", False):
            parser.error = self._refuse  # type: ignore[method-assign]
        return parser

    def _refuse(self, message: str) -> NoReturn:
        """Say in one line what is wrong with the words on the command line."""
        self._fail(f"{message} (see --help)", 2)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--json`` and then this command's own arguments."""
        parser.add_argument("--json", action="store_true", help="machine-readable output on stdout")
        self.arguments(parser)

    def arguments(self, parser: CommandParser) -> None:
        """Add this command's own arguments."""

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Do the work; return ``(data, text)`` or None."""
        raise NotImplementedError

    def handle(self, **options: Any) -> None:
        """Run, print, and turn a foreseeable error into one line and an exit code."""
        try:
            if self.needs_database:
                if self.waits(options):
                    self._wait_for_database()
                self._prepare_database()
            answer = self.run(**options)
        except (SenseQuantError, ValueError, DatabaseError, KeyboardInterrupt) as error:
            self._fail(*_told(error))
        else:
            if answer is not None:
                self._print(*answer, as_json=options["json"])

    def waits(self, options: dict[str, Any]) -> bool:
        """Say whether a database that is away is waited for, as a process that runs for days does."""
        return False

    def _wait_for_database(self) -> None:
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            if not outage.is_away(error):
                raise
            outage.wait(outage.Outage("the database", get_logger("start")), error, threading.Event())

    def _prepare_database(self) -> None:
        """Make the tables of a brand-new SQLite file, so that any command may be a user's first."""
        if connection.vendor == "sqlite" and not connection.introspection.table_names():
            call_command("migrate", interactive=False, verbosity=0)

    def _print(self, data: Any, text: str, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(data, default=_plain) if as_json else text)

    def _fail(self, line: str, code: int) -> NoReturn:
        self.stderr.write(f"error: {' '.join(line.split())}")
        sys.exit(code)

    def gauge(self, label: str) -> Callable[[float], None]:
        """Return what draws a bar of the share done, 0 to 1, on stderr when it is a terminal."""
        show = sys.stderr.isatty() and not os.environ.get("NO_PROGRESS")

        def draw(share: float) -> None:
            if show:
                filled = int(30 * share)
                end = "\n" if share >= 1.0 else ""
                sys.stderr.write(f"\r{label} [{'#' * filled}{'.' * (30 - filled)}] {share:4.0%}{end}")
                sys.stderr.flush()

        return draw

    def progress(self, items: Iterable[T], *, total: int, label: str) -> Iterator[T]:
        """Yield ``items``, drawing a bar on stderr when it is a terminal."""
        show = sys.stderr.isatty() and not os.environ.get("NO_PROGRESS")
        for done, item in enumerate(items):
            if show:
                filled = 30 * done // max(total, 1)
                sys.stderr.write(f"\r{label} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}")
                sys.stderr.flush()
            yield item
        if show:
            sys.stderr.write(f"\r{label} [{'#' * 30}] {total}/{total}\n")


def _told(error: BaseException) -> tuple[str, int]:
    """Return a foreseeable error's line and exit code; raise any other again."""
    if isinstance(error, SenseQuantError):
        return str(error), error.exit_code
    if is_bad_input(error):
        return str(error), 2
    if isinstance(error, KeyboardInterrupt):
        return "stopped", 130
    if isinstance(error, DatabaseError) and re.search("no such|does not exist|has no column", str(error)):
        return f"the database is behind this version: {error} (run manage.py migrate)", 1
    if outage.is_away(error):
        return f"the database does not answer: {error} (start it; DATABASE_URL says where it is)", 1
    raise error


def _plain(value: Any) -> str:
    """Return a moment as ISO 8601 has it, as the API does; anything else in its own words."""
    return value.isoformat() if isinstance(value, dt.date) else str(value)
