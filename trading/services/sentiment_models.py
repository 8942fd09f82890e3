"""The scorer in force: what SENTIMENT_SCORER says, over the trained models kept under SENSEQUANT_HOME."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from sensequant.lib.errors import NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from sensequant.lib.paths import home
from trading.adapters.sentiment_files import ModelFolder, Stored
from trading.core.sentiment import RULES, TRAINED, Scorer, scorer

SOCIAL = {"keyword": "keyword_social"}

log = get_logger("Sentiment")


def folder() -> ModelFolder:
    """Return where the trained models are kept."""
    return ModelFolder(home() / "data" / "models" / "sentiment")


def current() -> Stored | None:
    """Return the current model; None when there is none, or when its file cannot be used (which is logged once)."""
    there = folder()
    version = there.current()
    if not version:
        return None
    try:
        state = there.path(version).stat()
    except (OSError, SenseQuantError) as error:
        return _unusable(str(there.root), version, str(error))
    return _read(there.root, version, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(root: Path, version: str, mtime_ns: int, size: int) -> Stored | None:
    """Return a model read once for each state of its file."""
    try:
        return ModelFolder(root).load(version)
    except SenseQuantError as error:
        return _unusable(f"{root} {mtime_ns} {size}", version, str(error))


@lru_cache(maxsize=16)
def _unusable(root: str, version: str, why: str) -> None:
    log.error("sentiment_model_unusable", folder=root, version=version, error=why)


def active_scorer() -> Scorer:
    """Return the scorer of news texts that the setting SENTIMENT_SCORER names.

    ``auto`` is the current model when it did better than the lexicon on the headlines held back from it, else the
    lexicon; so is ``trained`` while there is no model, which is logged once.
    """
    return _chosen(settings.DESK.sentiment_scorer)


def social_scorer() -> Scorer:
    """Return the scorer of posts: as of news, but the keyword lists are those for posts."""
    name = settings.DESK.sentiment_scorer
    return _chosen(SOCIAL.get(name, name))


def _chosen(name: str) -> Scorer:
    stored = current()
    model = stored.model if stored else None
    if name == "auto":
        name = TRAINED if stored and stored.training.get("better_than_lexicon") is True else "lexicon"
    elif name == TRAINED and model is None:
        _missing()
        name = "lexicon"
    return scorer(name, model)


@lru_cache(maxsize=1)
def _missing() -> None:
    log.warning("sentiment_model_missing", instead="lexicon", fix="run manage.py train_sentiment --csv FILE")


def scorer_of(version: str) -> Scorer:
    """Return the very scorer of that version, so that what it scored can be scored again to the same number.

    NotFound when its model is gone, or when the program's own rules have changed since.
    """
    rules, _, digest = version.partition("+")
    name = rules.rpartition("-")[0]
    if name == TRAINED:
        return scorer(TRAINED, folder().load(version).model)
    model = folder().load(f"{TRAINED}-{digest}").model if digest else None
    if name not in RULES or (found := scorer(name, model)).version != version:
        raise NotFound(f"there is no scorer {version[:64]!r}", fix="it belongs to another version of this program")
    return found
