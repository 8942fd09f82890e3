"""Run a backtest from the shell."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.management.asking import NEEDED, add_market_arguments, add_telemetry_arguments, asked, traced
from trading.models.backtests import BacktestRun
from trading.services import backtests, markets, runs
from trading.services.combining import combined

BOTH = {"intraday": "5minute", "swing": "1day"}
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
        add_market_arguments(parser, strategies=("intraday", "swing", "both", "crossover"), needed=())
        add_telemetry_arguments(parser)
        parser.add_argument("--run", type=int, help="execute a run the page queued, instead of all the above")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run, and return the result."""
        capture = traced(options, at=now())
        if options["run"] is None:
            wanted = _all_asked(options)  # all of them checked before the first one runs
            queued = [backtests.keep(*each, by="shell", at=now()).pk for each in wanted]
        else:
            queued = [options["run"]]
        found = [backtests.execute(number, at=now(), traced=capture) for number in queued]
        data = backtests.answer(found[0]) if len(found) == 1 else combined(found)
        return data, "\n\n".join(_table(run) for run in found)


def _all_asked(options: dict[str, Any]) -> list[tuple[markets.Wanted, runs.Ordered]]:
    """Return every backtest asked for, checked; two of them for ``both``."""
    missing = [f"--{name.replace('_', '-')}" for name in NEEDED if options[name] is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", fix="or --run with the number of a queued backtest")
    names = tuple(BOTH) if options["strategy"] == "both" else (options["strategy"],)
    found = [asked(_half(options, name), at=now()) for name in names]
    for wanted, order in found:
        runs.setup_of(order, wanted)
    return found


def _half(options: dict[str, Any], name: str) -> dict[str, Any]:
    if options["strategy"] != "both":
        return options
    minute = options["minute_data"] and name == "intraday"
    return {**options, "strategy": name, "interval": _interval(name, options), "minute_data": minute}


def _interval(name: str, options: dict[str, Any]) -> str:
    """Return the interval one half of ``both`` runs on: swing on daily bars, intraday on the minute bars asked for."""
    if name == "swing":
        return BOTH["swing"]
    asked_for: str = options["interval"]
    if asked_for in ("1day", "1d"):
        return BOTH["intraday"]
    return asked_for


def _table(run: BacktestRun) -> str:
    span = f"{run.interval}, {run.start} to {run.end}, {run.bars:,} bars"
    lines = [f"backtest {run.pk}: {run.strategy} on {', '.join(run.symbols)}, {span}"]
    for label, key, form in SHOWN:
        value = run.metrics.get(key)
        lines.append(f"  {label:<24}{'—' if value is None else form.format(value):>18}")
    lines += [*_against(run.study.get("benchmark")), *_against(run.study.get("index"))]
    lines += _traces(run.telemetry)
    return "\n".join([*lines, *(f"  note: {warning}" for warning in run.warnings)])


def _against(found: dict[str, Any] | None) -> list[str]:
    """Return how the run stands beside holding the same symbols."""
    if not found or found["excess_return"] is None:
        return []
    told = f"  {found['name']}: {found['total_return']:+.2%} in {found['sessions']} sessions"
    told += f", so {found['excess_return']:+.2%} beside it"
    return [f"{told}; beta {found['beta']:.2f}" if found["beta"] is not None else told]


def _traces(found: dict[str, Any]) -> list[str]:
    """Return the line that says where the traces lie."""
    return [f"  traces: {found['traces']:,} in {found['folder']}"] if found else []
