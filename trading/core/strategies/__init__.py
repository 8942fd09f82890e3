"""The strategies the desk knows, one file each: parameters, ``advance``, ``decide``, reasons, and a line here."""

from __future__ import annotations

from types import ModuleType

from trading.core.errors import Invalid
from trading.core.strategies import crossover, intraday, swing

STRATEGIES: dict[str, ModuleType] = {
    "crossover": crossover,
    "intraday": intraday,
    "swing": swing,
}


def strategy(name: str) -> ModuleType:
    """Return the strategy called ``name``; raise Invalid listing those there are."""
    if name not in STRATEGIES:
        raise Invalid(f"unknown strategy {name!r}: use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
