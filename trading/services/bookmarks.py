"""Where a long backtest stands, kept beside the desk's data now and then, so that one that was killed can go on.

What is lost here costs time and nothing else: a mark that is missing, torn or of another run is passed over.
"""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from sensequant.lib import paths
from sensequant.lib.logs import get_logger
from trading.core import bookmarks
from trading.core.simulation import Book, Run

EVERY = 2.0  # seconds
log = get_logger("bookmarks")


class Bookmark:
    """The mark of one backtest."""

    def __init__(self, number: int, run: Run, capital: float) -> None:
        """Keep the mark of backtest ``number``; it is good for exactly this run."""
        self.path, self._compiled = place(number), run.compiled
        self._digest = bookmarks.fingerprint(run, capital)
        self._kept = time.monotonic()

    def find(self) -> Book | None:
        """Return the book that was put aside, None when there is none to go on from."""
        try:
            with np.load(self.path, allow_pickle=False) as found:
                if str(found["digest"]) != self._digest:
                    return None
                return bookmarks.book({name: found[name] for name in found.files}, compiled=self._compiled)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            log.warning("a bookmark cannot be read", path=str(self.path), error=str(error))
            return None

    def keep(self, book: Book) -> None:
        """Put the book aside, every few seconds at most."""
        if time.monotonic() - self._kept < EVERY:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            with fresh.open("wb") as file:
                told: dict[str, Any] = {"digest": np.array(self._digest), **bookmarks.numbers(book)}
                np.savez(file, **told)
            fresh.replace(self.path)
        except OSError as error:
            log.warning("a bookmark cannot be written", path=str(self.path), error=str(error))
        self._kept = time.monotonic()


def place(number: int) -> Path:
    """Return the file of a backtest's mark."""
    return paths.resolve(f"data/state/backtests/{number}.npz")


def forget(number: int) -> None:
    """Take the mark of a backtest that is done away."""
    try:
        place(number).unlink(missing_ok=True)
    except OSError as error:
        log.warning("a bookmark cannot be removed", number=number, error=str(error))
