"""Jumps between price levels: two instruments in one file, or a bonus the older prices do not carry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars, Ints

Mask = npt.NDArray[np.bool_]

JUMP: Final = math.log(1.28)
"""Smallest gap between a close and the next open that is looked at; NSE's daily price bands end at 20 %."""
SHIFT: Final = math.log(1.5)
"""Gap between two neighbouring bars inside a session that trading does not make: a crash is seen inside the bars."""
SHIFT_AFTER_PAUSE: Final = math.log(2.5)
SAME_LEVEL: Final = 0.15
LEAST_RUPEES: Final = 1.0  # below it, a few ticks of a penny stock look like a jump
PAUSE_BARS: Final = 5
MEMORY_DAYS: Final = 90
HOLE_DAYS: Final = 10
IMPOSSIBLE: Final = math.log(3.0)

RATIOS: Final[tuple[tuple[int, int, str], ...]] = (
    (4, 3, "a 1:3 bonus"), (3, 2, "a 1:2 bonus"), (5, 3, "a 2:3 bonus or a demerger"),
    (2, 1, "a 1:1 bonus or a 1-to-2 split"), (5, 2, "a 3:2 bonus"), (3, 1, "a 2:1 bonus"), (4, 1, "a 3:1 bonus"),
    (5, 1, "a 1-to-5 split or a 4:1 bonus"), (6, 1, "a 5:1 bonus"), (8, 1, "a 7:1 bonus"), (10, 1, "a 1-to-10 split"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Break:
    """A level that changes from bar ``at - 1`` to bar ``at`` and stays.

    ``ratio`` is old to new as whole numbers, (0, 0) when no corporate action fits; ``gap`` is log(new / old).
    """

    at: int
    ratio: tuple[int, int]
    kind: str
    across_hole: bool
    gap: float

    @property
    def factor(self) -> float:
        """Return what the older prices must be divided by."""
        return self.ratio[0] / self.ratio[1] if self.fits else math.nan

    @property
    def fits(self) -> bool:
        """Say whether a usual corporate action explains the break."""
        return self.ratio != (0, 0)

    @property
    def impossible(self) -> bool:
        """Say whether no share can have moved so far between two neighbouring sessions."""
        return abs(self.gap) > IMPOSSIBLE and not self.across_hole


def gaps(bars: Bars) -> npt.NDArray[np.float64]:
    """Return log(open / previous close) per bar, 0 for the first, and 0 where less than a rupee separates them."""
    out = np.zeros(len(bars))
    if len(bars) > 1:
        far = np.abs(bars.open[1:] - bars.close[:-1]) > LEAST_RUPEES
        out[1:] = np.where(far, np.log(bars.open[1:] / bars.close[:-1]), 0.0)
    return out


def mixed(bars: Bars, session: Ints, minutes: int) -> tuple[Mask, Ints]:
    """Return which bars belong to a mixture of two instruments, and the bars at which the level jumps.

    A short excursion to another level and back is the excursion's rows; a mixture without a clear majority, or a jump
    inside a session that does not come back, is the whole of every session it touches.
    """
    gap = gaps(bars)
    jumps = np.flatnonzero(np.abs(gap) > JUMP)
    bad = np.zeros(len(bars), dtype=np.bool_)
    if not jumps.size:
        return bad, jumps
    explained = _excursions(bars, session, jumps, bad)
    inside = _shifts(bars, session, jumps, gap, minutes) & ~explained
    bad |= np.isin(session, session[jumps[inside]])
    return bad, jumps[explained | inside]


def _shifts(bars: Bars, session: Ints, jumps: Ints, gap: npt.NDArray[np.float64], minutes: int) -> Mask:
    """Return which jumps are impossible inside one session."""
    pause = bars.ts[jumps] - bars.ts[jumps - 1] > PAUSE_BARS * minutes * 60
    least = np.where(pause, SHIFT_AFTER_PAUSE, SHIFT)
    apart = np.maximum(bars.low[jumps] - bars.high[jumps - 1], bars.low[jumps - 1] - bars.high[jumps]) > 0
    within = session[jumps] == session[jumps - 1]
    return np.asarray(within & apart & (np.abs(gap[jumps]) > least), dtype=np.bool_)


def _excursions(bars: Bars, session: Ints, jumps: Ints, bad: Mask) -> Mask:
    """Mark in ``bad`` the rows of levels that are left and come back to; return the jumps this explains."""
    starts = np.concatenate(([0], jumps))
    ends = np.concatenate((jumps, [len(bars)]))
    label = _labels(bars, session, starts, ends)
    length = ends - starts
    explained = np.zeros(jumps.size, dtype=np.bool_)
    for home in sorted(set(label.tolist()), key=lambda each: -int(length[label == each].sum())):
        visits = np.flatnonzero(label == home)
        stretch = np.arange(visits[0], visits[-1] + 1)
        away = stretch[label[stretch] != home]
        if not away.size or explained[visits[0] : visits[-1]].all():
            continue
        explained[visits[0] : visits[-1]] = True
        clear = 4 * int(length[away].sum()) <= int(length[label == home].sum())
        _mark(bad, session, starts, ends, away if clear else stretch, whole_sessions=not clear)
    return explained


def _mark(bad: Mask, session: Ints, starts: Ints, ends: Ints, segments: Ints, *, whole_sessions: bool) -> None:
    rows = np.concatenate([np.arange(starts[each], ends[each]) for each in segments])
    if whole_sessions:
        # The stretch begins and ends in a level that may be sound: only the sessions next to a jump are in doubt.
        edges = starts[segments[1:]]
        bad |= np.isin(session, np.concatenate((session[edges], session[edges - 1])))
    else:
        bad[rows] = True


def _labels(bars: Bars, session: Ints, starts: Ints, ends: Ints) -> Ints:
    """Name the level of each segment; a level met within the last 90 days keeps its name."""
    seen: list[tuple[float, int]] = []  # per label: log of its last close, its last session
    label = np.empty(starts.size, dtype=np.int64)
    opens, closes = np.log(bars.open[starts]), np.log(bars.close[ends - 1])
    for each in range(starts.size):
        day = int(session[starts[each]])
        near = [
            (abs(opens[each] - level), name)
            for name, (level, last) in enumerate(seen)
            if abs(opens[each] - level) < SAME_LEVEL and day - last <= MEMORY_DAYS
        ]
        name = min(near)[1] if near else len(seen)
        state = (float(closes[each]), int(session[ends[each] - 1]))
        seen[name : name + 1] = [state]
        label[each] = name
    return label


def breaks(bars: Bars, session: Ints) -> list[Break]:
    """Return the lasting changes of level between two sessions, excursions excluded beforehand.

    Over a hole of weeks prices may wander anywhere: there only a break that looks like a corporate action counts.
    """
    gap = gaps(bars)
    places = np.flatnonzero((np.abs(gap) > JUMP) & (np.diff(session, prepend=session[:1]) > 0))
    found = [_break(bars, session, int(at), float(gap[at])) for at in places]
    return [each for each in found if each.fits or not each.across_hole]


def _break(bars: Bars, session: Ints, at: int, gap: float) -> Break:
    hole = int(session[at] - session[at - 1]) > HOLE_DAYS
    for top, bottom, kind in RATIOS:
        tolerance = 0.04 if top < 2 * bottom else 0.06
        if abs(abs(gap) - math.log(top / bottom)) <= tolerance and _quiet(bars, session, at):
            fell = gap < 0
            ratio = (top, bottom) if fell else (bottom, top)
            return Break(at, ratio, kind if fell else "a consolidation of shares", hole, gap)
    return Break(at, (0, 0), "", hole, gap)


def _quiet(bars: Bars, session: Ints, at: int) -> bool:
    """Say whether the session of the break trades in its usual range: a bonus is a quiet day, a crash is not."""
    first = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
    high, low = np.maximum.reduceat(bars.high, first), np.minimum.reduceat(bars.low, first)
    spread = np.log(high / low)
    here = int(np.searchsorted(first, at, side="right")) - 1
    around = np.concatenate((spread[max(0, here - 10) : here], spread[here + 1 : here + 11]))
    return bool(spread[here] <= max(3 * float(np.median(around)), 0.06))
