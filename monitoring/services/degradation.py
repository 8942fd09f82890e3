"""How trades of late compare with those before, in the windows in force: the release's heightened ones, or the usual.

The mode is the pointer's (trading's row); while a release is watched, "before" is what was traded before it, and none
of that is held against it.
"""

from __future__ import annotations

import datetime as dt

from monitoring.core.degradation import HEIGHTENED, KINDS, NORMAL, Found, Part, Terms, found
from trading.core.accuracy import measure
from trading.core.trace_table import Table
from trading.selectors import accuracy, releases

EVERY = 300  # seconds


def terms() -> Terms:
    """Return the thresholds and windows in force."""
    return HEIGHTENED if releases.standing().heightened else NORMAL


def since(kind: str, in_force: Terms, *, at: dt.datetime) -> dt.datetime:
    """Return when a kind's window begins."""
    return at - dt.timedelta(hours=in_force.hours[kind])


def look(*, at: dt.datetime) -> list[Found]:
    """Return every measure in the windows in force."""
    in_force, row = terms(), releases.pointer()
    starts = {kind: since(kind, in_force, at=at) for kind in KINDS}
    if in_force is not HEIGHTENED or row is None:
        return compared(starts, starts, in_force, at=at)
    deployed = dict.fromkeys(KINDS, row.deployed_at)
    return compared({kind: max(starts[kind], row.deployed_at) for kind in KINDS}, deployed, in_force, at=at)


_kept: dict[tuple[object, ...], list[Found]] = {}


def looked(*, at: dt.datetime) -> list[Found]:
    """Return the same as ``look``, made anew when a trade has been scored since, and every five minutes."""
    key = (terms().mode, releases.standing().epoch, accuracy.newest(), int(at.timestamp()) // EVERY)
    if key not in _kept:
        found = look(at=at)
        _kept.clear()
        _kept[key] = found
    return _kept[key]


def compared(
    starts: dict[str, dt.datetime], before: dict[str, dt.datetime], in_force: Terms, *, at: dt.datetime
) -> list[Found]:  # fmt: skip
    """Return every measure of trades closed from ``starts`` to ``at`` against those closed until ``before``."""
    window = {kind: part(accuracy.closed(kind, starts[kind], at)) for kind in KINDS}
    old = {kind: part(accuracy.closed(kind, None, min(before[kind], starts[kind]))) for kind in KINDS}
    return found(window, old, in_force)


def part(table: Table) -> Part:
    """Return how the trades of a table did."""
    if not len(table):
        return Part()
    known = measure(table)
    return Part(known.total_trades, known.hit_ratio, known.precision["LONG"], known.sharpe_ratio, known.max_drawdown)
