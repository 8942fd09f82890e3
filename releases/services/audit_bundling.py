"""One audit's work: everything collected, asked again, judged, drawn and put into words; nothing written yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from models_ml.adapters import report_pdf
from models_ml.core.reports import Chart, Series
from releases.core import audit_flags, audit_metrics, audit_notebook, audit_text
from releases.core.audit_flags import Known, Limits
from releases.services import audit_configs, audit_integrity, audit_learning, audit_watching
from releases.services.audit_parts import Part, as_json
from sensequant.lib.clock import ist


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose audit it is, why it is made, what is left out, and where its bundle will stand."""

    audit_id: str
    by: str
    cause: str
    skip_validation: bool
    skip_plots: bool
    folder: Path


@dataclass(frozen=True, slots=True)
class Judged:
    """metrics.json, the risk register, and every file of the bundle."""

    metrics: dict[str, Any]
    flags: list[dict[str, Any]]
    files: dict[str, bytes]


def gather(wanted: Wanted, step: Callable[[str], None], *, at: dt.datetime) -> Judged:
    """Return the whole audit of the desk as it stands at ``at``; ``step`` is told what is done next."""
    parts = settings.DESK.release_audit_parts
    step("collect")
    evidence = audit_learning.optimized(parts)
    found = audit_configs.collect()
    for part in (
        audit_learning.optimizer(parts, evidence, at=at), audit_learning.student(parts),
        audit_watching.collect(parts, evidence, at=at), audit_integrity.collect(),
    ):  # fmt: skip
        found.add(part)
    if not wanted.skip_validation:
        step("validate")
        found.add(audit_learning.validate(parts, at=at))
    step("judge")
    return _judged(wanted, found, step, at)


def _judged(wanted: Wanted, found: Part, step: Callable[[str], None], at: dt.datetime) -> Judged:
    desk = settings.DESK
    told = audit_metrics.metrics(wanted.audit_id, ist(at), found.sections)
    known = Known(desk.release_audit_parts, wanted.skip_validation, found.why, found.trades, found.flags)
    limits = Limits(alerts=desk.release_audit_max_alerts, trades=desk.release_audit_min_trades)
    flags = audit_flags.flags(told, known, limits)
    metrics = audit_metrics.judged(told, [flag.line for flag in flags])
    files = {**found.files, "metrics.json": as_json(metrics)}
    files["validation_results/risk_register.json"] = as_json([flag.as_json() for flag in flags])
    files["promotion_checklists/index.md"] = audit_text.index(
        "Promotion checklists", {name.rpartition("/")[2]: "" for name in files if name.startswith("promotion_")}
    )
    files["notebooks/release_audit.ipynb"] = audit_notebook.notebook_of().encode()
    if not wanted.skip_plots:
        step("draw")
        charts = {**_charts(metrics), **found.charts}
        files |= {f"plots/{name}": report_pdf.png(chart) for name, chart in charts.items()}
        files["plots/index.md"] = audit_text.index("Charts", {name: chart.title for name, chart in charts.items()})
    register = [flag.as_json() for flag in flags]
    about = audit_text.About(
        f"{ist(at):%d %b %Y %H:%M} IST", wanted.by, wanted.cause, desk.release_audit_parts, sorted(files), found.notes
    )
    files["summary.md"] = audit_text.summary(metrics, register, about).encode()
    return Judged(metrics, register, files)


def _charts(metrics: dict[str, Any]) -> dict[str, Chart]:
    """Return baseline beside optimised as charts: rates in per cent, Sharpe ratios by themselves."""
    before, after = metrics["baseline"], metrics["optimized"]
    if all(before[key] is None for key in audit_metrics.FOUR):
        return {}
    rates = ("total_return_pct", "win_rate_pct", "hit_ratio_pct", "max_drawdown_pct")
    found = {}
    for name, title, keys in (
        ("baseline_optimized_rates.png", "Baseline and optimised, %", rates),
        ("baseline_optimized_sharpe.png", "Baseline and optimised, Sharpe ratio", ("sharpe_ratio",)),
    ):  # fmt: skip
        words = [key.removesuffix("_pct").replace("_", " ") for key in keys]
        bars = (
            Series("baseline", words, [before[k] for k in keys]),
            Series("optimised", words, [after[k] for k in keys]),
        )
        found[name] = Chart("bar", title, bars)
    return found
