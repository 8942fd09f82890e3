"""The accuracy report of an optimisation (§15.8.6): before and after, the best five, and what may be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from models_ml.core.deployment_plan import SHOWN, honest, shown, table
from models_ml.core.verdicts import EVIDENCE, REJECT

TOP = 5


class Report(NamedTuple):
    """What a report is made of; configurations as ``configs.json`` holds them, best first."""

    run: str
    strategy: str
    symbols: str
    start: str
    end: str
    made: str
    objective: str
    search: str
    tried: int
    baseline: Mapping[str, Any] | None
    configs: Sequence[Mapping[str, Any]]
    honesty: Mapping[str, Any]
    sensitivity: Sequence[Mapping[str, Any]]


def measures(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's measures, financial and of accuracy, in one."""
    return {**config["metrics"], **config["accuracy_metrics"]}


def accuracy_report(r: Report) -> str:
    """Return the report as Markdown."""
    best = r.configs[0]
    parts = [
        f"# Optimization Accuracy Report: {r.strategy}, optimisation {r.run}",
        f"Made {r.made}. {r.symbols}, {r.start} to {r.end}; {r.tried} configurations by {r.search} search, "
        f"objective {r.objective}.",
        "## Executive Summary",
        f"Best configuration: `{best['config_id']}`, score {shown(best['score'], '{:.4f}')}.",
        _recommendation(r),
        honest(r.honesty),
        "## Baseline Metrics",
        table(("Baseline", r.baseline)) if r.baseline else "No baseline was run.",
        f"## Top {min(TOP, len(r.configs))} Configurations",
        *(_config(r, config) for config in r.configs[:TOP]),
        "## Parameter Sensitivity",
        _sensitivity(r),
        "## Deployment Recommendations",
        _deployment(r),
        "## Rollback Plan",
        ROLLBACK,
    ]
    return "\n\n".join(parts) + "\n"


def _recommendation(r: Report) -> str:
    word = r.honesty["verdict"]
    lines = [f"Recommendation: **{'proceed to paper trading' if word == EVIDENCE else word}**"]
    return "\n".join([*lines, *([""] if r.honesty["reasons"] else []), *(f"- {each}" for each in r.honesty["reasons"])])


def _config(r: Report, config: Mapping[str, Any]) -> str:
    values = measures(config)
    parameters = ", ".join(f"{name}={value:g}" for name, value in config["parameters"].items())
    columns = [("Value", values), ("Validation days", config["validation"])]
    lines = [
        f"### {config['rank']}. `{config['config_id']}`, score {shown(config['score'], '{:.4f}')}",
        "",
        parameters,
        "",
    ]
    if r.baseline is None:
        return "\n".join([*lines, table(*columns)])
    deltas = {
        key: None if values.get(key) is None or r.baseline.get(key) is None else values[key] - r.baseline[key]
        for _, key, _ in SHOWN
    }
    return "\n".join([*lines, table(*columns, ("Delta to baseline", deltas))])


def _sensitivity(r: Report) -> str:
    rows = [
        f"| {each['name']} | {shown(each['correlation'], '{:+.3f}')} | {shown(each['spread'], '{:.4f}')} |"
        for each in r.sensitivity
    ]
    return "\n".join(["| Parameter | Rank correlation with the score | Spread of its levels |", "|---|---|---|", *rows])


def _deployment(r: Report) -> str:
    if r.honesty["verdict"] == REJECT:
        return (
            "**REJECT**: no phase begins. What follows is what a configuration with evidence would go through.\n\n"
            + PHASES
        )
    return PHASES


PHASES = """- **Phase 1 (2 weeks)**: paper trading validation with monitoring.
- **Phase 2 (4 weeks)**: gradual rollout, 20% → 50% → 100% of the capital.
- **Phase 3**: full production with a new strategy version, activated by a person.

Nothing here changes the production configuration."""
ROLLBACK = """1. Halt entries (`manage.py kill_switch`).
2. Activate the baseline version of the strategy again.
3. Restart the engine and verify a replayed day.
4. Compare live metrics with the thresholds of `deployment_plan.md` and write down what was learned."""
