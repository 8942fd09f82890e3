"""What news costs the desk: scoring a headline, a score at hand, the registry, a token; and what each may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import thread_time
from typing import Any, Final

import numpy as np

from trading.core.sentiment import LABELS, TRAINED, Model, Scorer, combine, scorer, shingles
from trading.core.sentiment.scored import Item
from trading.services.sentiment_bench_parts import bench_parts
from trading.services.sentiment_models import current

NAME: Final = "SENT"
ROUNDS = 7
ROUND_SECONDS: Final = 0.02
BUCKETS: Final = 1 << 16
ALLOWED: Final = {  # milliseconds
    "score_keyword": 0.3, "score_lexicon": 0.3, "score_trained": 0.3, "combine_20_items": 5.0,
    "registry": 1.0, "cache_hit": 0.1, "token_bucket": 0.01,
}  # fmt: skip
TEXTS: Final = (
    ("Acme Motors shares surge 5% to a record high on strong quarterly profit", "Acme Motors"),
    ("Acme Motors slips as rival Bolt & Co. rallies; stock down 3 per cent", "Acme Motors"),
    ("Bolt & Co.'s losses narrow, debt falls despite weak demand: chairman", "Bolt & Co."),
    ("Zenith Cement to hold its annual general meeting on September 12", "Zenith Cement"),
    ("Brokers downgrade Orchid Foods to sell, cut target price to Rs 1,240", "Orchid Foods"),
    ("Will the central bank cut rates? Analysts do not expect a surprise", ""),
)


def measure() -> dict[str, Any]:
    """Return the median milliseconds of each part, the milliseconds allowed, and the parts that took longer.

    ``seconds`` is what one headline costs the trained scorer, so that the figure stands beside the workloads' own.
    """
    took = {name: 1e3 * timed(job) for name, job in parts().items()}
    slow = [name for name, most in ALLOWED.items() if took.get(name, 0.0) >= most]
    told = {f"{name}_ms": round(each, 6) for name, each in took.items()}
    return {"seconds": took["score_trained"] / 1e3, **told, "allowed_ms": dict(ALLOWED), "slow": slow}


def parts() -> Mapping[str, Callable[[], object]]:
    """Return what is timed, by name: each call is one headline, one combination, or one of the registry's parts."""
    stored = current()
    model = stored.model if stored else _untrained()
    items = [
        Item(60.0 * k, 60.0 * k, 0.4, 0.7, 1.0, shingles(f"{TEXTS[k % len(TEXTS)][0]} {k // 6}")) for k in range(20)
    ]
    return {
        **{f"score_{name}": _each(scorer(name, model)) for name in ("keyword", "lexicon", TRAINED)},
        "combine_20_items": lambda: combine(items, 3600.0),
        **bench_parts(),
    }


def _untrained() -> Model:
    """Return a model of the usual size that knows nothing: it takes as long as one that does."""
    weights = np.random.default_rng(0).normal(0.0, 1.0, (BUCKETS, len(LABELS))).astype(np.float32)
    return Model(weights, (0.0, 0.0, 0.0))


def _each(by: Scorer) -> Callable[[], object]:
    """Return what scores the next of TEXTS."""
    place = 0

    def score() -> object:
        nonlocal place
        place = (place + 1) % len(TEXTS)
        return by(*TEXTS[place])

    return score


def timed(job: Callable[[], object]) -> float:
    """Return the median processor seconds of one call, over ROUNDS of as many calls as fill a fiftieth of a second.

    None of the parts waits for anything, so what else the machine does should not count.
    """
    begun = thread_time()
    job()
    calls = max(1, min(100_000, int(ROUND_SECONDS / max(thread_time() - begun, 1e-7))))
    seconds = []
    for _ in range(ROUNDS):
        begun = thread_time()
        for _ in range(calls):
            job()
        seconds.append((thread_time() - begun) / calls)
    return median(seconds)
