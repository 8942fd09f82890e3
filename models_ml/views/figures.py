"""Measures as the pages write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from models_ml.core.deployment_plan import shown
from sensequant.lib.formats import MINUS
from trading.views.metrics import Metric

SIGN = re.compile(r"(?<![\w-])-(?=\d)")


def said(value: float | None, form: str) -> str:
    """Return a measure as text with the desk's minus sign, a dash where it has no meaning."""
    return typeset(shown(value, form))


def tiles(wanted: Iterable[Metric], found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return measures as tiles: heading, what was found, what it means."""
    return [(each.title, said(found.get(each.key), each.how), each.help) for each in wanted]


def typeset(text: str) -> str:
    """Return a sentence whose negative numbers carry the desk's minus sign."""
    return SIGN.sub(MINUS, text)
