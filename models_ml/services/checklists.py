"""The promotion checklist: the document's JSON (§17.4), what it leaves out, and the same in Markdown."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

ROLES = ("ML Lead", "Quant Lead", "Head of Trading")
NAMES = {"precision": "Precision LONG", "hit_ratio": "Hit ratio", "sharpe": "Sharpe ratio"}
METRICS = {"precision": "precision_long", "hit_ratio": "hit_ratio", "sharpe": "sharpe_ratio"}


def digest_of(checklist: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a checklist, however its keys are ordered."""
    text = json.dumps(checklist, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def evidence(candidate_digest: str, checklist_digest: str) -> str:
    """Return what a signature is bound to: the candidate and the checklist, both to the last byte."""
    return hashlib.sha256(f"{candidate_digest}\n{checklist_digest}".encode()).hexdigest()


def number(value: float | None, places: int = 3) -> str:
    """Return a number for reading; a dash where there is none."""
    return "–" if value is None else f"{value:.{places}f}"


def as_markdown(checklist: Mapping[str, Any]) -> str:
    """Return ``promotion_checklist.md``."""
    period = checklist["validation_period"]
    lines = [
        "# Student model promotion checklist", "",
        f"* Candidate: `{checklist['candidate_version']}` in `{checklist['candidate_model']}`",
        f"* Baseline: `{checklist['baseline_model']}`",
        f"* Validation period: {period['start']} to {period['end']}, {', '.join(period['symbols'])}",
        f"* Made: {checklist['timestamp']} by {checklist['author']}", "",
        f"## Recommendation: {checklist['recommendation']}", "", checklist["reason"], "",
        *_performance(checklist), *_criteria(checklist), *_honesty(checklist), *_before(checklist), *_signing(),
        *_commands(checklist),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _performance(checklist: Mapping[str, Any]) -> list[str]:
    candidate, baseline = checklist["candidate_metrics"], checklist["baseline_metrics"]
    rows = [
        f"| {key.replace('_', ' ')} | {number(candidate[key])} | {number(baseline.get(key))} |" for key in candidate
    ]
    return ["## Performance summary", "", "| Metric | Candidate | Baseline |", "|---|---:|---:|", *rows, ""]


def _criteria(checklist: Mapping[str, Any]) -> list[str]:
    deltas, least, met = checklist["deltas"], checklist["validation_thresholds"], checklist["validation_results"]
    rows = [
        f"| {NAMES[key]} | {_signed(deltas[f'{key}_uplift'])} | {least[f'min_{key}_uplift']:+.3f} | "
        f"{'✅ pass' if met[f'{key}_pass'] else '❌ fail'} |"
        for key in NAMES
    ]
    needed = "All of them are needed." if least["require_all_criteria"] else "One of them is enough."
    return [
        "## Validation criteria", "", "| Delta | Uplift | Needed | |", "|---|---:|---:|---|", *rows, "", needed, "",
    ]  # fmt: skip


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _honesty(checklist: Mapping[str, Any]) -> list[str]:
    paired, skill = checklist["significance"], checklist["skill"]
    leaks = checklist["suspected_leaks"]
    return [
        "## Is it luck, or a leak?", "",
        f"* {paired['days']} sessions; the candidate earned {_bps(paired['mean'])} bps a day more, 95 % interval "
        f"{_bps(paired['mean_low'])} to {_bps(paired['mean_high'])} (Newey–West)",
        f"* Difference of Sharpe ratios: 95 % interval {number(paired['sharpe_low'], 2)} to "
        f"{number(paired['sharpe_high'], 2)} (block bootstrap): "
        f"{'✅ beyond luck' if paired['significant'] else '❌ not enough evidence'}",
        f"* {skill['decisions']} decisions of the strategy alone: AUC {number(skill['auc'])}, precision "
        f"{number(skill['precision'])} of {skill['acted']} acted upon, base rate {number(skill['base_rate'])}",
        *([f"* ❌ Suspected leak: {each}" for each in leaks] or ["* ✅ No leak is suspected"]),
        f"* Learned from bars up to {checklist['trained_until'] or 'a day its manifest does not tell'}", "",
    ]  # fmt: skip


def _bps(value: float | None) -> str:
    return "–" if value is None else f"{value * 1e4:+.2f}"


def _before(checklist: Mapping[str, Any]) -> list[str]:
    return [
        "## Pre-deployment checklist", "",
        "- [ ] The candidate's files were compared with their digests (done at every load)",
        "- [ ] It was shadow-scored beside the champion, or somebody says here why not",
        "- [ ] Desk and database are backed up; the rollback below was read",
        f"- [ ] `STUDENT_MODEL_CONFIDENCE_THRESHOLD` is {checklist['confidence_threshold']}, as it was judged", "",
    ]  # fmt: skip


def _signing() -> list[str]:
    rows = [f"| {role} | | | |" for role in ROLES]
    return [
        "## Approval sign-offs", "",
        "Three distinct people, none of them the author, each in the group of their role; signed on `/models`.", "",
        "| Role | Name | Decision | Date |", "|---|---|---|---|", *rows, "",
    ]  # fmt: skip


def _commands(checklist: Mapping[str, Any]) -> list[str]:
    return [
        "## Promotion commands", "", "```bash",
        "python manage.py promote_student_models --list",
        "python manage.py promote_student_models --promote NUMBER   # archives the old one, then switches",
        "export SENSEQUANT_STUDENT_MODEL_ENABLED=true",
        f"export SENSEQUANT_STUDENT_MODEL_VERSION={checklist['candidate_version']}   # optional: load nothing else",
        "```", "", "## Rollback procedure", "", "```bash",
        'python manage.py promote_student_models --rollback --reason "why"   # the one before, verified',
        "export SENSEQUANT_STUDENT_MODEL_ENABLED=false                       # or: trade without a student",
        "```", "",
    ]  # fmt: skip


def stamp(at: dt.datetime) -> str:
    """Return a moment as the document writes it."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
