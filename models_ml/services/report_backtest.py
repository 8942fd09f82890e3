"""The backtest report: equity, drawdown, months, trades, and what each symbol did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from models_ml.core.reports import Block, Chart, Document, Heading, Series, Table, Text, said, thinned
from sensequant.lib.errors import NotAllowed, NotFound
from trading.selectors import backtests as selected

POINTS = 2000
MEASURES = (
    ("Net P&L ₹", "total_pnl", "{:,.2f}"), ("Return", "total_return", "{:.2%}"), ("CAGR", "cagr", "{:.2%}"),
    ("Sharpe", "sharpe_ratio", "{:.2f}"), ("Sortino", "sortino_ratio", "{:.2f}"),
    ("Max drawdown", "max_drawdown", "{:.2%}"),
    ("Trades", "trades", "{:,.0f}"), ("Win rate", "win_rate", "{:.1%}"), ("Hit ratio", "hit_ratio", "{:.1%}"),
    ("Profit factor", "profit_factor", "{:.2f}"), ("Expectancy ₹", "expectancy", "{:,.2f}"),
    ("Charges ₹", "charges", "{:,.2f}"), ("Exposure", "exposure", "{:.1%}"), ("Turnover ×", "turnover", "{:.2f}"),
)  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def find(run: str) -> Any:
    """Return a finished backtest by its number; NotFound or NotAllowed says why there is none."""
    found = selected.backtest(int(run)) if run.isdecimal() and len(run) < 19 else None
    if found is None:
        raise NotFound(f"there is no backtest {run!r}", fix="give the number of a backtest")
    if found.status != "done":
        raise NotAllowed(f"backtest {run} is {found.status}", fix="wait until it is done, or run it again")
    return found


def facts(run: str) -> dict[str, Any]:
    """Return everything the report is made of, for JSON."""
    found = find(run)
    trades = selected.trades(found).order_by("number")
    return {
        "run_id": found.pk, "strategy": found.strategy, "symbols": found.symbols, "interval": found.interval,
        "start": str(found.start), "end": str(found.end), "capital": float(found.capital), "metrics": found.metrics,
        "study": found.study, "equity": found.equity, "drawdown": selected.drawdowns(found.equity),
        "warnings": found.warnings,
        "trades": [
            {
                "symbol": each.symbol, "side": each.side, "entry_time": each.entry_time.isoformat(),
                "exit_time": each.exit_time.isoformat(), "net_pnl": float(each.net_pnl),
                "hold_minutes": (each.exit_time - each.entry_time).total_seconds() / 60.0,
                "return_pct": float(each.gross_pnl / (each.entry_price * each.quantity)) * 100.0,
                "exit_reason": each.exit_reason, "mae_pct": _pct(each.mae), "mfe_pct": _pct(each.mfe),
            }
            for each in trades
        ],
    }  # fmt: skip


def _pct(share: float | None) -> float | None:
    return None if share is None else share * 100.0


def document(run: str, made: str) -> Document:
    """Return the report of a finished backtest."""
    said_of = facts(run)
    subtitle = (
        f"{', '.join(said_of['symbols'])}, {said_of['interval']}, {said_of['start']} to {said_of['end']}, "
        f"capital ₹{said_of['capital']:,.0f}; made {made}"
    )
    return Document(f"Backtest {run}: {said_of['strategy']}", subtitle, tuple(_blocks(said_of)))


def _blocks(said_of: dict[str, Any]) -> Iterator[Block]:
    metrics, equity, trades = said_of["metrics"], said_of["equity"], said_of["trades"]
    yield Heading("In short")
    rows = tuple((words, said(metrics.get(key), form)) for words, key, form in MEASURES)
    yield Table("", ("measure", "value"), rows)
    for warning in said_of["warnings"]:
        yield Text(f"Note: {warning}")
    yield Heading("Equity")
    keep = thinned(range(len(equity)), POINTS)
    days = [equity[k][0] for k in keep]
    yield Chart("line", "Equity", (Series("equity", days, [equity[k][1] for k in keep]),), "session", "₹")
    falls = [said_of["drawdown"][k] * 100.0 for k in keep]
    yield Chart("line", "Drawdown", (Series("drawdown", days, falls),), "session", "%")
    months = monthly(equity, said_of["capital"])
    yield Chart(
        "heatmap", "Monthly return, %", columns=MONTHS, lines=tuple(months), z=tuple(map(tuple, months.values()))
    )
    yield from _anew(said_of["study"].get("anew", ()))
    yield Heading("Trades")
    if trades:
        yield from _of_trades(trades)
    else:
        yield Text("No trade was made.")


def _of_trades(trades: Sequence[dict[str, Any]]) -> Iterator[Block]:
    yield Chart(
        "histogram",
        "Returns of trades",
        (Series("trades", [], [t["return_pct"] for t in trades]),),
        "return, %",
        "trades",
    )
    by_side = {side: [t for t in trades if t["side"] == side] for side in ("LONG", "SHORT")}
    dots = tuple(
        Series(side, [t["hold_minutes"] for t in some], [t["net_pnl"] for t in some])
        for side, some in by_side.items()
        if some
    )
    yield Chart("scatter", "Trades: time held and net P&L", dots, "minutes held", "net P&L, ₹")
    far = [t for t in trades if t["mae_pct"] is not None]
    won = {"won": [t for t in far if t["net_pnl"] > 0], "lost": [t for t in far if t["net_pnl"] <= 0]}
    spots = tuple(
        Series(word, [t["mae_pct"] for t in some], [t["mfe_pct"] for t in some]) for word, some in won.items() if some
    )
    if spots:
        yield Chart(
            "scatter", "Trades: furthest against and in favour", spots, "against (MAE), %", "in favour (MFE), %"
        )
    yield Table("By symbol", ("symbol", "trades", "net P&L ₹", "win rate"), tuple(_by(trades, "symbol")))
    yield Table("By reason of exit", ("reason", "trades", "net P&L ₹", "win rate"), tuple(_by(trades, "exit_reason")))


def _anew(rows: Sequence[dict[str, Any]]) -> Iterator[Block]:
    """Yield what runs anew at dearer charges and slippage came to, if there were any."""
    if rows:
        yield Heading("Run anew under heavier costs")
        lines = tuple(
            (f"× {x['charges']:g}", f"× {x['slippage']:g}", f"{x['trades']:,}", f"{x['net_pnl']:,.2f}",
             said(x["sharpe_ratio"], "{:.2f}"), said(x["max_drawdown"], "{:.2%}"))
            for x in rows
        )  # fmt: skip
        yield Table("", ("charges", "slippage", "trades", "net P&L ₹", "Sharpe", "max drawdown"), lines)


def monthly(equity: Sequence[Sequence[Any]], capital: float) -> dict[str, list[float | None]]:
    """Return the return of every month in per cent by year, None where there was no session."""
    last: dict[tuple[str, int], float] = {}
    for day, value in equity:
        last[day[:4], int(day[5:7])] = float(value)
    found: dict[str, list[float | None]] = {}
    before = capital
    for (year, month), value in last.items():
        found.setdefault(year, [None] * 12)[month - 1] = (value / before - 1.0) * 100.0
        before = value
    return found


def _by(trades: Sequence[dict[str, Any]], key: str) -> Iterator[tuple[str, ...]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for each in trades:
        groups[each[key]].append(each["net_pnl"])
    for name, values in sorted(groups.items()):
        wins = sum(value > 0 for value in values) / len(values)
        yield (name, f"{len(values):,}", f"{sum(values):,.2f}", f"{wins:.1%}")
