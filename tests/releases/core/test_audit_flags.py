"""What an audit finds fault with: the document's thresholds to the hair, and everything that is not known."""

import datetime as dt
import json

import pytest

from releases.core import audit_flags, audit_metrics, audit_text, audit_windows
from releases.core.audit_flags import Flag, Known, Limits
from releases.core.audit_states import NEXT, months_before
from releases.core.roles import ROLES
from sensequant.lib.clock import IST

AT = dt.datetime(2025, 10, 12, 18, 30, tzinfo=IST)  # the document's example
EXAMPLE = {
    "baseline": {
        "strategy": "swing", "sharpe_ratio": 1.82, "total_return": 0.245, "win_rate": 0.623, "hit_ratio": 0.681,
        "precision_long": 0.72, "max_drawdown": 0.084,
    },
    "optimized": {
        "strategy": "swing", "sharpe_ratio": 2.15, "total_return": 0.312, "win_rate": 0.668, "hit_ratio": 0.725,
        "precision_long": 0.78, "max_drawdown": 0.062,
    },
    "student_model": {
        "deployed": True, "version": "v1.0_20251010", "validation_precision": 0.76, "validation_recall": 0.74,
        "test_accuracy": 0.75, "feature_count": 18, "training_samples": 2450,
    },
    "monitoring.intraday_30day": {
        "hit_ratio": 0.71, "sharpe_ratio": 1.95, "alert_count": 2, "degradation_detected": False,
    },
    "monitoring.swing_90day": {
        "precision_long": 0.74, "recall_long": 0.72, "max_drawdown_pct": -7.1, "alert_count": 1,
        "degradation_detected": False,
    },
    "validation_results.optimizer_validation": {
        "best_config_consistent": True, "delta_tolerance_met": True, "warnings": [],
    },
    "validation_results.student_validation": {
        "all_checks_passed": True, "baseline_met": True, "feature_stability": True, "no_data_leakage": True,
    },
}  # fmt: skip
DOCUMENT = {
    "audit_timestamp": "2025-10-12T18:30:00", "audit_id": "audit_20251012_183000",
    "baseline": {
        "strategy": "swing", "sharpe_ratio": 1.82, "total_return_pct": 24.5, "win_rate_pct": 62.3,
        "hit_ratio_pct": 68.1, "precision_long": 0.72, "max_drawdown_pct": -8.4,
    },
    "optimized": {
        "strategy": "swing", "sharpe_ratio": 2.15, "total_return_pct": 31.2, "win_rate_pct": 66.8,
        "hit_ratio_pct": 72.5, "precision_long": 0.78, "max_drawdown_pct": -6.2, "config_id": "cfg_opt_001",
    },
    "deltas": {
        "sharpe_ratio_delta": 0.33, "total_return_delta_pct": 6.7, "win_rate_delta_pct": 4.5,
        "hit_ratio_delta_pct": 4.4,
    },
    "student_model": EXAMPLE["student_model"],
    "monitoring": {
        "intraday_30day": EXAMPLE["monitoring.intraday_30day"], "swing_90day": EXAMPLE["monitoring.swing_90day"],
    },
    "validation_results": {
        "optimizer_validation": EXAMPLE["validation_results.optimizer_validation"],
        "student_validation": EXAMPLE["validation_results.student_validation"],
    },
    "risk_flags": [], "deployment_ready": True,
}  # fmt: skip
ENOUGH = {"intraday": 60, "swing": 40}


def metrics(**changed):
    """metrics.json of the example, values changed as section__key=value."""
    found = {name: dict(section) for name, section in EXAMPLE.items()}
    for name, value in changed.items():
        section, _, key = name.partition("__")
        found[next(known for known in found if known.endswith(section))][key] = value
    for name, config in (("baseline", ""), ("optimized", "cfg_opt_001")):
        found[name] = audit_metrics.measures(found[name]["strategy"], found[name], config)
    return audit_metrics.metrics("audit_20251012_183000", AT, found)


def codes(told, **known):
    return [flag.code for flag in audit_flags.flags(told, Known(trades=ENOUGH, **known), Limits())]


def test_the_documents_example_comes_out_as_the_document_has_it_key_by_key():
    told = metrics()
    found = audit_metrics.judged(told, codes(told))
    assert found == DOCUMENT
    assert json.dumps(found) == json.dumps(DOCUMENT), "in the document's order too"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"optimized__sharpe_ratio": 1.61}, "sharpe_degraded"),
        ({"optimized__sharpe_ratio": 1.62}, None),
        ({"optimized__win_rate": 0.572}, "win_rate_degraded"),
        ({"optimized__win_rate": 0.573}, None),
        ({"optimized__hit_ratio": 0.580}, "hit_ratio_degraded"),
        ({"optimized__hit_ratio": 0.581}, None),
        ({"optimizer_validation__best_config_consistent": False}, "optimizer_inconsistent"),
        ({"optimizer_validation__delta_tolerance_met": False}, "optimizer_tolerance"),
        ({"student_validation__all_checks_passed": False}, "student_checks_failed"),
        ({"student_validation__baseline_met": False}, "student_baseline"),
        ({"student_validation__feature_stability": False}, "student_features"),
        ({"student_validation__no_data_leakage": False}, "student_leak"),
        ({"intraday_30day__degradation_detected": True}, "intraday_degraded"),
        ({"swing_90day__degradation_detected": True}, "swing_degraded"),
        ({"intraday_30day__alert_count": 10}, None),
        ({"intraday_30day__alert_count": 11}, "intraday_alerts"),
        ({"swing_90day__alert_count": 11}, "swing_alerts"),
        ({"student_model__deployed": False}, "missing"),
    ],
)
def test_each_threshold_flags_what_lies_beyond_it_and_nothing_before(changed, code):
    assert codes(metrics(**changed)) == ([code] if code else [])


def keys():
    """Every key of the schema that can be unknown, as metrics() is told of it."""
    for name, (_, names) in audit_metrics.SECTIONS.items():
        configs = name in ("baseline", "optimized")
        for key in names:
            if name != "deltas" and key not in ("deployed", "warnings", "strategy", "config_id"):
                yield name, key, f"{name.rpartition('.')[2]}__{key.removesuffix('_pct') if configs else key}"


@pytest.mark.parametrize(("name", "key", "said"), list(keys()))
def test_whatever_is_missing_is_null_and_a_flag_of_its_own_section(name, key, said):
    told = metrics(**{said: None})
    found = audit_flags.flags(told, Known(trades=ENOUGH), Limits())
    assert name in {flag.subject for flag in found if flag.code == "missing"}
    assert audit_metrics.section(told, name)[key] is None
    assert not audit_metrics.judged(told, [flag.line for flag in found])["deployment_ready"]


def test_an_empty_desk_has_every_key_no_number_and_a_flag_for_every_section():
    told = audit_metrics.metrics("audit_20251012_183000", AT, {})
    flags = audit_flags.flags(told, Known(why={"baseline": "no optimisation was finished"}), Limits())
    assert {flag.subject for flag in flags} == set(audit_metrics.SECTIONS)
    assert told["baseline"] == dict.fromkeys(audit_metrics.MEASURES)
    assert told["deltas"] == dict.fromkeys(audit_metrics.DELTAS)
    assert told["student_model"]["deployed"] is False
    assert "no optimisation was finished" in next(flag.message for flag in flags if flag.subject == "baseline")


def test_what_is_not_finite_is_not_known():
    told = metrics(optimized__sharpe_ratio=float("nan"), swing_90day__max_drawdown_pct=float("-inf"))
    assert told["optimized"]["sharpe_ratio"] is None
    assert told["deltas"]["sharpe_ratio_delta"] is None
    assert {"optimized", "deltas", "monitoring.swing_90day"} == {
        flag.subject for flag in audit_flags.flags(told, Known(trades=ENOUGH), Limits())
    }


def test_skipping_the_validation_is_one_flag_and_never_a_pass():
    told = audit_metrics.metrics("a", AT, {k: v for k, v in EXAMPLE.items() if not k.startswith("validation")})
    for name, config in (("baseline", ""), ("optimized", "c")):
        told[name] = audit_metrics.measures("swing", EXAMPLE[name], config)
    told["deltas"] = audit_metrics.deltas(told["baseline"], told["optimized"])
    flags = audit_flags.flags(told, Known(skipped=True, trades=ENOUGH), Limits())
    assert [flag.code for flag in flags] == [audit_flags.SKIPPED]


def test_parts_that_are_not_asked_for_are_null_without_a_flag_and_the_summary_says_so():
    told = audit_metrics.metrics("a", AT, {})
    known = Known(parts=("optimizer",))
    assert {flag.subject for flag in audit_flags.flags(told, known, Limits())} == {
        "baseline", "optimized", "deltas", "validation_results.optimizer_validation",
    }  # fmt: skip
    text = audit_text.summary(audit_metrics.judged(told, []), [], audit_text.About("now", "asha", "x", known.parts, ()))
    assert "Not audited, by the setting `RELEASE_AUDIT_PARTS`: student, intraday, swing." in text


def test_too_few_trades_tell_nothing():
    found = audit_flags.flags(metrics(), Known(trades={"intraday": 19, "swing": 40}), Limits())
    assert [(flag.code, flag.value, flag.limit) for flag in found] == [("too_few_trades", 19, 20)]


def test_every_flag_has_a_severity_an_owner_and_a_way_out_and_the_worst_comes_first():
    told = metrics(student_validation__no_data_leakage=False, intraday_30day__alert_count=99)
    others = [Flag("changed_meanwhile", "students", "students changed")]
    flags = audit_flags.flags(told, Known(trades=ENOUGH, others=others), Limits())
    assert [flag.code for flag in flags] == ["changed_meanwhile", "student_leak", "intraday_alerts"]
    for entry in audit_flags.REGISTER.values():
        assert entry.severity in audit_flags.SEVERITIES
        assert entry.owner in ROLES
        assert entry.mitigation.endswith(".")
    text = audit_text.summary(
        audit_metrics.judged(told, [flag.line for flag in flags]), [flag.as_json() for flag in flags],
        audit_text.About("now", "asha", "by hand", audit_metrics.PARTS, ("metrics.json",)),
    )  # fmt: skip
    for part in (
        "Not ready for deployment", "2 critical, 1 medium", "## Risk register", "Engineering Lead",
        "## Recommendations", "1. Do not deploy.", "## Approval", "Business Owner", "make release-rollback",
    ):  # fmt: skip
        assert part in text


def test_nothing_a_person_typed_is_markup_in_the_summary():
    approvals = audit_text.approvals("a", "d" * 64, [
        audit_text.Approval("Risk Manager", "<b>|Eve|", "approve", "now", "fine |\n# no heading", "sig"),
    ])  # fmt: skip
    assert "\\<b\\>\\|Eve\\|" in approvals
    assert "\n# no heading" not in approvals
    assert approvals.count("| waiting |") == 2


@pytest.mark.parametrize(
    ("kind", "now", "before", "degraded"),
    [
        ("intraday", {"hit_ratio": 0.59, "sharpe_ratio": 1.0}, {"hit_ratio": 0.70, "sharpe_ratio": 1.0}, True),
        ("intraday", {"hit_ratio": 0.61, "sharpe_ratio": 1.0}, {"hit_ratio": 0.70, "sharpe_ratio": 1.0}, False),
        ("intraday", {"hit_ratio": 0.70, "sharpe_ratio": 0.7}, {"hit_ratio": 0.70, "sharpe_ratio": 1.0}, True),
        ("swing", {"precision_long": 0.7, "max_drawdown": -0.2}, {"precision_long": 0.7, "max_drawdown": -0.05}, True),
        ("swing", {"precision_long": 0.7, "max_drawdown": -0.1}, {"precision_long": 0.7, "max_drawdown": -0.05}, False),
        ("swing", {"precision_long": None, "max_drawdown": None}, {"precision_long": 0.7}, None),
    ],
)
def test_a_window_is_worse_by_the_documents_drops(kind, now, before, degraded):
    assert audit_windows.compare(kind, now, {"before": before}).degraded is degraded


def test_months_are_counted_by_the_calendar():
    assert months_before(dt.date(2026, 11, 26), 6) == dt.date(2026, 5, 26)
    assert months_before(dt.date(2026, 8, 31), 6) == dt.date(2026, 2, 28)
    assert months_before(dt.date(2026, 1, 15), 12) == dt.date(2025, 1, 15)
    assert months_before(dt.date(2024, 2, 29), 12) == dt.date(2023, 2, 28)


def test_what_is_done_or_cancelled_stays_so():
    assert NEXT["done"] == NEXT["cancelled"] == ()
