"""Work spread over cores or over Celery workers: ids in, answers in rows, the same whoever did them.

A piece of work takes one id, does what that row asks for and keeps its answer there. It must be idempotent: an id
may be delivered twice, after a worker died or a message came again, and the second time changes nothing. The caller
reads the answers from its rows, in its own order, so a run on one core, on many or on Celery ends the same.

    WORK = Work(do=evaluate, task="models_ml.tasks.evaluate_trials", most=8)

    fan_out(WORK, ids, workers=2, settled=done_ids, progress=told, stopped=cancelled)
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from sensequant.lib.errors import BadInput, Failed, Unavailable

CELERY, FLEET = "celery", "fleet"  # Celery's workers alone; they and the process that asks
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
}  # fmt: skip
"""What a worker's environment says before anything with threads of its own is imported: one thread per worker."""

AHEAD = 4  # ids handed to each worker before it asks for more: few, so that a stop is obeyed soon
LOOK = 0.2  # seconds between looks at whether to stop, and at the rows that Celery's workers write
SILENT = 120.0  # seconds without a settled row until Celery is told the open ids again, at most
QUIET, PACES = 10.0, 20.0  # at least so many, and so many times what a row took so far: a dead worker's are missed soon
SHARE = 50  # a message holds that part of the ids still to be sent, so that all workers end at about the same time
PING, PINGS = 2.0, 10  # seconds, and how often, a Celery worker is asked whether it is there
DEATHS = 3  # pools that may break before we give up

Id = int | str


@dataclass(frozen=True, slots=True)
class Work:
    """What is done for one id: a function at the top of a module, and the Celery task that calls it for some ``ids``.

    ``most`` ids go into one message: more than 1 where an id takes little longer than a message does.
    """

    do: Callable[[Any], None]
    task: str
    most: int = 1


class Watch(NamedTuple):
    """How a caller follows: which ids are settled, what to tell of progress (done, all), and whether to stop."""

    settled: Callable[[Sequence[Id]], set[Any]]
    progress: Callable[[int, int], None] = lambda done, total: None
    stopped: Callable[[], bool] = lambda: False


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value of plain JSON, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def workers_asked(word: str) -> int | str:
    """Return how many workers ``word`` means: a number from 1, ``auto`` (one a core), ``celery`` or ``fleet``."""
    if word in (CELERY, FLEET):
        return word
    if word == "auto":
        return os.cpu_count() or 1
    if not word.isdecimal() or not 1 <= int(word) <= 256:
        raise BadInput(f"--workers {word} is not known", fix="give a number from 1 to 256, auto, celery or fleet")
    return int(word)


def fleet() -> bool:
    """Say whether there is a broker between processes, from which Celery workers of any machine take work."""
    from celery import current_app

    return not str(current_app.conf.broker_url or "memory").startswith("memory")


def fan_out(work: Work, ids: Sequence[Id], *, workers: int | str, watch: Watch) -> bool:
    """Do ``work`` for every id not yet settled; return False when stopped before the end.

    ``workers`` is 1 (here, in this process), a number of processes, ``celery``, or ``fleet``: Celery's workers from
    the front and this process from the end, so that one that has taken a worker's only place still comes to its end.
    Raises Failed when a piece of work raised or workers keep dying, Unavailable when no Celery worker answers.
    """
    settled = watch.settled(ids)
    open_ids = [each for each in dict.fromkeys(ids) if each not in settled]
    watch.progress(len(ids) - len(open_ids), len(ids))
    if not open_ids:
        return not watch.stopped()
    if workers in (CELERY, FLEET):
        return _celery(work, open_ids, len(ids), watch, helping=workers == FLEET)
    if workers == 1 or len(open_ids) == 1:
        return _here(work, open_ids, len(ids), watch)
    return _cores(work, open_ids, len(ids), int(workers), watch)


def _here(work: Work, ids: Sequence[Id], total: int, watch: Watch) -> bool:
    before = total - len(ids)
    for count, each in enumerate(ids, start=1):
        if watch.stopped():
            return False
        _do(work, each)
        watch.progress(before + count, total)
    return True


def _do(work: Work, each: Id) -> None:
    try:
        work.do(each)
    except Exception as error:
        raise _failed(each, error) from error


def _cores(work: Work, ids: Sequence[Id], total: int, workers: int, watch: Watch) -> bool:
    """Use processes of our own; when one of them dies its ids are done again by a fresh pool."""
    left = list(ids)
    for _ in range(DEATHS):
        try:
            return _pool(work, left, total, min(workers, len(left)), watch)
        except BrokenProcessPool:
            settled = watch.settled(left)
            left = [each for each in left if each not in settled]
            if not left:
                return True
    raise Failed("the worker processes keep dying", fix="look for a lack of memory, then use --resume")


def _pool(work: Work, ids: Sequence[Id], total: int, workers: int, watch: Watch) -> bool:
    before, done, following = total - len(ids), 0, iter(ids)
    waiting: dict[Future[None], Id] = {}
    with _one_thread(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), begin_worker) as pool:
        try:
            _more(pool, work, following, waiting, workers * AHEAD)
            while waiting:
                if watch.stopped():
                    return False
                ended, _ = wait(waiting, timeout=LOOK, return_when=FIRST_COMPLETED)
                for future in ended:
                    _judge(future, waiting.pop(future))
                done += len(ended)
                _more(pool, work, following, waiting, workers * AHEAD)
                if ended:
                    watch.progress(before + done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return True


def _more(
    pool: ProcessPoolExecutor, work: Work, following: Iterator[Id], waiting: dict[Future[None], Id], most: int
) -> None:
    while len(waiting) < most:
        each = next(following, None)
        if each is None:
            return
        waiting[pool.submit(work.do, each)] = each


def _judge(future: Future[None], each: Id) -> None:
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise error
    if error is not None:
        raise _failed(each, error) from error


def _failed(each: Id, error: BaseException) -> Failed:
    return Failed(f"the work on {each} failed: {type(error).__name__}: {error}")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let the processes begun meanwhile inherit an environment that gives each of them one thread."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def begin_worker() -> None:
    """Make a fresh process a worker: it ends with its parent, leaves Ctrl-C to it, and knows the desk."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import django

    django.setup()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _celery(work: Work, ids: Sequence[Id], total: int, watch: Watch, *, helping: bool) -> bool:
    """Send every id to Celery and read the rows until all are settled; what stays silent is sent again."""
    from celery import current_app

    if not fleet():
        raise BadInput("celery has no workers here: the broker is inside this process", fix="set REDIS_URL")
    if not helping and not _somebody(current_app):
        raise Unavailable("no Celery worker answers", fix="start one: celery -A sensequant worker")
    left, before = list(ids), total - len(ids)
    _send(work, left)
    begun = heard = time.monotonic()
    again = 1.0
    while left:
        if watch.stopped():
            return False
        if helping:
            _do(work, left[-1])
        else:
            time.sleep(LOOK)
        settled = watch.settled(left)
        if settled:
            left = [each for each in left if each not in settled]
            heard, again = time.monotonic(), 1.0
            watch.progress(before + len(ids) - len(left), total)
        elif time.monotonic() - heard > min(SILENT, again * _patience(heard - begun, len(ids) - len(left))):
            _send(work, left)
            heard, again = time.monotonic(), 2.0 * again
    return True


def _patience(seconds: float, settled: int) -> float:
    """Return how long Celery may be silent, when ``settled`` ids took ``seconds``."""
    return SILENT if not settled else min(SILENT, max(QUIET, PACES * seconds / settled))


def _somebody(app: Any) -> bool:
    """Say whether a worker answers, giving one that is just starting or busy a little time."""
    return any(app.control.ping(timeout=PING, limit=1) for _ in range(PINGS))


def _send(work: Work, ids: Sequence[Id]) -> None:
    from celery import current_app

    for chunk in chunks(ids, work.most):
        current_app.send_task(work.task, kwargs={"ids": chunk})


def chunks(ids: Sequence[Id], most: int) -> Iterator[list[Id]]:
    """Yield the ids in their order, in chunks of up to ``most`` that become smaller towards the end."""
    at = 0
    while at < len(ids):
        size = max(1, min(most, (len(ids) - at) // SHARE))
        yield list(ids[at : at + size])
        at += size
