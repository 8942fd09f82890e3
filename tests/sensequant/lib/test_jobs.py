"""Jobs over a Redis that is away or forgets everything: their rows remember, and they are done, each once."""

import datetime as dt
import os
import shutil
import signal
import time
from dataclasses import replace

import psycopg
import pytest
import redis
from django.db import OperationalError

from models_ml.models import OptimizationRun, TrainingBatch, ValidationRun
from models_ml.selectors import batches, optimizations
from models_ml.tasks import ring_again as ring_for_learning
from sensequant import celery
from sensequant.lib import jobs
from sensequant.lib.clock import now
from sensequant.soak.processes import children
from sensequant.soak.servers import Redis
from tests.processes import worker
from tests.trading.desks import WEEK
from trading.models import BacktestRun, FetchRun
from trading.selectors import backtests as asked
from trading.services import backtests, fetch_orders, fetching
from trading.tasks import ring_again, run_backtest

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
LONG_AGO = now() - 2 * jobs.PATIENCE


@pytest.fixture
def broker(tmp_path, monkeypatch):
    """A Redis of our own, which the app's messages go through."""
    found, app = Redis(tmp_path), celery.app
    before = app.conf.broker_url
    app.conf.broker_url, app._pool, app.amqp._producer_pool = found.url, None, None
    yield found
    app.conf.broker_url, app._pool, app.amqp._producer_pool = before, None, None
    found.close()


@pytest.fixture
def own_cache(settings, tmp_path):
    settings.DESK = replace(settings.DESK, data_feed_csv_directory=str(tmp_path))


def messages(broker):
    with redis.Redis.from_url(broker.url) as client:
        return client.llen("celery")


def queued(at=LONG_AGO):
    told = {"symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "start": WEEK[0], "end": WEEK[1]}
    return backtests.request(**told, by="asha", at=at)


def ended(run, log):
    """Wait until a backtest is over."""
    until = time.monotonic() + 90
    while BacktestRun.objects.get(pk=run.pk).status in ("queued", "running"):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)


@needs_redis
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_backtest_whose_message_redis_forgot_is_rung_for_again_and_done_once(broker, tmp_path):
    run = queued()
    run_backtest.delay_on_commit(run_id=run.pk)
    assert messages(broker) == 1
    broker.flush()
    assert messages(broker) == 0
    ring_again()
    ring_again()  # nobody has come yet: a second message, which will find the row begun
    assert messages(broker) == 2
    with worker(broker, tmp_path / "worker.log"):
        ended(run, tmp_path / "worker.log")
        while messages(broker):
            time.sleep(0.2)
    run.refresh_from_db()
    assert (run.status, run.bars, run.error) == ("done", 5 * 72, "")
    assert "backtest failed" not in (tmp_path / "worker.log").read_text()


@needs_redis
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_gets_over_a_redis_that_was_killed_and_works_on_without_a_traceback(broker, tmp_path):
    log = tmp_path / "worker.log"
    with worker(broker, log):
        first = queued()
        ring_again()
        ended(first, log)
        broker.stop()
        until = time.monotonic() + 30
        while "Cannot connect to redis" not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        broker.start()
        second = queued()
        ring_again()
        ended(second, log)
    assert "Traceback" not in log.read_text()


@needs_redis
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_job_whose_process_is_killed_goes_back_to_the_queue_which_is_a_line_and_no_traceback(broker, tmp_path):
    log = tmp_path / "worker.log"
    with worker(broker, log) as process:
        run = queued()
        ring_again()
        until = time.monotonic() + 60
        while BacktestRun.objects.get(pk=run.pk).status == "queued":
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        ended(run, log)
        while "goes back to the queue" not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
    assert BacktestRun.objects.get(pk=run.pk).status == "done"
    assert "Traceback" not in log.read_text()


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_who_asks_for_a_job_while_redis_is_away_is_not_refused_and_is_served_when_it_is_back(broker, caplog):
    run = queued()
    broker.stop()
    run_backtest.delay_on_commit(run_id=run.pk)
    assert "the job waits in its row" in caplog.text
    assert "Traceback" not in caplog.text
    broker.start()
    ring_again()
    assert messages(broker) == 1


@pytest.mark.django_db
def test_only_rows_that_nobody_has_begun_for_a_while_are_rung_for():
    lost, fresh, begun = queued(), queued(at=now()), queued()
    BacktestRun.objects.filter(pk=begun.pk).update(status="running")
    before = now() - jobs.PATIENCE
    assert asked.queued(before) == [lost.pk]
    walk = optimization()
    optimization(parent=walk)  # a window, which the walk's own process searches
    assert optimizations.queued(before) == [walk.pk]
    assert optimizations.waits(walk.pk)
    assert fresh.pk not in asked.queued(before)


def optimization(**more):
    days = {"start": WEEK[0], "end": WEEK[1], "created_at": LONG_AGO}
    return OptimizationRun.objects.create(
        symbols=["DEMOBANK"], strategy="intraday", interval="5minute", capital=1, spec={}, **days, **more
    )


@needs_redis
@pytest.mark.django_db
def test_optimisations_batches_and_validations_are_rung_for_by_their_own_words(broker):
    run = optimization()
    batch = TrainingBatch.objects.create(batch_id="b", kind="student", asked={}, folder="", created_at=LONG_AGO)
    validation = ValidationRun.objects.create(
        run_id="v", symbols=["DEMOBANK"], start=WEEK[0], end=WEEK[1], created_at=LONG_AGO
    )
    ring_for_learning()
    with redis.Redis.from_url(broker.url) as client:
        told = b" ".join(client.lrange("celery", 0, -1)).decode()
    assert messages(broker) == 3
    for task in ("run_optimization", "run_training_batch", "run_validation"):
        assert f'"models_ml.tasks.{task}"' in told
    assert batches.waits(batch.pk)
    assert batches.validation_waits(validation.run_id)
    assert optimizations.waits(run.pk)


@pytest.mark.django_db
@pytest.mark.usefixtures("own_cache")
def test_a_fetching_nobody_began_is_found_again_and_one_that_is_at_work_is_let_be():
    lost = FetchRun.objects.create(asked={}, state="running", started_at=LONG_AGO)
    FetchRun.objects.create(asked={}, state="running", started_at=LONG_AGO, progress=0.5, results={"A": {}})
    FetchRun.objects.create(asked={}, state="running", started_at=now())
    assert fetch_orders.unattended(at=now()) == [lost.pk]
    with fetching.alone(fetching.root()):
        assert fetch_orders.unattended(at=now()) == []
    assert fetch_orders.unattended(at=now() - dt.timedelta(hours=1)) == []


def test_a_task_that_loses_the_database_is_done_again_when_it_is_back_and_a_refusal_is_not():
    met = [psycopg.errors.CannotConnectNow("starting up"), psycopg.errors.AdminShutdown("bye")]
    done = []

    def work(number):
        if met:
            raise OperationalError("no") from met.pop()
        if number < 0:
            raise OperationalError("no") from psycopg.errors.DeadlockDetected("deadlock")
        done.append(number)
        return "done"

    task = celery.app.task(work, name="tests.work", shared=False)
    assert task(number=7) == "done"
    assert done == [7]
    with pytest.raises(OperationalError):
        task(number=-1)
    del celery.app.tasks["tests.work"]
