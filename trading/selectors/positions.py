"""What is held and what was closed, as the pages ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from trading.models import Position, Trade
from trading.selectors import live
from trading.selectors.orders import Asked

LIVE_ONLY = ("last", "pnl", "pnl_pct")  # what only the engine's newest publication knows


def positions(asked: Asked) -> QuerySet[Position]:
    """Return the open positions asked for; they have no status to be asked for."""
    return Position.objects.select_related("run").filter(**replace(asked, status="").where("opened_at"))


def priced(found: Iterable[Position]) -> list[dict[str, Any]]:
    """Return positions as rows, with last price and P&L where the newest snapshot is about the same run."""
    newest = live.newest("live")
    body = newest.body if newest else {}
    marks = {(row["symbol"], row["strategy"]): row for row in body.get("positions") or []}
    rows = []
    for each in found:
        mark = marks.get((each.symbol, each.strategy), {}) if each.run_id == body.get("run") else {}
        named = {name: getattr(each, name) for name in NAMES}
        rows.append({**named, **{name: mark.get(name) for name in LIVE_ONLY}, "protection": protection(each)})
    return rows


def protection(each: Position) -> str:
    """Say whether somebody watches a stop for a position: protected, unwatched (no engine runs), or unprotected."""
    if each.stop is None:
        return "unprotected"
    return "protected" if each.run.state == "running" else "unwatched"


NAMES = ("symbol", "strategy", "side", "quantity", "entry_price", "stop", "target", "charges", "opened_at")


def trades(asked: Asked) -> QuerySet[Trade]:
    """Return the closed trades asked for; status ``won`` or ``lost`` tells them apart by net P&L."""
    found = Trade.objects.filter(**replace(asked, status="").where("exit_time"))
    if asked.status == "won":
        return found.filter(net_pnl__gt=0)
    return found.filter(net_pnl__lte=0) if asked.status == "lost" else found


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a set of trades, rupees."""

    trades: int
    won: int
    gross: Decimal
    charges: Decimal
    net: Decimal

    @property
    def win_rate(self) -> float | None:
        """Return the share of trades that won; None without trades."""
        return self.won / self.trades if self.trades else None


def totals(found: QuerySet[Trade]) -> Totals:
    """Return the sums over ``found``, in one query."""
    sums = {name: Sum(name) for name in ("gross_pnl", "charges", "net_pnl")}
    got = found.order_by().aggregate(trades=Count("id"), won=Count("id", filter=Q(net_pnl__gt=0)), **sums)
    nothing = Decimal(0)
    return Totals(got["trades"], got["won"], *(got[name] or nothing for name in ("gross_pnl", "charges", "net_pnl")))
