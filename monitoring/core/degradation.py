"""Whether trading got worse: the document's drops and windows (§10), wider in normal times, narrower after a release.

A drop is what a measure was before minus what it is in the window; a drawdown is compared as it stands. Too few trades
on either side give no reading: they say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

KINDS: Final = ("intraday", "swing")
FEWEST: Final = MappingProxyType({"intraday": 20, "swing": 5})  # trades in the window
FEWEST_BEFORE: Final = 30  # trades before it
Z: Final = 1.645  # one-sided, 5 %
YEAR: Final = 252.0
JUST_BELOW: Final = 0.99


class Terms(NamedTuple):
    """What is watched how closely: the drop from which it is degradation, and hours of each kind's window."""

    mode: str
    drops: Mapping[str, float]
    hours: Mapping[str, int]


NORMAL: Final = Terms(
    "normal",
    MappingProxyType({
        "intraday_hit_ratio_drop": 0.10, "swing_precision_drop": 0.10, "intraday_sharpe_drop": 0.25,
        "swing_max_drawdown": 0.10,
    }),
    MappingProxyType({"intraday": 24, "swing": 2_160}),
)  # fmt: skip
HEIGHTENED: Final = Terms(
    "heightened",
    MappingProxyType({
        "intraday_hit_ratio_drop": 0.05, "swing_precision_drop": 0.05, "intraday_sharpe_drop": 0.15,
        "swing_max_drawdown": 0.05,
    }),
    MappingProxyType({"intraday": 6, "swing": 24}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """How trades of one kind did: shares 0 … 1, drawdown a negative fraction; NaN where there is nothing to say."""

    trades: int = 0
    hit_ratio: float = math.nan
    precision: float = math.nan  # of LONG
    sharpe: float = math.nan
    drawdown: float = math.nan


class Found(NamedTuple):
    """One measure: how far it fell, from how far on that is too much, and from how many trades that is known."""

    name: str
    kind: str
    drop: float  # NaN: not enough trades to tell
    limit: float
    now: float
    before: float
    trades: int
    needed: int
    error: float  # standard error of the drop; 0 for a drawdown

    @property
    def known(self) -> bool:
        """Say whether there were trades enough."""
        return not math.isnan(self.drop)

    @property
    def beyond_luck(self) -> bool:
        """Say whether a drop of this size would seldom come by chance alone."""
        return self.drop >= Z * self.error

    @property
    def share(self) -> float:
        """Return the drop as a share of what is allowed: 1 is the limit.

        A Sharpe ratio of a few dozen trades moves by whole points: what luck would bring never reaches the limit.
        """
        share = self.drop / self.limit
        return min(share, JUST_BELOW) if self.name.endswith("sharpe_drop") and not self.beyond_luck else share


SIGNS: Final = {"intraday_hit_ratio_drop": "hit_ratio", "swing_precision_drop": "precision",
                "intraday_sharpe_drop": "sharpe", "swing_max_drawdown": "drawdown"}  # fmt: skip


def found(window: Mapping[str, Part], before: Mapping[str, Part], terms: Terms) -> list[Found]:
    """Return every measure of both kinds of trading, known or not."""
    return [_one(name, window, before, terms) for name in terms.drops]


def _one(name: str, window: Mapping[str, Part], before: Mapping[str, Part], terms: Terms) -> Found:
    kind = name.partition("_")[0]
    mine, old = window.get(kind, Part()), before.get(kind, Part())
    now, then = getattr(mine, SIGNS[name]), getattr(old, SIGNS[name])
    falls = name.endswith("_max_drawdown")
    drop = -now if falls else then - now
    enough = mine.trades >= FEWEST[kind] and (falls or old.trades >= FEWEST_BEFORE)
    error = 0.0 if falls or not enough else _error(SIGNS[name], then, mine.trades, old.trades)
    return Found(
        name, kind, drop if enough else math.nan, terms.drops[name], now, then, mine.trades, FEWEST[kind], error
    )  # fmt: skip


def _error(what: str, before: float, trades: int, old: int) -> float:
    """Return the standard error of a difference between two samples of trades like those before."""
    both = 1.0 / trades + 1.0 / old
    if what == "sharpe":  # of a year of daily trades; the textbook's error of one trade's
        return math.sqrt(YEAR * (1.0 + before**2 / YEAR / 2.0) * both)
    return math.sqrt(before * (1.0 - before) * both)
