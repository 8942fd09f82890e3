"""Trained scorers as files: one JSON document each, named by its own digest, that can hold nothing but numbers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sensequant.lib import confined
from sensequant.lib.errors import BadInput, NotFound
from trading.core.errors import Invalid
from trading.core.sentiment.linear import FEATURES, Calibration, Model, predict
from trading.core.sentiment.reliability import Reliability
from trading.core.sentiment.scored import LABELS

FORMAT: Final = "sensequant sentiment model 1"
CURRENT: Final = "current"
READER: Final = f"{__name__}:model_of"
LARGEST: Final = 32 * 1024 * 1024  # bytes of a file
MOST_BUCKETS: Final = 1 << 20
NAME: Final = re.compile(r"trained-[0-9a-f]{12}\Z")
AGAIN: Final = "train again: manage.py train_sentiment --csv FILE"
TOLERANCE: Final = 1e-6
# What a model answers to these is kept with it: a text read differently since shows before it is used.
PROBES: Final = (
    ("Acme Motors shares surge 5% to record high on strong quarterly profit", "Acme Motors"),
    ("Acme Motors slips as rival Bolt & Co. rallies; stock down 3 per cent", "Acme Motors"),
    ("Bolt & Co.'s losses narrow, debt falls despite weak demand", "Bolt & Co."),
    ("Will the central bank cut rates? Analysts do not expect a surprise", ""),
)

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Stored:
    """A model with how it was trained, and the fingerprints of the headlines it was trained on, sorted."""

    model: Model
    training: Mapping[str, Any]
    seen: Words

    @property
    def version(self) -> str:
        """Return the name of its file."""
        return f"trained-{self.model.digest[:12]}"


def pack(stored: Stored) -> tuple[Stored, str]:
    """Return the model with its digest, and the text of its file."""
    model = stored.model
    content = {
        "format": FORMAT, "features": FEATURES, "labels": list(LABELS), "buckets": model.weights.shape[0],
        "weights": _packed(model.weights.astype("<f4")), "bias": list(model.bias),
        "whole": model.whole._asdict(), "subject": model.subject._asdict(),
        "reliability": {name: list(each) for name, each in sorted(model.reliability.items())},
        "probes": [list(predict(model, *probe)) for probe in PROBES],
        "training": dict(stored.training), "seen": _packed(stored.seen.astype("<u8")),
    }  # fmt: skip
    named = replace(stored, model=replace(model, digest=_digest(content)))
    return named, json.dumps({"sha256": named.model.digest, "content": content}, indent=1)


def unpack(text: bytes, name: str) -> Stored:
    """Return the model in a file's ``text``; BadInput says why it cannot be used. ``name`` is for the message."""
    try:
        return model_of(text)
    except BadInput as error:
        raise BadInput(f"{name} cannot be used: {error.message}", fix=AGAIN) from None


def model_of(text: bytes) -> Stored:
    """Return the model in a file's ``text``; BadInput says why there is none."""
    try:
        whole = json.loads(text)
        content, digest = whole["content"], str(whole["sha256"])
        if _digest(content) != digest:
            raise Invalid("its digest is not that of its content")
        if content["format"] != FORMAT or content["labels"] != list(LABELS) or content["features"] != FEATURES:
            raise Invalid("it was made by another version of this program")
        stored = Stored(_model(content, digest), content["training"], _unpacked(content["seen"], "<u8", MOST_BUCKETS))
        _probe(stored.model, content["probes"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, zlib.error, binascii.Error) as error:
        raise BadInput(str(error) if isinstance(error, Invalid) else "it is no model of ours", fix=AGAIN) from None
    return stored


def _model(content: Mapping[str, Any], digest: str) -> Model:
    buckets = int(content["buckets"])
    if not 0 < buckets <= MOST_BUCKETS:
        raise Invalid(f"{buckets} buckets")
    weights = _unpacked(content["weights"], "<f4", buckets * len(LABELS)).reshape(buckets, len(LABELS))
    low, middle, high = map(float, content["bias"])
    reliability = {name: Reliability(*map(float, each)) for name, each in content["reliability"].items()}
    whole, subject = (_calibration(content[part]) for part in ("whole", "subject"))
    return Model(weights.astype(np.float32), (low, middle, high), whole, subject, reliability, digest)


def _calibration(part: Mapping[str, Any]) -> Calibration:
    low, middle, high = map(float, part["shifts"])
    return Calibration(float(part["factor"]), (low, middle, high))


def _probe(model: Model, answers: list[list[float]]) -> None:
    for probe, answer in zip(PROBES, answers, strict=True):
        if not np.allclose(predict(model, *probe), answer, rtol=0.0, atol=TOLERANCE):
            raise Invalid("texts are read differently now than when it was trained")


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _packed(numbers: npt.NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(numbers.tobytes(), 9)).decode()


def _unpacked(text: str, kind: str, most: int) -> npt.NDArray[Any]:
    """Return the numbers, ``most`` of them at most: a small text may not grow into any amount of memory."""
    reader = zlib.decompressobj()
    raw = reader.decompress(base64.b64decode(text, validate=True), most * np.dtype(kind).itemsize)
    if not reader.eof and reader.decompress(reader.unconsumed_tail, 1):
        raise Invalid("it holds more numbers than it says")
    return np.frombuffer(raw, kind)


class ModelFolder:
    """The trained models under one folder, and which of them is the current one."""

    def __init__(self, root: Path) -> None:
        """Keep them in ``root``, which is made when first written to."""
        self.root = root

    def save(self, stored: Stored, *, current: bool) -> Stored:
        """Write the model to a file named by its digest, make it the ``current`` one, and return it with its digest."""
        named, text = pack(stored)
        self._write(f"{named.version}.json", text)
        if current:
            self._write(CURRENT, named.version + "\n")
        return named

    def _write(self, name: str, text: str) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            fresh = self.root / f"{name}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.root / name)
        except OSError as error:
            fix = "set SENSEQUANT_HOME to a folder you may write to"
            raise BadInput(f"{self.root / name} cannot be written: {error.strerror}", fix=fix) from None

    def current(self) -> str:
        """Return the current model's name, empty when there is none."""
        try:
            return (self.root / CURRENT).read_text(encoding="utf-8")[:64].strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def path(self, version: str) -> Path:
        """Return the file of a model; BadInput for a name that no model has."""
        if not NAME.match(version):
            raise BadInput(f"{version[:64]!r} is not the name of a model", fix="write it as trained-0123456789ab")
        return self.root / f"{version}.json"

    def load(self, version: str) -> Stored:
        """Return the model of that name; NotFound when there is no file, BadInput when it cannot be used."""
        path = self.path(version)
        try:
            with path.open("rb") as file:
                text = file.read(LARGEST + 1)
        except FileNotFoundError:
            there = ", ".join(sorted(each.stem for each in self.root.glob("trained-*.json"))) or "none"
            raise NotFound(f"there is no model {version}", fix=f"use one that is there: {there}") from None
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}", fix="check its rights") from None
        if len(text) > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST >> 20} MB", fix=AGAIN)
        confined.first_look(READER, text, str(path))
        stored = unpack(text, str(path))
        if stored.version != version:
            raise BadInput(f"{path} holds the model {stored.version}", fix="give it back its own name")
        return stored
