"""Days that choose, days that confirm, and days that are looked at once: split by time, with a gap between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trading.core.errors import Invalid

LEAST = 5  # sessions a part must have to be measured at all
USUAL = (60, 20, 20)


class Span(NamedTuple):
    """A part: its first and last session as ordinals (``datetime.date.toordinal``), and how many it has."""

    first: int
    last: int
    sessions: int


class Parts(NamedTuple):
    """Train chooses, validation confirms, test is looked at once; None where the unseen days lie elsewhere."""

    train: Span
    validation: Span
    test: Span | None = None

    def named(self) -> dict[str, Span]:
        """Return the parts there are by name."""
        return {name: span for name, span in zip(self._fields, self, strict=True) if span is not None}


def split(sessions: Sequence[int], shares: Sequence[float], purge: int) -> Parts:
    """Return the parts of ``sessions`` (ordinals, rising) by ``shares`` in per cent, ``purge`` sessions apart.

    The purge covers what a decision of one part may still hold in the next. Two shares leave the test out. Invalid when
    a part would be too short.
    """
    if not 2 <= len(shares) <= 3 or min(shares) <= 0 or abs(sum(shares) - 100.0) > 1e-9:
        raise Invalid(f"split {'/'.join(f'{x:g}' for x in shares)} is not three shares of 100: write 60/20/20")
    if purge < 0:
        raise Invalid(f"purge={purge} is negative: use 0 or more sessions")
    usable = len(sessions) - (len(shares) - 1) * purge
    bounds, at = [], 0
    for share in shares[:-1]:
        size = round(usable * share / 100.0)
        bounds.append((at, at + size))
        at += size + purge
    bounds.append((at, len(sessions)))
    if usable <= 0 or min(stop - start for start, stop in bounds) < LEAST:
        raise Invalid(
            f"{len(sessions)} sessions are too few for a split of {'/'.join(f'{x:g}' for x in shares)} with a purge of "
            f"{purge}: every part needs at least {LEAST}, so choose more days or a shorter purge"
        )
    spans = [Span(int(sessions[start]), int(sessions[stop - 1]), stop - start) for start, stop in bounds]
    return Parts(*spans)
