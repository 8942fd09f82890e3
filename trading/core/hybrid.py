"""What several providers say of a company as one score, and how much of an old one is still believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

HALF_LIFE: Final = 21_600.0  # seconds after which half of a stale score's confidence is gone


class Part(NamedTuple):
    """One provider's word: value −1 … 1, confidence 0 … 1, its weight, and when (seconds UTC) it was so."""

    name: str
    value: float
    confidence: float
    weight: float
    at: float


@dataclass(frozen=True, slots=True)
class Score:
    """How the news speak of a company: value −1 (bearish) … 1 (bullish), confidence 0 … 1, as of ``at`` (seconds UTC).

    ``source`` is a provider's name, or "hybrid[newsapi,twitter]" for several.
    """

    value: float
    confidence: float
    source: str
    at: float
    parts: tuple[Part, ...] = ()
    stale: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


def average(parts: Sequence[Part], at: float) -> Score | None:
    """Return the parts as one score; None without any.

    Values are averaged by weight, the weights of those that answered adding up to one; weights of nothing count alike.
    The confidence is the mean of theirs.
    """
    if not parts:
        return None
    weights = [max(0.0, part.weight) for part in parts]
    if not sum(weights) > 0.0:
        weights = [1.0] * len(parts)
    value = sum(part.value * weight for part, weight in zip(parts, weights, strict=True)) / sum(weights)
    confidence = sum(part.confidence for part in parts) / len(parts)
    names = [part.name for part in parts]
    source = names[0] if len(names) == 1 else f"hybrid[{','.join(names)}]"
    told = {"providers": names, "weights": {name: w / sum(weights) for name, w in zip(names, weights, strict=True)}}
    return Score(_within(value, -1.0), _within(confidence, 0.0), source, at, tuple(parts), metadata=told)


def aged(part: Part, now: float) -> Part:
    """Return an old part with what is left of its confidence."""
    return part._replace(confidence=part.confidence * 0.5 ** (max(0.0, now - part.at) / HALF_LIFE))


def _within(x: float, low: float) -> float:
    """Return ``x`` inside its bounds: rounding may put a mean of ones a hair above one."""
    return min(1.0, max(low, x))
