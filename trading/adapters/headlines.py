"""Labelled headlines from CSV files, gzip or not: a text, a label and, if there is one, whom the text is about."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sensequant.lib.errors import BadInput, NotFound
from trading.core.errors import Invalid
from trading.core.sentiment.labelled import Headline, label_of

TEXT: Final = ("title", "headline", "text")
LABEL: Final = ("sentiment", "label")
ENTITY: Final = "entity"
LARGEST: Final = 256 * 1024 * 1024  # bytes of text
SHOWN: Final = 8  # names of columns in an error


@dataclass(frozen=True, slots=True)
class Labelled:
    """The headlines of one file, and the SHA-256 of its bytes."""

    path: Path
    digest: str
    headlines: tuple[Headline, ...]


def read(path: Path) -> Labelled:
    """Return the headlines of ``path``.

    NotFound when there is no file; BadInput, naming the file and the line, for one that is no text, is cut off, lacks
    a column, has no rows, or holds a label that is not known or a row without a text.
    """
    raw = _bytes(path)
    rows = csv.reader(io.StringIO(_text(path, raw), newline=""), strict=True)
    try:
        found = tuple(_headlines(path, rows))
    except csv.Error as error:
        raise BadInput(f"{path} line {rows.line_num}: {error}", fix="mend that line") from None
    if not found:
        raise BadInput(f"{path} has no rows", fix="give a file with at least one labelled headline")
    return Labelled(path, hashlib.sha256(raw).hexdigest(), found)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist", fix="check the path") from None
    except OSError as error:
        fix = "name a CSV file you may read"
        raise BadInput(f"{path} cannot be read: {error.strerror or error}", fix=fix) from None


def _text(path: Path, raw: bytes) -> str:
    """Return the file's text; gzip is told by its first bytes, not by its name."""
    try:
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(raw)) as packed:
                raw = packed.read(LARGEST + 1)
        text = raw.decode("utf-8-sig")
    except EOFError:
        raise BadInput(f"{path} is cut off: the gzip stream ends too early", fix="copy or download it again") from None
    except (OSError, zlib.error) as error:
        raise BadInput(f"{path} is not a sound gzip file: {error}", fix="copy or download it again") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not a text file", fix="give a CSV file in UTF-8, gzip or not") from None
    if len(raw) > LARGEST:
        raise BadInput(f"{path} holds more than {LARGEST >> 20} MB of text", fix="split it")
    return text


def _headlines(path: Path, rows: Iterator[list[str]]) -> Iterator[Headline]:
    names = [name.strip().lower() for name in next(rows, [])]
    text, label = _column(path, names, TEXT), _column(path, names, LABEL)
    entity = names.index(ENTITY) if ENTITY in names else -1
    for number, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(text, label, entity):
            raise BadInput(f"{path} row {number} has {len(row)} cells", fix=f"give it all {len(names)}")
        if not row[text].strip():
            raise BadInput(f"{path} row {number} has no {names[text]}", fix="fill it in or delete the row")
        try:
            yield Headline(row[text].strip(), row[entity].strip() if entity >= 0 else "", label_of(row[label]))
        except Invalid as error:
            raise BadInput(f"{path} row {number}: {error}") from None


def _column(path: Path, names: list[str], wanted: tuple[str, ...]) -> int:
    for name in wanted:
        if name in names:
            return names.index(name)
    there = ", ".join(name[:30] for name in names[:SHOWN]) or "no columns"
    raise BadInput(f"{path} lacks a column {' or '.join(wanted)}: it has {there}", fix="name the columns in line 1")
