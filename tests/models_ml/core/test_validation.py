"""Whether models may be promoted: the document's criteria, and what it takes beyond them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core.validation import Found, criteria, ended, of_symbols, recommendation
from models_ml.core.validation_text import DRY, markdown

GOOD = Found(
    teacher={"status": "success", "runs_completed": 2, "avg_precision": 0.82, "avg_recall": 0.78, "avg_f1": 0.80},
    student={"status": "success", "runs_completed": 2, "avg_accuracy": 0.84, "avg_precision": 0.81, "avg_recall": 0.78},
    optimizer={"status": "success", "best_configs": {"TCS": {"rsi_oversold": 30, "sharpe_ratio": 1.45}}},
    reports={"accuracy_report": "reports/accuracy_report.html"},
    symbols=of_symbols([("TCS", "success", ""), ("INFY", "success", "")]),
    steps=dict.fromkeys(("teacher", "student", "optimizer", "reports", "summary", "state"), "success"),
    checklists=("PROMOTE", "PROMOTE"),
)


def judged(found, *, dryrun=False):
    status = ended(found, dryrun=dryrun)
    return status, recommendation(found, status=status, dryrun=dryrun)


def test_models_that_meet_everything_are_approved():
    status, told = judged(GOOD)
    assert status == "completed"
    assert told["approved"]
    assert all(each["met"] for each in told["criteria"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"student": {**GOOD.student, "avg_accuracy": 0.799}}, "student accuracy is 0.799, needs >= 80%"),
        ({"student": {**GOOD.student, "avg_precision": 0.7}}, "student precision"),
        ({"student": {**GOOD.student, "avg_recall": None}}, "student recall is unknown"),
        ({"student": {**GOOD.student, "avg_recall": float("nan")}}, "student recall is unknown"),
        ({"teacher": {**GOOD.teacher, "avg_f1": 0.74}}, "teacher F1"),
        ({"optimizer": {"status": "success", "best_configs": {"TCS": {"sharpe_ratio": 0.9}}}}, "optimizer Sharpe"),
        ({"steps": {**GOOD.steps, "reports": "failed"}}, "reports"),
        ({"criticals": ["disk full"]}, "critical errors"),
        ({"checklists": ("PROMOTE", "REJECT")}, "checklists on realised outcomes is 0.500"),
        ({"checklists": ()}, "checklists on realised outcomes is unknown"),
        ({"leaks": ("TCS_2024Q1",)}, "suspected leaks"),
    ],
)
def test_one_thing_missed_is_enough_to_reject(change, why):
    _, told = judged(replace(GOOD, **change))
    assert not told["approved"]
    assert why in told["reason"]


def test_agreeing_with_the_teacher_promotes_nobody():
    """On a random walk a student agrees with its teacher; the outcomes that came later do not."""
    perfect = {**GOOD.student, "avg_accuracy": 1.0, "avg_precision": 1.0, "avg_recall": 1.0}
    _, told = judged(replace(GOOD, student=perfect, checklists=("REJECT", "REJECT")))
    assert not told["approved"]


def test_an_optimizer_that_was_skipped_is_not_asked_for_a_sharpe():
    found = replace(GOOD, optimizer={"status": "skipped", "best_configs": {}})
    assert judged(found)[1]["approved"]
    assert "optimizer Sharpe" not in {each.name for each in criteria(found)}


def test_symbols_that_failed_make_the_run_partial_and_reject_it():
    symbols = of_symbols([("TCS", "success", ""), ("INFY", "failed", "no bars"), ("INFY", "failed", "no bars")])
    assert symbols["INFY"] == {"status": "failed", "success": 0, "failed": 2, "skipped": 0, "errors": ["no bars"]}
    status, told = judged(replace(GOOD, symbols=symbols))
    assert status == "partial"
    assert not told["approved"]
    assert "INFY" in told["reason"]


@pytest.mark.parametrize("step", ["teacher", "student", "summary"])
def test_a_step_that_fails_wholly_fails_the_run(step):
    status, told = judged(replace(GOOD, steps={**GOOD.steps, step: "failed"}))
    assert status == "failed"
    assert not told["approved"]


@pytest.mark.parametrize("step", ["optimizer", "reports"])
def test_optimizer_and_reports_never_fail_the_run(step):
    assert judged(replace(GOOD, steps={**GOOD.steps, step: "failed"}))[0] == "completed"


@given(st.sampled_from(sorted(GOOD.steps)), st.lists(st.tuples(st.sampled_from("AB"), st.just("failed"), st.just(""))))
def test_a_dry_run_is_completed_and_never_approves(step, runs):
    found = replace(GOOD, steps={**GOOD.steps, step: "failed"}, symbols=of_symbols(runs))
    status, told = judged(found, dryrun=True)
    assert status == "completed"
    assert not told["approved"]
    assert "nothing was trained" in told["reason"]
    assert all(each["value"] is None and each["met"] is None for each in told["criteria"])


def page(found, *, dryrun=False):
    status, told = judged(found, dryrun=dryrun)
    return markdown(
        {
            "run_id": "v1", "timestamp": "2025-10-12T18:00:00+05:30", "symbols": ["TCS", "INFY"], "dryrun": dryrun,
            "date_range": {"start": "2024-01-01", "end": "2024-12-31"}, "status": status,
            "steps": dict(found.steps), "teacher_results": found.teacher, "student_results": found.student,
            "optimizer_results": found.optimizer, "reports": found.reports, "symbol_results": found.symbols,
            "promotion_recommendation": told,
        }
    )  # fmt: skip


def test_the_page_tells_every_number_and_every_criterion():
    text = page(GOOD)
    for word in ("APPROVED", "0.840", "0.780", "| TCS | success | 1 | 0 | 0 |", "1.450", "rsi_oversold 30", ">= 75%"):
        assert word in text
    assert DRY not in text


def test_the_page_of_a_dry_run_says_so_before_anything_else():
    text = page(GOOD, dryrun=True)
    assert text.splitlines()[2] == DRY
    assert "NOT APPROVED" in text


def test_a_name_cannot_break_the_table():
    text = page(replace(GOOD, symbols=of_symbols([("A|B", "failed", "line one\nline | two")])))
    assert "| A\\|B | failed | 0 | 1 | 0 | line one line \\| two |" in text
