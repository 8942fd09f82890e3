"""The evening's update: after a session, after its bars, and only when it is wanted."""

import datetime as dt
from dataclasses import replace

import pytest

from models_ml import tasks
from models_ml.services import schedules
from sensequant.celery import SCHEDULE, app
from sensequant.lib.errors import Unavailable
from trading.models import FetchRun

pytestmark = pytest.mark.django_db
FRIDAY = dt.datetime(2026, 11, 20, 12, 30, tzinfo=dt.UTC)  # 18:00 IST
TEACHERS, STUDENTS = ("train_teacher_batch", "--incremental"), ("train_student_batch", "--incremental")


@pytest.fixture
def wanted(settings):
    settings.DESK = replace(settings.DESK, incremental_enabled=True, student_batch_enabled=True)


def fetched(state="done", ended=FRIDAY):
    FetchRun.objects.create(asked={}, state=state, started_at=FRIDAY, finished_at=ended)


def test_the_schedule_knows_it_at_the_documents_hour():
    told = SCHEDULE["update the models"]
    assert told["task"] == "models_ml.tasks.update_models"
    assert (told["schedule"].hour, told["schedule"].minute, told["schedule"].day_of_week) == (
        {18},
        {0},
        {1, 2, 3, 4, 5},
    )


def test_windows_are_the_training_workers_business():
    for work in tasks.WORKS.values():
        assert work.task in app.tasks
        assert app.amqp.router.route({}, work.task)["queue"].name == "training"


def test_nothing_is_done_unless_it_is_wanted():
    assert schedules.update(at=FRIDAY, last_try=False) == []


def test_after_a_session_teachers_and_then_students_are_trained(wanted):
    assert schedules.update(at=FRIDAY, last_try=False) == [TEACHERS, STUDENTS]


def test_students_only_where_they_are_switched_on(wanted, settings):
    settings.DESK = replace(settings.DESK, student_batch_enabled=False)
    assert schedules.update(at=FRIDAY, last_try=False) == [TEACHERS]


@pytest.mark.parametrize("day", [dt.date(2026, 11, 21), dt.date(2026, 1, 26)])
def test_it_rests_when_the_exchange_does(wanted, day):
    at = dt.datetime.combine(day, dt.time(12, 30), tzinfo=dt.UTC)
    assert schedules.update(at=at, last_try=False) == []


@pytest.mark.parametrize(("state", "ended"), [("running", None), ("done", FRIDAY - dt.timedelta(days=1))])
def test_it_waits_for_the_days_bars_but_not_for_ever(wanted, state, ended):
    fetched(state, ended)
    with pytest.raises(Unavailable, match="2026-11-20"):
        schedules.update(at=FRIDAY, last_try=False)
    assert schedules.update(at=FRIDAY, last_try=True) == [TEACHERS, STUDENTS]


def test_bars_that_came_let_it_begin(wanted):
    fetched()
    assert schedules.update(at=FRIDAY, last_try=False) == [TEACHERS, STUDENTS]
