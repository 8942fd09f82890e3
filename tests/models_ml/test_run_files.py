"""Run files: written from the rows, read back into them, never at the cost of what is known."""

import json

import pytest
from django.core.management import call_command

from models_ml.models import StudentRun, TeacherRun, TrainingBatch
from models_ml.services import batches, run_files
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotFound
from tests.models_ml.runs import AT, BATCH, FOLDER, METRICS, a_batch, a_student, a_teacher

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def files():
    """The two files of a batch of two windows, one of which failed."""
    teacher = a_teacher(sentiment_snapshot_path="data/sentiment/RELIANCE", sentiment_available=True)
    a_teacher("TCS", "TCS_2024Q1", status="failed", metrics={}, error="TCS has no bars", digest="", version="")
    a_teacher("INFY", "INFY_2024Q1", status="queued", metrics={})
    a_student(teacher, sentiment_snapshot_path="data/sentiment/RELIANCE", sentiment_available=True)
    return [run_files.export(batch, batches.rows(batch)) for batch in (a_batch(), a_batch("student"))]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_batch_is_written_with_the_keys_of_the_document(files):
    teachers, students = map(lines, files)
    assert len(teachers) == 2  # a window nobody has begun is no run
    assert teachers[0] == {
        "batch_id": BATCH, "symbol": "RELIANCE", "date_range": {"start": "2024-01-01", "end": "2024-03-30"},
        "window_label": "RELIANCE_2024Q1", "artifacts_path": f"{FOLDER}/RELIANCE_2024Q1",
        "metrics": {name: METRICS[name] for name in ("precision", "recall", "f1")}, "status": "success",
        "timestamp": "2025-10-12T19:00:00+05:30", "incremental": False,
        "sentiment_snapshot_path": "data/sentiment/RELIANCE", "sentiment_available": True, "interval": "5minute",
        "version": "teacher-0123456789ab", "sha256": "d" * 64,
    }  # fmt: skip
    assert teachers[1]["status"] == "failed"
    assert teachers[1]["error"] == "TCS has no bars"
    assert students[0]["teacher_run_id"] == "RELIANCE_2024Q1"
    assert students[0]["teacher_artifacts_path"] == teachers[0]["artifacts_path"]
    assert students[0]["sentiment_available"] is True
    assert students[0]["metrics"]["realised_accuracy"] == 0.4


def test_what_was_written_is_read_back_by_a_desk_that_knows_nothing(files):
    before = [path.read_text() for path in files]
    for model in (StudentRun, TeacherRun, TrainingBatch):
        model.objects.all().delete()
    found = [run_files.read(path, at=AT) for path in files]
    assert [(each.added, each.known, each.problems) for each in found] == [(2, 0, []), (1, 0, [])]
    assert StudentRun.objects.get().teacher == TeacherRun.objects.get(symbol="RELIANCE")
    for batch, path, text in zip(TrainingBatch.objects.order_by("id"), files, before, strict=True):
        assert run_files.file_of(batch) == path
        run_files.export(batch, batches.rows(batch))
        assert path.read_text() == text
    assert batches.of_folder("teacher", FOLDER).status == "partial"


def test_reading_again_changes_nothing_that_is_known(files):
    TeacherRun.objects.filter(symbol="RELIANCE").update(metrics={"precision": 0.99})
    found = run_files.read(files[0], at=AT)
    assert (found.added, found.known) == (0, 2)
    assert TeacherRun.objects.get(symbol="RELIANCE").metrics == {"precision": 0.99}


def test_a_broken_line_is_named_and_the_others_are_read(files, capsys):
    text = files[0].read_text().splitlines()
    files[0].write_text("\n".join([text[0][:-20], text[1], "[]"]))
    TeacherRun.objects.filter(symbol="TCS").delete()
    with pytest.raises(SystemExit) as ended:
        call_command("training_runs", "--import", str(files[0]), "--json")
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    (told,) = json.loads(out)["files"]
    assert (told["added"], [problem["number"] for problem in told["problems"]]) == (1, [1, 3])
    assert "line 1: it is no JSON" in err
    assert TeacherRun.objects.filter(symbol="TCS", status="failed").exists()


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path):
    with pytest.raises(NotFound, match="there is no file"):
        run_files.read(tmp_path / "teacher_runs.json", at=AT)
    with pytest.raises(BadInput, match=r"runs\.txt is not a run file"):
        run_files.read(tmp_path / "runs.txt", at=AT)
    (tmp_path / "student_runs.json").mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        run_files.read(tmp_path / "student_runs.json", at=AT)


def test_a_batch_is_found_by_its_folder_however_it_is_written(files, tmp_path):
    whole = str(paths.resolve(FOLDER))
    for word in (FOLDER, f"{FOLDER}/", whole, f"data/models/../models/{FOLDER.rpartition('/')[2]}"):
        assert batches.of_folder("teacher", word).batch_id == BATCH
    assert batches.of_folder("teacher", "data/models/elsewhere") is None


def test_a_folder_that_cannot_be_written_is_told_and_costs_nothing(files, caplog):
    files[0].unlink()
    files[0].mkdir()
    batch = TrainingBatch.objects.get(kind="teacher")
    assert run_files.export(batch, batches.rows(batch)) is None
    assert "the run file was not written" in caplog.text
    assert TeacherRun.objects.count() == 3
