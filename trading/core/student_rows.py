"""From a bar and its feature row to the row a student takes: the same observations in training and in the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.observations import NAMES, OBSERVATIONS, made_by, observe, suited
from trading.core.rules import Setup
from trading.core.scoring import Scorer

RowMaker = Callable[[Bar, Any], tuple[float, ...]]


def row_maker(scorer: Scorer, name: str, setup: Setup) -> RowMaker:
    """Return what makes the rows of ``scorer`` out of the bars and feature rows of strategy ``name``.

    Raises Invalid when they are not what it learned from: another strategy, other windows or bars, other code.
    """
    suited(name)
    unknown = [each for each in scorer.names if each not in OBSERVATIONS]
    if unknown:
        raise Invalid(f"{scorer.version} needs {unknown[0]!r}, which nobody observes: train a student anew")
    if scorer.digest != made_by(name, setup):
        raise Invalid(
            f"{scorer.version} learned from features made otherwise (strategy, windows, length of bars or their code): "
            f"train a student for {name} on bars of {setup.minutes} minutes"
        )
    if scorer.names == NAMES:
        return observe
    looks = [OBSERVATIONS[each] for each in scorer.names]
    return lambda bar, f: tuple([look(bar, f) for look in looks])
