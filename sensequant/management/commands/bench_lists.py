"""``manage.py bench_lists``: how long every list takes on a desk of years, and by which indexes."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput


class Command(DeskCommand):
    """Make a scratch database of years, ask it for every list, and drop it again."""

    help = (
        "Fill a scratch database on DATABASE_URL's PostgreSQL, ask for every list of REST and pages, print the 95th "
        "percentile of each with the indexes EXPLAIN names, and drop it. Allowed: 50 ms, and no large table read whole."
    )
    examples = "  manage.py bench_lists\n  manage.py bench_lists --orders 10000 --metrics 100000 --rounds 5 --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add the sizes."""
        parser.add_argument("--orders", type=int, default=1_000_000, help="orders (default %(default)s)")
        parser.add_argument("--metrics", type=int, default=10_000_000, help="metric rows (default %(default)s)")
        parser.add_argument("--traces", type=int, default=10_000, help="outcomes (default %(default)s)")
        parser.add_argument("--rounds", type=int, default=40, help="requests of each list (default %(default)s)")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Measure."""
        from sensequant import bench_data, list_bench

        given = {name: options[name] for name in ("orders", "metrics", "traces")}
        for name, value in {**given, "rounds": options["rounds"]}.items():
            if value < 1:
                raise BadInput(f"--{name} {value} is too few", fix="give 1 or more")
        with bench_data.scratch(f"desk_bench_{os.getpid()}"):
            for name in bench_data.fill(bench_data.Size(**given)):
                self.stderr.write(f"filled: {name}")
            rows = bench_data.rows()
            large = {name for name, count in rows.items() if count >= list_bench.LARGE}
            found = list(list_bench.measure(options["rounds"], large))
        slow = sum(each.slow for each in found)
        told = {"rows": rows, "lists": [each.as_json() for each in found], "slow": slow}
        return told, _table(rows, found)


def _table(rows: dict[str, int], found: list[Any]) -> str:
    lines = [f"{name:40} {count:>12,} rows" for name, count in rows.items()]
    lines.append(f"\n{'first ms':>9} {'p95 ms':>9}  list, its indexes")
    for each in found:
        mark = f"  TOO SLOW (reads as a whole: {', '.join(sorted(each.scanned)) or 'nothing'})" if each.slow else ""
        lines.append(f"{each.first_ms:>9.1f} {each.p95_ms:>9.1f}  {each.address[:100]}{mark}")
        lines.append(f"{'':20}  {', '.join(sorted(each.indexes)) or 'no index needed'}")
    return "\n".join(lines)
