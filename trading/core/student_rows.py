"""From a bar and its feature row to the row a student takes: the same observations in training and in the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trading.core.errors import Invalid
from trading.core.features import Bar, Features
from trading.core.observations import NAMES, OBSERVATIONS, observe
from trading.core.scoring import Scorer
from trading.core.strategies import strategy

RowMaker = Callable[[Bar, Any], tuple[float, ...]]


def row_maker(scorer: Scorer, name: str) -> RowMaker:
    """Return what makes the rows of ``scorer`` out of the bars and feature rows of strategy ``name``.

    Raises Invalid naming what the strategy does not have, or what nobody observes.
    """
    if getattr(strategy(name), "Features", None) is not Features:
        raise Invalid(f"{scorer.version} needs the whole feature row, which {name} does not have")
    if scorer.names == NAMES:
        return observe
    unknown = [each for each in scorer.names if each not in OBSERVATIONS]
    if unknown:
        raise Invalid(f"{scorer.version} needs {unknown[0]!r}, which nobody observes: train a student anew")
    looks = [OBSERVATIONS[each] for each in scorer.names]
    return lambda bar, f: tuple([look(bar, f) for look in looks])
