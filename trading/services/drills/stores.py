"""Databases of the drill: one for every scenario, copied from an empty one that was made once.

SQLite files in a private folder, or databases of a PostgreSQL server that are dropped afterwards; what the server
already has is never touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from sensequant.lib.errors import BadInput, Unavailable

ALIAS: Final = "default"
NAME: Final = "fault_drill"


def use(known: dict[str, Any]) -> None:
    """Let this process's connections go to another database from now on."""
    connections.close_all()
    connections.settings[ALIAS] = connections.configure_settings({ALIAS: dict(known)})[ALIAS]
    with contextlib.suppress(AttributeError):  # there is no connection to forget yet
        del connections[ALIAS]


def described(url: str) -> dict[str, Any]:
    """Return Django's description of the database at ``url``."""
    return dict(environ.Env.db_url_config(url))


class Store:
    """Makes databases of one kind; ``postgres`` says of which."""

    postgres = False

    def __init__(self, folder: Path) -> None:
        """Keep the files in ``folder``, and make the empty database."""
        self.folder = folder
        self.empty = {**described(f"sqlite:///{folder / 'empty.sqlite3'}"), "OPTIONS": settings.SQLITE_OPTIONS}
        use(self.empty)
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()
        with sqlite3.connect(folder / "empty.sqlite3") as door:
            door.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def make(self, name: str) -> dict[str, Any]:
        """Return Django's description of a new, empty database."""
        file = self.folder / f"{name}.sqlite3"
        shutil.copyfile(self.folder / "empty.sqlite3", file)
        return {**self.empty, "NAME": str(file)}

    def drop(self, known: dict[str, Any]) -> None:
        """Remove a database."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{known['NAME']}{ending}").unlink(missing_ok=True)

    def lock(self, known: dict[str, Any], seconds: float) -> None:
        """Keep everybody from writing for some seconds."""
        door = sqlite3.connect(known["NAME"], timeout=10, isolation_level=None)
        try:
            door.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            door.execute("ROLLBACK")
        finally:
            door.close()

    def cut(self, known: dict[str, Any]) -> int:
        """Cut every connection to a database and return how many there were."""
        raise BadInput("SQLite has no connections to cut")

    def close(self) -> None:
        """Remove what is left."""


class PostgresStore(Store):
    """Databases of a PostgreSQL server."""

    postgres = True

    def __init__(self, folder: Path, url: str) -> None:
        """Make the empty database on the server of ``url``; Unavailable when it does not answer or may not."""
        import psycopg

        self._psycopg = psycopg
        self.server = {**described(url), "CONN_MAX_AGE": 0}
        self.template = f"{NAME}_{os.getpid()}"
        try:
            self._say(f'CREATE DATABASE "{self.template}"')
        except psycopg.Error as error:
            raise Unavailable(f"no database can be made on that server: {error}") from None
        super().__init__(folder)  # the simulator reads calendars of an SQLite one
        use({**self.server, "NAME": self.template})
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()

    def _say(self, text: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        server = self.server
        with self._psycopg.connect(
            host=server["HOST"] or None, port=server["PORT"] or None, user=server["USER"] or None,
            password=server["PASSWORD"] or None, dbname=server["NAME"], autocommit=True,
        ) as door:  # fmt: skip
            found = door.execute(text, values)
            return found.fetchall() if found.description else []

    def make(self, name: str) -> dict[str, Any]:
        """Return Django's description of a new, empty database."""
        full = f"{self.template}_{name}"
        self._say(f'CREATE DATABASE "{full}" TEMPLATE "{self.template}"')
        return {**self.server, "NAME": full}

    def drop(self, known: dict[str, Any]) -> None:
        """Remove a database."""
        self._say(f'DROP DATABASE IF EXISTS "{known["NAME"]}" WITH (FORCE)')

    def lock(self, known: dict[str, Any], seconds: float) -> None:
        """Nothing: a scenario of SQLite."""

    def cut(self, known: dict[str, Any]) -> int:
        """Cut every connection to a database and return how many there were."""
        found = self._say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                          (known["NAME"],))  # fmt: skip
        return len(found)

    def close(self) -> None:
        """Remove the empty one and whatever scenarios left behind."""
        names = self._say("SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{self.template}%",))
        for (name,) in names:
            self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def of(url: str, folder: Path) -> Store:
    """Return the store for ``--database``; BadInput for a kind that is neither SQLite nor PostgreSQL."""
    if not url or url.startswith("sqlite"):
        return Store(folder)
    if url.startswith(("postgres://", "postgresql://")):
        return PostgresStore(folder, url)
    raise BadInput(
        f"--database {url!r} is no database of the drill", fix="leave it out, or give postgres://user@host/db"
    )
