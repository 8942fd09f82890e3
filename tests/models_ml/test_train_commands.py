"""``manage.py train_teacher`` and ``train_student``: from bars to a scorer, the way a person would."""

import hashlib
import json

import pytest
from django.core.management import load_command_class

from models_ml.models import Promotion, StudentRun, TeacherRun
from models_ml.services import students
from models_ml.services.students import StudentSpec
from tests.trading.desks import NOON, command
from trading.adapters import student_files
from trading.services import leases

pytestmark = pytest.mark.django_db
ASKED = [
    "--symbols", "DEMOBANK,DEMOLABS", "--start-date", "2026-09-14", "--end-date", "2026-10-30", "--data-source", "demo",
    "--params", "plan=prime-2999", "product=margin", "--warmup", "100", "--rounds", "15", "--folds", "2",
]  # fmt: skip


@pytest.fixture
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


def told(*words):
    code, out, err = command(*words, "--json")
    assert (code, err) == (0, ""), err
    return json.loads(out)


def test_bars_become_a_student_that_scores(home):
    teacher = told("train_teacher", *ASKED)
    folder = home / teacher["folder"]
    assert teacher["folder"].startswith("data/models/")
    assert folder.name == "teacher"
    row = TeacherRun.objects.get(pk=teacher["run"])
    assert (row.status, row.version, row.digest) == ("success", teacher["version"], teacher["manifest"])
    assert row.metrics.keys() == {"precision", "recall", "f1", "accuracy"}
    assert row.spec["interval"] == "5minute"
    for kind in ("logistic", "sgd", "lightgbm"):
        student = told(
            "train_student", "--teacher-dir", teacher["folder"], "--output-dir", f"data/models/x/{kind}",
            "--model-type", kind, "--batch-mode", "--baseline-precision", "0.6", "--baseline-recall", "0.55",
        )  # fmt: skip
        assert student["recommendation"] == "REJECT"
        assert student_files.load(home / student["folder"]).version == student["version"]
        made = StudentRun.objects.get(pk=student["run"])
        assert (made.status, made.model_type, made.recommendation) == ("success", kind, "REJECT")
        assert (home / made.promotion_checklist_path).is_file()
    beside = told("train_student", "--teacher-dir", teacher["folder"], "--hyperparameter-tuning", "--cv-folds", "2")
    pipeline = json.loads((folder.parent / "training_pipeline.json").read_text())
    assert pipeline["teacher"]["version"] == teacher["version"]
    assert pipeline["student"]["manifest"] == beside["manifest"]
    assert (beside["looks"], len(beside["report"]["trials"])) == (3, 4)
    again = told("train_teacher", "--manifest", teacher["folder"], "--output-dir", "data/models/again")
    assert again["identical"] is True
    assert (home / "data/models/again/manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()


def test_the_words_for_people_say_what_counts(home):
    code, out, _ = command("train_teacher", *ASKED, "--output-dir", "data/models/one/teacher")
    assert code == 0
    assert "held-out rows" in out
    assert "memory, not skill" in out
    code, out, _ = command("train_student", "--teacher-dir", "data/models/one/teacher", "--validate")
    assert code == 0
    for part in ("REJECT", "net of charges", "promotes nobody", "later rows", "against the strategy without a student"):
        assert part in out
    judged = Promotion.objects.get()
    assert judged.checklist["validation_period"]["start"] > judged.checklist["trained_until"]
    assert "not out of sample" not in judged.checklist["reason"]
    assert (home / "data/models/one/student_promotion_checklist.md").is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["train_teacher"], "--symbols, --start-date, --end-date must be given"),
        (["train_teacher", *ASKED, "--label", "target=-1"], "target"),
        (["train_teacher", *ASKED, "--holdout", "0.9"], "a held-out share of 0.9"),
        (["train_teacher", *ASKED, "--leaves", "100"], "100 leaves cannot be used"),
        (["train_teacher", *ASKED, "--seed", "-4"], "the seed -4"),
        (["train_teacher", *ASKED[:6], "--csv", "/nowhere"], "there is no folder /nowhere"),
        (["train_teacher", "--manifest", "nowhere"], "--output-dir must be given"),
        (["train_teacher", "--manifest", "nowhere", "--output-dir", "x"], "no finished artifact"),
        (["train_student", "--teacher-dir", "nowhere"], "no finished artifact"),
        (["train_student", "--teacher-dir", "x", "--test-size", "2"], "--test-size"),
        (["train_student", "--teacher-dir", "x", "--cv-folds", "0"], "--cv-folds"),
        (["train_student", "--teacher-dir", "x", "--baseline-precision", "7"], "baseline precision of 7.0"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_no_row(home, words, line):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") <= 1
    assert not TeacherRun.objects.exists()
    assert not StudentRun.objects.exists()


def test_an_update_needs_an_earlier_student_and_later_bars(home):
    until = ASKED.index("2026-10-30")
    first = [*ASKED[:until], "2026-09-30", *ASKED[until + 1 :]]
    command("train_teacher", *first, "--output-dir", "data/models/early/teacher")
    command("train_teacher", *ASKED, "--output-dir", "data/models/late/teacher")
    code, _, err = command("train_student", "--teacher-dir", "data/models/late/teacher", "--incremental")
    assert code == 2
    assert "no earlier logistic student of DEMOBANK, DEMOLABS" in err
    before = told("train_student", "--teacher-dir", "data/models/early/teacher")
    after = told("train_student", "--teacher-dir", "data/models/late/teacher", "--incremental")
    assert after["report"]["earlier"] == before["version"]
    assert StudentRun.objects.get(pk=after["run"]).incremental
    known = ["--teacher-dir", "data/models/early/teacher", "--incremental", "--earlier", "data/models/late/student"]
    code, _, err = command("train_student", *known)
    assert code == 2
    assert "was fitted on rows of the time this one is calibrated and tested on" in err
    assert StudentRun.objects.filter(status="failed").count() == 1


def test_the_help_has_examples():
    for name in ("train_teacher", "train_student"):
        text = load_command_class("models_ml", name).create_parser("manage.py", name).format_help()
        assert f"examples:\n  manage.py {name} --" in text


def test_two_never_train_into_one_folder_and_what_a_killed_one_left_is_told(home):
    spec = StudentSpec("data/models/t/teacher")
    command("train_teacher", *ASKED, "--output-dir", "data/models/t/teacher")
    left = students.remember(spec, "data/models/t/student", by="test", at=NOON)
    lease = f"training:{hashlib.sha256(b'data/models/t/student').hexdigest()[:16]}"
    held = leases.take(lease, "elsewhere:1:1:x", ttl=60)
    code, _, err = command("train_student", "--teacher-dir", "data/models/t/teacher")
    assert code == 1
    assert "somebody is training into data/models/t/student" in err
    leases.release(held)
    told("train_student", "--teacher-dir", "data/models/t/teacher")
    left.refresh_from_db()
    assert (left.status, left.error) == ("failed", "its process died")
