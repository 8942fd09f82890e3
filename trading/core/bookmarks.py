"""A run's numbers put aside between two stages and taken up again: what follows is the same to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core import kernel
from trading.core.simulation import Book, Run
from trading.core.state import EVENTS, WIDTH

Numbers = dict[str, npt.NDArray[Any]]


def fingerprint(run: Run, capital: float) -> str:
    """Return a digest of everything a run depends on: the core's text, setups, lanes, bars, charges, capital."""
    total = hashlib.sha256(f"{kernel.digest()} {capital!r} {run.compiled}".encode())
    for desk in run.desks:
        total.update(f"{desk.name} {desk.setup!r} {desk.panel.specs!r}".encode())
        total.update(np.ascontiguousarray(desk.panel.stops).data)
        for column in desk.panel.everything():
            total.update(np.ascontiguousarray(column).data)
    for column in (run.charges.changes, run.charges.rates):
        total.update(np.ascontiguousarray(column).data)
    return total.hexdigest()


def numbers(book: Book) -> Numbers:
    """Return a book that stands between two stages as arrays, its events as far as they go."""
    used = int(book.N[EVENTS]) * WIDTH
    lanes = {"L": np.asarray(book.L, np.float64), "K": np.asarray(book.K, np.int64)}
    account = {"A": np.asarray(book.A, np.float64), "N": np.asarray(book.N, np.int64)}
    memory = {f"m{j}": np.asarray(each, np.float64) for j, each in enumerate(book.m)}
    cursors = {f"cursors{j}": each.copy() for j, each in enumerate(book.cursors)}
    where = np.array([book.stage, len(book.ev), *book.held], np.int64)
    return {**lanes, **account, **memory, **cursors, "ev": np.asarray(book.ev[:used], np.float64), "where": where}


def book(found: Mapping[str, npt.NDArray[Any]], *, compiled: bool) -> Book:
    """Return the book that ``numbers`` put aside; lists when not compiled."""
    stage, size, *held = (int(x) for x in found["where"])
    events = np.zeros(size)
    events[: found["ev"].size] = found["ev"]
    count = len(held)
    memory, cursors = [found[f"m{j}"] for j in range(count)], [found[f"cursors{j}"].copy() for j in range(count)]
    parts: list[Any] = [memory, found["L"], found["K"], found["A"], found["N"], events]
    if not compiled:
        parts = [[each.tolist() for each in memory], *(each.tolist() for each in parts[1:])]
    m, L, K, A, N, ev = parts
    return Book(m, L, K, A, N, ev, cursors, held, stage)
