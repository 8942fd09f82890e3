"""The circuit breaker of one provider, as a table of states and pure moves between them.

Closed: requests go through. Open: none does, until the cooldown is over. Half-open: one request probes whether the
provider is back; nobody else asks meanwhile, and a prober that died is replaced when its time is up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from trading.core.errors import Invalid


class Circuit(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


NEXT: Final[dict[Circuit, frozenset[Circuit]]] = {
    Circuit.CLOSED: frozenset({Circuit.OPEN}),
    Circuit.OPEN: frozenset({Circuit.HALF_OPEN}),
    Circuit.HALF_OPEN: frozenset({Circuit.CLOSED, Circuit.OPEN}),
}


class Rule(NamedTuple):
    """When a breaker opens (failures in a row), for how long, and how long a probe may take (both seconds)."""

    threshold: int = 5
    cooldown: float = 1_800.0
    probe: float = 60.0


class Breaker(NamedTuple):
    """One breaker: ``failures`` in a row, and until when (seconds UTC) it is open or its probe may take."""

    state: Circuit = Circuit.CLOSED
    failures: int = 0
    until: float = 0.0


def may_become(old: Circuit, new: Circuit) -> bool:
    """Say whether a breaker may move from ``old`` to ``new``; staying is no move."""
    return new in NEXT[old]


def admit(breaker: Breaker, rule: Rule, now: float) -> tuple[Breaker, bool]:
    """Return the breaker and whether a request may go out now.

    The first one after the cooldown goes out as the probe. A clock put back by more than a cooldown does not keep a
    breaker open.
    """
    if breaker.state is Circuit.CLOSED:
        return breaker, True
    longest = rule.cooldown if breaker.state is Circuit.OPEN else rule.probe
    if now < breaker.until <= now + longest:
        return breaker, False
    return Breaker(Circuit.HALF_OPEN, breaker.failures, now + rule.probe), True


def succeeded(breaker: Breaker) -> Breaker:
    """Return the breaker after an answer; one that was asked before it opened does not close it."""
    if breaker.state is Circuit.OPEN:
        return breaker
    return _moved(breaker, Circuit.CLOSED, 0, 0.0)


def failed(breaker: Breaker, rule: Rule, now: float) -> Breaker:
    """Return the breaker after a failure: open from the threshold on, and a failed probe begins the cooldown anew."""
    failures = breaker.failures + 1
    if breaker.state is Circuit.OPEN:
        return breaker._replace(failures=failures)
    if breaker.state is Circuit.HALF_OPEN or failures >= rule.threshold:
        return _moved(breaker, Circuit.OPEN, failures, now + rule.cooldown)
    return breaker._replace(failures=failures)


def _moved(breaker: Breaker, new: Circuit, failures: int, until: float) -> Breaker:
    if breaker.state is not new and not may_become(breaker.state, new):
        raise Invalid(f"a circuit that is {breaker.state} cannot become {new}")
    return Breaker(new, failures, until)
