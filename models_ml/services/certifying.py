"""The certificate of a batch: the very training it is made with, tried on random walks and on a planted edge.

A pipeline that finds something in random walks looks ahead somewhere; one that misses a planted edge would find
nothing anywhere. Either way its models are believed by nobody. The proof belongs to the code: while features, labels
and training stay the same, so does the certificate, and batches share it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import models_ml.core
import trading.core
from models_ml.core.frozen import Frozen
from models_ml.core.slices import Shares
from models_ml.models import TrainingBatch
from models_ml.services import certificates, learning, teaching, versions
from models_ml.services.fitting import Grown
from models_ml.services.learning import Ask
from sensequant.lib.logs import get_logger

Floats = npt.NDArray[np.float64]

EMBARGO: Final = 3_600  # seconds
SEED: Final = 0
NULL_SEEDS: Final = certificates.SEEDS[:6]
EDGE_SEEDS: Final = certificates.SEEDS[:3]
SMALL: Final = Grown(rounds=60, leaves=7, least=40)
log = get_logger("certificates")


def certify() -> dict[str, Any]:
    """Return the certificate of the training as it is now, made once for each state of the code."""
    code = code_digest()
    known = TrainingBatch.objects.filter(certificates__code=code).first()
    if known is not None:
        return dict(known.certificates)
    found = certificates.Certificate(
        certificates.null_proof(pipeline, seeds=NULL_SEEDS), certificates.edge_proof(pipeline, seeds=EDGE_SEEDS)
    )
    plain = found.as_dict()
    log.info("training certified", passed=found.passed, null=str(found.null), edge=str(found.edge))
    return {
        "code": code, "passed": found.passed, "sha256": plain["sha256"],
        "null_market": {**plain["null"], "told": str(found.null)},
        "known_edge": {**plain["edge"], "told": str(found.edge)},
    }  # fmt: skip


def pipeline(data: Frozen, later: Floats) -> Floats:
    """Return how much more a student expects of a long than of a short in ``later`` rows (n, k), taught on ``data``."""
    taught = teaching.teach(data, holdout=0.2, folds=2, embargo=EMBARGO, grown=SMALL, seed=SEED)
    ask = Ask("logistic", Shares(0.0, 0.2, 0.2), EMBARGO, False, 2, SEED)
    chances = learning.learn(taught.lesson, "", ask).scorer.chances(later)
    return np.asarray(chances[:, 0] - chances[:, 1])


def code_digest() -> str:
    """Return the SHA-256 of everything between a bar and a score: both cores, the training, its libraries."""
    total = hashlib.sha256(repr(sorted(versions.environment()["libraries"].items())).encode())
    services = Path(certificates.__file__).parent
    files = [services / f"{name}.py" for name in ("certificates", "certifying", "fitting", "learning", "teaching")]
    for package in (models_ml.core, trading.core):
        files += sorted(Path(str(package.__file__)).parent.rglob("*.py"))
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()
