"""What a batch came to."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core.summaries import mean, outcome, summary

statuses = st.lists(st.sampled_from(["success", "failed", "skipped", "queued", "running"]), max_size=30)


def test_a_batch_is_summed_up():
    runs = [
        ("success", {"precision": 0.6, "recall": 0.5, "f1": 0.55}), ("success", {"precision": 0.8, "recall": 0.7}),
        ("failed", {}), ("skipped", {}),
    ]  # fmt: skip
    found = summary(runs)
    assert (found["total"], found["completed"], found["failed"], found["skipped"]) == (4, 2, 1, 1)
    assert found["success_rate"] == pytest.approx(2 / 3)
    assert found["avg_precision"] == pytest.approx(0.7)
    assert found["avg_recall"] == pytest.approx(0.6)
    assert found["avg_f1"] == pytest.approx(0.55)
    assert found["avg_accuracy"] is None
    assert outcome(found) == "partial"


@given(statuses)
def test_every_run_is_counted_once_and_the_end_follows(found):
    told = summary([(status, {}) for status in found])
    assert told["completed"] + told["failed"] + told["skipped"] + told["pending"] == told["total"] == len(found)
    end = outcome(told)
    assert (end == "running") is bool({"queued", "running"} & set(found))
    if end == "done":
        assert "failed" not in found
    if end == "failed":
        assert "success" not in found


def test_a_cancelled_batch_is_cancelled_whatever_is_left():
    assert outcome(summary([("queued", {}), ("success", {})]), cancelled=True) == "cancelled"


def test_what_is_no_number_does_not_count():
    assert mean([0.5, math.nan, None, math.inf]) == 0.5
    assert mean([]) is None
