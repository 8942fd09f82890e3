"""The whole desk in one process: pages, sockets, background jobs on their schedules, and the engine.

Nothing but this process is needed: no database server, no Redis, no internet. A second desk on the same folder is
refused by a lock, a taken port by one line, and a signal stops every part within ten seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from models_ml.services import checklists
from sensequant import celery, config
from sensequant.lib import paths, redact
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger
from trading.core.rights import OPERATORS

DEMO_USER = "demo"
PATIENCE = 7.0  # seconds all parts together get; with the web server's two that keeps the promise of ten
log = get_logger("standalone")


def run() -> int:
    """Prepare everything, serve until a signal comes, stop cleanly and return the exit code."""
    stop = threading.Event()
    with _signals(stop), alone(paths.home()), listening(settings.DESK.bind_address, settings.DESK.port) as door:
        password = prepare()
        parts = [
            Part("worker", work),
            Part("beat", beat),
            Part("engine", engine),
            Part("news", news),
            Part("monitor", monitor),
            Part("ledger", ledger),
            Part("compiler", compiler),
        ]
        try:
            for part in parts:
                part.start(stop)
            serve(door, stop, greeting(password))
        finally:
            stop_all(parts, stop)
    return 0


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the process with exit code 0, whatever it is doing."""

    def end(signum: int, frame: FrameType | None) -> None:
        if not stop.is_set():  # still preparing; later the web server takes the signals
            stop.set()
            raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the folder's lock, or raise NotAllowed naming the process that holds it."""
    with (home / "standalone.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            fix = "stop it, or give this one its own SENSEQUANT_HOME"
            raise NotAllowed(f"a desk already runs on {home}, process {lock.read().strip()}", fix=fix) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket bound to the address, or raise BadInput naming the port and the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host.strip("[]"), port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            fix = "stop what uses it, or choose another: PORT=8001 make run"
            raise BadInput(f"port {port} on {host} cannot be used: {reason}", fix=fix) from None
        yield door


def prepare() -> str:
    """Bring database, static files and demo user up to date; return the demo password, or what to say instead."""
    migrate()
    collect_static()
    groups()
    return demo_user()


def migrate() -> None:
    """Apply the migrations that are missing."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        log.info("Bringing the database up to date")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Copy static files where the web server reads them, when any of them changed."""
    stamp, found = settings.STATIC_ROOT / ".stamp", hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            about = Path(storage.path(path)).stat()
            found.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    if stamp.exists() and stamp.read_text() == found.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(found.hexdigest())


def groups() -> None:
    """Make the groups of those who steer the desk and of those who sign for a student; a release's come with it."""
    for role in (OPERATORS, *checklists.ROLES):
        Group.objects.get_or_create(name=role)


def demo_user() -> str:
    """Make sure the demo user exists; return its password, or a remark when there is none to show."""
    if not config.is_local(settings.DESK):
        return "(no demo user on a public address: manage.py createsuperuser)"
    file, users = paths.home() / "demo_password", get_user_model()
    password = paths.read_or_make_private(file, secrets.token_urlsafe(12))
    redact.register([password])
    user = users.objects.filter(username=DEMO_USER).first()
    if user is None:
        users.objects.create_superuser(DEMO_USER, password=password)
        return password
    return password if user.check_password(password) else "(the one you set)"


def greeting(password: str) -> str:
    """Return what a new user reads on the terminal."""
    desk = settings.DESK
    return (
        f"\n  SenseQuant   http://{desk.bind_address}:{desk.port}\n"
        f"  user         {DEMO_USER}\n"
        f"  password     {password}\n"
        f"  market       DEMO: generated prices (seed {desk.demo_seed}), paper orders; nothing here is real\n"
        f"  files        {paths.home()}\n"
        f"  stop         Ctrl-C\n\n"
    )


@dataclass(slots=True)
class Part:
    """One thing that runs beside the web server, in a thread of its own."""

    name: str
    body: Callable[[threading.Event], None]
    thread: threading.Thread | None = None

    def start(self, stop: threading.Event) -> None:
        """Start the thread; should the part fail, the rest of the desk goes on."""

        def guarded() -> None:
            try:
                self.body(stop)
            except Exception:  # one part must not take the others with it; the log has the traceback
                log.exception("A part of the desk failed", part=self.name)
            finally:
                connection.close()

        self.thread = threading.Thread(target=guarded, name=self.name, daemon=True)
        self.thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the thread to end; False when it did not."""
        if self.thread is None:
            return True
        self.thread.join(max(0.0, seconds))
        return not self.thread.is_alive()


def work(stop: threading.Event) -> None:
    """Run background jobs, one at a time, until ``stop``."""
    from celery.worker import WorkController, state

    quiet = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    worker = WorkController(app=celery.app, pool="solo", concurrency=1, hostname="desk@localhost", **quiet)

    def end() -> None:
        stop.wait()
        state.should_terminate = 0  # the consumer loop looks at this between two messages

    threading.Thread(target=end, name="worker stop", daemon=True).start()
    try:
        worker.start()
    finally:
        state.should_terminate = None


def beat(stop: threading.Event) -> None:
    """Send each job to the worker when its time comes, until ``stop``."""
    from celery.beat import Service

    service = Service(celery.app, max_interval=1, scheduler_cls=settings.CELERY_BEAT_SCHEDULER, remote_control=False)

    def end() -> None:
        stop.wait()
        service.stop()

    threading.Thread(target=end, name="beat stop", daemon=True).start()
    service.start()


def engine(stop: threading.Event) -> None:
    """Run the engine over the demo market until ``stop``."""
    from trading.services import (
        demo_desk,
    )  # the engine's numbers are loaded in its own thread, while the pages already serve

    demo_desk.serve(stop)


def news(stop: threading.Event) -> None:
    """Keep the news of the desk's symbols fresh until ``stop``, when a provider of news is switched on."""
    from trading.services import sentiment_refresh

    sentiment_refresh.serve(stop)


def monitor(stop: threading.Event) -> None:
    """Watch the desk and send alerts until ``stop``."""
    from monitoring.services import monitor as watcher

    watcher.serve(stop)


def ledger(stop: threading.Event) -> None:
    """Keep the ledger in a process of its own, begun anew should it end, until ``stop``: no engine waits for it."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "ledger", "run", "--with-parent"]
    while not stop.wait(5.0):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if stop.wait(0.5):
                    process.terminate()


def compiler(stop: threading.Event) -> None:
    """Compile the strategies once, in a patient process of its own, so that no backtest waits for it."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "warm_kernels", "--gently"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if stop.wait(0.5):
                process.terminate()


class Server(uvicorn.Server):
    """A web server that greets once it listens, and tells the other parts at once when a signal comes."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event, words: str) -> None:
        super().__init__(config)
        self.stop = stop
        self.words = words

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        sys.stdout.write(self.words)
        sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop everything."""
        self.stop.set()
        super().handle_exit(sig, frame)


def serve(door: socket.socket, stop: threading.Event, words: str) -> None:
    """Serve pages and sockets from the main thread until a signal comes."""
    settings_of_server = uvicorn.Config(
        "sensequant.asgi:application",
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        proxy_headers=settings.DESK.behind_https,
        timeout_graceful_shutdown=2,
        ws_max_size=65_536,
    )
    with suppress(KeyboardInterrupt):  # the server raises the signal again once it has stopped
        Server(settings_of_server, stop, words).run(sockets=[door])


def stop_all(parts: list[Part], stop: threading.Event) -> None:
    """Wait for every part; leave at once when one does not end in time, and say which it was."""
    stop.set()
    deadline = time.monotonic() + PATIENCE
    late = [part.name for part in parts if not part.wait(deadline - time.monotonic())]
    if late:
        log.error("Stopped without waiting any longer", parts=late)
        os._exit(0)
    log.info("Stopped")
