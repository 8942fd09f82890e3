"""Keeps secrets out of logs and pages: by the name they travel under, by their value, and by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"
NAMES = re.compile(
    r"pass(word|wd|phrase)|secret|token|authori[sz]ation|api_?key|checksum|cookie|credential|private_?key|session_?key|\botp\b",
    re.IGNORECASE,
)
SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"(?i)(authori[sz]ation[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|token)\s+)?[^\s\"',;}]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b(basic|token)\s+(?=\S*[\d=])[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:[a-z_-]*(?:password|passwd|secret|token|api_?key|apikey|checksum))[\"']?\s*[:=]\s*[\"']?)"
            r"(?!\[hidden)[^\s\"',;&}]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)"), rf"\1{HIDDEN}"),
    (re.compile(r"(hooks\.slack\.com/services/)\S+"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), HIDDEN),
)
# Most words can hold no secret: one look spares them the whole table.
HINT = re.compile(
    r"bearer|basic|token|authori[sz]ation|passw|secret|api_?key|checksum|://|hooks\.slack|eyJ", re.IGNORECASE
)
SHORTEST = 6  # a shorter secret would hide ordinary words all over the log
DEEPEST = 8
_values: set[str] = set()


def register(values: Iterable[str]) -> None:
    """Hide these very values wherever they turn up from now on; those under six characters are ignored."""
    _values.update(value for value in values if len(value) >= SHORTEST)


def forget() -> None:
    """Forget every registered value."""
    _values.clear()


def text(words: str) -> str:
    """Return ``words`` without the secrets in them."""
    for value in _values:
        if value in words:
            words = words.replace(value, HIDDEN)
    if HINT.search(words):
        for shape, instead in SHAPES:
            words = shape.sub(instead, words)
    return words


def value(anything: Any, *, name: str = "", depth: int = 0) -> Any:
    """Return a copy of ``anything`` fit to be written down; what is named like a secret is hidden whole."""
    if name and NAMES.search(name):
        return anything if anything in (None, "") or isinstance(anything, bool) else HIDDEN
    if isinstance(anything, str):
        return text(anything)
    if anything is None or isinstance(anything, int | float):
        return anything
    if depth >= DEEPEST:
        return HIDDEN
    if isinstance(anything, Mapping):
        return {text(str(key)): value(one, name=str(key), depth=depth + 1) for key, one in anything.items()}
    if isinstance(anything, list | tuple | set | frozenset):
        return [value(one, depth=depth + 1) for one in anything]
    return text(str(anything))
