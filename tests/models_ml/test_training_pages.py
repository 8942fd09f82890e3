"""Batches and validations from the browser and from scripts: started, watched, cancelled, gone on with."""

import json

import pytest
from django.contrib.auth.models import Group, User

from models_ml import tasks
from models_ml.models import TrainingBatch, ValidationRun
from sensequant.lib.clock import now
from tests.models_ml.runs import a_batch, a_student, a_teacher
from trading.core.rights import OPERATORS

BARS = {
    "symbols": "demobank, DEMOOIL", "interval": "5minute", "source": "demo", "start": "2026-08-01", "end": "2026-10-28",
    "window_days": "90", "directory": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def rung(monkeypatch):
    """What was handed to the workers."""
    handed = []
    for task in (tasks.run_training_batch, tasks.run_validation):
        monkeypatch.setattr(task, "delay_on_commit", lambda **told: handed.append(told))
    return handed


@pytest.fixture
def trader(db, client):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db, client):
    client.force_login(User.objects.create_user("vikram"))
    return client


def text(answer):
    return " ".join(answer.content.decode().split())


def send(client, path, body=None):
    return client.post(path, json.dumps(body) if body is not None else "", content_type="application/json")


def a_run(**told):
    usual = {
        "run_id": "q3", "symbols": ["DEMOBANK"], "start": "2026-08-01", "end": "2026-10-28", "created_at": now(),
        "folder": "release/audit_q3", "steps": {"teacher": "success", "student": "pending"}, "dryrun": False,
    }  # fmt: skip
    return ValidationRun.objects.create(**{**usual, **told})


# pages


def test_a_form_queues_a_batch_of_teachers(trader, rung):
    answer = trader.post("/research/training/teachers", BARS)
    batch = TrainingBatch.objects.get()
    assert answer.url == f"/research/training/{batch.pk}/"
    assert rung == [{"kind": "teacher", "batch_id": batch.pk}]
    assert (batch.status, batch.asked["symbols"]) == ("queued", ["DEMOBANK", "DEMOOIL"])
    assert "Waiting for a free worker" in text(trader.get(answer.url))


def test_what_cannot_be_trained_on_is_said_beside_the_form(trader, rung):
    answer = trader.post("/research/training/teachers", {**BARS, "symbols": "NOBODY"})
    assert answer.status_code == 422
    assert "NOBODY" in text(answer)
    assert trader.post("/research/training/teachers", {**BARS, "end": "2026-07-01"}).status_code == 422
    assert not rung
    assert not TrainingBatch.objects.exists()


def test_a_form_queues_a_validation_that_is_dry_unless_told_otherwise(trader, rung):
    answer = trader.post("/research/training/validation", {**BARS, "model_type": "logistic"})
    run = ValidationRun.objects.get()
    assert answer.url == f"/research/validations/{run.run_id}/"
    assert rung == [{"run_id": run.run_id}]
    assert run.dryrun
    assert "DRY RUN: NOTHING IS TRAINED" in text(trader.get(answer.url))
    trader.post("/research/training/validation", {**BARS, "model_type": "sgd", "really": "on"})
    assert not ValidationRun.objects.first().dryrun


def test_the_list_shows_batches_validations_and_how_far_symbols_are_trained(viewer):
    a_batch(summary={"completed": 1, "failed": 0, "avg_precision": 0.61})
    a_teacher()
    a_run(status="completed")
    page = text(viewer.get("/research/training"))
    for word in ("batch_20251012_190000", "61.00", "q3", "RELIANCE", "30 Mar 2024"):
        assert word in page
    assert "Train the teachers" not in page


def test_a_batch_shows_each_of_its_windows(viewer):
    teacher = a_teacher()
    a_teacher("TCS", "TCS_2024Q1", status="failed", error="TCS has no bars")
    teachers = a_batch(status="partial", certificates={"null_market": {"told": "passed: AUC 0.501"}, "known_edge": {}})
    a_student(teacher, suspected_leak=True)
    students = a_batch("student", teacher_batch=teachers)
    page = text(viewer.get(f"/research/training/{teachers.pk}/"))
    for word in ("RELIANCE_2024Q1", "TCS has no bars", "passed: AUC 0.501"):
        assert word in page
    page = text(viewer.get(f"/research/training/{students.pk}/"))
    for word in ("logistic", "REJECT", "suspected leak", "40.00"):
        assert word in page


def test_a_batch_is_cancelled_and_gone_on_with_from_its_page(trader, rung):
    trader.post("/research/training/teachers", BARS)
    batch = TrainingBatch.objects.get()
    trader.post(f"/research/training/{batch.pk}/cancel")
    batch.refresh_from_db()
    assert batch.status == "cancelled"
    assert "Train what is missing" in text(trader.get(f"/research/training/{batch.pk}/"))
    trader.post(f"/research/training/{batch.pk}/resume")
    batch.refresh_from_db()
    assert batch.status == "queued"
    assert rung == [{"kind": "teacher", "batch_id": batch.pk}] * 2


def test_students_are_started_from_their_teachers_page(trader, rung):
    teachers = a_batch()
    a_teacher()
    answer = trader.post(f"/research/training/{teachers.pk}/students", {"model_type": "sgd"})
    students = TrainingBatch.objects.get(kind="student")
    assert answer.url == f"/research/training/{students.pk}/"
    assert rung == [{"kind": "student", "batch_id": students.pk}]
    trader.post(f"/research/training/{teachers.pk}/students", {"model_type": "oracle"})
    assert TrainingBatch.objects.filter(kind="student").count() == 1


def test_a_validation_is_cancelled_and_gone_on_with_from_its_page(trader, rung):
    trader.post("/research/training/validation", {**BARS, "model_type": "logistic"})
    run = ValidationRun.objects.get()
    for step, state in (("cancel", "cancelled"), ("resume", "queued")):
        trader.post(f"/research/validations/{run.run_id}/{step}")
        run.refresh_from_db()
        assert run.status == state
    assert len(rung) == 2


@pytest.mark.parametrize(
    "path", ["teachers", "validation", "{pk}/cancel", "{pk}/resume", "{pk}/students"], ids=lambda path: path
)
def test_who_may_only_look_starts_and_stops_nothing(viewer, rung, path):
    batch = a_batch(status="queued")
    assert viewer.post(f"/research/training/{path.format(pk=batch.pk)}", BARS).status_code == 403
    assert not rung
    assert TrainingBatch.objects.get().status == "queued"


def test_pages_of_what_is_not_there_are_not_found(viewer):
    assert viewer.get("/research/training/7/").status_code == 404
    assert viewer.get("/research/validations/never/").status_code == 404


# the API


def test_a_script_does_what_the_form_does(trader, rung):
    body = {"symbols": ["DEMOBANK"], "start": "2026-08-01", "end": "2026-10-28"}
    answer = send(trader, "/api/v1/training/batches/teachers", body)
    assert answer.status_code == 201
    batch = answer.json()
    assert (batch["status"], batch["kind"]) == ("queued", "teacher")
    assert rung == [{"kind": "teacher", "batch_id": batch["id"]}]
    assert trader.get(answer["Location"]).json() == batch
    cancelled = send(trader, f"{answer['Location']}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert send(trader, f"{answer['Location']}/cancel").status_code == 409


def test_a_script_reads_batches_and_their_windows(viewer):
    teacher = a_teacher()
    teachers, students = a_batch(), a_batch("student")
    a_student(teacher)
    listed = viewer.get("/api/v1/training/batches?kind=student").json()["items"]
    assert [each["id"] for each in listed] == [students.pk]
    (window,) = viewer.get(f"/api/v1/training/batches/{teachers.pk}/runs").json()["items"]
    assert window["date_range"] == {"start": "2024-01-01", "end": "2024-03-30"}
    (window,) = viewer.get(f"/api/v1/training/batches/{students.pk}/runs").json()["items"]
    assert (window["recommendation"], window["metrics"]["precision"]) == ("REJECT", 0.61)


def test_a_script_starts_students_of_the_newest_teachers(trader, rung):
    assert send(trader, "/api/v1/training/batches/students", {}).status_code == 404
    teachers = a_batch()
    a_teacher()
    answer = send(trader, "/api/v1/training/batches/students", {"model_type": "lightgbm"}).json()
    assert (answer["kind"], answer["teacher_batch_id"], answer["total"]) == ("student", teachers.pk, 1)


def test_a_script_starts_and_reads_validations(trader, rung):
    body = {"symbols": ["DEMOBANK"], "start": "2026-08-01", "end": "2026-10-28", "run_id": "q3"}
    answer = send(trader, "/api/v1/validations", body)
    assert (answer.status_code, answer.json()["dryrun"]) == (201, True)
    assert trader.get("/api/v1/validations/q3").json()["summary"] == {}
    assert [each["run_id"] for each in trader.get("/api/v1/validations?dryrun=true").json()["items"]] == ["q3"]
    assert trader.get("/api/v1/validations?dryrun=false").json()["items"] == []
    assert send(trader, "/api/v1/validations/q3/cancel").json()["status"] == "cancelled"


def test_the_state_tells_how_far_learning_is(viewer):
    a_teacher()
    a_batch()
    a_run(status="completed")
    told = viewer.get("/api/v1/state/models").json()
    assert told["symbols"][0]["last_trained_date"] == "2024-03-30"
    assert told["last_batch"]["batch_id"] == "batch_20251012_190000"
    assert [run["run_id"] for run in told["validation_runs"]] == ["q3"]


def test_folders_elsewhere_need_an_administrator(trader, rung, tmp_path):
    body = {"symbols": ["TCS"], "source": "csv", "directory": str(tmp_path)}
    assert send(trader, "/api/v1/training/batches/teachers", body).status_code == 403
    assert not TrainingBatch.objects.exists()
