"""A stretch of work that may read the database and must not write it: a write is an error, not a promise broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connection, transaction


@contextmanager
def reading_only() -> Iterator[None]:
    """Have the database itself refuse every write of this thread's connection for a while."""
    if connection.vendor == "sqlite":
        # without a transaction of our own, which on SQLite would keep everybody else from writing
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            _pragma("ON")
            try:
                yield
            finally:
                _pragma("OFF")
    else:
        with transaction.atomic(), connection.cursor() as cursor:  # the mode ends with it, or with the savepoint
            cursor.execute("SET TRANSACTION READ ONLY")
            yield


def _pragma(word: str) -> None:
    """Say it to the connection itself: Django would not, once a refused write has broken its transaction."""
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA query_only = {word}")
