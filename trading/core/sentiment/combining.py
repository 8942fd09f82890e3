"""Many scored texts become one score as of a moment: only what was known, each story once, old ones fading."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from trading.core.errors import Invalid
from trading.core.sentiment.duplicates import alike
from trading.core.sentiment.scored import NEUTRAL, Item, Scored

HALF_LIFE: Final = 21_600.0  # seconds: after six hours an item counts half
HORIZON: Final = 172_800.0  # seconds: after two days it does not count
SAME_SIDE: Final = 0.5  # alike texts whose values differ by more tell opposite things: "up" for "down"


def known(items: Iterable[Item], at: float) -> list[Item]:
    """Return the items that were published and fetched by ``at`` (seconds UTC), in the order given."""
    return [item for item in items if item.published <= at and item.fetched <= at]


def distinct(items: Iterable[Item]) -> list[Item]:
    """Return one item for each story: the first known of those alike, with the largest weight among them."""
    kept: list[Item] = []
    for item in sorted(items, key=_known_first):
        same = next((k for k, other in enumerate(kept) if _same(item, other)), None)
        if same is None:
            kept.append(item)
        elif item.weight > kept[same].weight:
            kept[same] = kept[same]._replace(weight=item.weight)
    return kept


def _known_first(item: Item) -> tuple[float, float, list[int], float, float, float]:
    """Order items by when they were known, then by everything else, so that no tie is left to the order given."""
    when = max(item.published, item.fetched)
    return when, item.published, sorted(item.shingles), item.value, item.confidence, item.weight


def _same(one: Item, two: Item) -> bool:
    return (
        not one.shingles.isdisjoint(two.shingles)
        and abs(one.value - two.value) <= SAME_SIDE
        and alike(one.shingles, two.shingles)
    )


def decay(age: float, half_life: float = HALF_LIFE) -> float:
    """Return what is left of an item after ``age`` seconds: 1 when new, a half after ``half_life``."""
    return math.exp2(-max(age, 0.0) / half_life)


def combine(items: Iterable[Item], at: float, *, half_life: float = HALF_LIFE, horizon: float = HORIZON) -> Scored:
    """Return the score that ``items`` give as of ``at``; NEUTRAL when nothing is known that still counts.

    The value is the mean of the values, weighted by weight, confidence and freshness. The confidence is the mean of
    the confidences by weight and freshness, times the freshness of the newest: it never exceeds the surest item's and
    fades as they age. Raise Invalid for a half-life or a horizon that is not above 0.
    """
    if not (half_life > 0.0 and horizon > 0.0):
        raise Invalid(f"half-life {half_life} and horizon {horizon} must be above 0 seconds")
    recent = [item for item in known(items, at) if at - item.published <= horizon and item.weight > 0.0]
    parts = [(item, item.weight * decay(at - item.published, half_life)) for item in distinct(recent)]
    weight = math.fsum(share for _, share in parts)
    if weight <= 0.0:
        return NEUTRAL
    surety = math.fsum(share * item.confidence for item, share in parts)
    if surety <= 0.0:
        return NEUTRAL
    value = math.fsum(share * item.confidence * item.value for item, share in parts) / surety
    fresh = max(decay(at - item.published, half_life) for item, _ in parts)
    return Scored(max(-1.0, min(1.0, value)), max(0.0, min(1.0, surety / weight * fresh)))
