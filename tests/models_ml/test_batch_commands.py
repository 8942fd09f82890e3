"""The batch commands as a user meets them, and the certificate every batch carries."""

import json

import pytest
from django.core.management import call_command

from models_ml.models import TrainingBatch, ValidationRun
from models_ml.services import certifying
from tests.models_ml.runs import a_batch, a_teacher

pytestmark = pytest.mark.django_db
DEMO = [
    "--symbols", "DEMOBANK", "--data-source", "demo", "--start-date", "2026-08-01", "--end-date", "2026-08-28",
    "--window-days", "28", "--workers", "1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def certified():
    """A certificate of the training as it is, so that no story waits for one."""
    proof = {"passed": True, "null_market": {"told": "passed: nothing"}, "known_edge": {"told": "passed: something"}}
    return a_batch(
        batch_id="earlier", folder="data/models/earlier", certificates={"code": certifying.code_digest(), **proof}
    )


def told(capsys, *words):
    call_command(*words, "--json")
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        call_command(*words)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_teachers_and_students_from_the_shell(certified, capsys):
    teachers = told(capsys, "train_teacher_batch", *DEMO)
    assert (teachers["status"], teachers["summary"]["completed"]) == ("done", 1)
    assert teachers["certificates"] == certified.certificates
    assert teachers["runs"][0]["window_label"] == "DEMOBANK_2026Q3"
    resumed = told(capsys, "train_teacher_batch", *DEMO, "--resume")
    assert resumed == teachers
    students = told(capsys, "train_student_batch", "--workers", "1", "--baseline-precision", "0.65")
    assert students["runs"][0]["recommendation"] == "REJECT"
    assert students["batch_id"] == teachers["batch_id"]
    assert told(capsys, "train_student_batch", "--workers", "1", "--incremental")["runs"] == []


def test_a_window_that_failed_is_told_and_ends_with_one(certified, capsys, tmp_path):
    words = [word if word != "DEMOBANK" else "TCS" for word in DEMO]
    words[words.index("--data-source") + 1] = "csv"
    with pytest.raises(SystemExit) as ended:
        call_command("train_teacher_batch", *words, "--csv", str(tmp_path))
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert "failed  TCS_2026Q3" in out
    assert err.startswith("error: 1 of 1 windows were not trained: ")
    assert "TCS" in err


def test_a_dry_validation_from_the_shell(capsys):
    found = told(capsys, "run_model_validation", *DEMO, "--run-id", "q3")
    assert (found["run_id"], found["status"], found["dryrun"]) == ("q3", "completed", True)
    assert ValidationRun.objects.get().status == "completed"
    call_command("learning_state")
    assert "q3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["train_teacher_batch", *DEMO, "--window-days", "1"], "--window-days 1"),
        (["train_teacher_batch", *DEMO, "--workers", "many"], "--workers many"),
        (["train_teacher_batch", *DEMO, "--incremental"], "--incremental finds its days"),
        (["train_teacher_batch", *DEMO, "--batch-dir", "data/models/x"], "needs --resume"),
        (["train_teacher_batch", "--resume", "--batch-dir", "data/models/x"], "no teacher batch is known in"),
        (["train_teacher_batch", "--run", "99"], "there is no batch 99"),
        (["train_student_batch", "--teacher-batch-dir", "nowhere"], "nowhere/teacher_runs.json"),
        (["train_student_batch"], "there is no teacher batch"),
        (["run_model_validation", "--symbols", "TCS"], "--start-date, --end-date must be given"),
        (["run_model_validation", *DEMO, "--run-id", "a/b"], "--run-id 'a/b'"),
        (["training_runs", "--import", "nothing/teacher_runs.json"], "there is no file"),
        (["training_runs", "--export", "data/models/x"], "no batch is known in"),
        (["learning_state", "--import", "nothing.json"], "there is no file nothing.json"),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, list) else "",
)
def test_bad_words_are_refused_in_one_line(capsys, words, why):
    err = refused(capsys, *words)
    assert why in err
    assert err.count("\n") == 1
    assert not TrainingBatch.objects.exists()


def test_students_learn_from_files_of_another_desk(certified, capsys):
    a_teacher(artifacts_path="data/models/gone/RELIANCE_2024Q1")
    a_batch()
    call_command("training_runs", "--export", "data/models/20251012_190000")
    capsys.readouterr()
    TrainingBatch.objects.exclude(pk=certified.pk).delete()
    with pytest.raises(SystemExit) as ended:
        call_command("train_student_batch", "--teacher-batch-dir", "data/models/20251012_190000", "--workers", "1")
    assert ended.value.code == 1
    assert "there is no finished artifact in" in capsys.readouterr().err


# the certificate


@pytest.mark.slow
def test_the_training_finds_nothing_in_random_walks_and_a_planted_edge(monkeypatch):
    monkeypatch.setattr(certifying, "NULL_SEEDS", certifying.NULL_SEEDS[:2])
    monkeypatch.setattr(certifying, "EDGE_SEEDS", certifying.EDGE_SEEDS[:1])
    found = certifying.certify()
    assert found["passed"]
    assert found["null_market"]["passed"]
    assert found["known_edge"]["mean"] > 0.55
    assert len(found["sha256"]) == 64
    a_batch(certificates=found)
    monkeypatch.setattr(certifying, "pipeline", None)  # nothing is proved twice
    assert certifying.certify() == found


def test_other_code_needs_another_certificate(monkeypatch):
    before = certifying.code_digest()
    assert certifying.code_digest() == before
    monkeypatch.setattr(certifying.versions, "LIBRARIES", ("numpy",))
    assert certifying.code_digest() != before
