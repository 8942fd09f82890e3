"""How a Celery worker takes one message: a process killed at a job is no failure of it. Loaded by workers alone."""

from __future__ import annotations

from typing import Any

from celery.exceptions import WorkerLostError
from celery.worker.request import Request
from celery.worker.state import task_ready

from sensequant.lib.logs import get_logger

log = get_logger("jobs")


class Delivery(Request):  # type: ignore[misc]  # celery publishes no types
    """One message; where its process was killed it goes back to the queue, which is said in a line."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Give the message back where its process was killed and somebody may do it again; else do as Celery does."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)  # the pool may wrap it with its traceback
        if not (isinstance(error, WorkerLostError) and self.task.acks_late and self.task.reject_on_worker_lost):
            return super().on_failure(exc_info, send_failed_event, return_ok)
        task_ready(self)
        self.reject(requeue=True)
        log.warning("a worker's process was killed; its job goes back to the queue", task=self.name, error=str(error))
        return None
