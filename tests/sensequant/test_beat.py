"""The schedule over outages: what was due while Redis was away is rung for once, afterwards."""

import datetime as dt
import shutil

import psycopg
import pytest
import redis
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from sensequant import celery
from sensequant.beat import PatientScheduler
from sensequant.lib.clock import now
from sensequant.soak.servers import Redis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(tmp_path):
    """A Redis of our own, which the app's messages go through, and a schedule of one hourly task that is due."""
    found, app = Redis(tmp_path), celery.app
    before = app.conf.broker_url, app.conf.beat_schedule
    app.conf.broker_url, app._pool, app.amqp._producer_pool = found.url, None, None
    app.conf.beat_schedule = {"hourly": {"task": "sensequant.tasks.clear_sessions", "schedule": 3600.0}}
    yield found
    app.conf.broker_url, app.conf.beat_schedule = before
    app._pool = app.amqp._producer_pool = None
    found.close()


def due_scheduler():
    PatientScheduler(app=celery.app).setup_schedule()  # the schedule becomes rows
    PeriodicTask.objects.exclude(name="hourly").update(enabled=False)
    PeriodicTask.objects.filter(name="hourly").update(last_run_at=now() - dt.timedelta(hours=2))
    PeriodicTasks.update_changed()
    return PatientScheduler(app=celery.app)


def messages(broker):
    with redis.Redis.from_url(broker.url) as client:
        return client.llen("celery")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_what_was_due_while_redis_was_away_is_rung_for_once_when_it_is_back(broker, caplog):
    beat = due_scheduler()
    assert beat.producer is not None  # connected, before Redis goes
    broker.stop()
    for _ in range(3):
        assert beat.tick() <= 1.0
    assert list(beat.owed) == ["hourly"]
    broker.start()
    for _ in range(3):
        beat.tick()
    assert beat.owed == {}
    assert messages(broker) == 1
    said = [each.getMessage() for each in caplog.records if "a server is" in each.getMessage()]
    assert said == ["a server is away; it is waited for", "a server is back"]
    assert not [each for each in caplog.records if each.exc_info]


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_while_the_database_is_away_the_schedule_last_read_stays_in_force(broker, monkeypatch, caplog):
    def away(*_, **__):
        raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")

    beat = due_scheduler()
    names = set(beat.schedule)
    with monkeypatch.context() as gone:
        gone.setattr(PeriodicTasks, "last_change", away)
        assert not beat.schedule_changed()
        assert set(beat.all_as_schedule()) == names
        beat.tick()
        assert messages(broker) == 1
    beat.sync()
    assert not [each for each in caplog.records if each.exc_info]
    assert "a server is back" in caplog.text
