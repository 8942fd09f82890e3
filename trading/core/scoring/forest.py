"""Boosted trees as flat arrays: every node is compared at once, and each tree's leaf is read off a word of bits.

Each node carries a word in which the leaves of its left side are 0. A row goes right at some nodes; the words of those
are and-ed tree by tree, and the leftmost leaf whose bit is left is the one the row falls into (QuickScorer, Lucchese
et al., SIGIR 2015). So a row costs a handful of numpy calls however deep the trees are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_LEAVES: Final = 64  # bits of a word
MOST_NODES: Final = 2_000_000
ROWS: Final = 128  # taken at once, so that many rows do not fill the memory
ZERO, LEFT, RIGHT = 0, 1, 2  # what an unknown value does at a node: counts as 0, goes left, goes right


class Node(NamedTuple):
    """A node: rows whose ``feature`` is at most ``threshold`` go left; ``unknown`` says what the others do.

    ``left`` and ``right`` are a node's place in its tree, or −1 − the place of a leaf.
    """

    feature: int
    threshold: float
    unknown: int
    left: int
    right: int


class Tree(NamedTuple):
    """One tree: its nodes, the first of them the root, and its leaves' values; without nodes it is one leaf."""

    nodes: tuple[Node, ...]
    leaves: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Flat:
    """The trees laid out for ``Forest.odds``."""

    feature: Ints
    column: Ints  # the same in a row written three times: unknown as 0, as −∞, as +∞
    threshold: Floats
    word: npt.NDArray[Any]
    start: Ints
    first_leaf: Ints
    leaf: Floats
    full: Any


class Forest:
    """Trees in the order of boosting: the i-th adds to class i modulo ``classes``; ``bias`` is added to the sum."""

    __slots__ = ("_flat", "bias", "features", "trees")

    def __init__(self, trees: Sequence[Tree], bias: Floats, features: int) -> None:
        """Lay the trees out; Invalid when one is no tree, or the numbers do not fit each other."""
        self.trees, self.bias, self.features = tuple(trees), bias, features
        if bias.ndim != 1 or not bias.size or not np.isfinite(bias).all():
            raise Invalid("the bias must hold one number for each class")
        if not self.trees or len(self.trees) % bias.size:
            raise Invalid(f"{len(self.trees)} trees cannot be shared by {bias.size} classes")
        if sum(len(tree.leaves) for tree in self.trees) > MOST_NODES:
            raise Invalid(f"there are more than {MOST_NODES:,} leaves")
        self._flat = _laid_out(self.trees, features)

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return int(self.bias.size)

    def odds(self, x: Floats) -> Floats:
        """Return the log-odds (…, classes) of rows (…, features); NaN and infinities count as unknown."""
        if x.ndim == 1 or len(x) <= ROWS:
            return self._odds(x)
        return np.concatenate([self._odds(x[at : at + ROWS]) for at in range(0, len(x), ROWS)])

    def _odds(self, x: Floats) -> Floats:
        flat = self._flat
        known = np.isfinite(x)
        if known.all():
            values = x.take(flat.feature, axis=-1)
        else:
            ways = (np.where(known, x, way) for way in (0.0, -np.inf, np.inf))
            values = np.concatenate(tuple(ways), axis=-1).take(flat.column, axis=-1)
        words = np.where(values <= flat.threshold, flat.full, flat.word)
        left = np.bitwise_and.reduceat(words, flat.start, axis=-1)
        _, place = np.frexp((left & (~left + flat.full.dtype.type(1))).astype(np.float64))
        found = flat.leaf.take(flat.first_leaf + place)
        shape = (*found.shape[:-1], found.shape[-1] // self.bias.size, self.bias.size)
        total: Floats = found.reshape(shape).sum(axis=-2) + self.bias
        return total

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as they are written to a file."""
        trees = [
            {"nodes": [list(node) for node in tree.nodes], "leaves": list(tree.leaves)} for tree in self.trees
        ]  # fmt: skip
        return {"kind": "forest", "features": self.features, "bias": self.bias.tolist(), "trees": trees}

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Forest:
        """Return the model in a file's content; Invalid, KeyError or ValueError when it is none."""
        trees = [
            Tree(tuple(_node(node) for node in tree["nodes"]), tuple(float(leaf) for leaf in tree["leaves"]))
            for tree in content["trees"]
        ]
        return cls(trees, np.array(content["bias"], np.float64), int(content["features"]))


def _node(numbers: Sequence[Any]) -> Node:
    feature, threshold, unknown, left, right = numbers
    return Node(int(feature), float(threshold), int(unknown), int(left), int(right))


def _laid_out(trees: Sequence[Tree], features: int) -> _Flat:
    most = max(len(tree.leaves) for tree in trees)
    kind = np.dtype(np.uint32 if most <= 32 else np.uint64)
    nodes: list[Node] = []
    words: list[int] = []
    leaves: list[float] = []
    start, first_leaf = [], []
    for number, tree in enumerate(trees):
        start.append(len(nodes))
        first_leaf.append(len(leaves) - 1)  # frexp counts bits from 1
        for node, word, leaf in _walked(tree, features, number, 8 * kind.itemsize):
            if node is None:
                leaves.append(leaf)
            else:
                nodes.append(node)
                words.append(word)
    feature = np.array([node.feature for node in nodes], np.int64)
    way = np.array([node.unknown for node in nodes], np.int64)
    return _Flat(
        feature, feature + way * features, np.array([node.threshold for node in nodes]), np.array(words, kind),
        np.array(start, np.int64), np.array(first_leaf, np.int64), np.array(leaves, np.float64),
        kind.type((1 << 8 * kind.itemsize) - 1),
    )  # fmt: skip


def _walked(tree: Tree, features: int, number: int, bits: int) -> list[tuple[Node | None, int, float]]:
    """Return the tree's nodes with their words, and its leaves from left to right; Invalid when it is no tree."""
    if len(tree.leaves) != len(tree.nodes) + 1 or len(tree.leaves) > MOST_LEAVES:
        raise Invalid(f"tree {number} has {len(tree.nodes)} nodes and {len(tree.leaves)} leaves, {MOST_LEAVES} at most")
    if not all(np.isfinite(leaf) for leaf in tree.leaves):
        raise Invalid(f"tree {number} holds a value that is no number")
    if not tree.nodes:  # reduceat needs one node: here both ways lead to the only leaf
        return [(Node(0, 0.0, ZERO, -1, -1), (1 << bits) - 1, 0.0), (None, 0, tree.leaves[0])]
    found: list[tuple[Node | None, int, float]] = []
    seen: set[int] = set()

    def down(at: int, first: int) -> int:
        """Walk what hangs at ``at``, whose leftmost leaf is the ``first``; return the place after its last leaf."""
        if at in seen or not -len(tree.leaves) <= at < len(tree.nodes):
            raise Invalid(f"tree {number} is no tree")
        seen.add(at)
        if at < 0:
            found.append((None, 0, tree.leaves[-1 - at]))
            return first + 1
        node = _checked(tree.nodes[at], features, number)
        middle = down(node.left, first)
        found.append((node, ((1 << bits) - 1) ^ ((1 << middle) - (1 << first)), 0.0))
        return down(node.right, middle)

    if down(0, 0) != len(tree.leaves):
        raise Invalid(f"tree {number} has leaves that hang nowhere")
    return found


def _checked(node: Node, features: int, number: int) -> Node:
    if not 0 <= node.feature < features or node.unknown not in (ZERO, LEFT, RIGHT) or not np.isfinite(node.threshold):
        raise Invalid(f"tree {number} has a node that cannot be: {node}")
    return node
