"""The gate says evidence only when nothing speaks against it, and tells every reason when something does."""

import math

import pytest

from models_ml.core.verdicts import EVIDENCE, NOT_ENOUGH, REJECT, Findings, verdict

GOOD = Findings(
    trials=100, feasible=True, trades=400, days=600, deflated=0.97, pbo=0.05, luck=0.01, least_days=200, train=2.5,
    validation=2.1, fell=0.3, isolated=False, beats_baseline=True, test=1.8,
)  # fmt: skip


def test_a_good_result_is_evidence_and_needs_no_reasons():
    assert verdict(GOOD) == (EVIDENCE, [])
    assert verdict(GOOD._replace(beats_baseline=None)) == (EVIDENCE, [])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"feasible": False}, "constraints"), ({"train": -0.1}, "costs"), ({"pbo": 0.5}, "coin"),
        ({"deflated": 0.4}, "luckiest of 100"), ({"validation": 0.0}, "validation"), ({"test": -0.2}, "test days"),
        ({"beats_baseline": False}, "baseline"),
    ],
)  # fmt: skip
def test_each_of_these_alone_rejects(changed, told):
    word, reasons = verdict(GOOD._replace(**changed))
    assert word == REJECT
    assert any(told in reason for reason in reasons)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"luck": 0.05}, "luck alone"), ({"luck": math.nan}, "unknown"), ({"pbo": 0.4}, "PBO"),
        ({"pbo": math.nan}, "PBO"),
        ({"deflated": 0.74}, "DSR"), ({"deflated": math.nan}, "DSR"), ({"days": 100}, "too few"),
        ({"trades": 29}, "trades"),
        ({"least_days": math.inf}, "no number"), ({"isolated": True}, "needle"),
        ({"test": math.nan}, "the test days"), ({"validation": math.nan}, "the validation days"),
        ({"fell": 2.1}, "standard errors"),
    ],
)  # fmt: skip
def test_each_of_these_alone_is_a_doubt(changed, told):
    word, reasons = verdict(GOOD._replace(**changed))
    assert word == NOT_ENOUGH
    assert len(reasons) == 1
    assert told in reasons[0]


def test_all_reasons_are_told_what_rejects_first():
    word, reasons = verdict(GOOD._replace(pbo=0.7, trades=3, luck=0.5))
    assert word == REJECT
    assert len(reasons) == 4
    assert "coin" in reasons[0]
