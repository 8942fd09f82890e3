"""Proof that the engine and the backtester are one: every signal, order, fill, charge and trade compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from trading.core.panel import LaneBars
from trading.core.rules import Setup
from trading.core.simulation import Schedule, simulate_desks
from trading.core.state import FILLED, ORDERED, SIGNAL, TRADED, Happening
from trading.services import desks, scoring
from trading.services.desks import Half
from trading.services.engine import Engine
from trading.services.students import Seat

WORDS = {SIGNAL: "signal", ORDERED: "order", FILLED: "fill", TRADED: "trade"}


def compare(  # noqa: PLR0913 - what is compared, and how
    name: str, setup: Setup, lanes: Sequence[LaneBars], *, capital: float, charges: Schedule, compiled: bool,
    progress: Callable[[float], None] | None = None, seats: Sequence[Seat] = (),
) -> dict[str, Any]:  # fmt: skip
    """Run the lanes, scored by ``seats``, through both; see ``compare_halves``."""
    halves = [Half(name, setup, list(lanes))]
    return compare_halves(halves, capital=capital, charges=charges, compiled=compiled, progress=progress, seats=seats)


def compare_halves(
    halves: Sequence[Half], *, capital: float, charges: Schedule, compiled: bool,
    progress: Callable[[float], None] | None = None, seats: Sequence[Seat] = (),
) -> dict[str, Any]:  # fmt: skip
    """Run strategies that share an account, scored by ``seats``, through both.

    Returns ``identical``, the counts, and the first difference if there is one.
    """
    scored = [half.desk for half in desks.told(halves, seats)]
    outcome = simulate_desks(scored, capital=capital, charges=charges, compiled=compiled)
    theirs = outcome.happenings()
    ours = replay_halves(halves, capital=capital, charges=charges, progress=progress, seats=seats)
    kinds = Counter(each.kind for each in theirs)
    charge = sum(each.values["charge"] for each in theirs if "charge" in each.values)
    first = difference(ours, theirs, [each.spec.symbol for each in desks.every_lane(halves)])
    return {
        "identical": first is None,
        "bars": outcome.bars,
        "trades": kinds[TRADED],
        "signals": kinds[SIGNAL],
        "orders": kinds[ORDERED],
        "fills": kinds[FILLED],
        "charges": round(charge, 2),
        "net_pnl": round(sum(each.values["net"] for each in theirs if each.kind == TRADED), 2),
        "first_difference": first,
    }


def replay(
    name: str, setup: Setup, lanes: Sequence[LaneBars], *, capital: float, charges: Schedule,
    progress: Callable[[float], None] | None = None, seats: Sequence[Seat] = (),
) -> list[Happening]:  # fmt: skip
    """Return everything that happens when the engine itself is given the lanes' bars, moment by moment."""
    return replay_halves([Half(name, setup, list(lanes))], capital=capital, charges=charges, progress=progress,
                         seats=seats)  # fmt: skip


def replay_halves(
    halves: Sequence[Half], *, capital: float, charges: Schedule, progress: Callable[[float], None] | None = None,
    seats: Sequence[Seat] = (),
) -> list[Happening]:  # fmt: skip
    """Return what ``replay`` does, for strategies that share an account."""
    tape = desks.tape_of([half.lanes for half in halves])
    first, *more = halves
    engine = Engine(
        first.name, first.setup, [each.spec for each in first.lanes], capital=capital, charges=charges,
        beside=[(half.name, half.setup, [each.spec for each in half.lanes]) for half in more],
    )  # fmt: skip
    engine.judges = scoring.seated(engine, seats)
    found: list[Happening] = []
    for k, day in enumerate(tape.days):
        for ts, rows in tape.moments(day):
            found.extend(engine.step(ts, rows).happenings)
        if progress:
            progress((k + 1) / len(tape.days))
    found.extend(
        engine.finish(max(int(each.bars.ts[-1]) for each in desks.every_lane(halves) if len(each.bars))).happenings
    )
    return found


def difference(ours: Sequence[Happening], theirs: Sequence[Happening], symbols: Sequence[str]) -> dict[str, Any] | None:
    """Return the first place at which the two streams differ, to the last bit, or None."""
    for k in range(max(len(ours), len(theirs))):
        a = ours[k] if k < len(ours) else None
        b = theirs[k] if k < len(theirs) else None
        if a is None or b is None or not _same(a, b):
            return {"number": k, "engine": _said(a, symbols), "backtest": _said(b, symbols)}
    return None


def _same(a: Happening, b: Happening) -> bool:
    if a[:4] != b[:4]:
        return False
    return all(x == b.values[key] or (x != x and b.values[key] != b.values[key]) for key, x in a.values.items())


def _said(each: Happening | None, symbols: Sequence[str]) -> dict[str, Any] | None:
    if each is None:
        return None
    symbol = symbols[each.lane] if each.lane >= 0 else None
    kind = WORDS.get(each.kind, str(each.kind))
    return {"kind": kind, "symbol": symbol, "bar": each.bar, "ts": each.ts, **each.values}
