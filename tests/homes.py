"""Desks for processes under test: a database is migrated once and copied, which takes no time.

On SQLite that is the file in the home folder; where the tests run on PostgreSQL, a database beside it.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from sensequant.config import ROOT


@cache
def _empty() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = {"PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(folder), "ENV_FILE": os.devnull}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    return folder / "desk.sqlite3"


def migrated(home: Path) -> Path:
    """Return ``home``, made when it is missing, with an empty database in it unless there is one."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "desk.sqlite3").exists():
        shutil.copyfile(_empty(), home / "desk.sqlite3")
    return home


class Scratch:
    """A database of PostgreSQL of one's own: copied, put back, and dropped with all its copies."""

    def __init__(self, url: str) -> None:
        """Take the address of the database; it need not be there."""
        parts = urlsplit(url)
        self.url, self.name = url, parts.path.lstrip("/")
        self._server = parts._replace(path="/postgres").geturl()

    @classmethod
    def beside(cls, url: str, name: str) -> "Scratch":
        """Return the one called ``name`` on the server of ``url``."""
        return cls(urlsplit(url)._replace(path=f"/{name}").geturl())

    def create(self, template: str = "template1") -> None:
        """Make it, as a copy of ``template``, to which nobody may be connected; what was there is gone."""
        with psycopg.connect(self._server, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [template]
            )
            self._drop(server, self.name)
            names = sql.Identifier(self.name), sql.Identifier(template)
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
            server.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(names[0]))  # no disk

    def keep(self, name: str) -> None:
        """Keep a copy."""
        Scratch.beside(self.url, f"{self.name}_{name}").create(self.name)

    def restore(self, name: str) -> None:
        """Be as the copy is."""
        self.create(f"{self.name}_{name}")

    def drop(self) -> None:
        """Drop it, and every copy."""
        with psycopg.connect(self._server, autocommit=True) as server:
            rows = server.execute("SELECT datname FROM pg_database").fetchall()
            for (name,) in rows:
                if name == self.name or name.startswith(f"{self.name}_"):
                    self._drop(server, name)

    @staticmethod
    def _drop(server: "psycopg.Connection[tuple[str, ...]]", name: str) -> None:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
