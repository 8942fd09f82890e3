"""A dataset as a table for other tools: CSV, gzipped when its name says so, the same bytes each time."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from models_ml.core.frozen import Frozen
from sensequant.lib.errors import BadInput

WORDS: Final = {1: "LONG", -1: "SHORT", 0: "NOOP"}
COLUMNS: Final = ("symbol", "ts", "end", "label", "net_long", "net_short", "ambiguous", "weight")


def export(data: Frozen, path: Path) -> int:
    """Write all rows and return how many; numbers read back are the same numbers. BadInput when it cannot be done."""
    if not path.name.endswith((".csv", ".csv.gz")):
        raise BadInput(f"{path} is no CSV file's name", fix="end it in .csv or .csv.gz")
    try:
        with _opened(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*COLUMNS, *data.names])
            writer.writerows(rows(data))
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}", fix="name a file you may write") from None
    return len(data)


def rows(data: Frozen) -> Iterator[list[object]]:
    """Yield each row as text and numbers; an unknown number is empty."""
    table = zip(
        data.symbol.tolist(), data.ts.tolist(), data.end.tolist(), data.y.tolist(), data.net.tolist(),
        data.ambiguous.tolist(), data.weight.tolist(), data.X, strict=True,
    )  # fmt: skip
    for symbol, ts, end, y, net, ambiguous, weight, x in table:
        numbers = [*net, *x.tolist()]
        told = ["" if np.isnan(value) else repr(value) for value in numbers]
        yield [symbol, ts, end, WORDS[y], *told[:2], int(ambiguous), repr(weight), *told[2:]]


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(packed, "utf-8", newline="") as file:
            yield file
    fresh.replace(path)
