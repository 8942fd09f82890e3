"""``manage.py bench_fleet``: what a second Celery worker is worth, and what a killed one costs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.fleet_bench import Job, measure, summary
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """One optimisation by one worker, by two, and by two of which one is killed."""

    help = (
        "Run the same optimisation by one Celery worker and by two, in a scratch database on DATABASE_URL's PostgreSQL "
        "and an empty REDIS_URL, and print how much faster two are and whether every result is the same."
    )
    examples = "  manage.py bench_fleet\n  manage.py bench_fleet --trials 60 --kill --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add the size."""
        usual = Job()
        parser.add_argument("--trials", type=int, default=usual.trials, help="configurations (default %(default)s)")
        parser.add_argument("--symbols", type=int, default=usual.symbols, help="of the demo market (default all)")
        parser.add_argument("--start-date", default=usual.start, help="of their minute bars (default %(default)s)")
        parser.add_argument("--kill", action="store_true", help="once more, killing one of two workers midway")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Measure."""
        job = Job(options["trials"], options["symbols"], options["start_date"])
        told = summary(measure(job, kill=options["kill"]))
        return told, _table(told)


def _table(told: dict[str, Any]) -> str:
    lines = [f"{'workers':>8} {'seconds':>9} {'driver cpu':>11} {'worker cpu':>18}  results"]
    for each in told["plays"]:
        cpu = " ".join(f"{x:.1f}" for x in each["worker_cpu"])
        mark = "  one killed" if each["killed"] else ""
        lines.append(
            f"{each['workers']:>8} {each['seconds']:>9.2f} {each['driver_cpu']:>11.2f} {cpu:>18}  "
            f"{each['trials']} of {each['sha256'][:12]}{mark}"
        )
    lines.append(
        f"two are {told['speedup']:.2f} times as fast by the clock, {told['by_processor']:.2f} by processor seconds"
    )
    lines.append("every result is the same" if told["identical"] else "THE RESULTS DIFFER")
    return "\n".join(lines)
