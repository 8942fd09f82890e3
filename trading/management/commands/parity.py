"""Run recorded days through the engine and through the backtester and compare everything that happens."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.core.strategies import STRATEGIES
from trading.management.asking import add_market_arguments, asked
from trading.services import desks, parity, runs, students


class Command(DeskCommand):
    """Compare every signal, order, fill, charge and trade, to the last bit."""

    needs_database = True
    help = "Prove that a recorded day gives the same trades through the engine and through the backtester."
    examples = (
        "  manage.py parity --symbols RELIANCE TCS --csv data/historical --interval 5minute --strategy intraday \\\n"
        "    --start-date 2024-01-01 --end-date 2024-03-31 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to run on."""
        add_market_arguments(parser, strategies=(*STRATEGIES, runs.BOTH))
        parser.add_argument("--plain", action="store_true", help="do not compile the backtester's side")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Return the comparison; a difference is exit code 1."""
        at = now()
        wanted, order = asked(options, at=at)
        halves = desks.load(order, wanted, at=at)
        lanes = desks.every_lane(halves)
        found = parity.compare_halves(
            halves, capital=order.capital, charges=runs.charges_of(order, wanted, lanes), seats=students.wanted(at),
            compiled=not options["plain"] and runs.worth_compiling(order.strategy, sum(len(x.bars) for x in lanes)),
        )  # fmt: skip
        word = "identical" if found["identical"] else f"DIFFERENT from happening {found['first_difference']['number']}"
        text = (
            f"{found['bars']:,} bars, {found['signals']:,} signals, {found['orders']:,} orders, "
            f"{found['fills']:,} fills, {found['trades']:,} trades, charges {found['charges']:,.2f}, "
            f"net {found['net_pnl']:,.2f}: {word}"
        )
        if found["identical"]:
            return found, text
        self._print(found, text, as_json=options["json"])
        sys.exit(1)
