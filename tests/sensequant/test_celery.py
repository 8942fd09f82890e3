"""Background jobs: bound to our app, enqueued on commit, run by the embedded worker on their schedule."""

import threading
import time

import pytest
from celery import current_app, signals
from celery.fixups.django import DjangoWorkerFixup
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from sensequant import celery, standalone, tasks


def test_shared_tasks_belong_to_our_app():
    assert current_app.main == "sensequant"
    assert tasks.clear_sessions.app.main == "sensequant"
    assert callable(tasks.clear_sessions.delay_on_commit)


def test_only_json_is_spoken():
    assert celery.app.conf.accept_content == ["json"]
    assert celery.app.conf.task_serializer == "json"
    assert celery.app.conf.timezone == "Asia/Kolkata"


def test_every_scheduled_task_exists():
    celery.app.loader.import_default_modules()
    for entry in celery.SCHEDULE.values():
        assert entry["task"] in celery.app.tasks


def test_what_waits_for_a_process_of_its_own_may_take_longer_than_an_hour():
    celery.app.loader.import_default_modules()
    for name in celery.LONG:
        assert celery.app.tasks[name].soft_time_limit == celery.app.tasks[name].time_limit == celery.WEEK
    assert celery.app.tasks["models_ml.tasks.evaluate_trials"].time_limit == 3_600


def test_between_two_tasks_the_database_is_left_as_between_two_requests(monkeypatch):
    """Celery's own rule, to close the connection before and after every task, costs a short task more than its work."""
    asked = []
    monkeypatch.setattr(celery, "close_old_connections", lambda: asked.append("looked"))
    monkeypatch.setattr(DjangoWorkerFixup, "_close_database", lambda self: asked.append("closed"))
    worker = DjangoWorkerFixup(celery.app)
    task = tasks.say_alive
    for is_eager in (True, False):
        task.push_request(is_eager=is_eager)
        for moment, handler in (
            (signals.task_prerun, worker.on_task_prerun),
            (signals.task_postrun, worker.on_task_postrun),
        ):
            moment.send(sender=task, task=task, task_id="1", args=(), kwargs={})
            handler(sender=task)
        task.pop_request()
    assert asked == ["looked", "looked"]


@pytest.mark.django_db(transaction=True)  # the scheduler opens connections of its own
def test_the_schedule_becomes_rows_the_admin_edits():
    DatabaseScheduler(app=celery.app).setup_schedule()
    row = PeriodicTask.objects.get(name="clear expired sessions")
    assert row.task == "sensequant.tasks.clear_sessions"
    assert str(row.crontab.timezone) == "Asia/Kolkata"


@pytest.mark.django_db(transaction=True)
def test_a_ring_for_the_engine_is_forgotten_before_the_next_one_comes(monkeypatch):
    monkeypatch.setitem(celery.SCHEDULE, "keep the engine running", celery.KEEP_ENGINE)
    DatabaseScheduler(app=celery.app).setup_schedule()
    row = PeriodicTask.objects.get(name="keep the engine running")
    assert (row.queue, row.expire_seconds, row.interval.every) == ("engine", 25, 30)


@pytest.fixture
def every_second():
    """The schedule, replaced by one job that is due every second."""
    before = celery.app.conf.beat_schedule
    celery.app.conf.beat_schedule = {"now": {"task": "sensequant.tasks.clear_sessions", "schedule": 1.0}}
    yield
    celery.app.conf.beat_schedule = before


@pytest.mark.django_db(transaction=True)
def test_the_embedded_worker_and_beat_run_a_due_job_and_stop_at_once(monkeypatch, every_second):
    done, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(tasks, "call_command", lambda name: done.set() if name == "clearsessions" else None)
    parts = [standalone.Part("worker", standalone.work), standalone.Part("beat", standalone.beat)]
    for part in parts:
        part.start(stop)
    assert done.wait(20)
    start = time.monotonic()
    stop.set()
    assert all(part.wait(10) for part in parts)
    assert time.monotonic() - start < 8


@pytest.mark.django_db
def test_expired_sessions_are_cleared():
    tasks.clear_sessions()
    call_command("clearsessions")
