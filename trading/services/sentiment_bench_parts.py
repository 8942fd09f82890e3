"""The parts of the news that ``manage.py bench`` times, ready to be called: nothing of them touches a network."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

from trading.core import token_bucket
from trading.core.news import Answer, Metadata, Question, Ration
from trading.services import sentiment_gates, sentiment_keeping
from trading.services.sentiment import Registry
from trading.services.sentiment_gates import Gate

AT = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
NAMES = ("bench-a", "bench-b")
Part = Callable[[], object]


class _Instant:
    """A provider that answers at once."""

    def __init__(self, name: str, value: float) -> None:
        self.metadata = Metadata(name, "1", 1_000_000_000, "fixed")
        self.answer = Answer(value=value, confidence=0.8)

    def fetch(self, question: Question, ration: Ration) -> Answer:
        ration()
        return self.answer


def bench_parts() -> dict[str, Part]:
    """Return what is timed, by name: token_bucket, cache_hit and registry.

    ``registry`` asks two instant providers, spends their rations, passes their breakers and averages their words; its
    state is in memory, for what rows cost is the database's affair.
    """
    return {"token_bucket": _bucket(), "cache_hit": _hit(), "registry": _asking()}


def _bucket() -> Part:
    bucket = token_bucket.per_minute(100)
    state = [token_bucket.full(bucket, 0.0)]
    ticks = itertools.count()

    def take() -> None:
        state[0], _ = token_bucket.take(bucket, state[0], next(ticks) * 0.7)

    return take


def _registry() -> Registry:
    gate = Gate(sentiment_gates.Memory(), clock=lambda: AT)
    made = Registry(gate, sentiment_keeping.Nothing(), clock=lambda: AT)
    for priority, (name, value) in enumerate(zip(NAMES, (0.45, 0.62), strict=True)):
        made.register(name, _Instant(name, value), weight=0.5, priority=priority)
    return made


def _hit() -> Part:
    registry = _registry()
    registry.get_sentiment("BENCH")
    return lambda: registry.get_sentiment("BENCH")


def _asking() -> Part:
    registry = _registry()
    return lambda: registry.get_sentiment("BENCH", force=True)
