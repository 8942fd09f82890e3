"""Why a person did something, as rows keep it."""

from __future__ import annotations

from sensequant.lib.errors import BadInput

LONGEST = 300


def reason(text: str) -> str:
    """Return a reason as one line of printable characters, shortened to 300; BadInput when nothing is left of it."""
    words = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if not words:
        raise BadInput("no reason was given", fix="say why, in a few words")
    return words[:LONGEST]
