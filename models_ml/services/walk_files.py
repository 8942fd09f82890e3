"""The files of a walk-forward, and the same as answers give it; the rows stay the truth."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models_ml.core.report_markdown import markdown
from models_ml.core.walk_report import document
from models_ml.models.optimizations import OptimizationRun
from models_ml.services import artifacts

LONG = ("equity", "baseline_equity", "trades")  # what a page of numbers has no room for
FILE = "walk_forward.json"


def block(run: OptimizationRun) -> dict[str, Any]:
    """Return the windows of a walk-forward and the stitched curve, trades and metrics; {} before it is done."""
    found = run.result.get("walk_forward")
    if not found:
        return {}
    return {**found, "metrics": run.test["best"], "baseline": run.test.get("baseline"),
            **{key: run.test[key] for key in LONG if key in run.test}}  # fmt: skip


def export(run: OptimizationRun, *, at: dt.datetime) -> Path:
    """Write every file of the walk-forward and return their folder; again writes the same."""
    folder = Path(artifacts.check_folder(run.output_dir))
    whole, told = block(run), summary(run)
    artifacts.write(folder, "optimization_summary.json", json.dumps(told, indent=1))
    artifacts.write(folder, FILE, json.dumps(whole, indent=1))
    artifacts.write(folder, "walk_forward_trades.csv", _csv(whole["trades"]))
    if run.spec["export_report"]:
        artifacts.write(folder, "walk_forward_report.md", markdown(document(told, whole, artifacts.made(at))))
    return folder


def summary(run: OptimizationRun) -> dict[str, Any]:
    """Return the walk-forward's metadata as ``optimization_summary.json`` holds it."""
    windows = run.result["walk_forward"]["windows"]
    return {
        **artifacts.asked(run),
        "walk_forward": run.spec["walk_forward"],
        "total_configs": sum(each["tried"] for each in windows),
        "windows": len(windows),
        "honesty": run.result["honesty"],
    }


def _csv(trades: Sequence[dict[str, Any]]) -> str:
    sheet = io.StringIO()
    names = list(trades[0]) if trades else ["window", "symbol", "side", "quantity", "net_pnl"]
    out = csv.DictWriter(sheet, names, lineterminator="\n")
    out.writeheader()
    out.writerows(trades)
    return sheet.getvalue()
