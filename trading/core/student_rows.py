"""From a bar and its feature row to the row a student takes: the same numbers in training and in the engine.

A student's features are named; each is one of the strategy's own, or one of what the bar itself knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trading.core.errors import Invalid
from trading.core.features import Bar, Features
from trading.core.rules import Setup
from trading.core.scoring import Scorer
from trading.core.strategies import strategy

RowMaker = Callable[[Bar, Any], tuple[float, ...]]
OF_BAR = ("sentiment", "minute", "left", "volume")


def row_maker(scorer: Scorer, name: str, setup: Setup) -> RowMaker:
    """Return what makes the rows of ``scorer`` out of the bars and features of strategy ``name``.

    Raises Invalid naming the feature that the strategy does not have.
    """
    known = _fields(name)
    places = []
    for wanted in scorer.names:
        if wanted in OF_BAR:
            places.append((True, Bar._fields.index(wanted)))
        elif wanted in known:
            places.append((False, known.index(wanted)))
        else:
            raise Invalid(f"{scorer.version} needs {wanted!r}, which {name} does not have: train a student for {name}")
    return lambda bar, f: tuple(float(bar[at]) if of_bar else float(f[at]) for of_bar, at in places)


def _fields(name: str) -> Sequence[str]:
    fields: tuple[str, ...] = getattr(strategy(name), "Features", Features)._fields
    return fields
