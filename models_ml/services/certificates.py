"""Certificates of a training pipeline: it finds nothing where there is nothing, and something where something is.

    certificate = certify(pipeline)          # seconds
    certificate.passed, certificate.as_dict()

``pipeline`` is the whole training: it gets a dataset and the features of later rows, and returns for each of these how
much more it expects of a long than of a short (P(LONG) − P(SHORT), say). Everything before it – bars, features, labels,
split – is made here by the code that makes real datasets, so a look-ahead anywhere between bar and score shows.
Judged is the direction alone, for how far prices move can be foretold in any market, and which way cannot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models_ml.core.assembly import Recipe, Seen, assemble, observed, part
from models_ml.core.evaluation import auc
from models_ml.core.frozen import Frozen
from models_ml.core.labels import Barriers
from models_ml.core.proving import FIRST_DAY, MINUTES, Ground, market
from models_ml.core.splits import walk_forward
from trading.core.setups import make_setup
from trading.core.simulation import schedule

Floats = npt.NDArray[np.float64]
Pipeline = Callable[[Frozen, Floats], Floats]

SEEDS: Final = tuple(range(11, 21))
WALKS: Final = Ground()
EDGE: Final = Ground(edge=0.35)
BARRIERS: Final = Barriers(target=3.0, stop=3.0, horizon=6)
WARMUP: Final = 100
STRAY: Final = 0.02
"""Least spread of the AUC between markets that is believed; for overlapping labels the iid formula gives far less."""

SIGMAS: Final = 3.4
LEAST_FOUND: Final = 0.53


@dataclass(frozen=True, slots=True)
class Proof:
    """What a pipeline scored in some markets: the AUC of its direction in each, and the band the mean had to lie in."""

    kind: str  # null or edge
    passed: bool
    mean: float
    low: float
    high: float
    aucs: tuple[float, ...]
    seeds: tuple[int, ...]
    rows: int

    def __str__(self) -> str:
        """Return the proof as a sentence."""
        what = "random walks" if self.kind == "null" else "markets with a planted edge"
        verdict = "passed" if self.passed else "FAILED"
        return f"{verdict}: AUC {self.mean:.3f} in {len(self.aucs)} {what}, wanted {self.low:.3f} to {self.high:.3f}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Both proofs of one pipeline."""

    null: Proof
    edge: Proof

    @property
    def passed(self) -> bool:
        """Say whether the pipeline may be believed at all."""
        return self.null.passed and self.edge.passed

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON, with the SHA-256 that names it."""
        told = {"passed": self.passed, "null": _plain(self.null), "edge": _plain(self.edge)}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return {**told, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def certify(pipeline: Pipeline, *, seeds: Sequence[int] = SEEDS, see: Seen = observed) -> Certificate:
    """Return both proofs of ``pipeline``; ``see`` makes the features of a lane."""
    return Certificate(null_proof(pipeline, seeds=seeds, see=see), edge_proof(pipeline, seeds=seeds[:3], see=see))


def null_proof(
    pipeline: Pipeline, *, seeds: Sequence[int] = SEEDS, see: Seen = observed, ground: Ground = WALKS
) -> Proof:
    """Return what the pipeline finds in random walks: its mean AUC must not stray from one half."""
    aucs, rows = _scores(pipeline, seeds, ground, see)
    spread = float(np.std(aucs, ddof=1)) if len(aucs) > 1 else STRAY
    band = SIGMAS * max(STRAY, spread) / len(aucs) ** 0.5
    mean = float(np.mean(aucs))
    return Proof("null", abs(mean - 0.5) <= band, mean, 0.5 - band, 0.5 + band, aucs, tuple(seeds), rows)


def edge_proof(
    pipeline: Pipeline, *, seeds: Sequence[int] = SEEDS[:3], see: Seen = observed,
    ground: Ground = EDGE,
) -> Proof:  # fmt: skip
    """Return what the pipeline finds where there is something to find."""
    aucs, rows = _scores(pipeline, seeds, ground, see)
    mean = float(np.mean(aucs))
    return Proof("edge", mean >= LEAST_FOUND, mean, LEAST_FOUND, 1.0, aucs, tuple(seeds), rows)


def _scores(pipeline: Pipeline, seeds: Sequence[int], ground: Ground, see: Seen) -> tuple[tuple[float, ...], int]:
    found, rows = [], 0
    for seed in seeds:
        data = proving_data(seed, ground, see=see)
        (split,) = walk_forward(data.ts, data.end, folds=1, embargo=MINUTES * 60)
        test = data.select(split.test)
        told = np.asarray(pipeline(data.select(split.train), test.X), np.float64)
        found.append(auc(test.net[:, 0] > test.net[:, 1], told) or 0.0)
        rows += len(test)
    return tuple(found), rows


def proving_data(seed: int, ground: Ground, *, see: Seen = observed) -> Frozen:
    """Return the dataset of one proving market, made as every dataset is."""
    lanes = market(seed, ground)
    recipe = Recipe("intraday", make_setup("intraday", MINUTES), BARRIERS, WARMUP)
    charged = schedule("prime-2999", "margin", FIRST_DAY, FIRST_DAY)
    lineage = {"proving": {"seed": seed, **ground._asdict()}}
    return assemble([part(lane, recipe, charged, see=see) for lane in lanes], recipe, lineage)


def _plain(proof: Proof) -> dict[str, Any]:
    return {**asdict(proof), "aucs": list(proof.aucs), "seeds": list(proof.seeds)}
