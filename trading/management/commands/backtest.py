"""Run a backtest from the shell."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput, NotAllowed
from trading.core.strategies import STRATEGIES
from trading.management.asking import NEEDED, add_market_arguments, add_telemetry_arguments, asked, traced
from trading.models.backtests import BacktestRun
from trading.services import backtests, runs

SHOWN = (
    ("trades", "trades", "{:,.0f}"), ("net P&L ₹", "total_pnl", "{:,.2f}"), ("return %", "total_return_pct", "{:.2f}"),
    ("Sharpe", "sharpe_ratio", "{:.2f}"), ("Sortino", "sortino_ratio", "{:.2f}"),
    ("max drawdown %", "max_drawdown", "{:.2%}"), ("win rate", "win_rate", "{:.1%}"),
    ("hit ratio", "hit_ratio", "{:.1%}"), ("profit factor", "profit_factor", "{:.2f}"),
    ("expectancy ₹", "expectancy", "{:,.2f}"),
    ("charges ₹", "charges", "{:,.2f}"), ("turnover ×", "turnover", "{:.2f}"), ("exposure", "exposure", "{:.1%}"),
    ("average hold, minutes", "avg_hold_minutes", "{:,.0f}"),
)  # fmt: skip


class Command(DeskCommand):
    """A backtest, kept as a BacktestRun."""

    needs_database = True
    help = "Run a strategy over recorded bars with Indian charges, sizing and the desk's limits."
    examples = (
        "  manage.py backtest --symbols RELIANCE --start-date 2024-01-01 --end-date 2024-03-31 --strategy intraday \\\n"
        "    --data-source csv --csv data/historical --interval 5minute --params sma=30 stop_loss=0.01\n"
        "  manage.py backtest --symbols TCS INFY --start-date 2015-01-01 --end-date 2020-12-31 \\\n"
        "    --strategy swing --json\n"
        "  manage.py backtest --symbols RELIANCE TCS --start-date 2024-01-01 --end-date 2024-12-31 \\\n"
        "    --strategy swing --enable-telemetry --telemetry-dir data/audit/batch_001 --export-metrics"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to run on; a queued run's number stands for all of it."""
        add_market_arguments(parser, strategies=(*STRATEGIES, runs.BOTH), needed=())
        add_telemetry_arguments(parser)
        parser.add_argument("--stress", action="store_true", help="also run it anew at dearer charges and slippage")
        parser.add_argument("--resume", type=int, metavar="RUN", help="go on with one that was cancelled or killed")
        parser.add_argument("--run", type=int, help="execute a run the page queued, instead of all the above")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run, and return the result."""
        capture = traced(options, at=now())
        number = _number(options)
        found = backtests.execute(number, at=now(), traced=capture, progress=self.gauge(f"backtest {number}"))
        if found.status == "cancelled":
            raise NotAllowed(f"backtest {number} was cancelled", fix=f"backtest --resume {number} goes on with it")
        return backtests.answer(found), _table(found)


def _number(options: dict[str, Any]) -> int:
    """Return the number of the backtest to execute: a queued one, one to resume, or a new one."""
    if options["resume"] is not None:
        return backtests.resume(options["resume"], by="shell").pk
    run: int | None = options["run"]
    return _queued(options) if run is None else run


def _queued(options: dict[str, Any]) -> int:
    """Return the number of the backtest asked for, everything about it checked."""
    missing = [f"--{name.replace('_', '-')}" for name in NEEDED if options[name] is None]
    if missing:
        raise BadInput(
            f"{', '.join(missing)} must be given",
            fix="or --run with the number of a queued backtest, --resume with that of a cancelled one",
        )
    return backtests.keep(*asked(options, at=now()), by="shell", at=now(), stress=options["stress"]).pk


def _table(run: BacktestRun) -> str:
    span = f"{run.interval}, {run.start} to {run.end}, {run.bars:,} bars"
    lines = [f"backtest {run.pk}: {run.strategy} on {', '.join(run.symbols)}, {span}"]
    for label, key, form in SHOWN:
        value = run.metrics.get(key)
        lines.append(f"  {label:<24}{'—' if value is None else form.format(value):>18}")
    for each in run.study.get("strategies", ()):
        won = "—" if each["win_rate"] is None else f"{each['win_rate']:.1%}"
        told = (
            f"{each['trades']:,} trades, net ₹{each['net_pnl']:,.2f}, charges ₹{each['charges']:,.2f}, win rate {won}"
        )
        lines.append(f"  of these {each['strategy']}: {told}")
    lines += [*_against(run.study.get("benchmark")), *_against(run.study.get("index"))]
    lines += _excursions(run.study.get("excursions")) + [_anew(each) for each in run.study.get("anew", ())]
    lines += _traces(run.telemetry)
    return "\n".join([*lines, *(f"  note: {warning}" for warning in run.warnings)])


def _against(found: dict[str, Any] | None) -> list[str]:
    """Return how the run stands beside holding the same symbols."""
    if not found or found["excess_return"] is None:
        return []
    told = f"  {found['name']}: {found['total_return']:+.2%} in {found['sessions']} sessions"
    told += f", so {found['excess_return']:+.2%} beside it"
    return [f"{told}; beta {found['beta']:.2f}" if found["beta"] is not None else told]


def _excursions(found: dict[str, Any] | None) -> list[str]:
    """Return what winners had to bear and losers let go."""
    if not found or found["winners_mae"] is None or found["losers_mfe"] is None:
        return []
    told = f"winners were at worst {found['winners_mae']:.2%} down, losers at best {found['losers_mfe']:.2%} up"
    return [f"  {told} (medians)"]


def _anew(found: dict[str, Any]) -> str:
    """Return what a run at dearer charges and slippage came to."""
    ratio = "—" if found["sharpe_ratio"] is None else f"{found['sharpe_ratio']:.2f}"
    level = f"charges × {found['charges']:g}, slippage × {found['slippage']:g}"
    return f"  anew at {level}: {found['trades']:,} trades, net ₹{found['net_pnl']:,.2f}, Sharpe {ratio}"


def _traces(found: dict[str, Any]) -> list[str]:
    """Return the line that says where the traces lie."""
    return [f"  traces: {found['traces']:,} in {found['folder']}"] if found else []
