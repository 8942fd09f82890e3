"""Search a strategy's parameters, and say how much of the best result is luck."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import CommandParser

from models_ml.core.deployment_plan import SHOWN, shown
from models_ml.core.objectives import OBJECTIVES
from models_ml.core.walk_report import in_words
from models_ml.models.optimizations import OptimizationRun
from models_ml.services import artifacts, asking, optimizations
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from sensequant.lib.fan_out import FLEET, workers_asked
from trading.management.asking import NEEDED, add_market_arguments, asked

SEARCH_OPTIONS = (
    "objective", "search", "max_configs", "seed", "split", "purge", "min_trades", "max_drawdown", "run_baseline",
    "export_report", "telemetry_dir", "telemetry_sample_rate", "walk_forward",
)  # fmt: skip


class Command(DeskCommand):
    """An optimisation, kept as an OptimizationRun with every configuration it tried."""

    needs_database = True
    help = (
        "Try many configurations of a strategy on the same bars, rank them, and judge honestly what the best is worth. "
        "Nothing in production is changed."
    )
    examples = (
        "  manage.py optimize --config grid.json --symbols RELIANCE TCS \\\n"
        "    --start-date 2024-01-01 --end-date 2024-12-31 --strategy intraday --interval 5minute \\\n"
        "    --csv data/historical --objective composite --json\n"
        "  manage.py optimize --data-source demo --symbols DEMOBANK --start-date 2025-01-01 --end-date 2025-12-31 \\\n"
        "    --strategy intraday --interval 5minute --search adaptive --max-configs 100 --workers 2\n"
        "  manage.py optimize … --walk-forward 60:20 (search 60 sessions, trade the next 20 unseen, move on by 20)\n"
        "  manage.py optimize … --validate-only      (check everything, run nothing)\n"
        "  manage.py optimize … --resume             (go on with the same request where it was broken off)\n\n"
        'a grid file: {"parameters": {"sma": [10, 20, 30], "adx_min": {"low": 10, "high": 30, "step": 5}},\n'
        '  "objective": "composite", "constraints": {"min_trades": 50, "max_drawdown": 0.2}}'
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to search, on what, and how."""
        add_market_arguments(parser, needed=())
        parser.add_argument("--config", metavar="FILE", help="grid file (default: the strategy's own bounds)")
        parser.add_argument("--objective", help=f"one of {', '.join(OBJECTIVES)} (default composite)")
        parser.add_argument("--search", help=f"one of {', '.join(asking.SEARCHES)} (default grid)")
        parser.add_argument("--max-configs", type=int, metavar="N", help=f"most to try (default {asking.MOST})")
        parser.add_argument("--seed", type=int, metavar="N", help="of draws and proposals (default 7)")
        parser.add_argument("--split", metavar="A/B/C", help="per cent of days to train/validation/test (60/20/20)")
        parser.add_argument("--purge", type=int, metavar="DAYS", help="sessions left out between the parts")
        parser.add_argument(
            "--walk-forward", metavar="TRAIN:TEST[:STEP]",
            help="search window after window and trade the days after each unseen; in trading sessions, such as 60:20 "
            "or 60d:20d, weeks of 5 (12w:4w) or months of 21 (3m:1m)",
        )  # fmt: skip
        parser.add_argument(
            "--min-trades", type=int, metavar="N", help="least trades on the training days (default 20)"
        )
        parser.add_argument("--max-drawdown", type=float, metavar="FRACTION", help="deepest fall allowed, e.g. 0.2")
        parser.add_argument("--run-baseline", action=argparse.BooleanOptionalAction, default=None)
        parser.add_argument("--export-report", action=argparse.BooleanOptionalAction, default=None)
        parser.add_argument(
            "--telemetry-dir", metavar="DIR", help="each configuration's traces (default: OUTPUT/telemetry)"
        )
        parser.add_argument(
            "--telemetry-sample-rate", type=float, metavar="RATE", help="share of traces kept, 0 to 1 (default 1)"
        )
        parser.add_argument("--output-dir", default="", metavar="DIR", help="default data/optimization/run_<timestamp>")
        parser.add_argument("--validate-only", action="store_true", help="check everything and run nothing")
        parser.add_argument(
            "--workers",
            default="auto",
            metavar="N|celery|fleet",
            help="processes (default: one a core), Celery's workers, or they and this process",
        )
        parser.add_argument("--resume", action="store_true", help="go on with this request where it was broken off")
        parser.add_argument("--run", type=int, metavar="NUMBER", help="execute a run that a page or the API queued")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Check, search, judge, and return what came out."""
        workers = workers_asked(options["workers"])
        if options["run"] is not None:
            number = options["run"]
            workers = FLEET if optimizations.find(number).workers == FLEET else workers
        else:
            if options["walk_forward"] is not None and options["validate_only"]:
                raise BadInput(
                    "--walk-forward and --validate-only cannot be combined: a window is known when its bars are read",
                    fix="leave one of them out",
                )
            request = _asked(options)
            if options["validate_only"]:
                told = optimizations.preview(request, at=now())
                return told, f"valid: {told['configs']} configurations on {told['bars']:,} bars"
            number = _row(request, options).pk
        bar = _Bar()
        how = optimizations.How(workers, now, bar)
        run = optimizations.execute(number, how, resume=options["resume"])
        bar.end()
        data = optimizations.answer(run)
        return data, _table(run, data)


def _asked(options: dict[str, Any]) -> asking.Asked:
    missing = [f"--{name.replace('_', '-')}" for name in NEEDED if options[name] is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", fix="or --run with the number of a queued optimisation")
    wanted, order = asked(options, at=now())
    grid = asking.read_grid(options["config"]) if options["config"] else {}
    if options["telemetry_dir"]:
        options["telemetry_dir"] = artifacts.check_folder(options["telemetry_dir"])
    return asking.ask(wanted, order, grid, {name: options[name] for name in SEARCH_OPTIONS})


def _row(request: asking.Asked, options: dict[str, Any]) -> OptimizationRun:
    """Return the run to execute: a new one, or with --resume the newest of the same request."""
    before = optimizations.open_run(request) if options["resume"] else None
    if before is not None:
        return before
    folder = artifacts.check_folder(options["output_dir"]) if options["output_dir"] else ""
    return optimizations.keep(request, output_dir=folder, by="shell", at=now())


class _Bar:
    """Draws the progress on a terminal."""

    def __init__(self) -> None:
        self.shown = False

    def __call__(self, done: int, total: int) -> None:
        """Draw how far the search is."""
        if sys.stderr.isatty():
            self.shown = True
            filled = 30 * done // max(total, 1)
            sys.stderr.write(f"\roptimize [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}")
            sys.stderr.flush()

    def end(self) -> None:
        """End the line, when there is one."""
        if self.shown:
            sys.stderr.write("\n")


def _table(run: OptimizationRun, data: dict[str, Any]) -> str:
    if data.get("walk_forward"):
        return _walked(run, data)
    lines = [f"optimisation {run.pk}: {run.strategy}, {data['configs_tried']} configurations, {run.status}"]
    if data["best"] is None:
        return lines[0]
    best = {**data["best"]["metrics"], **data["best"]["accuracy_metrics"]}
    lines.append(f"  best {data['best']['config_id']}: {_params(data['best'])}")
    lines.append(f"  {'':<24}{'baseline':>14}{'best':>14}{'validation':>14}{'test':>14}")
    columns = (data["baseline"] or {}, best, data["best"]["validation"], data["test"].get("best", {}))
    for label, key, form in (("Score", "score", "{:.4f}"), *SHOWN):
        values = [shown((data["best"] if key == "score" and c is best else c).get(key), form) for c in columns]
        lines.append(f"  {label:<24}" + "".join(f"{value:>14}" for value in values))
    return "\n".join([*lines, *_honest(data["honesty"]), f"  {run.output_dir}"])


def _honest(h: dict[str, Any]) -> list[str]:
    told = (
        f"  tried {h['trials']} in all, DSR {shown(h['deflated_sharpe'], '{:.3f}')}, PBO {shown(h['pbo'], '{:.3f}')}, "
        f"reality check p {shown(h['reality_check_p'], '{:.3f}')}: {h['verdict']}"
    )
    return [told, *(f"    because {reason}" for reason in h["reasons"])]


def _walked(run: OptimizationRun, data: dict[str, Any]) -> str:
    walk = data["walk_forward"]
    lines = [f"walk-forward {run.pk}: {run.strategy}, {data['configs_tried']} configurations, {run.status}"]
    lines.append(f"  {'searched':<24}{'traded unseen':<26}{'chosen':<14}{'searched':>9}{'unseen':>9}  parameters")
    for each in walk["windows"]:
        searched, unseen = (each[key]["total_return"] for key in ("in_sample", "out_of_sample"))
        lines.append(
            f"  {each['train']['first']}…{each['train']['last']}  {each['test']['first']}…{each['test']['last']}    "
            f"{each['config_id']:<14}{searched:>9.2%}{unseen:>9.2%}  {_params(each)}"
        )
    lines.append(f"  {in_words(walk)}")
    m = walk["metrics"]
    lines.append(
        f"  stitched: return {shown(m['total_return'], '{:.2%}')}, Sharpe {shown(m['sharpe_ratio'], '{:.2f}')}, "
        f"max drawdown {shown(m['max_drawdown'], '{:.2%}')}, {m['trades']:,} trades in {m['days']} sessions"
    )
    return "\n".join([*lines, *_honest(data["honesty"]), f"  {run.output_dir}"])


def _params(config: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in config["parameters"].items())
