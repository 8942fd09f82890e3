"""Batches of trainings: every window once, whatever fails and whoever dies meanwhile."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection

from models_ml import tasks
from models_ml.models import StudentRun, TeacherRun, TrainingBatch
from models_ml.services import batch_plans, batches, run_files, student_batches, teacher_batches, window_work
from models_ml.services.batches import Crew
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed
from trading.services import leases

AT = dt.datetime(2026, 11, 20, 14, 0, tzinfo=dt.UTC)
PROOF = {"code": "x", "passed": True}


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


def asked(*symbols, **told):
    usual = {"source": "demo", "window_days": 28, "start": dt.date(2026, 8, 1), "end": dt.date(2026, 9, 25), "at": AT}
    options = {"grown": {"rounds": 8, "leaves": 7, "rate": 0.1, "least": 40, "lambda_l2": 5.0}, "folds": 2}
    return batch_plans.ask_teachers(symbols=symbols or ("DEMOBANK",), options=options, **{**usual, **told})


def begun(*symbols, **told):
    return teacher_batches.planned(teacher_batches.queue(asked(*symbols, **told), by="asha", at=AT), by="asha", at=AT)


def run(batch, **told):
    return batches.run(batch, Crew(tasks.WORKS[batch.kind], **told), clock=now, certify=lambda: PROOF)


def windows(batch):
    return {row.window_label: row for row in batches.rows(batch)}


@pytest.mark.django_db
def test_teachers_then_students_then_their_files():
    teachers, broken = with_a_broken_window()
    seen = []
    run(teachers, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2, 2)
    one_failed(teachers)
    taught = windows(teachers)["DEMOBANK_2026Q3"]
    asking = student_batches.ask(teacher_batch=teachers, baseline_precision=0.6, baseline_recall=0.55)
    students = run(student_batches.start(asking, teachers, by="asha", at=AT))
    assert (students.status, students.batch_id, students.folder) == ("done", teachers.batch_id, teachers.folder)
    written(teachers, students, taught)
    again(teachers, broken, taught)
    later(teachers, asking)


def with_a_broken_window():
    """A batch of two windows, one of which has no bars any more."""
    teachers = begun("DEMOBANK", "DEMOOIL", end=dt.date(2026, 8, 28))
    broken = TeacherRun.objects.get(symbol="DEMOOIL")
    TeacherRun.objects.filter(pk=broken.pk).update(spec={**broken.spec, "source": "/nowhere"})
    return teachers, broken


def one_failed(teachers):
    """The window without bars is told of, and the other was trained all the same."""
    assert (teachers.status, teachers.certificates) == ("partial", PROOF)
    assert (teachers.summary["completed"], teachers.summary["failed"]) == (1, 1)
    found = windows(teachers)
    assert found["DEMOOIL_2026Q3"].status == "failed"
    assert "/nowhere" in found["DEMOOIL_2026Q3"].error
    assert {"precision", "recall", "f1"} <= set(found["DEMOBANK_2026Q3"].metrics)


def written(teachers, students, taught):
    """Both files lie beside the artifacts and say what the rows say; every student has its checklist."""
    assert StudentRun.objects.get().recommendation in ("PROMOTE", "REJECT")
    folder = paths.resolve(students.folder)
    line = json.loads((folder / "student_runs.json").read_text())
    assert line["teacher_artifacts_path"] == taught.artifacts_path
    assert line["promotion_checklist_path"] == f"{students.folder}/DEMOBANK_2026Q3_student/promotion_checklist.md"
    assert paths.resolve(line["promotion_checklist_path"]).is_file()
    told, problems = run_files.run_lines.teachers((folder / "teacher_runs.json").read_text())
    assert {line.window_label: line.status for line in told} == {
        label: row.status for label, row in windows(teachers).items()
    }
    assert problems == []


def again(teachers, broken, taught):
    """What failed is trained when its reason is gone; what was trained is not touched."""
    TeacherRun.objects.filter(pk=broken.pk).update(spec=broken.spec)
    before = (paths.resolve(taught.artifacts_path) / "manifest.json").stat().st_mtime_ns
    resumed = run(teacher_batches.resume(teachers, by="asha", at=AT))
    assert resumed.status == "done"
    assert {row.status for row in batches.rows(resumed)} == {"success"}
    assert (paths.resolve(taught.artifacts_path) / "manifest.json").stat().st_mtime_ns == before


def later(teachers, asking):
    """Students of teachers that came later are added, and others of the same teachers get a folder of their own."""
    first = student_batches.to_resume(teachers, asking.digest)
    students = run(student_batches.resume(first, by="asha", at=AT))
    assert [row.symbol for row in batches.rows(students)] == ["DEMOBANK", "DEMOOIL"]
    other = student_batches.start(asking, teachers, by="asha", at=AT + dt.timedelta(seconds=5))
    assert other.batch_id != students.batch_id
    assert other.folder != students.folder


@pytest.mark.django_db
@pytest.mark.parametrize("later_by", [10, 0], ids=["later bars", "the same bars"])
def test_an_updates_student_goes_on_from_the_earlier_one_where_it_can(later_by):
    first = run(begun(end=dt.date(2026, 8, 28)))
    one = run(student_batches.start(student_batches.ask(teacher_batch=first), first, by="asha", at=AT))
    moved = dt.timedelta(days=later_by)
    second = run(begun(start=dt.date(2026, 8, 1) + moved, end=dt.date(2026, 8, 28) + moved, window_days=27 + later_by))
    asking = student_batches.ask(teacher_batch=second, incremental=True)
    two = run(student_batches.start(asking, second, by="asha", at=AT))
    assert (two.status, two.incremental) == ("done", True)
    folder = paths.resolve(batches.rows(two).get().student_artifacts_path)
    told = json.loads((folder / "metadata.json").read_text())
    went_on = told["spec"]["earlier"] == batches.rows(one).get().student_artifacts_path
    assert went_on is bool(later_by)
    line = json.loads((paths.resolve(two.folder) / "student_runs.json").read_text())
    assert line["incremental"] is True


@pytest.mark.django_db
def test_what_was_trained_when_its_process_died_is_taken_over():
    batch = run(begun(end=dt.date(2026, 8, 28)))
    row = batches.rows(batch).get()
    told = {name: getattr(row, name) for name in ("digest", "version", "dataset_digest", "metrics", "evaluation")}
    TeacherRun.objects.filter(pk=row.pk).update(
        status="running", digest="", version="", dataset_digest="", metrics={}, evaluation={}
    )  # fmt: skip
    manifest = paths.resolve(row.artifacts_path) / "manifest.json"
    before = manifest.stat().st_mtime_ns
    teacher_batches.resume(batch, by="asha", at=AT)
    run(batch)
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in told} == told
    assert row.status == "success"
    assert manifest.stat().st_mtime_ns == before


@pytest.mark.django_db
def test_a_batch_whose_process_died_is_taken_over_and_one_that_is_done_is_left_as_it_is():
    batch = begun(end=dt.date(2026, 8, 28))
    TrainingBatch.objects.filter(pk=batch.pk).update(status="running")
    assert run(batch).status == "done"
    before = TrainingBatch.objects.values().get(pk=batch.pk)
    with pytest.raises(NotAllowed, match="is done, not queued"):
        run(batch)
    assert TrainingBatch.objects.values().get(pk=batch.pk) == before


@pytest.mark.django_db
def test_a_window_whose_process_died_twice_is_not_tried_a_third_time():
    batch = begun(end=dt.date(2026, 8, 28))
    TrainingBatch.objects.filter(pk=batch.pk).update(status="running")
    number = batches.rows(batch).get().pk
    batches.rows(batch).update(status="running", error=batches.DIED)
    window_work.train_teacher(number, clock=now)
    row = batches.rows(batch).get()
    assert row.status == "failed"
    assert "died twice" in row.error
    assert not paths.resolve(row.artifacts_path).exists()


@pytest.mark.django_db
def test_a_message_that_comes_late_trains_nothing():
    batch = begun(end=dt.date(2026, 8, 28))
    number = batches.rows(batch).get().pk
    batches.cancel(batch.pk, by="asha", at=AT)
    tasks.train_teacher_window(ids=[number])
    assert batches.rows(batch).get().status == "queued"
    with pytest.raises(NotAllowed, match="cancelled"):
        batches.cancel(batch.pk, by="asha", at=AT)


@pytest.mark.django_db
def test_a_cancelled_batch_stops_between_two_windows_and_can_be_gone_on_with(monkeypatch):
    monkeypatch.setattr(batches, "LOOK", 0.0)
    batch = begun()
    run(batch, progress=lambda done, total: done == 1 and batches.cancel(batch.pk, by="asha", at=AT))
    assert (batch.status, batch.progress) == ("cancelled", 0.5)
    assert sorted(row.status for row in batches.rows(batch)) == ["queued", "success"]
    assert len((paths.resolve(batch.folder) / "teacher_runs.json").read_text().splitlines()) == 1
    assert run(teacher_batches.resume(batch, by="asha", at=AT)).status == "done"


@pytest.mark.django_db
def test_only_one_process_is_at_a_batch():
    batch = begun(end=dt.date(2026, 8, 28))
    other = leases.take(f"batch:{batch.pk}", "elsewhere:1:2:3")
    for attempt in (lambda: run(batch), lambda: teacher_batches.resume(batch, by="asha", at=AT)):
        with pytest.raises(NotAllowed, match="elsewhere"):
            attempt()
    leases.release(other)
    batch.refresh_from_db()
    assert batch.status == "queued"


@pytest.mark.django_db
def test_the_batch_to_go_on_with_is_the_one_that_asked_for_the_same():
    batch = begun()
    same, other = asked(), asked("DEMOOIL")
    today = AT.date()
    assert teacher_batches.to_resume(same, "", today=today) == batch
    assert teacher_batches.to_resume(other, "", today=today) is None
    assert teacher_batches.to_resume(None, "", today=today) == batch
    assert teacher_batches.to_resume(None, batch.folder, today=today) == batch


@pytest.mark.django_db
def test_two_batches_begun_in_one_second_have_their_own_names():
    one, two = begun(), begun("DEMOOIL")
    assert (one.batch_id, two.batch_id) == ("batch_20261120_193000", "batch_20261120_193001")
    assert two.folder == "data/models/20261120_193001"


@pytest.mark.django_db
def test_an_update_without_anything_new_is_done_at_once():
    batch = begun(start=None, end=None, incremental=True, window_days=21)
    batches.rows(batch).update(status="success")
    nothing = begun(start=None, end=None, incremental=True, window_days=21)
    assert nothing.total == 0
    assert run(nothing).status == "done"
    assert (paths.resolve(nothing.folder) / "teacher_runs.json").read_text() == ""


@pytest.mark.django_db
@pytest.mark.parametrize("told", [{"baseline_precision": 1.5}, {"baseline_recall": -0.1}, {"model_type": "oracle"}])
def test_students_that_cannot_be_are_refused_by_name(told):
    with pytest.raises(BadInput, match=str(next(iter(told.values())))):
        student_batches.ask(teacher_batch=begun(), **told)


# a real kill

WORKER = """
import django, sys
django.setup()
from models_ml import tasks
from models_ml.services import batches
from sensequant.lib.clock import now
crew = batches.Crew(tasks.WORKS["teacher"], workers=2)
batches.run(batches.find(int(sys.argv[1])), crew, clock=now, certify=dict)
"""


def another_process(batch):
    """Run the batch as ``manage.py train_teacher_batch`` would, in a process of its own on the tests' database."""
    known = connection.settings_dict
    url = f"sqlite:///{known['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    environment = {
        **os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "sensequant.settings",
        "SENSEQUANT_HOME": str(settings.SENSEQUANT_HOME),
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", WORKER, str(batch.pk)], cwd=settings.BASE_DIR, env=environment)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_killed_is_gone_on_with_as_if_it_had_not_been():
    span = {"start": dt.date(2026, 5, 1), "end": dt.date(2026, 8, 20)}
    batch = begun(**span)
    total = batch.total
    process = another_process(batch)
    while process.poll() is None and not batches.rows(batch).filter(status="success").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {row.pk: (row.digest, row.finished_at) for row in batches.rows(batch).filter(status="success")}
    assert 0 < len(before) < total

    batch.refresh_from_db()
    assert batch.status == "running"
    run(teacher_batches.resume(batch, by="asha", at=AT))
    after = {row.pk: (row.digest, row.finished_at) for row in batches.rows(batch)}
    assert len(after) == total
    assert {row.status for row in batches.rows(batch)} == {"success"}
    assert {number: after[number] for number in before} == before
    lines = (paths.resolve(batch.folder) / "teacher_runs.json").read_text().splitlines()
    assert sorted(json.loads(line)["window_label"] for line in lines) == sorted(windows(batch))

    whole = run(begun(**span))
    assert {label: row.digest for label, row in windows(whole).items()} == {
        label: row.digest for label, row in windows(batch).items()
    }
