"""Validations: six steps, dry unless somebody says otherwise, gone on with by name, honest about what they found."""

import dataclasses
import datetime as dt
import json

import pytest

from models_ml import tasks
from models_ml.core.validation_text import DRY
from models_ml.models import OptimizationRun, StudentRun, TeacherRun, TrainingBatch, ValidationRun
from models_ml.services import batch_plans, batches, states, validation_optimizing, validation_steps, validations
from models_ml.services.validation_steps import How
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from trading.models.deeds import Deed
from trading.services import leases

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 20, 12, 30, tzinfo=dt.UTC)
SMALL = {"grown": {"rounds": 8, "leaves": 7, "rate": 0.1, "least": 40, "lambda_l2": 5.0}, "folds": 2}
PROOF = {"code": "x", "passed": True}


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


def asked(*symbols, **told):
    bars = batch_plans.ask_teachers(
        symbols=symbols or ("DEMOBANK",), source="demo", window_days=28, start=dt.date(2026, 8, 1),
        end=dt.date(2026, 8, 28), options=SMALL, at=AT,
    )  # fmt: skip
    return validations.Asked(bars, **told)


def how(certificates=PROOF):
    return How(tasks.WORKS, 1, now, lambda: certificates)


def kept(*symbols, dryrun=False, run_id="", **told):
    told = {"skip_optimizer": True, **told}
    return validations.keep(asked(*symbols, **told), dryrun=dryrun, run_id=run_id, by="asha", at=AT)


def summary_of(run):
    return json.loads((paths.resolve(run.folder) / "validation_summary.json").read_text())


def test_a_dry_run_plans_everything_and_trains_nothing():
    run = validations.execute(kept("DEMOBANK", "DEMOOIL", dryrun=True), how())
    assert (run.run_id, run.status, run.approved) == ("validation_20261120_180000", "completed", False)
    assert (run.steps["teacher"], run.steps["student"], run.steps["optimizer"]) == ("planned", "planned", "skipped")
    assert not TeacherRun.objects.exists()
    assert not TrainingBatch.objects.exists()
    told = summary_of(run)
    assert told["dryrun"] is True
    assert told["teacher_results"]["avg_f1"] is None
    assert "nothing was trained" in told["promotion_recommendation"]["reason"]
    models = paths.resolve(f"data/models/{run.run_id}")
    lines = [json.loads(line) for line in (models / "teacher_runs.json").read_text().splitlines()]
    assert [(line["window_label"], line["status"], line["dryrun"]) for line in lines] == [
        ("DEMOBANK_2026Q3", "skipped", True), ("DEMOOIL_2026Q3", "skipped", True),
    ]  # fmt: skip
    assert len((models / "student_runs.json").read_text().splitlines()) == 2
    assert sorted(path.name for path in models.iterdir()) == ["student_runs.json", "teacher_runs.json"]


def test_a_dry_run_says_so_on_every_page():
    run = validations.execute(kept(dryrun=True), how())
    folder = paths.resolve(run.folder)
    pages = [folder / "validation_summary.md", *sorted((folder / "reports").glob("*.html"))]
    assert len(pages) == 3
    for page in pages:
        assert DRY.strip("*") in page.read_text()


def test_a_real_run_trains_judges_and_keeps_its_record():
    run = validations.execute(kept("DEMOBANK"), how())
    assert (run.status, set(run.steps.values())) == ("completed", {"success", "skipped"})
    told = summary_of(run)
    assert told["teacher_results"]["runs_completed"] == told["student_results"]["runs_completed"] == 1
    assert told["symbol_results"]["DEMOBANK"]["status"] == "success"
    criteria = {each["name"]: each["met"] for each in told["promotion_recommendation"]["criteria"]}
    student = StudentRun.objects.get()
    assert criteria["checklists on realised outcomes"] is (student.recommendation == "PROMOTE")
    assert run.approved is all(criteria.values())
    record = states.manager().get_validation_run(run.run_id)
    assert (record["status"], record["dryrun"]) == ("completed", False)
    assert record["results"]["student_results"]["runs_completed"] == 1
    page = (paths.resolve(run.folder) / "reports" / "accuracy_report.html").read_text()
    assert "DEMOBANK_2026Q3" in page
    assert DRY.strip("*") not in page
    assert "<script" not in page
    again(run)


def again(run):
    """A completed run asked for once more by its name does nothing; one that asks for something else is refused."""
    before = TeacherRun.objects.get().finished_at
    same = validations.execute(kept("DEMOBANK", run_id=run.run_id), how())
    assert same == run
    assert TeacherRun.objects.get().finished_at == before
    with pytest.raises(NotAllowed, match="asked for other symbols"):
        kept("DEMOOIL", run_id=run.run_id)
    with pytest.raises(NotAllowed, match="was a real run"):
        kept("DEMOBANK", run_id=run.run_id, dryrun=True)


def test_batches_and_validations_tell_the_ledger_how_they_ended():
    run = validations.execute(kept("DEMOBANK"), how())
    told = {(each.what, each.object, each.by) for each in Deed.objects.all()}
    assert told == {
        ("teacher batch done", f"training batch {run.run_id}", "asha"),
        ("student batch done", f"training batch {run.run_id}", "asha"),
        ("validation completed", f"validation {run.run_id}", "asha"),
    }
    last = Deed.objects.get(object=f"validation {run.run_id}").detail
    assert (last["dryrun"], last["approved"], last["steps"]["teacher"]) == (False, run.approved, "success")


def test_a_certificate_that_failed_approves_nobody():
    run = validations.execute(kept("DEMOBANK", skip_reports=True), how({"code": "x", "passed": False}))
    assert not run.approved
    criteria = summary_of(run)["promotion_recommendation"]["criteria"]
    assert {each["name"]: each["met"] for each in criteria}["critical errors"] is False


def test_a_partial_run_is_rejected_and_goes_on_by_its_name():
    run = kept("DEMOBANK", "DEMOOIL", skip_reports=True, run_id="q3")
    spec = TeacherRun.objects.filter(symbol="DEMOOIL")

    def break_one(batch):  # the bars of one symbol are gone between planning and training
        spec.update(spec={**spec.get().spec, "source": "/nowhere"})
        return PROOF

    validations.execute(run, How(tasks.WORKS, 1, now, lambda: break_one(run)))
    run.refresh_from_db()
    assert run.status == "partial"
    told = summary_of(run)
    assert told["symbol_results"]["DEMOOIL"]["status"] == "failed"
    assert "/nowhere" in told["symbol_results"]["DEMOOIL"]["errors"][0]
    assert told["promotion_recommendation"]["reason"].startswith("Rejected: the run is partial")
    spec.update(spec={**spec.get().spec, "source": "demo"})
    before = TeacherRun.objects.get(symbol="DEMOBANK").finished_at
    run = validations.execute(kept("DEMOBANK", "DEMOOIL", skip_reports=True, run_id="q3"), how())
    assert run.status == "completed"
    assert TeacherRun.objects.get(symbol="DEMOBANK").finished_at == before
    assert StudentRun.objects.filter(batch_id="q3", status="success").count() == 2


def test_without_a_single_teacher_the_run_fails_and_students_are_not_tried():
    run = kept("DEMOBANK", skip_reports=True)
    run.asked["teachers"]["source"] = "/nowhere"
    run.save()
    run = validations.execute(run, how())
    assert (run.status, run.steps["teacher"], run.steps["student"]) == ("failed", "failed", "skipped")
    told = summary_of(run)
    assert "/nowhere" in told["symbol_results"]["DEMOBANK"]["errors"][0]
    assert told["promotion_recommendation"]["reason"].startswith("Rejected: the run is failed")


def test_a_cancelled_run_stops_before_its_next_step():
    run = kept("DEMOBANK", "DEMOOIL")

    def progress(step, done, total):
        if done == 1:
            validations.cancel(run.run_id, by="asha", at=AT)

    found = validations.execute(run, How(tasks.WORKS, 1, now, lambda: PROOF, progress))
    assert found.status == "cancelled"
    assert found.steps["student"] == "pending"
    assert TrainingBatch.objects.get().status == "cancelled"
    assert states.manager().get_validation_run(run.run_id)["status"] == "cancelled"


def test_a_disk_that_takes_no_reports_does_not_fail_the_run():
    run = kept("DEMOBANK", dryrun=True)
    folder = paths.resolve(run.folder)
    folder.mkdir(parents=True)
    (folder / "reports").write_text("in the way")
    run = validations.execute(run, how())
    assert (run.status, run.steps["reports"]) == ("completed", "failed")


def test_only_one_process_is_at_a_run():
    run = kept("DEMOBANK", dryrun=True)
    leases.take(f"validation:{run.pk}", "elsewhere:1:2:3")
    with pytest.raises(NotAllowed, match="elsewhere"):
        validations.execute(run, how())


@pytest.mark.parametrize("name", ["../up", "a b", "", "x" * 61, "_first"])
def test_a_name_that_is_no_folder_is_refused(name):
    if not name:
        assert kept(dryrun=True).run_id.startswith("validation_")
        return
    with pytest.raises(BadInput, match="--run-id"):
        kept(run_id=name)


def test_what_is_queued_is_begun_once():
    run = validations.queue(asked(), dryrun=True, run_id="once", by="asha", at=AT)
    validations.cancel("once", by="asha", at=AT)
    with pytest.raises(NotAllowed, match="cancelled, not queued"):
        validations.execute(run, how(), resume=False)
    with pytest.raises(NotFound):
        validations.find("never")


# the record in two places


def test_lost_rows_and_lost_files_make_each_other_whole():
    run = validations.execute(kept(dryrun=True), how())
    told = validation_steps.recorded(run)
    ValidationRun.objects.all().delete()
    assert states.repair(at=AT).rows == 1
    assert validation_steps.recorded(ValidationRun.objects.get()) == told
    manager = states.manager()
    manager.path.write_text("{broken")
    manager.backup.unlink(missing_ok=True)
    assert states.repair(at=AT).records == 1
    assert manager.get_validation_run(run.run_id)["status"] == "completed"
    assert states.repair(at=AT) == states.Repaired(str(manager.path))


def test_records_nobody_can_read_are_named_and_left(tmp_path):
    validations.execute(kept(dryrun=True, run_id="good"), how())
    told = json.loads(states.manager().path.read_text())
    good = told["validation_runs"]["good"]
    told["validation_runs"] = {"../x": {**good, "run_id": "../x"}, "y": {"run_id": "y"}, "z": {**good, "run_id": "z"}}
    other = tmp_path / "validation_runs.json"
    other.write_text(json.dumps(told))
    found = states.repair(at=AT, file=other)
    assert found.rows == 1
    assert len(found.unreadable) == 2
    assert set(ValidationRun.objects.values_list("run_id", flat=True)) == {"good", "z"}


def test_the_picture_names_the_last_validations():
    validations.execute(kept(dryrun=True, run_id="one"), how())
    told = states.picture()
    assert told["validation_runs"] == [{"run_id": "one", "status": "completed", "dryrun": True, "approved": False}]
    assert told["historical"]["symbols"] == {}
    assert batches.latest("teacher") is None


def test_what_the_optimizers_look_leaves_lies_under_the_desks_home(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bars = dataclasses.replace(asked().teachers, end=dt.date(2026, 9, 30))
    told = validation_optimizing.evaluate("validation_x", bars, workers=1, clock=now)
    assert told["errors"] == []
    folder = tmp_path / "home/data/optimization/validation_x/DEMOBANK"
    assert OptimizationRun.objects.get().output_dir == str(folder)
    assert (folder / "configs.json").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["home"], "nothing beside it"
