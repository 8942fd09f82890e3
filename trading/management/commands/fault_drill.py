"""Play the fault matrix against the simulated broker, and say whether the order path kept its promises."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.services.drills import catalogue, drill


class Command(DeskCommand):
    """Kills, timeouts, lost answers, lying books, frozen engines: nothing doubled, nothing lost."""

    help = "Play the fault matrix (kill -9, timeouts, lying books, lost leases …) against the simulated broker."
    examples = (
        "  manage.py fault_drill\n"
        "  manage.py fault_drill --scenarios 300 --jobs 2 --json\n"
        "  manage.py fault_drill --database postgres://postgres@127.0.0.1:5432/postgres\n"
        "  manage.py fault_drill --only crash-claimed-entry --seed 17 --scenarios 1"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to play and where."""
        parser.add_argument("--scenarios", type=int, default=60, metavar="N", help="how many (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="of the first; each next one has the next seed")
        parser.add_argument(
            "--database", default="", metavar="URL", help="server to make databases on (default: SQLite)"
        )
        parser.add_argument("--jobs", type=int, default=2, help="scenarios at once (default: %(default)s)")
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="play these scenarios in turn")
        parser.add_argument("--list", action="store_true", help="name every scenario and stop")

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Play; a broken promise is exit code 1."""
        if options["list"]:
            return list(catalogue.SCENARIOS), "\n".join(catalogue.SCENARIOS)
        if options["scenarios"] < 1 or options["jobs"] < 1 or options["seed"] < 0:
            raise BadInput("--scenarios and --jobs are 1 or more, --seed is 0 or more")
        wanted = drill.Wanted(
            options["scenarios"], options["seed"], options["database"], options["jobs"], tuple(options["only"])
        )
        playing = drill.play(wanted, at=now())
        outcomes = list(self.progress(playing, total=wanted.count, label="drill"))
        found = drill.figures(outcomes)
        text = _table(outcomes, found)
        if not found["failed"]:
            return found, text
        self._print(found, text, as_json=options["json"])
        sys.exit(1)


def _table(outcomes: list[dict[str, Any]], found: dict[str, Any]) -> str:
    lines = [f"{'scenario':28} {'seed':>5} {'kills':>5} {'starts':>6} {'orders':>6} {'fills':>5} {'rest s':>6}  result"]
    for each in sorted(outcomes, key=lambda one: one["seed"]):
        lines.append(
            f"{each['name']:28} {each['seed']:>5} {each.get('kills', 0):>5} {each.get('starts', 0):>6} "
            f"{each.get('orders', 0):>6} {each.get('fills', 0):>5} {each.get('recovery', 0.0):>6.2f}  "
            f"{'ok' if not each['breaches'] else 'BROKEN'}"
        )
        lines += [f"    {breach}" for breach in each["breaches"]]
        if each["breaches"]:
            lines.append(f"    kept: {each.get('kept', '')}")
            lines.append(f"    again: manage.py fault_drill --only {each['name']} --seed {each['seed']} --scenarios 1")
    lines.append(
        f"{found['scenarios']} scenarios, {found['kills']} kills, {found['freezes']} freezes, {found['cuts']} cuts: "
        f"{found['orders']} orders, {found['fills']} fills; {found['duplicate_orders']} duplicate orders, "
        f"{found['lost_fills']} lost fills, {found['unknown_positions']} unknown positions, "
        f"{found['open_intents']} open intents, {found['other_breaches']} other breaches; "
        f"{found['dropped_signals']:.1%} of {found['signals']} signals dropped; "
        f"at rest after {found['recovery_seconds_max']} s at most"
    )
    return "\n".join(lines)
