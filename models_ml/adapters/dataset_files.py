"""Datasets as folders: the arrays in one file without a pickle, the lineage in the manifest, every byte sealed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models_ml.core.frozen import ARRAYS, FORMAT, Frozen, sealed
from sensequant.lib.errors import BadInput
from trading.adapters.sealed_folders import Sealed, seal, unseal
from trading.core.errors import Invalid

ROWS: Final = "rows.npz"
ROLE: Final = "dataset"
AGAIN: Final = "build it again with manage.py build_dataset"


def save(folder: Path, data: Frozen) -> Sealed:
    """Write the dataset; the same dataset gives the same bytes. BadInput when the folder cannot be written."""
    told = {
        "format": FORMAT, "role": ROLE, "digest": data.digest, "names": list(data.names), "lineage": data.manifest,
    }  # fmt: skip
    return seal(folder, {ROWS: packed(data.arrays())}, told)


def packed(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """Return the arrays as an uncompressed npz whose bytes depend on them alone."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name in ARRAYS:
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return body.getvalue()


def load(folder: Path) -> Frozen:
    """Return the dataset in ``folder``, after every file and then the content itself was compared with its SHA-256.

    NotFound when there is none; BadInput names the file that was changed, or says that the folder holds none.
    """
    kept = unseal(folder)
    told = kept.told
    if told.get("role") != ROLE or told.get("format") != FORMAT:
        raise BadInput(f"{folder} holds a {told.get('role', 'thing')}, not a {FORMAT!r}", fix="name another folder")
    try:
        with np.load(io.BytesIO(kept.read(ROWS)), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAYS}
        data = sealed(arrays, told["names"], told["lineage"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        why = error if isinstance(error, Invalid) else "it is none of our datasets"
        raise BadInput(f"{folder / ROWS} cannot be used: {why}", fix=AGAIN) from None
    if data.digest != told["digest"]:
        raise BadInput(f"{folder} says it is {told['digest'][:12]} but holds {data.digest[:12]}", fix=AGAIN)
    return data
