"""The measures of a backtest as the page shows them: heading, how each is written, and its formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trading.services.risk_status import GAUGES


class Metric(NamedTuple):
    """One measure: key in ``BacktestRun.metrics``, heading, how it is written, what it means."""

    key: str
    title: str
    how: str
    help: str


GROUPS: tuple[tuple[str, tuple[Metric, ...]], ...] = (
    (
        "Return",
        (
            Metric("total_pnl", "Net P&L", "pnl_inr", "Sum of all trades' net P&L: gross P&L less charges, ₹."),
            Metric("total_return", "Total return", "pct_of_one", "Final equity ÷ starting capital − 1."),
            Metric(
                "cagr",
                "CAGR",
                "pct_of_one",
                "(Final equity ÷ capital)^(252 ÷ sessions) − 1: the yearly rate that compounds to the total return.",
            ),
            Metric(
                "charges",
                "Charges",
                "inr",
                "Brokerage, STT, exchange and SEBI fees, stamp duty and GST of every fill, ₹.",
            ),
            Metric("turnover", "Turnover", "number", "Value bought and sold ÷ starting capital, in times."),
        ),
    ),
    (
        "Risk",
        (
            Metric(
                "sharpe_ratio",
                "Sharpe",
                "ratio",
                "Mean ÷ standard deviation (n − 1) of daily equity returns × √252; no risk-free rate is taken off.",
            ),
            Metric(
                "sortino_ratio",
                "Sortino",
                "ratio",
                "Mean of daily returns ÷ √(mean of min(r, 0)²) × √252: only losses count as risk.",
            ),
            Metric("calmar_ratio", "Calmar", "ratio", "CAGR ÷ deepest drawdown."),
            Metric(
                "max_drawdown",
                "Max drawdown",
                "share2",
                "Deepest fall of equity from an earlier peak, as a part of that peak.",
            ),
            Metric("volatility", "Volatility", "share2", "Standard deviation of daily equity returns × √252."),
            Metric("omega_ratio", "Omega", "ratio", "Sum of the daily gains ÷ sum of the daily losses, as returns."),
            Metric("tail_ratio", "Tail ratio", "ratio", "|95th percentile| ÷ |5th percentile| of daily returns."),
            Metric("var_95", "VaR 95 %", "pct_of_one", "5th percentile of daily returns: one session in 20 is worse."),
            Metric("cvar_95", "CVaR 95 %", "pct_of_one", "Mean of the worst twentieth of the daily returns."),
            Metric("ulcer_index", "Ulcer index", "share2", "√(mean of squared drawdowns at the sessions’ ends)."),
            Metric("longest_drawdown", "Longest drawdown", "qty", "Most sessions in a row below an earlier high."),
        ),
    ),
    (
        "Trades",
        (
            Metric("trades", "Trades", "qty", "Positions opened and closed again."),
            Metric("win_rate", "Win rate", "share2", "Share of trades whose net P&L is above zero."),
            Metric(
                "hit_ratio", "Hit ratio", "share2", "Share of trades whose gross P&L, before charges, is above zero."
            ),
            Metric("profit_factor", "Profit factor", "number", "Sum of all gains ÷ sum of all losses, net."),
            Metric("expectancy", "Expectancy", "pnl_inr", "Mean net P&L of a trade, ₹."),
        ),
    ),
    (
        "Shape",
        (
            Metric("average_win", "Average win", "pnl_inr", "Mean net P&L of the winning trades, ₹."),
            Metric("average_loss", "Average loss", "pnl_inr", "Mean net P&L of the losing trades, ₹."),
            Metric("payoff_ratio", "Payoff", "number", "Average win ÷ average loss."),
            Metric("best_trade", "Best trade", "pnl_inr", "Highest net P&L of one trade, ₹."),
            Metric("worst_trade", "Worst trade", "pnl_inr", "Lowest net P&L of one trade, ₹."),
        ),
    ),
    (
        "Time",
        (
            Metric("avg_hold_minutes", "Average hold", "minutes", "Mean time from entry fill to exit fill."),
            Metric("exposure", "Time in market", "share2", "Share of symbol-bars in which a position was held."),
            Metric("longest_win_streak", "Longest wins", "qty", "Most winning trades in a row."),
            Metric("longest_loss_streak", "Longest losses", "qty", "Most losing trades in a row."),
            Metric("days", "Sessions", "qty", "Trading sessions in the run."),
        ),
    ),
)
PREDICTIONS = (
    Metric(
        "precision_long", "Precision LONG", "share", "Of the predictions LONG, the share after which the price rose."
    ),
    Metric("precision_short", "Precision SHORT", "share", "Of the predictions SHORT, the share after which it fell."),
    Metric("hit_ratio", "Hit ratio", "share", "Share of trades whose direction was right, before charges."),
    Metric("win_rate", "Win rate", "share", "Share of trades that earned money after charges."),
    Metric("sharpe_ratio", "Sharpe", "ratio", "Mean ÷ standard deviation of trades’ returns, brought to a year."),
    Metric("max_drawdown", "Max drawdown", "share2", "Deepest fall of the compounded returns from an earlier peak."),
    Metric("profit_factor", "Profit factor", "number", "Sum of all gains ÷ sum of all losses."),
    Metric("avg_holding_minutes", "Average hold", "minutes", "Mean time from entry to exit."),
    Metric("ece", "ECE", "number", "Σ share of bin × |confidence − how often it was right|, over bins; 0 is perfect."),
    Metric(
        "brier", "Brier", "number", "Mean of (confidence − outcome)², outcome 1 when right; 0 is perfect, ¼ is a coin."
    ),
)
DESK = (
    Metric(
        "day",
        "Day P&L",
        "pnl_inr",
        "Equity now − equity at the session’s start, after charges.",
    ),
    Metric("realised", "Realised", "pnl_inr", "Sum of the session’s closed trades, after charges."),
    Metric(
        "unrealised", "Unrealised", "pnl_inr", "Σ shares × (newest price − mean entry price) − charges paid so far."
    ),
    Metric("charges", "Charges", "inr", "Brokerage and all levies on the session’s fills so far."),
    Metric("equity", "Equity", "inr", "Cash + value of all open positions at the newest price."),
    Metric("exposure", "Exposure", "compact", "Σ |shares| × newest price over all open positions."),
    Metric(
        "daily_loss",
        "Day loss",
        "share",
        "Equity lost since the session’s start ÷ its limit; at 100 % the breaker opens.",
    ),
    Metric("protection", "Protection", "text", "Whether a running engine watches a stop for the position."),
    Metric(
        "latency", "Bar to intent", "text", "Time from taking a bar to having decided; p99: 99 of 100 bars were faster."
    ),
    Metric("age", "Age", "age", "Seconds since the number was published; above 30 it is shown as stale."),
)
BENCHMARK = (
    Metric(
        "total_return", "Its return", "pct_of_one", "What buying at the first and selling at the last session gave."
    ),
    Metric("excess_return", "Excess", "pct_of_one", "Total return of the backtest − that of what is held."),
    Metric("alpha", "Alpha a year", "pct_of_one", "(1 + mean of r − beta × b)^252 − 1, r and b the daily returns."),
    Metric("beta", "Beta", "ratio", "Covariance of r and b ÷ variance of b: 1 moves as what is held does."),
    Metric("sharpe_ratio", "Its Sharpe", "ratio", "Mean ÷ standard deviation of its daily returns × √252."),
    Metric("max_drawdown", "Its drawdown", "share2", "Deepest fall of its price from an earlier peak."),
    Metric("tracking_error", "Tracking error", "share2", "Standard deviation (n − 1) of r − b, × √252."),
    Metric(
        "up_capture", "Up capture", "ratio", "Annual return ÷ that of what is held, over sessions in which it rose."
    ),
    Metric("down_capture", "Down capture", "ratio", "The same over sessions in which it fell; below 1 loses less."),
)
CHANCES = (
    Metric("low", "End, worst 5 %", "inr", "5th percentile of the final equity over all paths."),
    Metric("mid", "End, median", "inr", "Half of the paths end higher, half lower."),
    Metric("high", "End, best 5 %", "inr", "95th percentile of the final equity over all paths."),
    Metric("fall", "Drawdown, median", "share2", "Median of the paths’ deepest falls from an earlier peak."),
    Metric("deep", "Drawdown, worst 5 %", "share2", "95th percentile of the paths’ deepest falls."),
    Metric("loss", "Chance of loss", "share2", "Share of paths that end below the starting capital."),
    Metric("ruin", "Risk of ruin", "share2", "Share of paths whose equity ever falls to 70 % of the capital or below."),
)
HONESTY = (
    Metric(
        "trials",
        "Tried on these days",
        "{:,.0f}",
        "Different configurations ever tried on these symbols and days; the more, the luckier the best.",
    ),
    Metric(
        "deflated_sharpe",
        "Deflated Sharpe",
        "{:.3f}",
        "Probability that the best Sharpe ratio is above what the luckiest of so many without skill would show.",
    ),
    Metric(
        "pbo",
        "Overfitting, PBO",
        "{:.3f}",
        "Share of half-samples whose best was below the median on the other half.",
    ),
    Metric(
        "reality_check_p",
        "Reality check p",
        "{:.3f}",
        "How often luck alone does as well, by bootstrap over days; below 0.05 is needed.",
    ),
    Metric(
        "min_track_record_days",
        "Days needed",
        "{:,.0f}",
        "Days it takes to tell this Sharpe ratio from 0 (MinTRL).",
    ),
    Metric("test_looks", "Test looks", "{:,.0f}", "How often these test days have been looked at, this time included."),
)
WALK = (
    Metric("efficiency", "Efficiency", "{:.2f}", "Annual return of the unseen days ÷ that of the days that chose."),
    Metric("annual_return", "Unseen, a year", "{:+.1%}", "Annual return of the stitched unseen days."),
    Metric(
        "in_sample_annual_return",
        "Searched, a year",
        "{:+.1%}",
        "Annual return of the chosen on the days that chose.",
    ),
    Metric(
        "profitable_windows",
        "Windows that earned",
        "{:.0%}",
        "Share of windows whose unseen days earned something.",
    ),
)
LEARNED = (
    Metric("precision", "Precision", "share2", "Of what it called a trade, the share that was one."),
    Metric("recall", "Recall", "share2", "Of what was a trade, the share it called one."),
    Metric("f1", "F1", "share2", "Harmonic mean of precision and recall: 2 × P × R ÷ (P + R)."),
    Metric(
        "realised", "Realised accuracy", "share2", "Share of a student’s calls that prices confirmed, teacher or not."
    ),
)
LIMITS = tuple(Metric(name, *told) for name, told in GAUGES.items())
HEADLINE = ("total_pnl", "total_return", "sharpe_ratio", "max_drawdown", "win_rate", "trades")


def shown(metrics: Mapping[str, Any]) -> list[tuple[str, list[tuple[Metric, Any]]]]:
    """Return the groups with each metric's value; None where the run has none."""
    return [(title, [(metric, metrics.get(metric.key)) for metric in group]) for title, group in GROUPS]


def glossary() -> list[tuple[str, tuple[Metric, ...]]]:
    """Return every measure of the desk with its formula, group by group: the one source of every help text."""
    return [
        ("The desk now", DESK),
        ("Limits", LIMITS),
        ("Predictions", PREDICTIONS),
        *((f"Backtest: {title}", rows) for title, rows in GROUPS),
        ("Backtest: Beside buying and holding", BENCHMARK),
        ("Backtest: The same trades, otherwise", CHANCES),
        ("Optimisation", HONESTY),
        ("Walk-forward", WALK),
        ("Training", LEARNED),
    ]
