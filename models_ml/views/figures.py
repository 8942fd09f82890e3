"""Measures as the pages write them."""

from __future__ import annotations

import re

from models_ml.core.deployment_plan import shown
from sensequant.lib.formats import MINUS

SIGN = re.compile(r"(?<![\w-])-(?=\d)")


def said(value: float | None, form: str) -> str:
    """Return a measure as text with the desk's minus sign, a dash where it has no meaning."""
    return typeset(shown(value, form))


def typeset(text: str) -> str:
    """Return a sentence whose negative numbers carry the desk's minus sign."""
    return SIGN.sub(MINUS, text)
