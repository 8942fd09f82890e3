"""What should make one doubt a backtest: named findings, each with its evidence and its threshold."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

FEW_TRADES = 30
ONE_TRADE = 0.5  # of the net profit
ONE_SYMBOL = 0.7
ONE_MONTH = 0.6
FLAT = 0.01  # share of bars with a position
STALE = 0.01  # share of fills
COSTS = 0.5  # of the gross profit
SHARPE, WIN_RATE, WINNERS = 5.0, 0.9, 20


class TradeRow(NamedTuple):
    """What the checks need of a closed trade; rupees."""

    symbol: str
    month: str
    net: float


class Seen(NamedTuple):
    """What a run shows: its measures by name, its trades, its fills and how many of those were on stale bars."""

    metrics: Mapping[str, float | None]
    trades: Sequence[TradeRow]
    symbols: int
    months: int
    fills: int
    stale: int


class Finding(NamedTuple):
    """One check: whether it found something, the value it looked at, and beyond what it would."""

    name: str
    found: bool
    value: float | None
    threshold: str
    evidence: str


def _number(seen: Seen, key: str) -> float:
    value = seen.metrics.get(key)
    return math.nan if value is None else float(value)


def few_trades(s: Seen) -> Finding:
    """Too few trades tell nothing."""
    n = len(s.trades)
    return Finding("too few trades", n < FEW_TRADES, n, f"< {FEW_TRADES} trades", f"{n} trades closed")


def one_trade(s: Seen) -> Finding:
    """The profit is one trade's."""
    total, best = sum(t.net for t in s.trades), max((t.net for t in s.trades), default=0.0)
    share = best / total if total > 0 else 0.0
    text = f"the best trade earned {best:,.2f} of {total:,.2f} net"
    return Finding("one trade carries it", share > ONE_TRADE, share, f"> {ONE_TRADE:.0%} of the net profit", text)


def _largest(s: Seen, key: Callable[[TradeRow], str]) -> tuple[str, float, float]:
    sums: dict[str, float] = defaultdict(float)
    for trade in s.trades:
        sums[key(trade)] += trade.net
    name = max(sums, key=lambda k: sums[k], default="")
    total = sum(sums.values())
    return name, sums.get(name, 0.0), sums.get(name, 0.0) / total if total > 0 else 0.0


def one_symbol(s: Seen) -> Finding:
    """The profit is one symbol's, though several were traded."""
    name, sum_, share = _largest(s, lambda t: t.symbol)
    found = s.symbols > 2 and share > ONE_SYMBOL
    text = f"{name or 'no symbol'} earned {sum_:,.2f} net, {share:.0%} of the net profit"
    return Finding("one symbol carries it", found, share, f"> {ONE_SYMBOL:.0%} with 3 symbols or more", text)


def one_month(s: Seen) -> Finding:
    """The profit was made in one month out of several."""
    name, sum_, share = _largest(s, lambda t: t.month)
    found = s.months > 3 and share > ONE_MONTH
    text = f"{name or 'no month'} earned {sum_:,.2f} net, {share:.0%} of the net profit"
    return Finding("concentrated in time", found, share, f"> {ONE_MONTH:.0%} with 4 months or more", text)


def flat(s: Seen) -> Finding:
    """The account was hardly ever in the market."""
    share = _number(s, "exposure")
    text = f"a position was held in {share:.2%} of the bars" if share == share else "there were no bars"
    return Finding("flat", not share >= FLAT, share if share == share else None, f"< {FLAT:.0%} of bars", text)


def stale_fills(s: Seen) -> Finding:
    """Fills at prices nobody traded at."""
    share = s.stale / s.fills if s.fills else 0.0
    text = f"{s.stale} of {s.fills} fills on bars without volume or that repeat the close before"
    return Finding("stale fills", share > STALE, share, f"> {STALE:.0%} of fills", text)


def costs(s: Seen) -> Finding:
    """Charges eat most of what was earned."""
    charges, net = _number(s, "charges"), _number(s, "total_pnl")
    gross = charges + net
    share = charges / gross if gross > 0 else (math.inf if charges > 0 else 0.0)
    text = f"charges {charges:,.2f} against {gross:,.2f} gross"
    value = share if math.isfinite(share) else None
    return Finding("cost-dominated", share > COSTS, value, f"> {COSTS:.0%} of the gross profit", text)


def too_good(s: Seen) -> bool:
    """Say whether a result is so good that knowledge of the future is likelier than skill."""
    sharpe, wins = _number(s, "sharpe_ratio"), _number(s, "win_rate")
    return sharpe > SHARPE or (len(s.trades) >= WINNERS and wins > WIN_RATE)


def lookahead(s: Seen) -> Finding:
    """It is too good to be true; ``manage.py check_lookahead`` looks closer."""
    sharpe, wins = _number(s, "sharpe_ratio"), _number(s, "win_rate")
    text = f"Sharpe {sharpe:.2f}, {wins:.0%} of trades win" if s.trades else "no trades"
    return Finding(
        "look-ahead suspected", too_good(s), sharpe if math.isfinite(sharpe) else None,
        f"Sharpe > {SHARPE:g}, or > {WIN_RATE:.0%} wins in {WINNERS} trades", text,
    )  # fmt: skip


CHECKS: tuple[Callable[[Seen], Finding], ...] = (
    few_trades, one_trade, one_symbol, one_month, flat, stale_fills, costs, lookahead,
)  # fmt: skip


def diagnose(seen: Seen) -> list[dict[str, Any]]:
    """Return every check's finding, those that found something first."""
    findings = [check(seen) for check in CHECKS]
    return [each._asdict() for each in sorted(findings, key=lambda each: not each.found)]
