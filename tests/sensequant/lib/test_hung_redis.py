"""A Redis that takes connections and answers nothing (SIGSTOP): nobody hangs with it, and all goes on when it wakes."""

import os
import shutil
import signal
import time

import httpx
import pytest
from django.contrib.auth.models import User

from sensequant.lib import jobs
from sensequant.lib.clock import now
from sensequant.soak.servers import free_port
from tests.processes import web, worker
from tests.sensequant.lib.test_jobs import broker, ended, own_cache, ring_again  # noqa: F401
from trading.models import BacktestRun
from trading.services import tokens

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
    pytest.mark.django_db(transaction=True), pytest.mark.slow,
]  # fmt: skip
TEST = {
    "symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "start": "2026-11-02", "end": "2026-11-06",
    "source": "demo",
}  # fmt: skip
SOON = 6.0  # seconds within which everything is answered


class Caller:
    """A script with a key, and how long it waited at most."""

    def __init__(self, port):
        User.objects.create_user("asha", is_staff=True)
        _, key = tokens.issue(username="asha", scope="admin", days=1, by="test", at=now())
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"})
        self.longest = 0.0

    def ask(self, path, body=None):
        begun = time.monotonic()
        answer = self.http.get(path, timeout=30) if body is None else self.http.post(path, json=body, timeout=30)
        self.longest = max(self.longest, time.monotonic() - begun)
        return answer

    def up(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                return self.ask("/readyz").status_code == 200
            except httpx.HTTPError:
                time.sleep(0.2)
        return False


@pytest.fixture
def stays_open():
    """Close what a story called with."""
    kept = []
    yield lambda caller: kept.append(caller.http) or caller
    for each in kept:
        each.close()


def test_pages_and_jobs_are_answered_while_redis_hangs_and_done_when_it_wakes(
    broker,  # noqa: F811
    own_cache,  # noqa: F811
    stays_open,
    tmp_path,
):
    port, logs = free_port(), (tmp_path / "web.log", tmp_path / "worker.log")
    caller = stays_open(Caller(port))

    def asked():
        return BacktestRun.objects.get(pk=caller.ask("/api/v1/backtests", TEST).json()["id"])

    with web(broker, logs[0], port), worker(broker, logs[1]):
        assert caller.up()
        ended(asked(), logs[1])
        os.kill(broker.process.pid, signal.SIGSTOP)
        caller.longest, hung = 0.0, time.monotonic()
        for path in ("/healthz", "/readyz", "/login", "/api/v1/orders"):
            assert caller.ask(path).status_code == 200, path
        waits = asked()
        assert caller.ask("/api/v1/orders").status_code == 200
        assert waits.status == "queued"
        assert caller.longest < SOON
        time.sleep(max(0.0, 15.0 - (time.monotonic() - hung)))  # the worker's wait is overdue by now
        os.kill(broker.process.pid, signal.SIGCONT)
        BacktestRun.objects.filter(pk=waits.pk).update(created_at=now() - 2 * jobs.PATIENCE)
        ring_again()
        ended(waits, logs[1])
        ended(asked(), logs[1])
    assert list(BacktestRun.objects.values_list("status", flat=True)) == ["done"] * 3
    assert ["Traceback" in each.read_text() for each in logs] == [False, False]
    assert "the job waits in its row" in logs[0].read_text()
