"""The look-ahead check as a person asks for it: a strategy on real bars, or any function of bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sensequant.lib.errors import BadInput
from trading.core.bars import Bars
from trading.core.calendar import SessionColumns
from trading.core.lookahead import Leak, Report, check
from trading.core.lookahead_desk import PLACES, check_desk, check_strategy, lane_columns
from trading.core.panel import LaneBars, panel
from trading.services import markets, runs

LEAST_BARS = 100
DESK_PROBES = 4  # each is three runs of the whole desk
Watch = Callable[[str], None]


def strategy(
    order: runs.Ordered, wanted: markets.Wanted, lanes: Sequence[LaneBars], *, bars: int, probes: int, seed: int,
    watch: Watch,
) -> dict[str, Any]:  # fmt: skip
    """Return the check of a strategy's features, opinions and desk on the last ``bars`` bars of each lane."""
    short = [shortened(each, bars) for each in lanes]
    setup, charges = runs.setup_of(order, wanted), runs.charges_of(order, wanted, short)
    whole = panel(short)
    found = []
    for j, each in enumerate(short):
        watch(each.spec.symbol)
        report = check_strategy(order.strategy, setup, whole, j, probes=probes, seed=seed + j)
        found.append(told(each.spec.symbol, "features and opinions", report))
    watch("desk")
    report = check_desk(
        order.strategy, setup, whole, capital=order.capital, charges=charges, probes=min(probes, DESK_PROBES), seed=seed
    )
    found.append(told(", ".join(each.spec.symbol for each in short), "signals, orders, fills, trades", report))
    return answer(order.strategy, found)


def function(
    name: str, of: Callable[..., Any], lanes: Sequence[LaneBars], *, bars: int, probes: int, seed: int
) -> dict[str, Any]:
    """Return the check of a function that takes a dictionary of columns and returns one, row for row."""
    short = [shortened(each, bars) for each in lanes]
    whole = panel(short)
    found = []
    for j, each in enumerate(short):
        try:
            report = check(of, lane_columns(whole, j), fixed=PLACES, probes=probes, seed=seed + j)
        except (TypeError, AttributeError, KeyError, IndexError) as error:
            raise BadInput(
                f"{name} failed on {each.spec.symbol}: {type(error).__name__}: {error}",
                fix="it gets {'open': array, 'volume': …, 'ts': …} and returns {name: array} of equal length",
            ) from error
        found.append(told(each.spec.symbol, name, report))
    return answer(name, found)


def shortened(each: LaneBars, bars: int) -> LaneBars:
    """Return the last ``bars`` bars of a lane; BadInput when there are too few to say anything."""
    n = len(each.bars)
    if n < LEAST_BARS:
        raise BadInput(f"{each.spec.symbol} has {n} bars", fix=f"give dates with at least {LEAST_BARS} of them")
    keep = slice(max(0, n - bars), n)
    columns: list[Any] = [column[keep] for column in each.bars.columns()]
    p = each.places
    places = SessionColumns(p.session[keep], p.minute[keep], p.left[keep], p.inside[keep])
    scores = each.sentiment[keep] if each.sentiment.size else each.sentiment
    return replace(each, bars=Bars(*columns), places=places, sentiment=scores)


def told(symbol: str, what: str, report: Report) -> dict[str, Any]:
    """Return one report as JSON keeps it."""
    return {
        "symbol": symbol,
        "what": what,
        "columns": len(report.names),
        "cuts": len(report.cuts),
        "clean": report.clean,
        "leaks": [_leak(leak) for leak in report.leaks],
    }


def _leak(leak: Leak) -> dict[str, Any]:
    whole, cut_off = (value if value == value else None for value in (leak.whole, leak.cut_off))
    return {
        "name": leak.name, "test": leak.test, "row": leak.row, "with_the_future": whole, "without": cut_off,
        "cut": leak.cut, "text": str(leak),
    }  # fmt: skip


def answer(name: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the reports as one answer."""
    leaking = dict.fromkeys(leak["name"] for each in found for leak in each["leaks"])
    return {"checked": name, "clean": not leaking, "leaking": list(leaking), "reports": list(found)}
