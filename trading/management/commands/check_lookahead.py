"""Look for knowledge of the future in a strategy, or in any function of bars."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.utils.module_loading import import_string

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.lookahead import PROBES
from trading.core.strategies import STRATEGIES
from trading.management.asking import add_market_arguments, asked
from trading.services import lookahead, markets

MOST = 200_000


class Command(DeskCommand):
    """Truncation and poison at random moments, over all features, opinions, orders, fills and trades."""

    needs_database = True
    help = (
        "Check that nothing depends on later bars: everything after random moments is taken away, and then replaced by "
        "absurd numbers; no feature, opinion, order, fill or trade before it may change. Exit code 1 when one does."
    )
    examples = (
        "  manage.py check_lookahead --strategy intraday --symbols RELIANCE TCS --interval 5minute \\\n"
        "    --start-date 2024-01-01 --end-date 2024-03-28 --csv data/historical\n"
        "  manage.py check_lookahead --function research.features.all --data-source demo --symbols DEMOBANK \\\n"
        "    --interval 5minute --start-date 2026-10-01 --end-date 2026-10-30 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to check, on what, and how thoroughly."""
        add_market_arguments(parser, needed=("symbols", "start_date", "end_date"))
        parser.add_argument(
            "--function", metavar="MODULE.NAME", default="",
            help="instead of a strategy: a function that takes {'open': array, …} and returns {name: array}",
        )  # fmt: skip
        parser.add_argument("--bars", type=int, default=3000, help="last bars of each symbol to check (default 3000)")
        parser.add_argument("--probes", type=int, default=PROBES, help=f"random moments a symbol (default {PROBES})")
        parser.add_argument("--seed", type=int, default=0, help="of the random moments (default 0)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Check and return the findings; a leak is exit code 1."""
        named = _function(options["function"]) if options["function"] else None
        if named is None and not options["strategy"]:
            known = ", ".join(STRATEGIES)
            raise BadInput("nothing to check was named", fix=f"give --strategy (one of {known}) or --function")
        thorough = {
            name: _within(name, options[name], low) for name, low in (("bars", 100), ("probes", 1), ("seed", 0))
        }
        at = now()
        strategy = options["strategy"] or _any_for(options)
        wanted, order = asked({**options, "strategy": strategy}, at=at)
        lanes = markets.lanes(wanted, at=at)
        if named is not None:
            found = lookahead.function(options["function"], named, lanes, **thorough)
        else:
            found = lookahead.strategy(order, wanted, lanes, **thorough, watch=self._told(len(lanes) + 1))
        text = _table(found)
        if found["clean"]:
            return found, text
        self._print(found, text, as_json=options["json"])
        sys.exit(1)

    def _told(self, total: int) -> Callable[[str], None]:
        steps = iter(self.progress(range(total), total=total, label="check"))

        def told(_: str) -> None:
            next(steps, None)

        return told


def _function(path: str) -> Callable[..., Any]:
    try:
        found = import_string(path)
    except ImportError as error:
        raise BadInput(
            f"--function {path} cannot be imported: {error}", fix="write module.name, e.g. features.sma"
        ) from None
    if not callable(found):
        raise BadInput(f"--function {path} is not a function", fix="name a function of columns")
    checked: Callable[..., Any] = found
    return checked


def _any_for(options: dict[str, Any]) -> str:
    """Return a strategy that can use these bars; of a function's check only the bars matter."""
    return "swing" if options["interval"] in ("1day", "1d") and not options["minute_data"] else "intraday"


def _within(name: str, value: int, low: int) -> int:
    if not low <= value <= MOST:
        raise BadInput(f"--{name} {value} cannot be used", fix=f"give {low} to {MOST}")
    return value


def _table(found: dict[str, Any]) -> str:
    lines = [f"look-ahead check of {found['checked']}"]
    for each in found["reports"]:
        word = "clean" if each["clean"] else f"{len(each['leaks'])} LEAKS"
        lines.append(
            f"  {each['symbol']:<16} {each['what']}: {each['columns']} columns, {each['cuts']} cuts, the future "
            f"taken away and poisoned at each: {word}"
        )
        lines += [f"    {leak['test']}: {leak['text']}" for leak in each["leaks"]]
    lines.append("nothing knows the future" if found["clean"] else f"LOOK-AHEAD in {', '.join(found['leaking'])}")
    return "\n".join(lines)
