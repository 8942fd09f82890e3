"""Which files hold a symbol's bars: ``SYMBOL/interval/*.csv[.gz]`` or ``SYMBOL_5m.csv[.gz]``, also one folder deep."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sensequant.lib import storage
from sensequant.lib.errors import BadInput, NotFound
from trading.core.bars import ALIASES, INTERVALS, alias, interval

ENDINGS: Final = (".csv", ".csv.gz")
FLAT: Final = re.compile(r"(?P<symbol>.+)_(?P<interval>1m|5m|15m|1d)\.csv(?:\.gz)?\Z", re.IGNORECASE)
SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9&.\- ]{0,31}\Z")
WORDS: Final = {**ALIASES, **{name: name for name in INTERVALS}, "daily": "1day"}


def clean_symbol(symbol: str) -> str:
    """Return the symbol in capitals; raise BadInput for text that no NSE symbol looks like."""
    name = symbol.strip().upper()
    if not SYMBOL.match(name) or ".." in name:
        raise BadInput(f"{symbol!r} is not a symbol", fix="write it as NSE does, such as RELIANCE, M&M or BAJAJ-AUTO")
    return name


def find(root: Path, symbol: str, interval_name: str) -> list[Path]:
    """Return the files of one series in reading order, empty when there is none.

    The folder layout goes before single files, and ``root`` before its folders; BadInput when two folders below
    ``root`` both hold the series.
    """
    storage.pull(root / symbol / interval_name)
    here = _in(root, symbol, interval_name)
    if here:
        return here
    found = {folder: files for folder in _folders(root) if (files := _in(folder, symbol, interval_name))}
    if len(found) > 1:
        names = ", ".join(str(folder) for folder in found)
        raise BadInput(f"{symbol} {interval_name} is found in {names}", fix="name one of these folders")
    return next(iter(found.values()), [])


def _in(folder: Path, symbol: str, interval_name: str) -> list[Path]:
    short = alias(interval_name)
    for name in (interval_name, short):
        parts = _csv_files(folder / symbol / name)
        if parts:
            return parts
    return [path for ending in ENDINGS if (path := folder / f"{symbol}_{short}{ending}").is_file()]


def _csv_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS) and path.is_file())


def _folders(root: Path) -> list[Path]:
    """Return the folders directly in ``root``; BadInput when ``root`` is no readable folder."""
    try:
        return sorted(
            Path(entry.path) for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith(".")
        )
    except FileNotFoundError:
        raise NotFound(
            f"the bar folder {root} does not exist", fix="give --csv, or set DATA_FEED_CSV_DIRECTORY"
        ) from None
    except OSError as error:
        raise BadInput(f"the bar folder {root} cannot be read: {error.strerror}", fix="check the path") from None


def symbols(root: Path, interval_name: str) -> list[str]:
    """Return the symbols that have bars of the interval, sorted."""
    found: set[str] = set()
    for folder in (root, *_folders(root)):
        found |= set(_flat(folder, alias(interval_name)))
        for child in _folders(folder):
            if any(_csv_files(child / name) for name in (interval_name, alias(interval_name))):
                found.add(child.name)
    return sorted(found)


def _flat(folder: Path, short: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        match = FLAT.match(entry.name)
        if match and match["interval"].lower() == short:
            yield match["symbol"]


def unknown(root: Path, symbol: str, interval_name: str) -> NotFound:
    """Return the error for a symbol without bars, naming near matches and what else there is."""
    there = symbols(root, interval_name)
    near = difflib.get_close_matches(symbol, there, n=3, cutoff=0.5) or [name for name in there if symbol in name][:3]
    others = [name for name in INTERVALS if name != interval_name and find(root, symbol, name)]
    if others:
        fix = f"there are {', '.join(others)} bars of it"
    elif near:
        fix = f"did you mean {' or '.join(near)}?"
    else:
        fix = (
            f"the folder has {', '.join(there[:10])}{' and more' if len(there) > 10 else ''}"
            if there
            else "the folder has no such bars at all"
        )
    return NotFound(f"no {interval_name} bars of {symbol} in {root}", fix=fix)


def every(path: Path) -> list[Path]:
    """Return the CSV files at or below ``path``; NotFound when there is none."""
    if path.is_file():
        return [path]
    if not path.exists():
        raise NotFound(f"{path} does not exist", fix="check the path")
    found = sorted(each for each in path.rglob("*") if each.name.lower().endswith(ENDINGS) and each.is_file())
    if not found:
        raise NotFound(f"no .csv or .csv.gz file in {path}", fix="check the path")
    return found


def told_by_name(path: Path) -> tuple[str, str]:
    """Return the symbol and the interval a file's name or folders tell; the interval is empty when they do not."""
    stem = re.sub(r"\.csv(\.gz)?\Z", "", path.name, flags=re.IGNORECASE)
    words = stem.split("_")
    for at, word in enumerate(words):
        if at and word.lower() in WORDS:
            return "_".join(words[:at]).upper(), WORDS[word.lower()]
    if path.parent.name.lower() in WORDS:
        return path.parent.parent.name.upper(), interval(WORDS[path.parent.name.lower()])
    return words[0].upper(), ""
