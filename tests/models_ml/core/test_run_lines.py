"""The exchange files of trainings: what we write is read back, and a broken line costs nothing but itself."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core import run_lines
from models_ml.core.run_lines import StudentLine, TeacherLine

IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
TEACHER = (
    '{"batch_id": "batch_20240316_183512", "symbol": "RELIANCE", "date_range": {"start": "2024-03-16", "end": '
    '"2024-03-16"}, "window_label": "RELIANCE_2024Q1", "artifacts_path": '
    '"data/models/20240316_183512/RELIANCE_2024Q1", "metrics": {"precision": 0.82, "recall": 0.76, "f1": 0.79}, '
    '"status": "success", "timestamp": "2024-03-16T18:35:12+05:30", "incremental": true, "sentiment_snapshot_path": '
    '"data/sentiment/RELIANCE", "sentiment_available": true}\n'
)
STUDENT = (
    '{"batch_id": "batch_20251012_190000", "symbol": "RELIANCE", "teacher_run_id": "RELIANCE_2024Q1", '
    '"teacher_artifacts_path": "data/models/20251012_190000/RELIANCE_2024Q1", "student_artifacts_path": '
    '"data/models/20251012_190000/RELIANCE_2024Q1_student", "metrics": {"precision": 0.68, "recall": 0.65, "f1": '
    '0.66}, "promotion_checklist_path": '
    '"data/models/20251012_190000/RELIANCE_2024Q1_student/promotion_checklist.md", "status": "success", '
    '"timestamp": "2025-10-12T19:15:23+05:30"}\n'
)
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=40)
metrics = st.dictionaries(st.sampled_from(run_lines.RATIOS), st.floats(0, 1))
moments = st.datetimes(timezones=st.just(IST)).map(lambda moment: moment.replace(microsecond=0))
flags, statuses = st.booleans(), st.sampled_from(run_lines.STATUSES)
extras = st.dictionaries(st.sampled_from(["error", "sha256", "certificate"]), names)
spans = st.tuples(st.dates(), st.dates()).map(sorted)
maybe = st.one_of(st.just(""), names)


@given(names, names, spans, names, names, metrics, statuses, moments, flags, maybe, flags, extras)
def test_a_teacher_comes_back_as_it_went(batch, symbol, span, label, path, found, status, at, inc, news, there, more):
    line = TeacherLine(batch, symbol, *span, label, path, found, status, at, inc, news, there, more)
    assert run_lines.teachers(run_lines.written([line, line])) == ([line, line], [])


@given(names, names, names, names, names, metrics, maybe, statuses, moments, flags, maybe, flags, extras)
def test_a_student_comes_back_as_it_went(
    batch, symbol, teacher, taught, path, found, check, status, at, inc, news, there, more
):
    line = StudentLine(batch, symbol, teacher, taught, path, found, check, status, at, inc, news, there, more)
    assert run_lines.students(run_lines.written([line])) == ([line], [])


def test_the_documents_own_teacher_is_written_to_the_letter():
    found, problems = run_lines.teachers(TEACHER)
    assert problems == []
    assert run_lines.written(found) == TEACHER


def test_a_student_of_an_earlier_phase_needs_no_sentiment():
    (line,), problems = run_lines.students(STUDENT)
    assert problems == []
    assert not line.incremental
    assert not line.sentiment_available
    told = line.told()
    assert [key for key in told if key in json.loads(STUDENT)] == list(json.loads(STUDENT))


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ('"symbol": "RELIANCE", ', "", "symbol is missing"),
        ("0.82", "1.82", r"metrics.precision is 1.82"),
        ("0.82", "NaN", "NaN is no number"),
        ("0.82", '"high"', "metrics.precision is 'high'"),
        ('"success"', '"great"', "status is 'great'"),
        ("+05:30", "", "has no offset"),
        ('"start": "2024-03-16"', '"start": "2024-03-17"', "starts on 2024-03-17"),
        ('"start": "2024-03-16"', '"start": "16 March"', "date_range.start is '16 March'"),
        ('"incremental": true', '"incremental": "yes"', "incremental is 'yes'"),
        ('{"batch_id"', '["batch_id"', "it is no JSON"),
        ("}\n", "\n", "it is no JSON"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(was, now, why):
    text = TEACHER + TEACHER.replace(was, now, 1) + "\n" + TEACHER
    found, problems = run_lines.teachers(text)
    assert len(found) == 2
    (problem,) = problems
    assert problem.number == 2
    assert why in problem.why


@given(st.text(max_size=300), st.integers(0, 600))
def test_no_text_at_all_can_stop_the_reading(noise, cut):
    found, problems = run_lines.teachers(TEACHER + noise.replace("\n", " ") + "\n" + TEACHER[:cut].rstrip("\n") + "\n")
    assert found[0].symbol == "RELIANCE"
    assert len(found) + len(problems) <= 3
