"""The deployment plan of an optimisation (§15.10): ten sections of Markdown, thresholds computed, nothing deployed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from models_ml.core.objectives import thresholds
from models_ml.core.verdicts import REJECT

SHOWN = (
    ("Sharpe Ratio", "sharpe_ratio", "{:.2f}"), ("Total Return", "total_return", "{:.2%}"),
    ("Max Drawdown", "max_drawdown", "{:.2%}"), ("Win Rate", "win_rate", "{:.2%}"),
    ("Precision (LONG)", "precision_long", "{:.2%}"), ("Hit Ratio", "hit_ratio", "{:.2%}"),
    ("Trades", "trades", "{:,.0f}"),
)  # fmt: skip
BOUND = (("Sharpe Ratio", "sharpe_ratio", 2), ("Precision (LONG)", "precision_long", 4), ("Hit Ratio", "hit_ratio", 4))


class Plan(NamedTuple):
    """What a plan is made of: the run, its baseline's and best configuration's measures, and how honest they are."""

    run: str
    strategy: str
    symbols: str
    start: str
    end: str
    made: str
    output_dir: str
    config_id: str
    score: float | None
    parameters: Mapping[str, Any]
    baseline: Mapping[str, Any]
    best: Mapping[str, Any]
    test: Mapping[str, Any]
    honesty: Mapping[str, Any]
    command: str


def shown(value: float | None, form: str) -> str:
    """Return a measure as text, a dash where it has no meaning."""
    return "—" if value is None or not math.isfinite(value) else form.format(value)


def table(*columns: tuple[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table of the measures, one column per title."""
    head = "| Metric | " + " | ".join(title for title, _ in columns) + " |"
    line = "|---" * (len(columns) + 1) + "|"
    rows = [
        f"| {label} | " + " | ".join(shown(values.get(key), form) for _, values in columns) + " |"
        for label, key, form in SHOWN
    ]
    return "\n".join([head, line, *rows])


def change(p: Plan, key: str, form: str) -> str:
    """Return how a measure changes from the baseline to the best configuration, with its sign."""
    a, b = p.baseline.get(key), p.best.get(key)
    if a is None or b is None:
        return "—"
    return f"{shown(a, form)} → {shown(b, form)} ({'+' if b >= a else '−'}{form.format(abs(b - a))})"


def bound(p: Plan, key: str, places: int) -> tuple[float, float] | None:
    """Return the validation and the rollback threshold of a measure; None where it is unknown on either side."""
    a, b = p.baseline.get(key), p.best.get(key)
    return None if a is None or b is None else thresholds(a, b, places)


def _form(places: int) -> str:
    return "{:.2f}" if places == 2 else "{:.2%}"


def _criteria(p: Plan) -> str:
    lines = []
    for label, key, places in BOUND:
        found = bound(p, key, places)
        told = "not known: measure it in paper trading first" if found is None else _form(places).format(found[0])
        lines.append(f"- [ ] {label} ≥ {told} (baseline + 80% of the improvement)")
    rate = p.baseline.get("win_rate")
    least = "not known" if rate is None else f"{0.95 * rate:.2%}"
    lines.append(f"- [ ] Win Rate ≥ {least} (95% of the baseline)")
    return "\n".join(lines)


def _triggers(p: Plan) -> str:
    lines = []
    for label, key, places in BOUND:
        found = bound(p, key, places)
        told = "85% of its validation threshold" if found is None else _form(places).format(found[1])
        lines.append(f"- {label} < {told} for 3 consecutive days (validation threshold × 0.85)")
    deepest = p.baseline.get("max_drawdown")
    limit = (
        "150% of the baseline's maximum" if deepest is None else f"{1.5 * deepest:.2%} (150% of the baseline's maximum)"
    )
    lines.append(f"- Drawdown > {limit}")
    return "\n".join(lines)


def _recommendation(p: Plan) -> str:
    word, reasons = p.honesty["verdict"], list(p.honesty["reasons"])
    said = {
        REJECT: "**Recommendation: REJECT. Do not deploy this configuration, not even on paper capital.**",
        "evidence": "**Recommendation: proceed to Phase 1 (paper trading).** Evidence is statistical, not a promise.",
    }.get(word, "**Recommendation: do not deploy yet. There is not enough evidence;** paper trading may gather more.")
    return "\n".join([f"Verdict: **{word}**", "", said, *([""] if reasons else []), *(f"- {each}" for each in reasons)])


def _parameters(p: Plan) -> str:
    return "\n".join(f"    {name!r}: {value!r}," for name, value in p.parameters.items())


def honest(honesty: Mapping[str, Any]) -> str:
    """Return the honesty box as Markdown: how many were tried, and what of the result may be luck."""
    h, decay, flat = honesty, honesty["decay"], honesty["plateau"]
    rows = (
        ("Configurations tried on these days", f"{h['trials']} ({h['trials_this_run']} in this run)"),
        ("Deflated Sharpe Ratio", shown(h["deflated_sharpe"], "{:.3f}")),
        ("Sharpe the luckiest would show", shown(h["sharpe_hurdle"], "{:.2f}")),
        ("Probability of backtest overfitting", shown(h["pbo"], "{:.3f}")),
        ("Reality check p", shown(h["reality_check_p"], "{:.3f}")),
        ("Minimum track record", f"{shown(h['min_track_record_days'], '{:,.0f}')} days (there are {h['days']})"),
        ("Minimum backtest length", f"{shown(h['min_backtest_years'], '{:.1f}')} years"),
        ("Neighbours keep of its lead", shown(flat["held"], "{:.0%}")),
        ("Sharpe train → validation", _arrow(decay["train_sharpe"], decay["validation_sharpe"])),
        ("Sharpe on the test days, seen once", shown(decay["test_sharpe"], "{:.2f}")),
        ("Looks at these test days so far", str(h["test_looks"])),
        ("Verdict", f"**{h['verdict']}**"),
    )
    return "\n".join(["| Honesty | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


def _arrow(a: float | None, b: float | None) -> str:
    return f"{shown(a, '{:.2f}')} → {shown(b, '{:.2f}')}"


def deployment_plan(p: Plan) -> str:
    """Return the plan as Markdown."""
    return TEXT.format(
        p=p,
        recommendation=_recommendation(p),
        changes="\n".join(f"- {label}: {change(p, key, form)}" for label, key, form in SHOWN[:1] + SHOWN[4:6]),
        honesty=honest(p.honesty),
        both=table(("Baseline", p.baseline), ("Optimized", p.best), ("Optimized, test days", p.test)),
        baseline=table(("Baseline", p.baseline)),
        best=table(("Optimized", p.best)),
        standing=" **Rejected: see section 1.**" if p.honesty["verdict"] == REJECT else "",
        score=shown(p.score, "{:.4f}"),
        parameters=_parameters(p),
        criteria=_criteria(p),
        triggers=_triggers(p),
    )


TEXT = """# Deployment Plan: {p.strategy}, optimisation {p.run}

Made {p.made} from {p.start} to {p.end} on {p.symbols}.

> **This plan does NOT modify production configs automatically.** The optimized parameters are stored apart from the
> production configuration; nothing below happens unless people decide and sign for it.

## 1. Executive Summary

{recommendation}

Key changes on the days the configuration was chosen on:

{changes}

{both}

{honesty}

## 2. Baseline Configuration (Current Production)

{baseline}

Location: the active version of `{p.strategy}` (admin, `/api/v1/strategies`) over the settings of `.env`. It stays
as it is, and everything below is compared with it.

## 3. Optimized Configuration (Recommended)

Configuration `{p.config_id}`, score {score}.{standing}

{best}

```python
parameters = {{
{parameters}
}}
```

Kept in `{p.output_dir}/configs.json`, apart from production.

## 4. Phase 1: Paper Trading Validation (2 weeks)

No capital at risk: the engine in dry-run on live prices.

**Validation criteria (ALL must pass):**

{criteria}

**Statistical significance:** at least 50 trades, 95% confidence intervals reported.

**Risk controls:** drawdown within the desk's limits; the circuit breaker is watched and never latched open by hand.

**Operational checks:** no errors in the log, latency < 200ms, telemetry working.

**Monitoring:** daily review at 9:00 AM and 3:30 PM IST.

**Alert thresholds:** warning below a validation criterion on one day; critical below a rollback trigger on one day.

**Exit criteria:** 10 consecutive trading days meeting all criteria.

## 5. Phase 2: Gradual Rollout (4 weeks)

| Week | Capital on the optimized configuration | Decision |
|---|---|---|
| 1-2 | 20% | go, hold or rollback |
| 3 | 50% | go, hold or rollback |
| 4 | 100% | go, hold or rollback |

Side by side with the baseline every day. Go when all validation criteria hold, hold on a warning, rollback on a
trigger. Slippage and capacity are watched: fills against the prices the backtest assumed, share of each bar's volume.

## 6. Phase 3: Full Production Deployment

Pre-deployment checklist:

- [ ] Code review done
- [ ] Peer review of the parameters done
- [ ] Rollback tested

Deployment steps:

1. Archive the current configuration with its timestamp.
2. Propose the parameters as a new version of the strategy; a person activates it.
3. Update the monitoring thresholds to the validation criteria.
4. Deploy and verify with a replayed day (`manage.py parity`).

Post-deployment monitoring over 30 days: daily in week 1, every 2 days in weeks 2-4, weekly from month 2 on.

## 7. Rollback Triggers and Procedure

**Automatic rollback triggers (immediate):**

{triggers}

**Warning alerts (manual review):** any validation criterion missed on one day; slippage twice what was assumed.

**Procedure:** halt entries (`manage.py kill_switch`), restore the baseline version, restart, verify, analyze.

**After a rollback:** compare live trades with the re-simulated day, find what the backtest missed, write it down, and
start a new optimisation only with a reason: every further try counts against the next result.

## 8. Configuration Management

| What | Where |
|---|---|
| Baseline | the active strategy version, retired but never deleted when another is activated |
| Optimized | `{p.output_dir}/configs.json` |
| Archives | retired strategy versions |
| Telemetry | `{p.output_dir}/telemetry/` |

Version control: one branch per deployment, one commit that names optimisation {p.run} and `{p.config_id}`, and a tag
when each phase begins.

## 9. Approval and Sign-off

Prepared by: Optimization Framework (US-019)

| Role | Name | Decision | Date | Signature |
|---|---|---|---|---|
| Quant Team Lead | | | | |
| Risk Manager | | | | |
| Head of Trading | | | | |

| Deployment authorization | Authorized by | Date |
|---|---|---|
| Phase 1: paper trading | | |
| Phase 2: gradual rollout | | |
| Phase 3: full production | | |

## 10. Appendix: Quick Reference

```bash
# the optimisation again
{p.command}
# paper trading
python manage.py engine --mode dry-run --strategy {p.strategy}
# monitoring
python manage.py monitor status
# rollback
python manage.py kill_switch
```

| Contact | Who |
|---|---|
| On-call | |
| Risk team | |
| DevOps | |
"""
