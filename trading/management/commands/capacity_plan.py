"""``manage.py capacity_plan``: what a desk of so many symbols asks of a machine, and what gives way first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.bars import ALIASES, INTERVALS, interval
from trading.core.capacity import SESSION_MINUTES, Budget, Costs, Load, bends, broken, demand, simulate
from trading.services import capacity

MOST_YEARS = 30.0


class Command(DeskCommand):
    """The capacity model."""

    needs_database = True
    help = (
        "Say what a desk needs: processors, memory, database, broker calls; simulate a session; name what bends first."
    )
    examples = (
        "  manage.py capacity_plan --symbols 500 --interval 1minute --retention 730 --measure\n"
        "  manage.py capacity_plan --symbols 500 --years 2 --trials 8\n"
        "  manage.py capacity_plan --symbols 2000 --shards 8 --workers 100 --cores 16 --trials 200 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the desk and the machine."""
        parser.add_argument("--symbols", type=int, required=True)
        parser.add_argument("--interval", default="1minute", help=f"one of {', '.join((*INTERVALS, *ALIASES))}")
        parser.add_argument("--retention", type=int, default=365, metavar="DAYS", help="days rows are kept")
        parser.add_argument("--shards", type=int, default=1, help="engines that share the symbols")
        parser.add_argument("--workers", type=int, default=2, help="Celery workers")
        parser.add_argument("--cores", type=int, default=2)
        parser.add_argument("--memory", type=float, default=24.0, metavar="GB")
        parser.add_argument("--disk", type=float, default=200.0, metavar="GB", help="for the database")
        parser.add_argument("--orders", type=float, default=2.0, help="orders a symbol and session")
        parser.add_argument(
            "--trials", type=int, default=0, help="configurations tried every evening, over all symbols"
        )
        parser.add_argument("--years", type=float, default=1.0, help="of bars that are backtested and searched")
        parser.add_argument("--measure", action="store_true", help="measure costs here instead of the stated ones")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Compute, simulate, and say what bends."""
        load, budget = _load(options), Budget(memory_mb=options["memory"] * 1_024, database_gib=options["disk"])
        costs = capacity.measure() if options["measure"] else Costs()
        asked, seen = demand(load, costs), simulate(load, costs)
        over = broken(load, costs, budget)
        at, words = (load.symbols, over) if over else bends(load, costs, budget)
        told = {
            "load": asdict(load), "costs": asdict(costs), "measured": options["measure"], "demand": asked._asdict(),
            "session": seen._asdict(), "broken": over, "bends_at": at, "bends": words,
        }  # fmt: skip
        return told, _text(load, costs, told)


def _load(options: dict[str, Any]) -> Load:
    for name, least in (("symbols", 1), ("shards", 1), ("workers", 0), ("cores", 1), ("retention", 1), ("trials", 0)):
        if options[name] < least:
            raise BadInput(f"--{name} {options[name]} is too small", fix=f"give {least} or more")
    if not 0.0 < options["years"] <= MOST_YEARS:
        raise BadInput(f"--years {options['years']:g} cannot be had", fix=f"give more than 0, up to {MOST_YEARS:g}")
    if options["shards"] > options["symbols"]:
        raise BadInput(f"--shards {options['shards']} is more than there are symbols", fix="use fewer shards")
    minutes = min(INTERVALS[interval(options["interval"])], SESSION_MINUTES)
    return Load(
        options["symbols"], minutes, options["shards"], options["workers"], options["cores"], options["retention"],
        options["orders"], options["trials"], options["years"],
    )  # fmt: skip


def _text(load: Load, costs: Costs, told: dict[str, Any]) -> str:
    asked, seen = told["demand"], told["session"]
    lines = [
        f"{load.symbols:,} symbols, a bar every {load.minutes} min, {load.shards} engines, {load.workers} workers, "
        f"{load.cores} cores, rows kept {load.retention_days} days",
        f"costs      {'measured here' if told['measured'] else 'stated'}: {costs.step_us:.0f} us a bar, "
        f"{costs.commit_ms:.1f} ms a commit",
        f"bars       {asked['bars_day']:,} a day, {asked['orders_day']:,} orders",
        f"decisions  {seen['p50_ms']:,.0f} ms (median), {seen['p99_ms']:,.0f} ms (p99) after the close; "
        f"lock held {seen['lock_share']:.1%} of the time, {seen['late']} moments late",
        f"processors {asked['cpu_share']:.1%} of one for trading; the workers finish {seen['tasks']:,} tasks meanwhile",
        f"memory     {asked['memory_mb']:,.0f} MB",
        f"database   {asked['database_gib']:,.1f} GiB",
        f"history    {asked['history_bars']:,} bars of {load.years:g} years: {asked['history_gib']:,.1f} GiB kept, "
        f"{asked['ingest_s']:,.0f} s to read in once; a backtest {asked['backtest_s']:,.1f} s and "
        f"{asked['backtest_mb']:,.0f} MB"
        + (f", an optimisation {asked['search_mb']:,.0f} MB in all" if load.trials else ""),
        f"evening    {asked['evening_hours']:.1f} h for {load.trials} configurations",
        f"broker     {asked['subscriptions']:,} symbols streamed (ICICI states no limit); "
        f"one gap is {asked['history_calls']:,} calls",
    ]
    if told["broken"]:
        lines += ["too much:", *(f"  {each}" for each in told["broken"])]
    elif told["bends_at"]:
        lines.append(f"bends first at {told['bends_at']:,} symbols: {told['bends'][0]}")
    return "\n".join(lines)
