"""The deployment plan has the document's ten sections, its thresholds, its three sign-offs, and deploys nothing."""

import re

import pytest

from models_ml.core.deployment_plan import Plan, deployment_plan

HONESTY = {
    "trials": 108, "trials_this_run": 108, "deflated_sharpe": 0.97, "sharpe_hurdle": 1.1, "pbo": 0.1,
    "reality_check_p": 0.01, "min_track_record_days": 180.0, "days": 400, "min_backtest_years": 6.4,
    "plateau": {"held": 0.8}, "test_looks": 1, "verdict": "evidence", "reasons": [],
    "decay": {"train_sharpe": 1.92, "validation_sharpe": 1.7, "test_sharpe": 1.6},
}  # fmt: skip
PLAN = Plan(
    run="#7", strategy="intraday", symbols="RELIANCE, TCS", start="2024-01-01", end="2024-12-31", made="today",
    output_dir="data/optimization/sample_run", config_id="config_0001", score=0.71, parameters={"sma": 20.0},
    baseline={"sharpe_ratio": 1.45, "total_return": 0.185, "precision_long": 0.625, "hit_ratio": 0.598,
              "win_rate": 0.6, "max_drawdown": 0.12, "trades": 300},
    best={"sharpe_ratio": 1.92, "total_return": 0.24, "precision_long": 0.714, "hit_ratio": 0.676, "win_rate": 0.66,
          "max_drawdown": 0.1, "trades": 280},
    test={"sharpe_ratio": 1.6, "trades": 80}, honesty=HONESTY, command="python manage.py optimize",
)  # fmt: skip
TITLES = (
    "Executive Summary", "Baseline Configuration (Current Production)", "Optimized Configuration (Recommended)",
    "Phase 1: Paper Trading Validation (2 weeks)", "Phase 2: Gradual Rollout (4 weeks)",
    "Phase 3: Full Production Deployment", "Rollback Triggers and Procedure", "Configuration Management",
    "Approval and Sign-off", "Appendix: Quick Reference",
)  # fmt: skip


def test_the_ten_sections_stand_in_their_order():
    assert re.findall(r"^## (\d+)\. (.*)$", deployment_plan(PLAN), re.MULTILINE) == [
        (str(number), title) for number, title in enumerate(TITLES, start=1)
    ]


@pytest.mark.parametrize(
    "told",
    [
        "Sharpe Ratio ≥ 1.83", "Sharpe Ratio < 1.56 for 3 consecutive days", "Precision (LONG) ≥ 69.62%",
        "Precision (LONG) < 59.18%", "Hit Ratio ≥ 66.04%", "Hit Ratio < 56.13%", "Win Rate ≥ 57.00%",
        "Drawdown > 18.00%", "at least 50 trades", "95% confidence", "10 consecutive trading days",
        "does NOT modify production configs automatically", "Quant Team Lead", "Risk Manager", "Head of Trading",
        "20%", "50%", "100%", "1.45 → 1.92", "`config_0001`", "latency < 200ms", "9:00 AM and 3:30 PM",
    ],
)  # fmt: skip
def test_every_number_and_name_of_the_document_is_in_it(told):
    assert told in deployment_plan(PLAN)


def test_a_rejected_configuration_is_called_so_wherever_it_is_named():
    reasons = ["the luckiest of 108 configurations without skill would look as good: DSR 0.10"]
    text = deployment_plan(PLAN._replace(honesty={**HONESTY, "verdict": "REJECT", "reasons": reasons}))
    assert "Recommendation: REJECT" in text
    assert "Rejected: see section 1" in text
    assert reasons[0] in text
    assert "proceed to Phase 1" not in text


def test_what_is_unknown_is_not_made_up():
    nothing = dict.fromkeys(PLAN.baseline)
    text = deployment_plan(PLAN._replace(baseline=nothing, test={}))
    assert "Sharpe Ratio ≥ not known" in text
    assert "None" not in text
    assert "nan" not in text
