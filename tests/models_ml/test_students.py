"""Teachers and students as sealed folders and rows: the same manifest, the same bytes; a checklist that is honest."""

import datetime as dt
import json

import numpy as np
import pytest

from models_ml.adapters import teacher_files
from models_ml.core.frozen import sealed
from models_ml.models import StudentRun
from models_ml.services import students, teachers
from models_ml.services.fitting import Grown
from models_ml.services.students import StudentSpec
from models_ml.services.teachers import TeacherSpec
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound
from tests.models_ml.invented import CODE, dataset
from trading.adapters import sealed_folders, student_files
from trading.core.errors import Invalid

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 18, 0, tzinfo=IST)
SPEC = TeacherSpec(
    ("AAA", "BBB"), "demo", "5minute", dt.date(2023, 7, 3), dt.date(2023, 8, 30), holdout=0.25, folds=3,
    grown=Grown(rounds=20, leaves=7, least=20), seed=3,
)  # fmt: skip
TEACHER = {
    "teacher_model.txt", "labels.csv.gz", "features.csv.gz", "metadata.json", "dataset_stats.json",
    "evaluation_metrics.json", "feature_importance.json", "manifest.json",
}  # fmt: skip
STUDENT = {
    "model.json", "metadata.json", "evaluation_metrics.json", "training_report.json", "promotion_checklist.json",
    "promotion_checklist.md", "manifest.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return dataset(edge=0.3, days=40, seed=4)


@pytest.fixture(scope="module")
def teacher(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "teacher"
    teachers.train_on(data, SPEC, folder, at=AT)
    return folder


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def spec(teacher, **more):
    return StudentSpec(str(teacher), **more)


def test_a_teachers_folder_is_that_of_the_document_in_formats_that_can_do_no_harm(teacher):
    assert set(bytes_of(teacher)) == TEACHER
    told = json.loads((teacher / "metadata.json").read_text())
    assert told["symbols"] == ["AAA", "BBB"]
    assert told["timestamp"] == "2026-11-23T18:00:00+05:30"
    assert len(told["config_hash"]) == 8
    assert told["dataset"]["manifest"]["signature"]["code"] == CODE
    assert TeacherSpec.of_json(told["spec"]) == SPEC
    assert (teacher / "teacher_model.txt").read_text().startswith("tree\n")


def test_the_same_manifest_trained_twice_gives_the_same_bytes(data, teacher, tmp_path):
    teachers.train_on(data, SPEC, tmp_path / "again", at=AT)
    assert bytes_of(tmp_path / "again") == bytes_of(teacher)
    for kind in ("logistic", "sgd", "lightgbm"):
        for name in ("one", "two"):
            students.train(spec(teacher, model_type=kind), tmp_path / name / "student", at=AT)
        one, two = (bytes_of(tmp_path / name / "student") for name in ("one", "two"))
        differing = {name for name in one if one[name] != two[name]}
        assert differing <= {
            "promotion_checklist.json",
            "promotion_checklist.md",
            "manifest.json",
        }  # they name the folder
        again = students.train(spec(teacher, model_type=kind), tmp_path / "one" / "student", at=AT)
        assert bytes_of(again.folder) == one


def test_a_lesson_comes_back_to_the_last_bit(data, teacher):
    _, lesson = teacher_files.load(teacher)
    np.testing.assert_array_equal(lesson.x, data.X)
    for name in ("symbol", "ts", "end", "y", "net", "ambiguous", "weight"):
        np.testing.assert_array_equal(getattr(lesson, name), getattr(data, name))
    assert lesson.names == data.names


@pytest.mark.parametrize("name", sorted(TEACHER))
def test_a_flipped_byte_of_a_teacher_is_refused_by_the_name_of_its_file(teacher, tmp_path, name):
    whole = bytes_of(teacher)
    for each, text in whole.items():
        (tmp_path / each).write_bytes(text)
    middle = len(whole[name]) // 2
    (tmp_path / name).write_bytes(whole[name][:middle] + bytes([whole[name][middle] ^ 1]) + whole[name][middle + 1 :])
    with pytest.raises(BadInput, match=name):
        students.train(spec(tmp_path), tmp_path / "student", at=AT)


def test_a_students_folder_is_that_of_the_document_and_is_scored_without_a_library(teacher, tmp_path):
    made = students.train(spec(teacher), tmp_path / "student", at=AT)
    assert set(bytes_of(made.folder)) == STUDENT
    scorer = student_files.load(made.folder)
    assert (scorer.version, scorer.model_type, scorer.digest) == (made.version, "logistic", CODE)
    told = json.loads((made.folder / "metadata.json").read_text())
    assert told["teacher_dir"] == str(teacher)
    assert told["teacher_metadata"]["symbols"] == ["AAA", "BBB"]
    assert {"test_size", "cv_folds", "hyperparameter_tuning", "model_type"} <= set(told)
    found = json.loads((made.folder / "evaluation_metrics.json").read_text())
    assert found["class_labels"] == ["LONG", "SHORT", "NOOP"]
    assert {"realised", "teacher_agreement", "document_criteria", "leak"} <= set(found)


def test_the_checklist_has_the_documents_keys_and_says_why_not(teacher, tmp_path):
    made = students.train(spec(teacher, validate=True), tmp_path / "student", at=AT)
    told = json.loads((made.folder / "promotion_checklist.json").read_text())
    assert set(told) >= {
        "timestamp", "candidate_model", "baseline_model", "validation_period", "candidate_metrics", "baseline_metrics",
        "deltas", "validation_thresholds", "validation_results", "recommendation", "reason",
    }  # fmt: skip
    assert set(told["candidate_metrics"]) == {"precision_long", "hit_ratio", "sharpe_ratio"}
    assert set(told["validation_results"]) == {"precision_pass", "hit_ratio_pass", "sharpe_pass", "all_criteria_pass"}
    assert told["recommendation"] == "REJECT"
    assert "suspicion of a leak is yes" in told["reason"]
    text = (made.folder / "promotion_checklist.md").read_text()
    for part in ("REJECT", "Sign-offs", "ML Lead", "Quant Lead", "Risk Manager", "Rollback", "Deployment", "Criteria"):
        assert part in text
    assert told["validation_period"]["start"] < told["validation_period"]["end"]


def test_a_student_can_be_compared_with_another_on_the_same_rows(teacher, tmp_path):
    one = students.train(spec(teacher), tmp_path / "one", at=AT)
    two = students.train(spec(teacher, validate=True, compared=str(one.folder)), tmp_path / "two", at=AT)
    assert two.checklist["baseline_model"] == str(one.folder)
    assert two.checklist["baseline_metrics"] == two.checklist["candidate_metrics"]
    assert two.checklist["deltas"]["precision_uplift"] == 0.0
    assert two.checklist["validation_results"]["all_criteria_pass"] is False


def test_without_a_checklist_none_is_written(teacher, tmp_path):
    made = students.train(spec(teacher, checklist=False), tmp_path / "student", at=AT)
    assert made.checklist is None
    assert not (made.folder / "promotion_checklist.md").exists()
    assert made.fields()["recommendation"] == ""


def test_every_look_at_the_same_test_rows_is_counted(teacher, tmp_path):
    for look in range(3):
        asked = spec(teacher, model_type="sgd", seed=look)
        row = students.remember(asked, tmp_path / f"s{look}", by="test", at=AT)
        made = students.train(asked, tmp_path / f"s{look}", at=AT)
        assert made.looks == look
        StudentRun.objects.filter(pk=row.pk).update(**made.fields())
    assert f"{look} earlier trainings" in (made.folder / "promotion_checklist.md").read_text()
    other = students.train(spec(teacher, test_size=0.3), tmp_path / "other", at=AT)
    assert other.looks == 0


def test_a_warm_start_goes_on_from_a_students_folder(data, teacher, tmp_path):
    early = data.select(data.end < np.quantile(data.ts, 0.5))
    teachers.train_on(early, SPEC, tmp_path / "early", at=AT)
    for kind in ("logistic", "sgd", "lightgbm"):
        before = students.train(spec(tmp_path / "early", model_type=kind), tmp_path / f"before-{kind}", at=AT)
        after = students.train(
            spec(teacher, model_type=kind, earlier=str(before.folder)), tmp_path / f"after-{kind}", at=AT
        )
        assert after.report["earlier"] == before.version
    with pytest.raises(BadInput, match="nothing to go on from"):
        students.train(spec(teacher, earlier=str(before.folder)), tmp_path / "x", at=AT)


def test_a_students_folder_is_no_teachers(teacher, tmp_path):
    made = students.train(spec(teacher), tmp_path / "student", at=AT)
    with pytest.raises(BadInput, match="holds a student"):
        students.train(spec(made.folder), tmp_path / "other", at=AT)
    with pytest.raises(NotFound, match="no finished artifact"):
        students.train(spec(tmp_path / "nowhere"), tmp_path / "other", at=AT)
    with pytest.raises(BadInput, match="holds a teacher"):
        student_files.load(teacher)


def test_an_interrupted_folder_counts_as_unfinished(teacher, tmp_path, monkeypatch):
    made = students.train(spec(teacher), tmp_path / "student", at=AT)
    plain = sealed_folders._write

    def dies(path, content):
        if path.name == "model.json":
            raise KeyboardInterrupt
        plain(path, content)

    monkeypatch.setattr(sealed_folders, "_write", dies)
    with pytest.raises(KeyboardInterrupt):
        students.train(spec(teacher, seed=1), made.folder, at=AT)
    with pytest.raises(NotFound):
        student_files.load(made.folder)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"test_size": 0.0}, "--test-size"), ({"test_size": 0.9}, "--test-size"), ({"cv_folds": 1}, "--cv-folds"),
        ({"seed": -1}, "the seed -1"), ({"baseline_precision": 2.0}, "baseline precision of 2.0"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_named(asked, why):
    with pytest.raises((BadInput, Invalid), match=why):
        StudentSpec("x", **asked)


@pytest.mark.parametrize("asked", [{"seed": -1}, {"folds": 0}, {"holdout": 0.9}])
def test_so_are_a_teachers(asked):
    with pytest.raises(BadInput, match="cannot be used"):
        TeacherSpec(("AAA",), "demo", "5minute", dt.date(2023, 7, 3), dt.date(2023, 8, 30), **asked)


def test_a_share_called_like_nothing_keeps_its_name(data, tmp_path):
    arrays = data.arrays() | {"symbol": np.where(data.symbol == "AAA", "NA", "NULL")}
    order = np.lexsort((arrays["symbol"], data.ts))
    named = sealed({name: array[order] for name, array in arrays.items()}, data.names, data.manifest)
    teachers.train_on(named, SPEC, tmp_path / "teacher", at=AT)
    _, lesson = teacher_files.load(tmp_path / "teacher")
    assert set(lesson.symbol) == {"NA", "NULL"}
