"""From LightGBM's own description of its trees to the flat ones the engine scores with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from trading.core.errors import Invalid
from trading.core.scoring import Forest, Node, Tree
from trading.core.scoring.forest import LEFT, MOST_LEAVES, RIGHT, ZERO

WAYS: Final[Mapping[tuple[str, bool], int]] = {
    ("None", True): ZERO,
    ("None", False): ZERO,
    ("NaN", True): LEFT,
    ("NaN", False): RIGHT,
}


def forest_of(dump: Mapping[str, Any], bias: Sequence[float]) -> Forest:
    """Return the trees of ``Booster.dump_model()``; ``bias`` is what the booster's raw scores lack of the log-odds.

    Invalid for trees the flat form has no word for: categorical splits, zeros that mean unknown, over 64 leaves.
    """
    if dump.get("average_output"):
        raise Invalid("the booster averages its trees (a random forest): train it with boosting=gbdt")
    trees = [_tree(info["tree_structure"]) for info in dump["tree_info"]]
    return Forest(trees, np.array(bias, np.float64), int(dump["max_feature_idx"]) + 1)


def _tree(root: Mapping[str, Any]) -> Tree:
    nodes: list[Node | None] = []
    leaves: list[float] = []

    def place(part: Mapping[str, Any]) -> int:
        """Put a node or a leaf down and return its place, as nodes name their sides."""
        if "split_feature" not in part:
            leaves.append(float(part["leaf_value"]))
            return -len(leaves)
        at, way = len(nodes), _unknown(part)
        nodes.append(None)
        left, right = place(part["left_child"]), place(part["right_child"])
        nodes[at] = Node(int(part["split_feature"]), float(part["threshold"]), way, left, right)
        return at

    place(root)
    if len(leaves) > MOST_LEAVES:
        raise Invalid(f"a tree of {len(leaves)} leaves: train it with num_leaves of {MOST_LEAVES} at most")
    return Tree(tuple(node for node in nodes if node is not None), tuple(leaves))


def _unknown(part: Mapping[str, Any]) -> int:
    kind = (str(part["missing_type"]), bool(part["default_left"]))
    if part["decision_type"] != "<=" or kind not in WAYS:
        raise Invalid(f"a split {part['decision_type']!r} with unknown values as {part['missing_type']!r} is not used")
    return WAYS[kind]
