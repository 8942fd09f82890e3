"""A company's names as people write them, out of its registered one, and how they are looked for."""

from __future__ import annotations

import re
from typing import Final

from trading.core.company_data import NAMES

# What a registered name ends in and nobody says: taken away from the end, one after another.
ENDINGS: Final = re.compile(
    r"[\s,.(-]+(?:limited|ltd|ltd\.|pvt|private|plc|inc|incorporated|corp|co|company|\(india\)|\(i\))\.?\s*$",
    re.IGNORECASE,
)
# Symbols that are ordinary words or too short to be looked for alone.
ORDINARY: Final = frozenset(
    [
        "ACE",
        "BEL",
        "BLISS",
        "CAMS",
        "CAN",
        "CENTURY",
        "DATA",
        "DREAM",
        "EASY",
        "ENGINE",
        "FACT",
        "GAIL",
        "GOLD",
        "GRAVITY",
        "HIT",
        "HOME",
        "IDEA",
        "INDIA",
        "IT",
        "MAN",
        "MEDIA",
        "MIND",
        "MOIL",
        "MOL",
        "NOVA",
        "OIL",
        "ORIENT",
        "PAGE",
        "PRAJ",
        "PRIME",
        "REDTAPE",
        "SAIL",
        "SAKSOFT",
        "SOLAR",
        "STAR",
        "SUN",
        "TITAN",
        "TREND",
        "TRENT",
        "TV",
        "UPL",
        "VENUS",
        "WEALTH",
        "WELL",
        "ZEE",
    ]
)
SHORTEST: Final = 3


def names_of(symbol: str, registered: str = "") -> tuple[str, ...]:
    """Return the names ``symbol``'s company goes by, the usual one first; empty when none is known.

    ``registered`` is its name in the instrument master, e.g. "RELIANCE INDUSTRIES LIMITED".
    """
    known = NAMES.get(symbol, ())
    spoken = usual(registered)
    return known + ((spoken,) if spoken and spoken.lower() not in {name.lower() for name in known} else ())


def usual(registered: str) -> str:
    """Return a registered name as it is spoken: without its legal ending, and not in capitals."""
    name = " ".join(registered.split())
    while (shorter := ENDINGS.sub("", name)) != name:
        name = shorter
    name = name.strip(" ,.-(")
    return _titled(name) if name.isupper() else name


def _titled(name: str) -> str:
    """Return capitals as a title; words of three letters and those without a vowel stay, for they are acronyms."""
    return " ".join(
        word if len(word) <= 3 or not re.search("[AEIOUY]", word) else word.capitalize() for word in name.split()
    )


def looked_for(symbol: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return every word that stands for the company: its names, and its symbol unless that is an ordinary word."""
    word = symbol.replace("_", "&")
    telling = (len(word) >= SHORTEST and word not in ORDINARY) or not names
    already = {name.lower() for name in names}
    return names + ((word,) if telling and word.lower() not in already else ())


def entity(names: tuple[str, ...]) -> str:
    """Return names as a scorer takes them."""
    return "|".join(name.replace("|", " ") for name in names)
