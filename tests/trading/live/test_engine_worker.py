"""The engine in a Celery worker of its own: taken up at once, killed, taken up again with what it held, stopped."""

import contextlib
import datetime as dt
import math
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from sensequant.config import ROOT
from tests.simulators import bar_folder, free_port, on_grid, simulator
from tests.trading.bar_files import Row, minutes
from tests.trading.live.test_live_day import RUNS, Engine

pytestmark = pytest.mark.slow
FRIDAY, MONDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 23)
LEVELS = {"RELIANCE": 1335.0, "TCS": 3965.0}
PACE = ("--date", str(MONDAY), "--at", "10:14", "--speed", "0")  # both averages cross at 10:15 and again at 11:10
HELD = "SELECT symbol, quantity FROM trading_position ORDER BY symbol"


def crossing(level):
    found = []
    for n, row in enumerate(minutes(FRIDAY, MONDAY, 1, level)):
        long, short = ([math.sin(2 * math.pi * k / period) for k in (n, n + 1)] for period in (110, 5))
        a, b = (level * (1 + 0.012 * one + 0.0035 * two) for one, two in zip(long, short, strict=True))
        found.append(on_grid(Row(row.time, a, max(a, b) * 1.0003, min(a, b) * 0.9997, b, 400_000)))
    return found


@contextlib.contextmanager
def queue():
    """Run a Redis of our own: no other worker listens to its queues."""
    port = free_port()
    words = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as found:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            found.kill()


class Worker(Engine):
    """The worker as the Procfile starts it; nobody beats, so that it begins by itself or not at all."""

    def __init__(self, venue, home, redis):
        self.redis, self.keys = redis, venue.credentials
        super().__init__(venue, home, "live")

    def start(self):
        told = {
            "REDIS_URL": self.redis, "ENGINE_TASK": "true", "MODE": "live", "SYMBOLS": ",".join(LEVELS),
            "ENGINE_STRATEGY": "crossover", "BREEZE_API_KEY": self.keys["api_key"],
            "BREEZE_API_SECRET": self.keys["api_secret"],
        }  # fmt: skip
        self.env |= told
        words = ["-A", "sensequant", "worker", "--queues", "engine", "--pool", "solo", "--hostname", "engine@test"]
        with (self.home / "err").open("a") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", *words], cwd=ROOT, env=self.env, stdout=err, stderr=err
            )


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_a_worker_killed_while_it_holds_goes_on_with_the_same_shares_and_ends_flat_when_it_is_stopped(tmp_path):
    bars = bar_folder(tmp_path / "bars", {symbol: crossing(level) for symbol, level in LEVELS.items()})
    with queue() as redis, simulator(*PACE, csv=bars) as venue:
        worker = Worker(venue, tmp_path, redis)
        try:
            worker.waits(RUNS)
            venue.clock(speed=30.0)
            worker.waits("SELECT count(*) = 2 FROM trading_position")
            venue.clock(speed=2.0)
            held = worker.rows(HELD)
            worker.again()
            assert worker.rows(HELD) == held
            begun = time.monotonic()
            worker.process.send_signal(signal.SIGTERM)
            assert worker.process.wait(20) == os.EX_OK
            assert time.monotonic() - begun < 12
            truth = venue.orders()
        finally:
            worker.kill()
    assert worker.rows("SELECT state FROM trading_enginerun") == [("suspended",)]
    assert worker.rows(HELD) == []
    assert truth["held"] == {}
    assert [row["side"] for row in truth["orders"]] == ["Buy", "Buy", "Sell", "Sell"]
