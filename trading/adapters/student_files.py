"""Students as files: a folder with ``model.json`` and a manifest, loaded without a pickle and without any library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sensequant.lib import confined
from sensequant.lib.errors import BadInput
from trading.adapters.sealed_folders import AGAIN, Sealed, seal, text_of, unseal
from trading.core.errors import Invalid
from trading.core.scoring import CLASSES, Forest, Linear, Scorer, Thresholds

FORMAT: Final = "sensequant student 1"
MODEL: Final = "model.json"
ROLE: Final = "student"
READER: Final = f"{__name__}:model_of"
KINDS: Final[Mapping[str, type[Linear] | type[Forest]]] = {"linear": Linear, "forest": Forest}


def load(folder: str | Path) -> Scorer:
    """Return the student in ``folder``, ready to score.

    Every file its manifest names is compared with its SHA-256 first, and the model is read by a confined child before
    it is read here. NotFound when there is none; BadInput names the
    file that was changed, or says why the folder holds no student (a teacher, another format, a broken model).
    """
    sealed = unseal(Path(folder))
    told = sealed.told
    if told.get("role") != ROLE or told.get("format") != FORMAT:
        what = f"a {told.get('role', 'thing')} of format {told.get('format')!r}"
        raise BadInput(f"{sealed.folder} holds {what}", fix=f"name the folder of a {FORMAT!r}")
    text = sealed.read(MODEL)
    confined.first_look(READER, text, str(sealed.folder / MODEL))
    try:
        scorer = _scorer(told, json.loads(text))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, IndexError) as error:
        why = error if isinstance(error, Invalid) else "it is no model of ours"
        raise BadInput(f"{sealed.folder / MODEL} cannot be used: {why}", fix=AGAIN) from None
    if version_of(text) != scorer.version:
        raise BadInput(f"{sealed.folder} says it is {scorer.version} but holds {version_of(text)}", fix=AGAIN)
    return scorer


def model_of(text: bytes) -> Linear | Forest:
    """Return the model in a ``model.json``; BadInput or whatever reading it raises when it holds none."""
    content = json.loads(text)["model"]
    try:
        return KINDS[content["kind"]].of_json(content)
    except Invalid as error:
        raise BadInput(str(error), fix=AGAIN) from None


def save(folder: Path, scorer: Scorer, files: Mapping[str, bytes], told: Mapping[str, Any]) -> Sealed:
    """Write the student with other ``files`` beside it; ``told`` is added to its manifest. BadInput as ``seal``."""
    model = packed(scorer)
    whole = {
        **told, "format": FORMAT, "role": ROLE, "version": version_of(model), "model_type": scorer.model_type,
        "names": list(scorer.names), "digest": scorer.digest, "classes": list(CLASSES),
    }  # fmt: skip
    return seal(folder, {**files, MODEL: model}, whole)


def packed(scorer: Scorer) -> bytes:
    """Return the text of the student's ``model.json``."""
    return text_of({
        "names": list(scorer.names), "digest": scorer.digest, "temperature": scorer.temperature,
        "thresholds": scorer.thresholds._asdict(), "model": scorer.model.as_json(),
    })  # fmt: skip


def version_of(model: bytes) -> str:
    """Return a student's version: it names what its ``model.json`` says, so the same student has the same."""
    return f"student-{hashlib.sha256(model).hexdigest()[:12]}"


def _scorer(told: Mapping[str, Any], content: Mapping[str, Any]) -> Scorer:
    if content["names"] != told["names"] or content["digest"] != told["digest"]:
        raise Invalid("it takes other features than its manifest says")
    if told["classes"] != list(CLASSES):
        raise Invalid(f"its classes are {told['classes']}")
    model = KINDS[content["model"]["kind"]].of_json(content["model"])
    thresholds = Thresholds(*(float(content["thresholds"][name]) for name in Thresholds._fields))
    return Scorer(
        str(told["version"]), str(told["model_type"]), tuple(map(str, told["names"])), str(told["digest"]), model,
        float(content["temperature"]), thresholds,
    )  # fmt: skip
