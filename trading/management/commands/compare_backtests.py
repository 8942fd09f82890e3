"""Put two backtests side by side."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from trading.services import comparing


class Command(DeskCommand):
    """Settings that differ, every measure, a paired test of daily returns, trades only one of them has."""

    needs_database = True
    help = "Compare two finished backtests; the paired test says whether luck could have made the difference."
    examples = "  manage.py compare_backtests 12 15\n  manage.py compare_backtests 12 15 --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add the two numbers."""
        parser.add_argument("a", type=int, metavar="A", help="number of a backtest")
        parser.add_argument("b", type=int, metavar="B", help="number of the one to compare with it")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Compare, and return all of it."""
        found = comparing.compare(options["a"], options["b"])
        return found, _table(found)


def _table(found: dict[str, Any]) -> str:
    lines = [f"backtest {found['a']} (a) beside {found['b']} (b)"]
    lines += [f"  {row['name']:<24} {row['a']} → {row['b']}" for row in found["settings"]] or ["  the same settings"]
    lines.append(f"  {'':<24}{'a':>18}{'b':>18}{'b − a':>18}")
    for row in found["metrics"]:
        values = "".join(f"{_number(row[key]):>18}" for key in ("a", "b", "difference"))
        lines.append(f"  {row['name']:<24}{values}")
    test, trades = found["paired"], found["trades"]
    if test is None:
        lines.append(f"  fewer than {comparing.LEAST_DAYS} sessions in common: no paired test")
    else:
        lines.append(
            f"  daily returns of {test['days']} sessions, b − a by the year: {test['mean']:.2%}, 95 % between "
            f"{test['low']:.2%} and {test['high']:.2%}, p {test['p']:.3f}: {test['verdict']}"
        )
    lines.append(f"  trades in both {trades['both']}, only in a {trades['only_a']}, only in b {trades['only_b']}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")
