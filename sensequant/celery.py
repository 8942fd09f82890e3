"""The Celery app and the schedule, as one table."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sensequant.settings")

# A worker takes jobs from both unless told otherwise; long trainings have a worker of their own in the Procfile.
QUEUES = ("celery", "training")

# When what runs, IST. The database scheduler copies these rows once; from then on the admin page rules them.
SCHEDULE: dict[str, dict[str, Any]] = {
    "clear expired sessions": {"task": "sensequant.tasks.clear_sessions", "schedule": crontab(hour="3", minute="10")},
    # does nothing unless SENTIMENT_SNAPSHOT_ENABLED
    "fetch sentiment snapshots": {
        "task": "trading.tasks.fetch_snapshots",
        "schedule": crontab.from_string(" ".join(settings.DESK.incremental_cron_schedule.split())),
    },
}

app = Celery("sensequant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.autodiscover_tasks()
