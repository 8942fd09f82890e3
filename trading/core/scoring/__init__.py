"""A student as numbers alone: one feature row in, the chances of LONG, SHORT and NOOP out, with numpy and nothing more.

``Scorer.score`` answers for one row in some tens of microseconds; ``Scorer.chances`` does the same for many rows.
"""

from __future__ import annotations

from trading.core.scoring.forest import Forest, Node, Tree
from trading.core.scoring.linear import Linear
from trading.core.scoring.scorer import CLASSES, DIRECTIONS, NEVER, Scored, Scorer, Thresholds

__all__ = [
    "CLASSES",
    "DIRECTIONS",
    "NEVER",
    "Forest",
    "Linear",
    "Node",
    "Scored",
    "Scorer",
    "Thresholds",
    "Tree",
]
