"""A whole session through the real engine, the real SDK and a simulated Breeze: on paper, and with orders."""

import datetime as dt
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from sensequant.config import ROOT
from tests.homes import migrated
from tests.simulators import bar_folder, on_grid, simulator
from tests.trading.bar_files import Row, minutes

pytestmark = pytest.mark.slow
DATE = dt.date(2024, 11, 1)  # Muhurat: one hour, 18:00 to 19:00
LEVELS = {"RELIANCE": 1335.0, "TCS": 3965.0, "INFY": 1752.0}
# It begins in the middle, so that the first half comes from history, and stands still until everybody is there.
PACE = ("--date", "2024-11-01", "--at", "18:34", "--speed", "0")
SPEED = 100.0
RUNS = "SELECT count(*) FROM trading_enginerun WHERE state = 'running'"
TOKEN = "SELECT token FROM trading_lease WHERE name = 'breeze-stream'"
LIVELY = ["fast=2", "slow=5", "rsi=3", "entry_cutoff=13", "max_exposure=900000", "stop_loss=0.01", "square_off=10"]
COMMAND = [
    "engine", "--interval", "1minute", "--strategy", "crossover", "--data-source", "breeze", "--json",
    "--symbols", *LEVELS,
]  # fmt: skip


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    """Prices that swing by half a per cent every twenty minutes, so that there is something to trade."""
    rows = {symbol: swinging(level) for symbol, level in LEVELS.items()}
    assert {len(each) for each in rows.values()} == {60}
    return bar_folder(tmp_path_factory.mktemp("muhurat"), rows)


def swinging(level):
    found = []
    for n, row in enumerate(minutes(DATE, DATE, 1, level)):
        a, b = (level * (1 + 0.005 * math.sin(k / 3.2)) for k in (n, n + 1))
        prices = (a, max(a, b) * 1.0003, min(a, b) * 0.9997, b)
        found.append(on_grid(Row(row.time, *prices, 400_000)))
    return found


class Engine:
    """The engine as a process of its own, over a home of its own."""

    def __init__(self, venue, home, mode):
        self.home, self.mode = migrated(home), mode
        own = {"SENSEQUANT_HOME": str(home), "ENV_FILE": os.devnull, "BREEZE_BASE_URL": venue.url}
        self.env = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore", **own}
        self.start()

    def start(self):
        words = [*COMMAND, "--mode", self.mode, "--params", *LIVELY]
        with (self.home / "out").open("w") as out, (self.home / "err").open("a") as err:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *words], cwd=ROOT, env=self.env, stdout=out, stderr=err
            )

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def again(self):
        """Kill it, and wait until the next process has its lease."""
        (token,) = self.rows(TOKEN)[0]
        self.kill()
        self.start()
        self.waits(f"SELECT token > {token} FROM trading_lease WHERE name = 'breeze-stream'")  # noqa: S608

    def ended(self, patience=90):
        code = self.process.wait(patience)
        said = (self.home / "out").read_text()
        assert code == 0, (self.home / "err").read_text()[-2000:]
        return json.loads(said.splitlines()[-1])

    def rows(self, sql):
        with sqlite3.connect(self.home / "desk.sqlite3") as found:
            return found.execute(sql).fetchall()

    def waits(self, sql, patience=60):
        """Wait until the answer of ``sql`` is not empty or nought."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if (self.home / "desk.sqlite3").exists():
                try:
                    found = self.rows(sql)
                except sqlite3.OperationalError:
                    found = []
                if found and found[0][0]:
                    return
            assert self.process.poll() is None, (self.home / "err").read_text()[-2000:]
            time.sleep(0.1)
        raise AssertionError(f"it never came to {sql}")


def streamed(engine):
    return dict(
        engine.rows("SELECT symbol, count(*) FROM trading_streambar WHERE origin != 'empty' GROUP BY symbol")
    )  # fmt: skip


def test_a_session_on_paper_and_one_with_orders(bars, tmp_path):
    """Both at once, to save a minute: paper never asks an order endpoint, orders are the broker's to the share."""
    (tmp_path / "paper").mkdir()
    (tmp_path / "orders").mkdir()
    with simulator(*PACE, csv=bars) as dry, simulator(*PACE, csv=bars) as wet:
        paper, orders = Engine(dry, tmp_path / "paper", "dry-run"), Engine(wet, tmp_path / "orders", "live")
        for engine, venue in ((paper, dry), (orders, wet)):
            engine.waits(RUNS)
            venue.clock(speed=SPEED)
        told, dealt = paper.ended(), orders.ended()
        asked, truth = dry.log(), wet.orders()
    assert (told["state"], dealt["state"]) == ("finished", "finished")
    assert streamed(paper) == streamed(orders) == dict.fromkeys(LEVELS, 60)
    assert told["trades"] > 0
    assert asked["orders"] == 0  # not one request to an order endpoint
    ours = {row[0] for row in orders.rows("SELECT broker_order_id FROM trading_order WHERE broker_order_id != ''")}
    assert ours == {row["id"] for row in truth["orders"]}
    assert len(ours) > 0
    booked = orders.rows("SELECT coalesce(sum(quantity), 0), count(*) FROM trading_fill")[0]
    assert booked == (sum(int(row["quantity"]) for row in truth["trades"]), len(truth["trades"]))
    assert orders.rows("SELECT count(*) FROM trading_position") == [(0,)]
    assert orders.rows("SELECT count(*) FROM trading_order WHERE status IN ('new','sending','unknown')") == [(0,)]


def test_an_engine_killed_as_it_trades_goes_on_and_every_share_is_accounted_for(bars, tmp_path):
    with simulator(*PACE, csv=bars) as venue:
        engine = Engine(venue, tmp_path, "live")
        engine.waits(RUNS)
        venue.clock(speed=SPEED)
        engine.waits("SELECT count(*) FROM trading_fill")
        venue.clock(speed=5.0)  # a start, and the calls it needs, must fit into the session
        engine.again()
        venue.clock(speed=SPEED)
        assert engine.ended()["state"] == "finished"
        truth = venue.orders()
    fills = engine.rows("SELECT coalesce(sum(quantity), 0), count(*) FROM trading_fill")[0]
    assert fills == (sum(int(row["quantity"]) for row in truth["trades"]), len(truth["trades"]))
    placed = engine.rows("SELECT count(*) FROM trading_order WHERE broker_order_id != ''")[0][0]
    assert placed == len(truth["orders"])
    assert engine.rows("SELECT count(*) FROM trading_position") == [(0,)]


def test_a_venue_that_was_gone_for_a_while_leaves_no_bar_missing(bars, tmp_path):
    state = tmp_path / "state"
    home = tmp_path / "home"
    home.mkdir()
    with simulator(*PACE, "--state", state, csv=bars) as venue:
        engine = Engine(venue, home, "live")
        engine.waits(RUNS)
        venue.clock(speed=SPEED)
        engine.waits("SELECT count(*) > 100 FROM trading_streambar")
        venue.kill()
        (before,) = engine.rows("SELECT count(*) FROM trading_streambar")[0]
        time.sleep(2)
        venue.restart()
        venue.clock(speed=2.0)  # what was missed is asked for, and calls are few
        engine.waits(f"SELECT count(*) > {before} FROM trading_streambar")  # noqa: S608
        venue.clock(speed=SPEED)
        assert engine.ended()["state"] == "finished"
    assert streamed(engine) == dict.fromkeys(LEVELS, 60)
    assert engine.rows("SELECT count(*) FROM trading_streambar WHERE origin = 'history'")[0][0] > 0
    assert engine.rows("SELECT count(*) FROM trading_position") == [(0,)]


def test_a_stop_from_outside_squares_off_and_ends_within_ten_seconds(bars, tmp_path):
    with simulator(*PACE, csv=bars) as venue:
        engine = Engine(venue, tmp_path, "live")
        engine.waits(RUNS)
        venue.clock(speed=SPEED / 2)
        engine.waits("SELECT count(*) FROM trading_position")
        begun = time.monotonic()
        engine.process.send_signal(signal.SIGTERM)
        assert engine.ended(20)["state"] == "suspended"
        assert time.monotonic() - begun < 12
        bought = sum(int(row["quantity"]) * (1 if row["side"] == "Buy" else -1) for row in venue.orders()["trades"])
    assert bought == 0
    assert engine.rows("SELECT count(*) FROM trading_position") == [(0,)]
