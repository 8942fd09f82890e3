"""A day as the desk traded it beside the same day simulated: what both did, what only one did.

The simulation begins where the run's bars begin, so that averages and equity stand as they stood; it knows nothing of
what a person did (pauses, the kill switch, orders of their own), of restarts or of the broker. Those are what differs.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound
from trading.core.panel import LaneBars, panel
from trading.core.simulation import simulate
from trading.core.state import FILLED, TRADED, Happening
from trading.models.engine import EngineRun
from trading.models.orders import Fill
from trading.models.positions import Trade
from trading.services import markets, runs, scoring, students
from trading.services.markets import Wanted
from trading.services.recording import moment, money
from trading.services.runner import plan_of

MOST: Final = 150_000  # bars a page may wait for; more is the shell's work
BACK: Final = 90  # calendar days
FIRST_AND_LAST: Final = """
    SELECT (SELECT f.at FROM trading_order o JOIN trading_fill f ON f.order_id = o.id
            WHERE o.run_id = %s AND o.created_at BETWEEN day.column1 AND day.column2
            ORDER BY o.created_at, o.id LIMIT 1),
           (SELECT f.at FROM trading_order o JOIN trading_fill f ON f.order_id = o.id
            WHERE o.run_id = %s AND o.created_at BETWEEN day.column1 AND day.column2
            ORDER BY o.created_at DESC, o.id DESC LIMIT 1)
    FROM (VALUES {spans}) AS day
"""
Row = tuple[str, dt.datetime, str, int, Any]  # kind, moment, symbol, shares (bought above 0), price or net P&L


@dataclass(frozen=True, slots=True)
class DayParity:
    """What came of a comparison; ``rows`` are those that only one side has."""

    run: EngineRun
    day: dt.date
    bars: int
    ours: Counter[str]
    theirs: Counter[str]
    net_ours: Decimal
    net_theirs: Decimal
    rows: list[dict[str, Any]]

    @property
    def identical(self) -> bool:
        """Say whether both did the same."""
        return not self.rows


def days(run: EngineRun) -> list[dt.date]:
    """Return the days on which a run traded, the newest first: when orders of its last ``BACK`` days were filled.

    Of each day's orders the first and the last one are looked up: an intraday order is filled on its day, one that
    was decided at the close on the next.
    """
    newest = run.orders.order_by("-created_at").values_list("created_at", flat=True).first()
    if newest is None:
        return []
    last = newest.astimezone(IST).date()
    ends = [moment for k in range(BACK) for moment in _span(last - dt.timedelta(days=k))]
    spans = ", ".join(["(%s, %s)"] * BACK)
    with connection.cursor() as cursor:
        cursor.execute(
            FIRST_AND_LAST.format(spans=spans), [run.pk, run.pk, *map(connection.ops.adapt_datetimefield_value, ends)]
        )
        found = [at for row in cursor.fetchall() for at in row if at]
    return sorted({_moment(at).astimezone(IST).date() for at in found}, reverse=True)


def _moment(at: dt.datetime | str) -> dt.datetime:
    """Return a moment as the database gave it; SQLite keeps UTC as text without saying so."""
    return at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)


def _span(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    begins = dt.datetime.combine(day, dt.time(), IST)
    return begins, begins + dt.timedelta(days=1, microseconds=-1)


def compare(run_id: int, day: dt.date, *, at: dt.datetime) -> DayParity:
    """Simulate a day of a run and compare fills and trades.

    NotFound for a run that is not there or a day without bars, BadInput when there are too many bars to wait for.
    """
    run = EngineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no engine run {run_id}", fix="look at the list of runs")
    wanted, order = plan_of(run)
    wanted = _until(run, wanted, day)
    lanes = markets.lanes(wanted, at=at)
    bars = sum(len(lane.bars) for lane in lanes)
    if bars > MOST:
        raise BadInput(f"{bars:,} bars are too many to wait for", fix="use manage.py parity")
    setup = runs.setup_of(order, wanted)
    scored = scoring.told(order.strategy, setup, lanes, students.wanted(at))
    done = simulate(
        order.strategy, setup, panel(scored), capital=order.capital, charges=runs.charges_of(order, wanted, lanes),
        compiled=False,
    )  # fmt: skip
    limit = run.cursor if run.cursor and run.cursor.astimezone(IST).date() == day else None
    theirs = [row for row in _simulated(done.happenings(), lanes) if _counts(row, day, limit)]
    return _result(run, day, bars, _recorded(run, day), theirs)


def _until(run: EngineRun, wanted: Wanted, day: dt.date) -> Wanted:
    if day < wanted.start:
        raise NotFound(f"run {run.pk} begins on {wanted.start}, after {day}", fix="choose a later day")
    source = wanted.source if run.mode == "replay" else markets.STREAM
    return replace(wanted, source=source, end=min(day, wanted.end) if run.mode == "replay" else day)


def _counts(row: Row, day: dt.date, limit: dt.datetime | None) -> bool:
    return row[1].astimezone(IST).date() == day and (limit is None or row[1] <= limit)


def _simulated(happenings: Iterable[Happening], lanes: list[LaneBars]) -> Iterable[Row]:
    for each in happenings:
        v = each.values
        if each.kind == FILLED:
            symbol = lanes[each.lane].spec.symbol
            yield "fill", moment(each.ts), symbol, int(v["way"]) * int(v["quantity"]), money(v["price"])
        elif each.kind == TRADED:
            symbol = lanes[each.lane].spec.symbol
            yield "trade", moment(each.ts), symbol, int(v["side"]) * int(v["quantity"]), money(v["net"])


def _recorded(run: EngineRun, day: dt.date) -> list[Row]:
    span = _span(day)
    fills = Fill.objects.filter(order__run=run, at__range=span).select_related("order")
    trades = Trade.objects.filter(run=run, exit_time__range=span)
    found: list[Row] = [
        ("fill", f.at, f.order.symbol, f.quantity if f.order.side == "BUY" else -f.quantity, f.price) for f in fills
    ]
    sides = {"LONG": 1, "SHORT": -1}
    return found + [("trade", t.exit_time, t.symbol, sides[t.side] * t.quantity, t.net_pnl) for t in trades]


def _result(run: EngineRun, day: dt.date, bars: int, ours: list[Row], theirs: list[Row]) -> DayParity:
    mine, other = Counter(_key(row) for row in ours), Counter(_key(row) for row in theirs)
    rows = [_told(key, n, "desk only") for key, n in (mine - other).items()]
    rows += [_told(key, n, "simulation only") for key, n in (other - mine).items()]
    kinds, sim_kinds = Counter(row[0] for row in ours), Counter(row[0] for row in theirs)
    rows.sort(key=lambda row: (row["at"], row["symbol"]))
    return DayParity(run, day, bars, kinds, sim_kinds, _net(ours), _net(theirs), rows)


def _net(rows: list[Row]) -> Decimal:
    return sum((row[4] for row in rows if row[0] == "trade"), start=money(0.0))


def _key(row: Row) -> Row:
    return (row[0], row[1], row[2], row[3], row[4].quantize(money(0.01)) if row[0] == "trade" else row[4])


def _told(key: Row, count: int, where: str) -> dict[str, Any]:
    kind, at, symbol, shares, value = key
    return {"where": where, "kind": kind, "at": at, "symbol": symbol, "shares": shares, "value": value, "count": count}
