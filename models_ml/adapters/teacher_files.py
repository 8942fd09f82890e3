"""Teachers as files, laid out as in §16.3: a native booster text, gzipped CSV, JSON, and a manifest that seals them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sensequant.lib import unpacking
from sensequant.lib.errors import BadInput
from trading.adapters.sealed_folders import AGAIN, Sealed, seal, text_of, unseal
from trading.core.scoring import CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FORMAT: Final = "sensequant teacher 1"
ROLE: Final = "teacher"
MODEL: Final = "teacher_model.txt"
CHANCES: Final = tuple(f"teacher_p_{name.lower()}" for name in CLASSES)
LEVEL: Final = 4  # of gzip: a third of the time of 9 for a tenth more bytes
ZONE: Final = "Asia/Kolkata"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a teacher hands on, row by row and sorted by (ts, symbol): features, hindsight labels, its own chances.

    ``x`` (n, k) in the order of ``names``; ``ts`` and ``end`` seconds UTC; ``y`` +1, −1 or 0; ``net`` (n, 2) returns of
    LONG and SHORT; ``chances`` (n, 3) of a teacher that had seen only earlier rows, NaN where there was none.
    """

    names: tuple[str, ...]
    x: Floats
    symbol: npt.NDArray[Any]
    ts: Ints
    end: Ints
    y: Ints
    net: Floats
    ambiguous: npt.NDArray[np.bool_]
    weight: Floats
    chances: Floats


def save(folder: Path, lesson: Lesson, booster: str, told: Mapping[str, Any], papers: Mapping[str, Any]) -> Sealed:
    """Write a teacher; ``told`` goes into the manifest, ``papers`` are JSON files by name. BadInput as ``seal``."""
    files = {
        MODEL: booster.encode(),
        "labels.csv.gz": _packed(_labels(lesson)),
        "features.csv.gz": _packed(_features(lesson)),
        **{name: text_of(content) for name, content in papers.items()},
    }
    return seal(folder, files, {**told, "format": FORMAT, "role": ROLE, "names": list(lesson.names)})


def load(folder: str | Path) -> tuple[Sealed, Lesson]:
    """Return a teacher's manifest and what it hands on, every file compared with its SHA-256 first.

    NotFound when there is none, BadInput naming the file that was changed or the folder that holds no teacher.
    """
    sealed = unseal(Path(folder))
    if sealed.told.get("role") != ROLE or sealed.told.get("format") != FORMAT:
        what = f"a {sealed.told.get('role', 'thing')} of format {sealed.told.get('format')!r}"
        raise BadInput(f"{sealed.folder} holds {what}", fix="name the folder of a teacher: manage.py train_teacher")
    names = tuple(map(str, sealed.told["names"]))
    try:
        return sealed, _lesson(names, *(_unpacked(sealed, name) for name in ("labels.csv.gz", "features.csv.gz")))
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{sealed.folder} holds no lesson that can be read: {error}", fix=AGAIN) from None


def _labels(lesson: Lesson) -> Any:
    import pandas as pd

    frame = {
        "timestamp": _told(lesson.ts), "symbol": lesson.symbol, "label": np.array(CLASSES)[_places(lesson.y)],
        "label_end": _told(lesson.end), "net_long": lesson.net[:, 0], "net_short": lesson.net[:, 1],
        "ambiguous": lesson.ambiguous.astype(np.int8), "weight": lesson.weight,
        **{name: lesson.chances[:, place] for place, name in enumerate(CHANCES)},
    }  # fmt: skip
    return pd.DataFrame(frame)


def _features(lesson: Lesson) -> Any:
    import pandas as pd

    columns = {name: lesson.x[:, place] for place, name in enumerate(lesson.names)}
    return pd.DataFrame({"timestamp": _told(lesson.ts), "symbol": lesson.symbol, **columns})


def _places(y: Ints) -> Ints:
    return np.array([2, 0, 1])[y]


def _told(seconds: Ints) -> Any:
    """Return moments as they are written: ISO 8601 in IST."""
    import pandas as pd

    when = pd.to_datetime(seconds, unit="s", utc=True).tz_convert(ZONE)
    return when.strftime("%Y-%m-%dT%H:%M:%S+05:30")


def _packed(frame: Any) -> bytes:
    return gzip.compress(frame.to_csv(index=False).encode(), LEVEL, mtime=0)


def _unpacked(sealed: Sealed, name: str) -> Any:
    import pandas as pd

    text = io.BytesIO(unpacking.unpacked(sealed.read(name), sealed.folder / name))
    return pd.read_csv(text, dtype={"symbol": str, "label": str}, keep_default_na=False, na_values=[""])


def _lesson(names: tuple[str, ...], labels: Any, features: Any) -> Lesson:
    for column in ("timestamp", "symbol"):
        if not labels[column].equals(features[column]):
            raise ValueError(f"labels and features differ in {column}")
    classes = {name: (1, -1, 0)[place] for place, name in enumerate(CLASSES)}
    return Lesson(
        names,
        features[list(names)].to_numpy(np.float64),
        labels["symbol"].to_numpy(str),
        _seconds(labels["timestamp"]),
        _seconds(labels["label_end"]),
        np.array([classes[name] for name in labels["label"]], np.int64),
        labels[["net_long", "net_short"]].to_numpy(np.float64),
        labels["ambiguous"].to_numpy(np.int64).astype(bool),
        labels["weight"].to_numpy(np.float64),
        labels[list(CHANCES)].to_numpy(np.float64),
    )


def _seconds(column: Any) -> Ints:
    import pandas as pd

    found: Ints = pd.to_datetime(column, utc=True).to_numpy("datetime64[s]").astype(np.int64)
    return found
