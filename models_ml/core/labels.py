"""What each decision would have earned: a long and a short held between two barriers, net of every charge.

The trade is the desk's own: decided at a bar's close, filled at the next bar's open, slipped and put on the tick grid,
watched by stop and target from the bar of the fill on (stop first when both lie in one bar), left at an open after
``horizon`` bars or when the session runs out, and charged by the dated schedule, to the paisa. Each trade is priced
as if it were the account's only one. Triple barrier: M. López de Prado, Advances in Financial Machine Learning, ch. 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core.net import Trip, net_return, rate_rows
from trading.core.bounds import Bound
from trading.core.charges import Rates
from trading.core.errors import Invalid
from trading.core.fills import on_tick, slipped
from trading.core.panel import LaneBars
from trading.core.simulation import Schedule
from trading.core.sizing import shares

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LONG, SHORT, NOOP = 1, -1, 0
UNKNOWN: Final = -9
"""The label of a row whose outcome is not known yet, or that nobody could have entered; never to be trained on."""

STOPPED, TIMED, REACHED = -1, 0, 1
WAYS = (1, -1)


class Barriers(NamedTuple):
    """What a label means; fractions of the price, or multiples of the average true range when ``by_atr`` is 1."""

    target: Annotated[float, Bound(0.0001, 50, "fraction or ATR", "leave with a gain this far from the entry")] = 4.0
    stop: Annotated[float, Bound(0.0001, 50, "fraction or ATR", "leave with a loss this far from the entry")] = 4.0
    by_atr: Annotated[int, Bound(0, 1, "flag", "1: target and stop are multiples of the decision bar's ATR")] = 1
    horizon: Annotated[int, Bound(1, 1000, "bars", "leave at the open after so many bars")] = 36
    intraday: Annotated[int, Bound(0, 1, "flag", "1: the trade ends with its session")] = 1
    entry_cutoff: Annotated[int, Bound(0, 360, "minutes", "no entry with less than this left")] = 30
    square_off: Annotated[int, Bound(1, 120, "minutes", "be out at the latest this long before the close")] = 1
    shorts: Annotated[int, Bound(0, 1, "flag", "0: SHORT is never a label")] = 1
    value: Annotated[float, Bound(1, 1e9, "₹", "value of the trade, which its charges depend on")] = 100_000.0
    slippage: Annotated[float, Bound(0, 500, "bps", "against us, on every market fill")] = 2.0
    hurdle: Annotated[float, Bound(0, 0.5, "fraction", "net gain from which a trade counts as paying")] = 0.0


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a lane's bars, all n long.

    ``y`` is LONG, SHORT, NOOP or UNKNOWN. ``net`` (n, 2) is what a long and a short return, as fractions of what was
    put in, net of charges; NaN where unknown. ``how`` (n, 2) is STOPPED, TIMED or REACHED. ``end`` is when the outcome
    was known (seconds UTC; −1 where unknown). ``ambiguous``: stop and target lay in one bar. ``enterable``: the desk
    could have entered at all.
    """

    y: npt.NDArray[np.int8]
    net: Floats
    how: npt.NDArray[np.int8]
    end: Ints
    ambiguous: Bools
    enterable: Bools

    @property
    def known(self) -> Bools:
        """Return which rows have a label."""
        there: Bools = self.y != UNKNOWN
        return there

    @property
    def ambiguous_share(self) -> float:
        """Return which share of the known labels hangs on the order of prices inside one bar; NaN without any."""
        known = self.known
        return float(self.ambiguous[known].mean()) if known.any() else float("nan")


def label(lane: LaneBars, minutes: int, barriers: Barriers, charges: Schedule, atr: Floats) -> Labels:
    """Return the labels of every bar of ``lane``, whose bars last ``minutes``.

    ``atr`` (n,) are average true ranges in rupees as of each bar, needed when the barriers are multiples of them; a
    row whose width is unknown gets no label. Invalid when it is not as long as the bars.
    """
    if barriers.by_atr and atr.size != len(lane.bars):
        raise Invalid(f"{atr.size} average true ranges for {len(lane.bars)} bars")
    plan = _plan(lane, minutes, barriers, atr)
    rates = rate_rows(charges, lane.places.session)
    sides = [_side(way, lane, minutes, barriers, plan, rates) for way in (WAYS if barriers.shorts else WAYS[:1])]
    return _joined(sides, plan, barriers)


class _Plan(NamedTuple):
    """Where each row's trade may begin and must end, by bar number."""

    enterable: Bools
    last: Ints  # the bar whose open ends it; n when that bar is not there yet
    halt: Ints  # the last bar of the session when the data stop before ``last``, else −1
    target: Floats  # rupees per rupee of entry
    stop: Floats


def _plan(lane: LaneBars, minutes: int, b: Barriers, atr: Floats) -> _Plan:
    n = len(lane.bars)
    at = np.arange(n)
    width = np.ones(n) if not b.by_atr else atr / lane.bars.close
    known = np.isfinite(width) & (width > 0.0)
    last = np.minimum(at + 1 + b.horizon, n)
    halt = np.full(n, -1)
    enterable = known.copy()
    if b.intraday:
        session, left = lane.places.session, lane.places.left
        after = np.minimum(at + 1, n - 1)
        enterable &= (left >= b.entry_cutoff) & ((at + 1 >= n) | (session[after] == session))
        enterable &= (at + 1 >= n) | (left[after] >= b.square_off)
        final = np.searchsorted(session, session, side="right") - 1  # each session's last bar
        late = np.where(left - minutes < b.square_off, at, n)  # a bar at whose close the exit is decided
        out = np.minimum.accumulate(late[::-1])[::-1]
        out = np.where(after <= out[after], out[after] + 1, n)
        last = np.minimum(last, np.minimum(out, n))
        cut = (last > final) & (final < n - 1)  # the session went on without bars of this symbol
        halt = np.where(cut, final, -1)
        last = np.where(cut, final + 1, last)
    return _Plan(enterable, last, halt, b.target * width, b.stop * width)


class _Side(NamedTuple):
    net: Floats
    how: npt.NDArray[np.int8]
    end: Ints
    ambiguous: Bools


def _side(way: int, lane: LaneBars, minutes: int, b: Barriers, plan: _Plan, rates: list[Rates]) -> _Side:
    """Return what a trade in one direction comes to from every row that could be entered."""
    bars, tick, n = lane.bars, lane.spec.tick, len(lane.bars)
    start = np.flatnonzero(plan.enterable & (np.arange(n) + 1 < n))
    entry = np.array([slipped(price, way, b.slippage, tick) for price in bars.open[start + 1].tolist()])
    stop, target = entry * (1.0 - way * plan.stop[start]), entry * (1.0 + way * plan.target[start])
    at, how, double = _first_touch(way, bars.high, bars.low, start, plan.last[start], stop, target)
    halted = (how == TIMED) & (plan.halt[start] >= 0)
    at = np.where(halted, plan.halt[start], at)
    there = at < n  # else the bar that ends it is still to come
    start, at, how, halted = start[there], at[there], how[there], halted[there]
    entry, level = entry[there], np.where(how == STOPPED, stop[there], target[there])
    gapped = np.where(way * how > 0, np.maximum(bars.open[at], level), np.minimum(bars.open[at], level))
    price = np.where(how == TIMED, np.where(halted, bars.close[at], bars.open[at]), gapped)
    trips = _trips(way, lane, b, start, at, how, entry, price)
    found = _Side(np.full(n, np.nan), np.zeros(n, np.int8), np.full(n, -1), np.zeros(n, bool))
    places = zip(trips, (start + 1).tolist(), at.tolist(), strict=True)
    found.net[start] = [net_return(trip, rates[i], rates[e]) for trip, i, e in places]
    found.end[start] = bars.ts[at] + np.where((how == TIMED) & ~halted, 0, minutes * 60)
    found.how[start], found.ambiguous[start] = how, double[there]
    return found


def _trips(
    way: int, lane: LaneBars, b: Barriers, start: Ints, at: Ints, how: npt.NDArray[np.int8], entry: Floats,
    price: Floats,
) -> Iterator[Trip]:  # fmt: skip
    """Yield the trade of each row as the desk fills it; ``price`` is what its exit would get unslipped."""
    lot, tick = lane.spec.lot, lane.spec.tick
    same = (lane.places.session[at] == lane.places.session[start + 1]).tolist()
    sized = [max(lot, shares(b.value, close, lot)) for close in lane.bars.close[start].tolist()]
    for quantity, paid, kind, raw, day in zip(sized, entry.tolist(), how.tolist(), price.tolist(), same, strict=True):
        out = on_tick(raw, -way, tick) if kind == REACHED else slipped(raw, -way, b.slippage, tick)
        yield Trip(way, quantity, paid, out, day)


def _first_touch(
    way: int, high: Floats, low: Floats, start: Ints, last: Ints, stop: Floats, target: Floats
) -> tuple[Ints, npt.NDArray[np.int8], Bools]:
    """Return per row the bar that ends it, how, and whether both levels lay in that bar; stop first.

    Row k watches the bars start[k] + 1 … last[k] − 1; untouched, it ends at last[k].
    """
    at, how = last.copy(), np.zeros(start.size, np.int8)
    double = np.zeros(start.size, bool)
    upper, lower = (target, stop) if way > 0 else (stop, target)
    alive, bar = np.arange(start.size), start + 1
    while alive.size:
        alive = alive[bar[alive] < last[alive]]
        here = bar[alive]
        above, below = high[here] >= upper[alive], low[here] <= lower[alive]
        stopped, reached = (below, above) if way > 0 else (above, below)
        hit = stopped | reached
        rows = alive[hit]
        at[rows], double[rows] = here[hit], (above & below)[hit]
        how[rows] = np.where(stopped[hit], STOPPED, REACHED)
        alive = alive[~hit]
        bar[alive] += 1
    return at, how, double


def _joined(sides: list[_Side], plan: _Plan, b: Barriers) -> Labels:
    """Return both sides as one: the label is the side that pays, the better one if both do."""
    n = plan.enterable.size
    unknown = np.full(n, np.nan)
    net = np.column_stack([side.net for side in sides] + [unknown] * (2 - len(sides)))
    how = np.column_stack([side.how for side in sides] + [np.zeros(n, np.int8)] * (2 - len(sides)))
    known = np.logical_and.reduce([np.isfinite(side.net) for side in sides])
    end = np.where(known, np.max([side.end for side in sides], axis=0), -1)
    ambiguous = np.logical_or.reduce([side.ambiguous for side in sides]) & known
    net[~known] = np.nan
    long, short = net[:, 0], np.where(np.isfinite(net[:, 1]), net[:, 1], -np.inf)
    y = np.where((long > b.hurdle) & (long >= short), LONG, np.where(short > b.hurdle, SHORT, NOOP))
    return Labels(np.where(known, y, UNKNOWN).astype(np.int8), net, how, end, ambiguous, plan.enterable)
