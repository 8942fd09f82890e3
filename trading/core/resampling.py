"""Resampling of sessions that keeps neighbours together, because good and bad days come in runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def block_bootstrap(n: int, *, block: int, times: int, seed: int) -> npt.NDArray[np.int64]:
    """Return positions of ``times`` resamples of ``n`` sessions, in blocks that wrap around; shape (times, n).

    Source: the circular block bootstrap of Politis and Romano (1992).
    """
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n, (times, -(-n // block)))
    found: npt.NDArray[np.int64] = ((starts[:, :, None] + np.arange(block)) % n).reshape(times, -1)[:, :n]
    return found
