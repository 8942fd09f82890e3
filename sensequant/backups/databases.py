"""One moment of the database as a file, and a fingerprint of every table that a restored copy must match.

Both are read in one snapshot, while the desk goes on writing: SQLite's online backup inside a read transaction,
PostgreSQL's exported snapshot. A fingerprint is the number of rows and the sum of their hashes, so the order in which
rows come back does not matter.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from sensequant.lib.errors import BadInput, Failed, NotAllowed

Marks = dict[str, list[int | str]]
SQLITE, POSTGRES = "database.sqlite3", "database.dump"
OURS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
MARK = "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric), 0) FROM {} t"
THEIRS = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


def dump(folder: Path) -> tuple[str, Marks]:
    """Write the database into ``folder``; return the file's name and the fingerprint of each table."""
    if connection.vendor == "sqlite":
        return SQLITE, _dump_sqlite(folder / SQLITE)
    return POSTGRES, _dump_postgres(folder / POSTGRES)


def prove(file: Path) -> Marks:
    """Restore a dump into a scratch database of its own kind, read every table, and drop it again."""
    if file.name == SQLITE:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise Failed(f"{file} is damaged: {verdict}")
            return _sqlite_marks(copy)
    name = f"sensequant_proof_{os.getpid()}"
    with _scratch(name):
        _restore_postgres(file, name)
        with psycopg.connect(**_address(name)) as copy:
            return _postgres_marks(copy)


def restore(file: Path) -> None:
    """Put a dump in the place of the desk's database, which must have no tables; NotAllowed when it has."""
    if connection.introspection.table_names():
        raise NotAllowed(
            f"the database {connection.settings_dict['NAME']} has tables already",
            fix="restore into a fresh one: another SENSEQUANT_HOME, or an empty database named by DATABASE_URL",
        )
    if file.name == SQLITE:
        if connection.vendor != "sqlite":
            raise BadInput(f"{file} is of SQLite, DATABASE_URL names PostgreSQL", fix="empty DATABASE_URL")
        connection.close()
        place = Path(connection.settings_dict["NAME"])
        fresh = place.with_name(place.name + ".restoring")
        shutil.copyfile(file, fresh)
        fresh.replace(place)
        return
    if connection.vendor != "postgresql":
        raise BadInput(f"{file} is of PostgreSQL", fix="set DATABASE_URL to an empty PostgreSQL database")
    name = connection.settings_dict["NAME"]
    connection.close()
    _restore_postgres(file, name)


def marks() -> Marks:
    """Return the fingerprint of each table of the desk's own database now."""
    if connection.vendor == "sqlite":
        connection.close()
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as opened:
            return _sqlite_marks(opened)
    with psycopg.connect(**_address(connection.settings_dict["NAME"])) as opened:
        return _postgres_marks(opened)


# --- SQLite -------------------------------------------------------------------------------------------------------
def _dump_sqlite(file: Path) -> Marks:
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20)) as source:
        source.execute("BEGIN")
        found = _sqlite_marks(source)  # the first read fixes the moment that the copy is of
        with closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        source.execute("ROLLBACK")
    return found


def _sqlite_marks(opened: sqlite3.Connection) -> Marks:
    found: Marks = {}
    for (table,) in opened.execute(OURS).fetchall():
        count, total = 0, 0
        for row in opened.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the name is the database's own
            count += 1
            total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")
        found[table] = [count, str(total % 2**64)]
    return found


# --- PostgreSQL ---------------------------------------------------------------------------------------------------
def _dump_postgres(file: Path) -> Marks:
    with psycopg.connect(**_address(connection.settings_dict["NAME"])) as source:
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        ((shown,),) = source.execute("SELECT pg_export_snapshot()").fetchall()
        _run("pg_dump", "-Fc", "--no-owner", "--no-privileges", f"--snapshot={shown}", f"--file={file}",
             name=connection.settings_dict["NAME"])  # fmt: skip
        return _postgres_marks(source)


def _postgres_marks(opened: psycopg.Connection[Any]) -> Marks:
    found: Marks = {}
    opened.execute("SET LOCAL timezone = 'UTC'")
    for (table,) in opened.execute(THEIRS).fetchall():
        ((count, total),) = opened.execute(sql.SQL(MARK).format(sql.Identifier(table))).fetchall()
        found[table] = [int(count), str(total)]
    return found


@contextmanager
def _scratch(name: str) -> Iterator[None]:
    own = connection.settings_dict["NAME"]
    with psycopg.connect(**_address(own), autocommit=True) as keeper:
        try:
            keeper.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise NotAllowed(
                "the backup cannot be proved: this user may not make a scratch database",
                fix="ALTER ROLE … CREATEDB, as a superuser of PostgreSQL",
            ) from None
        try:
            yield
        finally:
            keeper.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _restore_postgres(file: Path, name: str) -> None:
    _run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={name}",
         str(file), name=name)  # fmt: skip


def _address(name: str) -> dict[str, Any]:
    found = connection.settings_dict
    asked = {"host": found["HOST"], "port": found["PORT"], "user": found["USER"], "password": found["PASSWORD"]}
    return {"dbname": name, **{key: value for key, value in asked.items() if value}}


def _run(program: str, *words: str, name: str) -> None:
    """Run a program of PostgreSQL; the password goes by the environment, never by the command line."""
    found = shutil.which(program)
    if found is None:
        raise BadInput(f"{program} is not installed", fix="install PostgreSQL's client programs")
    address = _address(name)
    names: Mapping[str, str] = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    own = {names[key]: str(value) for key, value in address.items() if key in names}
    env = {"PATH": os.environ.get("PATH", ""), "PGDATABASE": name, **own}
    done = subprocess.run([found, *words], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        raise Failed(f"{program} failed: {last}")
