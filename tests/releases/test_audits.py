"""An audit finds what is wrong, passes nothing it does not know, changes nothing, and leaves a whole bundle or none."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.utils import InternalError

from models_ml.core import report_notebooks
from models_ml.models import OptimizationRun, Promotion, StudentRun, Trial
from models_ml.services import asking, optimization_checks, optimizations, student_checks
from monitoring.models import Episode
from releases.core import audit_metrics
from releases.models import Audit
from releases.services import audit_learning, audits
from releases.services.audits import Asked, How
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.reading import reading_only
from tests.models_ml import searches
from tests.models_ml.test_promotions import passing as passing
from tests.releases import audited
from tests.trading import bar_files
from tests.trading.desks import NOON
from trading.models import BarSeries, StrategyConfig
from trading.selectors import deciding
from trading.services import leases, markets, runs, strategies

pytestmark = pytest.mark.django_db
SECRET = "do-not-tell-anybody-7f3a"
FOLDERS = {"configs", "notebooks", "plots", "promotion_checklists", "telemetry_summaries", "validation_results"}
QUICK = Asked(skip_validation=True, skip_plots=True)


@pytest.fixture
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    settings.DESK = dataclasses.replace(
        settings.DESK, student_model_enabled=True, breeze_api_secret=SECRET,
        monitoring_webhook_url=f"https://asha:{SECRET}@example.com/hook",
    )  # fmt: skip
    return settings.SENSEQUANT_HOME


def how(progress=lambda step: None):
    return How(lambda: NOON, progress)


def audit(asked=QUICK, **told):
    return audits.execute(audits.keep(asked, by="asha", at=NOON), how(**told))


def codes(found):
    return {flag["code"] for flag in found.flags}


def everything():
    """All that an audit may look at and must leave as it is."""
    run = OptimizationRun.objects.first()
    return deciding.state(), optimization_checks.state(run), student_checks.state(), StrategyConfig.objects.count()


@pytest.mark.once  # it draws; what it asks of the database the next stories ask too
def test_a_desk_in_order_is_ready_and_its_bundle_holds_everything(home, tmp_path, passing, monkeypatch):
    run, promotion = audited.whole(tmp_path)
    before = everything()
    found = audit(Asked())
    assert (found.state, found.flags, found.deployment_ready) == ("done", [], True)
    assert everything() == before, "it has changed nothing"
    folder = audits.place(found)
    assert folder == home / "release" / "audit_20261123_120000"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == FOLDERS
    assert audits.verify(found).digest == found.bundle_sha256
    _measures(found, run, promotion)
    _files(found, folder)
    _notebook(folder, monkeypatch)
    assert SECRET not in "".join(path.read_text("latin-1") for path in folder.rglob("*") if path.is_file())


def _measures(found, run, promotion):
    told = json.loads(audits.file(found, "metrics.json"))
    assert told == found.metrics
    assert list(told) == [
        "audit_timestamp", "audit_id", "baseline", "optimized", "deltas", "student_model", "monitoring",
        "validation_results", "risk_flags", "deployment_ready",
    ]  # fmt: skip
    for name, (_, keys) in audit_metrics.SECTIONS.items():
        assert list(audit_metrics.section(told, name)) == list(keys)
    seen = run.test["baseline"]
    assert told["baseline"]["win_rate_pct"] == pytest.approx(seen["win_rate"] * 100)
    assert told["baseline"]["max_drawdown_pct"] == pytest.approx(-seen["max_drawdown"] * 100, abs=1e-6)
    assert told["deltas"] == dict.fromkeys(audit_metrics.DELTAS, 0.0)
    assert told["student_model"] == {
        "deployed": True, "version": promotion.version, "validation_precision": 0.51, "validation_recall": 0.47,
        "test_accuracy": 0.49, "feature_count": 3, "training_samples": 2450,
    }  # fmt: skip
    assert told["monitoring"]["intraday_30day"] == {
        "hit_ratio": 0.6, "sharpe_ratio": pytest.approx(8.4958, abs=1e-3), "alert_count": 1,
        "degradation_detected": False,
    }  # fmt: skip
    assert told["monitoring"]["swing_90day"]["precision_long"] == 0.6


def _files(found, folder):
    for name in ("baseline_optimized_rates.png", "intraday_30day_1.png", "swing_90day_1.png", "optimization_1.png"):
        assert audits.file(found, f"plots/{name}")[:4] == b"\x89PNG"
    proof = json.loads(audits.file(found, "validation_results/read_only.json"))
    assert (proof["before"], proof["changed"]) == (proof["after"], [])
    settings = json.loads(audits.file(found, "configs/settings.json"))
    assert settings["BREEZE_API_SECRET"] == "(set, hidden)"
    assert settings["STUDENT_MODEL_ENABLED"] == "true"
    strategy = json.loads(audits.file(found, "configs/strategies.json"))["intraday"]
    assert (strategy["version"], strategy["in_force"]["adx_min"]) == (1, 0)
    assert "## Approval" in (folder / "summary.md").read_text()
    again = json.loads(audits.file(found, "promotion_checklists/validated_again.json"))
    kept = json.loads(audits.file(found, "promotion_checklists/promotion_1.json"))
    assert again["candidate_metrics"] == kept["candidate_metrics"]
    with pytest.raises(NotFound):
        audits.file(found, "../../../etc/passwd")


def _notebook(folder, monkeypatch):
    """The notebook of the bundle runs where it lies."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.chdir(folder / "notebooks")
    monkeypatch.setattr(plt, "show", plt.close)
    cells = json.loads((folder / "notebooks" / "release_audit.ipynb").read_text())["cells"]
    space = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)  # noqa: S102 - our own notebook
    assert space["metrics"]["audit_id"] == folder.name
    section = {"json": json, "Path": Path}
    exec(report_notebooks.audit_summary(str(folder.parent))[1][1], section)  # noqa: S102 - of the accuracy report
    assert section["audit"] == space["metrics"]


def test_whatever_is_wrong_is_flagged_and_nothing_else(home, tmp_path, passing):
    run, promotion = audited.whole(tmp_path)
    audited.traded("intraday", 1, 1, count=60)
    audited.watched(11)
    Episode.objects.create(
        rule="books_differ", group="INFY", status="firing", severity="CRITICAL", since=NOON, held_at=NOON,
        fired_at=NOON, message="ours 10, theirs 0",
    )  # fmt: skip
    run.test["best"]["sharpe_ratio"] = run.test["best"]["sharpe_ratio"] * 1.06
    run.save(update_fields=["test"])
    Trial.objects.filter(run=run, rank=1).update(score=9.0)
    strategies.activate(strategies.propose("intraday", {"sma": 33}, by="q", at=NOON).pk, by="h", at=NOON)
    Promotion.objects.filter(pk=promotion.pk).update(checklist={**promotion.checklist, "reason": "believe me"})
    StudentRun.objects.create(
        version=promotion.version, suspected_leak=True, symbols=[], created_at=NOON, model_type="logistic",
        teacher_artifacts_path="t", evaluation={"leak": {"reasons": ["an area of 0.700"]}},
    )  # fmt: skip
    found = audit(Asked(skip_plots=True))
    assert codes(found) == {
        "intraday_degraded", "intraday_alerts", "swing_alerts", "open_critical_alert", "optimizer_tolerance",
        "optimizer_inconsistent", "parameters_not_examined", "student_checks_failed", "student_leak",
        "sharpe_degraded",
    }  # fmt: skip
    assert not found.deployment_ready
    assert found.flags[0]["severity"] == "critical"
    assert found.metrics["risk_flags"] == [f"{flag['code']}: {flag['message']}" for flag in found.flags]
    assert "books_differ:INFY is firing: ours 10" in " ".join(found.metrics["risk_flags"])


def test_what_cannot_be_read_is_null_and_a_flag(home, tmp_path, passing):
    run, promotion = audited.whole(tmp_path)
    model = home / "data/models/production" / promotion.version / "evaluation_metrics.json"
    model.write_text(model.read_text().replace("0.51", "0.99"))
    OptimizationRun.objects.filter(pk=run.pk).update(source=str(tmp_path / "gone"))
    found = audit(Asked(skip_plots=True))
    assert found.metrics["student_model"]["deployed"] is False
    assert found.metrics["student_model"]["validation_precision"] is None
    assert found.metrics["validation_results"]["student_validation"] == dict.fromkeys(audit_metrics.STUDENT_VALIDATION)
    assert found.metrics["validation_results"]["optimizer_validation"]["best_config_consistent"] is None
    told = {flag["subject"]: flag["message"] for flag in found.flags if flag["code"] == "missing"}
    assert set(told) == {
        "student_model", "validation_results.student_validation", "validation_results.optimizer_validation",
    }  # fmt: skip
    assert "SHA-256 differs" in told["student_model"]
    assert "cannot be run again" in told["validation_results.optimizer_validation"]


def test_trades_of_replays_and_of_other_desks_prove_nothing_and_an_unwatched_desk_has_no_quiet(home):
    audited.traded("intraday", 3, 6, mode="replay")
    found = audit()
    assert found.metrics["monitoring"]["intraday_30day"]["hit_ratio"] is None
    audited.traded("intraday", 3, 6)
    found = audit()
    section = found.metrics["monitoring"]["intraday_30day"]
    assert (section["hit_ratio"], section["alert_count"]) == (0.6, None)
    lacking = next(flag for flag in found.flags if flag["subject"] == "monitoring.intraday_30day")
    assert "nobody has watched" in lacking["message"]


def test_parts_that_are_not_asked_for_are_left_out(home, settings):
    settings.DESK = dataclasses.replace(settings.DESK, release_audit_parts=("intraday",))
    for days in (3, 40):
        audited.traded("intraday", days, 6)
    audited.watched()
    found = audit(Asked(skip_plots=True))
    assert (found.flags, found.deployment_ready) == ([], True)
    assert found.metrics["baseline"]["sharpe_ratio"] is None
    assert audit().metrics["risk_flags"] == ["validation_skipped: validation was skipped, so nothing was confirmed"]


# read-only


def test_a_validation_that_would_write_is_stopped_by_the_database(home, tmp_path, passing, monkeypatch):
    run = audited.optimised(tmp_path / "optimization")

    def greedy(run, *, at):
        Trial.objects.filter(run=run).update(score=1.0)

    monkeypatch.setattr(audit_learning.optimization_checks, "again", greedy)
    with pytest.raises((OperationalError, InternalError), match=r"readonly|read-only"):
        audit(Asked(skip_plots=True))
    row = Audit.objects.get()
    assert row.state == "failed"
    assert "read" in row.error
    assert not list((home / "release").glob("*")), "no half bundle"
    assert not Trial.objects.filter(run=run, score=1.0).exists()
    monkeypatch.undo()
    assert Audit.objects.filter(pk=row.pk).update(error=""), "writing works again"


def test_what_changes_meanwhile_is_a_flag(home, tmp_path, monkeypatch):
    run = audited.optimised(tmp_path / "optimization")
    again = optimization_checks.again

    def careless(run, *, at):
        (tmp_path / "optimization" / "ranked_results.csv").write_text("x")
        return again(run, at=at)

    monkeypatch.setattr(audit_learning.optimization_checks, "again", careless)
    found = audit(Asked(skip_plots=True))
    assert run.pk
    assert "changed_meanwhile" in codes(found)
    assert json.loads(audits.file(found, "validation_results/read_only.json"))["changed"] == ["optimisation"]


# one at a time, cancelled, broken off, taken up


@pytest.mark.parametrize("at", ["collect", "judge", "write"])
def test_a_cancelled_audit_ends_before_its_next_step_and_leaves_nothing(home, at):
    def stop(step):
        if step == at:
            audits.cancel(Audit.objects.get().audit_id, by="asha", at=NOON)

    found = audit(progress=stop)
    assert (found.state, found.error) == ("cancelled", "cancelled by asha")
    assert not list((home / "release").glob("*"))
    with pytest.raises(NotAllowed, match="cannot be cancelled"):
        audits.cancel(found.audit_id, by="asha", at=NOON)
    with pytest.raises(NotAllowed, match="is cancelled"):
        audits.execute(found, how())


def test_one_that_failed_is_taken_up_and_one_that_is_done_is_left_alone(home):
    def broken(step):
        if step == "judge":
            raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        audit(progress=broken)
    row = Audit.objects.get()
    assert (row.state, row.error) == ("failed", "RuntimeError: no room")
    done = audits.execute(row, how())
    assert (done.state, done.error) == ("done", "")
    assert audits.execute(done, how(broken)) is done


def test_two_processes_never_carry_out_the_same_audit(home):
    row = audits.keep(QUICK, by="asha", at=NOON)
    other = leases.take(audits.lease(row), "elsewhere:1:1:x", ttl=60)
    with pytest.raises(NotAllowed, match="is held by elsewhere"):
        audits.execute(row, how())
    leases.release(other)
    assert audits.execute(row, how()).state == "done"


def test_names_and_folders_are_never_shared(home, tmp_path):
    first, second = audit(), audit()
    assert (first.audit_id, second.audit_id) == ("audit_20261123_120000", "audit_20261123_120001")
    third = audit(Asked(True, True, "release/audit_2026Q4"))
    assert audits.place(third) == home / "release" / "audit_2026Q4"
    with pytest.raises(BadInput, match="is there already"):
        audit(Asked(True, True, "release/audit_2026Q4"))
    with pytest.raises(BadInput, match="cannot be a bundle's name"):
        audit(Asked(True, True, "release/a b"))


def test_the_same_desk_at_the_same_moment_gives_the_same_measures(home, tmp_path, passing):
    audited.whole(tmp_path)
    first, second = (json.loads(audits.file(audit(), "metrics.json")) for _ in range(2))
    assert {**first, "audit_id": ""} == {**second, "audit_id": ""}


def test_reading_only_is_over_when_it_is_over(home):
    row = audits.keep(QUICK, by="asha", at=NOON)
    with pytest.raises((OperationalError, InternalError)), reading_only():
        Audit.objects.filter(pk=row.pk).update(step="x")
    assert Audit.objects.filter(pk=row.pk).update(step="y") == 1


def test_bars_that_are_judged_anew_are_read_in_before_nothing_may_be_written(home, tmp_path):
    """A file with a hole that ends today is judged anew at every reading: more of today might be missing by then."""
    first, last = dt.date(2026, 10, 5), dt.date(2026, 11, 20)
    rows = bar_files.minutes(first, last, 5)
    bar_files.write(tmp_path / "bars" / "SBIN_5m.csv", rows[:200] + rows[203:])
    evening = dt.datetime(2026, 11, 20, 18, 0, tzinfo=IST)
    wanted = markets.want(str(tmp_path / "bars"), ("SBIN",), "5minute", first, last, today=last)
    request = asking.ask(
        wanted, runs.order("intraday", {}, None), searches.GRID, {"min_trades": 1, "run_baseline": True}
    )
    run = optimizations.keep(request, output_dir=str(tmp_path / "out"), by="asha", at=evening)
    optimizations.execute(run.pk, optimizations.How(1, lambda: evening))
    later = evening + dt.timedelta(minutes=5)
    row = audits.keep(Asked(skip_plots=True), by="asha", at=later)
    found = audits.execute(row, How(lambda: later))
    assert (found.state, found.error) == ("done", "")
    assert BarSeries.objects.get().refreshed_at == later
