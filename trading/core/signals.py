"""What a strategy may say: a direction, how sure it is, and why; and what news does to it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from trading.core.bounds import Bound

LONG = 1
SHORT = -1
FLAT = 0
STAY = 2  # no opinion on this bar

DIRECTIONS = {LONG: "LONG", SHORT: "SHORT", FLAT: "FLAT", STAY: "STAY"}


class Opinion(NamedTuple):
    """A strategy's word on one bar: LONG, SHORT, FLAT or STAY; confidence 0 … 1; the number of its reason."""

    direction: int
    confidence: float
    reason: int


class SentimentRule(NamedTuple):
    """When news suppresses a buy, and when it makes one surer."""

    gate: Annotated[float, Bound(-1, 1, "score", "below this a LONG is suppressed")] = -0.3
    boost_above: Annotated[float, Bound(-1, 1, "score", "above this a LONG's confidence grows")] = 0.5
    boost: Annotated[float, Bound(1, 2, "factor", "by this much, capped at 1")] = 1.2


def suppressed(direction: int, sentiment: float, rule: SentimentRule) -> bool:
    """Say whether news forbids this entry: a LONG while sentiment is below the gate. Unknown (NaN) is neutral."""
    return direction == LONG and sentiment < rule.gate


def boosted(direction: int, confidence: float, sentiment: float, rule: SentimentRule) -> float:
    """Return the confidence after news: a LONG's grows while sentiment is above the boost level, to 1 at most."""
    if direction == LONG and sentiment > rule.boost_above:
        return min(1.0, confidence * rule.boost)
    return confidence
