"""The files of an optimisation, as the document lays them out (§15.4 to 15.10); the rows stay the truth."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models_ml.core.deployment_plan import Plan, deployment_plan
from models_ml.core.objectives import contributions
from models_ml.core.optimization_report import Report, accuracy_report, measures
from models_ml.models.optimizations import OptimizationRun, Trial
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput
from trading.services import feeds, markets

ACCURACY = (
    "precision_long", "precision_short", "recall_long", "recall_short", "hit_ratio", "win_rate", "confusion_matrix",
)  # fmt: skip
FILES = ("configs.json", "baseline_metrics.json", "ranked_results.csv", "optimization_summary.json")
REPORTS = ("accuracy_report.md", "deployment_plan.md")


def usual_folder(run: OptimizationRun) -> Path:
    """Return where a run's files go when nobody says otherwise: run_20251012_143022, its number added if taken."""
    folder = paths.resolve(f"data/optimization/run_{ist(run.created_at):%Y%m%d_%H%M%S}")
    taken = OptimizationRun.objects.filter(output_dir=str(folder)).exclude(pk=run.pk).exists() or folder.exists()
    return folder.with_name(f"{folder.name}_{run.pk}") if taken else folder


def check_folder(path: str) -> str:
    """Return the folder asked for, absolute and made; BadInput when it cannot be written."""
    folder = Path(path).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder} cannot be made: {error.strerror}", fix="name a folder you may write to") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"{folder} cannot be written", fix="name a folder you may write to")
    return str(folder)


def split_measures(found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return measures as two: those of money, and those of accuracy."""
    money = {key: value for key, value in found.items() if key not in ACCURACY or key == "win_rate"}
    return money, {key: found.get(key) for key in ACCURACY}


def config(trial: Trial) -> dict[str, Any]:
    """Return a configuration as ``configs.json`` holds it."""
    money, accuracy = split_measures(trial.metrics)
    return {
        "config_id": trial.config_id,
        "rank": trial.rank,
        "score": trial.score,
        "feasible": trial.feasible,
        "parameters": trial.params,
        "metrics": money,
        "accuracy_metrics": accuracy,
        "validation": trial.validation,
        "contributions": contributions(trial.metrics),
    }


def baseline(run: OptimizationRun, trial: Trial) -> dict[str, Any]:
    """Return the baseline as ``baseline_metrics.json`` holds it: its measures flat, with where they come from."""
    return {
        **trial.metrics, "score": trial.score, "config_id": "baseline", "strategy": run.strategy,
        "parameters": run.params, "validation": trial.validation,
    }  # fmt: skip


def export(run: OptimizationRun, ranked: Sequence[Trial], base: Trial | None, *, at: dt.datetime) -> Path:
    """Write every file of the run and return their folder; again writes the same."""
    folder = Path(check_folder(run.output_dir))
    configs = [config(trial) for trial in ranked]
    before = baseline(run, base) if base else None
    write(folder, "configs.json", json.dumps(configs, indent=1))
    if before:
        write(folder, "baseline_metrics.json", json.dumps(before, indent=1))
    write(folder, "ranked_results.csv", ranked_csv(configs))
    write(folder, "optimization_summary.json", json.dumps(summary(run, configs, before), indent=1))
    if run.spec["export_report"]:
        write(folder, "accuracy_report.md", accuracy_report(_report(run, configs, before, at)))
        if before:
            write(folder, "deployment_plan.md", deployment_plan(_plan(run, configs[0], before, at)))
    return folder


def ranked_csv(configs: Sequence[dict[str, Any]]) -> str:
    """Return the ranking as a spreadsheet: id, rank, score, one column per parameter and per measure."""
    names = list(configs[0]["parameters"])
    keys = [key for key in measures(configs[0]) if key != "confusion_matrix"]
    confirm = ("sharpe_ratio", "total_return", "trades")
    sheet = io.StringIO()
    out = csv.writer(sheet, lineterminator="\n")
    out.writerow(["rank", "config_id", "score", "feasible", *names, *keys, *(f"validation_{key}" for key in confirm)])
    for each in configs:
        values = measures(each)
        out.writerow(
            [
                each["rank"], each["config_id"], each["score"], int(each["feasible"]),
                *(each["parameters"][name] for name in names), *(values[key] for key in keys),
                *(each["validation"].get(key) for key in confirm),
            ]
        )  # fmt: skip
    return sheet.getvalue()


def summary(run: OptimizationRun, configs: Sequence[dict[str, Any]], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the run's metadata as ``optimization_summary.json`` holds it."""
    best = configs[0]
    return {
        **asked(run),
        "total_configs": len(configs),
        "best_config_id": best["config_id"],
        "best_score": best["score"],
        "baseline_score": before["score"] if before else None,
        "market_digest": run.market,
        "test": run.test,
        "test_touched_at": ist(run.test_touched_at).isoformat() if run.test_touched_at else None,
        **run.result,
    }


def asked(run: OptimizationRun) -> dict[str, Any]:
    """Return what a run was asked for and the days it stands on, as its summary begins."""
    return {
        "run_id": run.pk,
        "created_at": ist(run.created_at).isoformat(),
        "strategy": run.strategy,
        "symbols": run.symbols,
        "interval": run.interval,
        "start_date": run.start.isoformat(),
        "end_date": run.end.isoformat(),
        "data_source": run.source
        if run.source in (markets.DEMO, markets.STREAM)
        else feeds.split(run.source)[0] or "csv",
        "objective": run.spec["objective"],
        "search": run.spec["search"],
        "search_space": {c["name"]: c["values"] or [c["low"], c["high"]] for c in run.spec["space"]},
        "constraints": {key: run.spec[key] for key in ("min_trades", "max_drawdown")},
        "parts": {
            name: {"start": str(dt.date.fromordinal(s[0])), "end": str(dt.date.fromordinal(s[1])), "sessions": s[2]}
            for name, s in run.parts.items()
        },
    }


def _report(
    run: OptimizationRun, configs: Sequence[dict[str, Any]], before: dict[str, Any] | None, at: dt.datetime
) -> Report:
    return Report(
        f"#{run.pk}", run.strategy, ", ".join(run.symbols), str(run.start), str(run.end), made(at),
        run.spec["objective"], run.spec["search"], len(configs), before, configs, run.result["honesty"],
        run.result["sensitivity"]["parameters"],
    )  # fmt: skip


def _plan(run: OptimizationRun, best: dict[str, Any], before: dict[str, Any], at: dt.datetime) -> Plan:
    return Plan(
        f"#{run.pk}", run.strategy, ", ".join(run.symbols), str(run.start), str(run.end), made(at),
        run.output_dir, best["config_id"], best["score"], best["parameters"], before, measures(best),
        run.test.get("best", {}), run.result["honesty"], command(run),
    )  # fmt: skip


def made(at: dt.datetime) -> str:
    """Return when a report was made, as it says so."""
    return f"{ist(at):%Y-%m-%d %H:%M} IST"


def command(run: OptimizationRun) -> str:
    """Return the line that asks for the same optimisation again."""
    own = run.source in (markets.DEMO, markets.STREAM)
    kind, folder = (run.source, "") if own else (feeds.split(run.source)[0] or "csv", feeds.split(run.source)[1])
    where = f"--data-source {kind}" + (f" --csv {folder}" if folder else "")
    return (
        f"python manage.py optimize --symbols {' '.join(run.symbols)} --start-date {run.start} --end-date {run.end} "
        f"--strategy {run.strategy} --interval {run.interval} {where} --objective {run.spec['objective']} "
        f"--search {run.spec['search']} --max-configs {run.spec['max_configs']}"
    )


def write(folder: Path, name: str, text: str) -> None:
    """Write a file whole or not at all."""
    fresh = folder / f".{name}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / name)
