"""The Celery app and the schedule, as one table."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import celeryd_init, task_postrun, task_prerun, worker_process_init
from django.conf import settings
from django.db import close_old_connections
from kombu import Queue

from models_ml.services import threads
from sensequant.lib.jobs import EVERY, EXPIRES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sensequant.settings")

# A worker takes jobs from both unless told otherwise; long trainings have a worker of their own in the Procfile.
QUEUES = ("celery", "training")

# When what runs, IST. The database scheduler copies these rows once; from then on the admin page rules them.
SCHEDULE: dict[str, dict[str, Any]] = {
    "clear expired sessions": {"task": "sensequant.tasks.clear_sessions", "schedule": crontab(hour="3", minute="10")},
    "say that jobs run": {
        "task": "sensequant.tasks.say_alive",
        "schedule": 60.0,
        "options": {"expire_seconds": 50},
    },
    # jobs asked for whose message Redis lost: their rows are still queued
    "ring again for jobs of trading": {
        "task": "trading.tasks.ring_again",
        "schedule": EVERY,
        "options": {"expire_seconds": int(EXPIRES)},
    },
    "ring again for jobs of learning": {
        "task": "models_ml.tasks.ring_again",
        "schedule": EVERY,
        "options": {"expire_seconds": int(EXPIRES)},
    },
    "read the security master": {
        "task": "trading.tasks.read_security_master",
        "schedule": crontab(hour="8", minute="5"),
    },
    # hourly, for the broker can only be asked once somebody has logged in; when nothing is due nothing is asked
    "renew the ticks": {"task": "trading.tasks.renew_ticks", "schedule": crontab(hour="8-15", minute="20")},
    "delete old rows": {"task": "trading.tasks.delete_old_rows", "schedule": crontab(hour="3", minute="40")},
    # does nothing unless STORAGE_URL names an object store
    "share files": {"task": "sensequant.tasks.share_files", "schedule": crontab(minute="*/10")},
    # does nothing unless BACKUP_ENABLED
    "back up": {
        "task": "sensequant.tasks.back_up",
        "schedule": crontab.from_string(" ".join(settings.DESK.backup_cron_schedule.split())),
    },
    # on session days only, which the task asks the calendar
    "learn from the session": {
        "task": "models_ml.tasks.learn_this_evening",
        "schedule": crontab(hour="16", minute="0"),
        "options": {"queue": "training"},
    },
    # plans what the month, a tripped breaker or a rollback asks for, each once; otherwise it only looks
    "keep the audits": {
        "task": "releases.tasks.keep_audits",
        "schedule": crontab(minute="*/10"),
        "options": {"queue": "training", "expire_seconds": 590},
    },
    "archive old audits": {"task": "releases.tasks.archive_bundles", "schedule": crontab(hour="3", minute="40")},
    # looks often and checks every ALERT_FREQUENCY_HOURS, while a release is watched
    "watch the release": {
        "task": "releases.tasks.watch_release",
        "schedule": crontab(minute="*/10"),
        "options": {"expire_seconds": 500},
    },
    # does nothing unless INCREMENTAL_ENABLED
    "update the bars": {
        "task": "trading.tasks.update_history",
        "schedule": crontab.from_string(" ".join(settings.DESK.incremental_cron_schedule.split())),
    },
    # does nothing unless SENTIMENT_SNAPSHOT_ENABLED
    "fetch sentiment snapshots": {
        "task": "trading.tasks.fetch_snapshots",
        "schedule": crontab.from_string(" ".join(settings.DESK.incremental_cron_schedule.split())),
    },
    # does nothing unless INCREMENTAL_ENABLED; waits for the day's bars, and rests when the exchange does
    "update the models": {
        "task": "models_ml.tasks.update_models",
        "schedule": crontab.from_string(" ".join(settings.DESK.incremental_cron_schedule.split())),
    },
}

# What waits for a process of its own, which may search or train for days; how far it is stands on its row.
LONG = (
    "trading.tasks.run_backtest", "trading.tasks.fetch_history", "trading.tasks.update_history",
    "models_ml.tasks.run_optimization", "models_ml.tasks.run_training_batch", "models_ml.tasks.run_validation",
    "models_ml.tasks.learn_this_evening", "models_ml.tasks.update_models", "releases.tasks.run_audit",
    "releases.tasks.keep_audits",
)  # fmt: skip
WEEK = 7 * 86_400

# A worker of its own runs it for hours; every half minute somebody rings, in case it has ended. What was rung while it
# ran is forgotten (``expire_seconds`` is the database scheduler's word): hundreds of rings would follow a session.
KEEP_ENGINE: dict[str, Any] = {
    "task": "trading.tasks.keep_engine", "schedule": 30.0, "options": {"queue": "engine", "expire_seconds": 25},
}  # fmt: skip
if settings.DESK.engine_task:
    SCHEDULE["keep the engine running"] = KEEP_ENGINE

app = Celery("sensequant", task_cls="sensequant.lib.jobs:Job")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
app.conf.task_routes = {
    f"models_ml.tasks.train_{kind}_window": {"queue": "training"} for kind in ("teacher", "student")
}
app.conf.task_annotations = {name: {"time_limit": WEEK, "soft_time_limit": WEEK} for name in LONG}
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.autodiscover_tasks()
worker_process_init.connect(threads.pin)


def wait_on(*, conf: Any, **_: Any) -> None:
    """Let a worker wait for a Redis that hangs as long as it hangs.

    kombu counts a message whose acknowledgement was given up as one in work for ever: the worker would take no other.
    """
    told = dict(conf.broker_transport_options)
    told.pop("socket_timeout", None)
    conf.broker_transport_options = told


def keep_or_close(*, task: Any, **_: Any) -> None:
    """Go by CONN_MAX_AGE between two tasks, as between two requests: connecting anew takes longer than a short task."""
    if not task.request.is_eager:
        close_old_connections()


app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize  # Celery itself would close the connection before and after every task
celeryd_init.connect(wait_on)
for moment in (task_prerun, task_postrun):
    moment.connect(keep_or_close)
