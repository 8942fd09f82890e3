"""Print how fast the desk is on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from monitoring.services import rollup_benches
from sensequant import benches as own
from sensequant import fleet_bench, socket_bench
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.services import benches, desk_benches, scoring_benches, sentiment_benches

# the fleet before the pages: asking for those leaves counters in Redis, and it wants an empty one
PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    each.NAME: each.measure
    for each in (
        sentiment_benches, scoring_benches, desk_benches, rollup_benches, own.FLEET, socket_bench, own.PAGE, own.FAN,
    )
}  # fmt: skip
NAMES = (*benches.WORKLOADS, *PARTS)


class Command(DeskCommand):
    """The workloads, one line each, and what news and students cost."""

    needs_database = True
    help = (
        "Time the backtester on four workloads, beside raptorbt where it is installed (requirements, compare part), "
        "the parts of news, a row scored by a student, a bar in the engine, files read, rollups, pages, work spread "
        "over processes and, where PostgreSQL and an empty Redis are there, over Celery, and what readers cost."
    )
    examples = "  manage.py bench\n  manage.py bench --only W1,W2 --json\n  manage.py bench --trades trades.json"

    def arguments(self, parser: CommandParser) -> None:
        """Add what to run."""
        parser.add_argument(
            "--only", default="", metavar="W1,W2,…", help=f"what to run, of {', '.join(NAMES)} (default: all)"
        )
        parser.add_argument("--data", default="", metavar="DIR", help="bars to use instead of the built-in ones")
        parser.add_argument("--save", action="store_true", help="keep the times of this machine in config/bench.json")
        parser.add_argument("--trades", default="", metavar="FILE", help="write every workload's trades here, as JSON")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Run the workloads one after another."""
        names = [name.strip() for name in options["only"].split(",") if name.strip()]
        why = "" if names else fleet_bench.lacking()
        left_out = dict.fromkeys((own.FLEET.NAME, socket_bench.NAME), why) if why else {}
        names = names or [name for name in NAMES if name not in left_out]
        for name in names:
            if name not in NAMES:
                raise BadInput(f"there is no workload {name!r}", fix=f"use {', '.join(NAMES)}")
        figures, trades = {}, {}
        for name in self.progress(names, total=len(names), label="bench"):
            if name in PARTS:
                figures[name] = PARTS[name]()
                continue
            work = benches.workloads([name], options["data"])[name]
            figures[name], trades[name] = benches.measure(name, work)
        if options["trades"]:
            _write(Path(options["trades"]), trades)
        ratios = own.compared(figures)
        if options["save"]:
            own.keep(figures)
        told = {**figures, **({"compared": ratios} if ratios else {}), **({"left_out": left_out} if left_out else {})}
        words = [f"{name} left out: {why}" for name, why in left_out.items()]
        return told, "\n\n".join([*_tables(figures), *_compared(ratios), *words])


def _compared(ratios: dict[str, dict[str, float]]) -> Iterator[str]:
    if ratios:
        lines = [f"times the figures kept of this machine ({own.KEPT.name}); above 1 is slower"]
        lines += [
            f"{name:4} " + ", ".join(f"{key} {value:.2f}" for key, value in told.items())
            for name, told in ratios.items()
        ]
        yield "\n".join(lines)


def _write(path: Path, trades: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(trades), encoding="utf-8")
    except OSError as error:
        fix = "name a file in a folder you may write to"
        raise BadInput(f"{path} cannot be written: {error.strerror}", fix=fix) from None


def _tables(figures: dict[str, Any]) -> Iterator[str]:
    work = {name: each for name, each in figures.items() if name not in PARTS}
    if work:
        yield _table(work)
    for name in PARTS:
        if told := figures.get(name):
            yield _parts(name, told)


def _parts(workload: str, told: dict[str, Any]) -> str:
    lines = [f"{workload:4} {'ms each':>32} {'allowed':>9}"]
    for name in (key.removesuffix("_ms") for key in told if key.endswith("_ms") and key != "allowed_ms"):
        most = told["allowed_ms"].get(name)
        mark = "  too slow" if name in told["slow"] else ""
        lines.append(f"{'':4} {name:20} {told[name + '_ms']:>11.5f} {'' if most is None else most:>9}{mark}")
    if "scripts_kb" in told:
        mark = "  too large" if "scripts" in told["slow"] else ""
        lines.append(f"{'':4} {'scripts, kB':20} {told['scripts_kb']:>11.1f} {own.SCRIPTS_KB:>9}{mark}")
    others = {
        key: told[key] for key in told if not key.endswith("_ms") and key not in ("seconds", "slow", "scripts_kb")
    }
    lines += [f"{'':4} {name:20} {value:>11,}" for name, value in others.items() if isinstance(value, int | float)]
    return "\n".join(lines)


def _table(figures: dict[str, Any]) -> str:
    lines = [
        f"{'':4} {'bars':>12} {'trades':>8} {'net P&L':>14} {'flat ms':>9} {'desk ms':>9} {'desk/flat':>9} "
        f"{'raptorbt ms':>12} {'times':>6} {'cores':>5} {'RSS MB':>7}"
    ]
    for name, f in figures.items():
        rival = f.get("raptorbt_seconds")
        lines.append(
            f"{name:4} {f['bars']:>12,} {f['trades']:>8,} {f['net_pnl']:>14,.3f} {f['seconds'] * 1e3:>9.2f} "
            f"{f['seconds_desk'] * 1e3:>9.2f} {f['seconds_desk'] / f['seconds']:>9.2f} "
            f"{'—' if rival is None else f'{rival * 1e3:.1f}':>12} {f.get('times_raptorbt', '—'):>6} "
            f"{f['cores']:>5} {f['rss_mb']:>7}"
        )
    return "\n".join(lines)
