"""A simulated Breeze for tests: a real process on a free port, steered over its control endpoint.

with simulator("--date", "2026-11-23", "--speed", "60") as venue:
    venue.fault("html_502_after_accept", times=1)
    ... BREEZE_BASE_URL = venue.url ...
"""

import contextlib
import csv as csv_module
import datetime as dt
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

from sensequant.config import ROOT
from tests.trading.bar_files import Row, days, minutes, write

DATE = dt.date(2026, 11, 23)
PATIENCE = 30.0
SHORT = {"1minute": "1m", "5minute": "5m", "15minute": "15m", "1day": "1d"}
STEP = {"1minute": 1, "5minute": 5, "15minute": 15}
MOVED = {"RELIANCE": 1400.0, "TCS": 3100.0, "INFY": 1500.0}


class Simulator:
    """One simulator; ``url`` is its origin, ``credentials`` what a client logs in with."""

    def __init__(self, arguments, home, env):
        self.arguments, self.home, self.env = [str(each) for each in arguments], Path(home), dict(env)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        """Start the process and wait until it is ready."""
        own = {"SENSEQUANT_HOME": str(self.home), "ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1"}
        self.out = (self.home / "simulator.out").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "breeze_simulator", "--port", str(self.port), *self.arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **own, **self.env},
            stdout=self.out,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                self.credentials = self.health()["credentials"]
                return self
            time.sleep(0.03)
        raise AssertionError(f"the simulator does not serve: {self.process.poll()} {self.said()}")

    def said(self):
        """Return what the process has printed."""
        return (self.home / "simulator.out").read_text()

    def ask(self, method, path, body=None):
        """Send a request and return the JSON of its answer; an HTTP error is an AssertionError with its text."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def health(self):
        """Return /healthz: clock, session_date, symbols, credentials."""
        return self.ask("GET", "/healthz")

    def now(self):
        """Return the market's moment, aware, IST."""
        return dt.datetime.fromisoformat(self.health()["clock"]["at"])

    def fault(self, name, **params):
        """Switch a fault on."""
        return self.ask("POST", "/control/faults", {"name": name, **params})

    def clear(self, name=""):
        """Switch one fault off, or all."""
        return self.ask("DELETE", f"/control/faults/{name}".rstrip("/"))

    def log(self, since=0):
        """Return {"requests", "counts" (per verb), "orders" (order verbs), "last" (seq)}."""
        return self.ask("GET", f"/control/log?since={since}")

    def orders(self):
        """Return the truth: {"orders", "trades", "held", "cash"}."""
        return self.ask("GET", "/control/orders")

    def clock(self, **turn):
        """Wind the clock: speed=…, advance=seconds, at="HH:MM[:SS]"."""
        return self.ask("POST", "/control/clock", turn)

    def plant(self, symbol, side, quantity, price):
        """Place an order as if by hand in ICICI's own app; return its number."""
        told = {"symbol": symbol, "side": side, "quantity": quantity, "price": price}
        return self.ask("POST", "/control/order", told)["order_id"]

    def nudge(self, symbol, price, **more):
        """Let a share trade once at a price."""
        return self.ask("POST", "/control/market", {"symbol": symbol, "price": price, **more})

    def hold(self, symbol, quantity):
        """Put shares into the demat account."""
        return self.ask("POST", "/control/holding", {"symbol": symbol, "quantity": quantity})

    def master(self):
        """Return the rows of the security master's NSE file, each a dictionary."""
        with urllib.request.urlopen(self.url + "/MotherAppMaster/SecurityMaster.zip", timeout=15) as answer:
            zipped = zipfile.ZipFile(io.BytesIO(answer.read()))
        text = zipped.read("NSEScripMaster.txt").decode()
        return list(csv_module.DictReader(io.StringIO(text), skipinitialspace=True))

    def code(self, symbol):
        """Return the ISEC code of a symbol."""
        return self._row(symbol)["ShortName"]

    def token(self, symbol):
        """Return the exchange token of a symbol."""
        return self._row(symbol)["Token"]

    def _row(self, symbol):
        return next(row for row in self.master() if row["ExchangeCode"] == symbol)

    def session(self, **turn):
        """Turn the session: replace=True (returns the new api_session) or expire=True."""
        answer = self.ask("POST", "/control/session", turn)
        self.credentials = self.health()["credentials"]
        return answer

    def kill(self):
        """End the process as a power cut would."""
        self.process.kill()
        self.process.wait()
        self.out.close()

    def restart(self):
        """Start it again with the same arguments on the same port."""
        if self.process.poll() is None:
            self.kill()
        return self.start()

    def end(self, number=signal.SIGTERM, patience=10):
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        return self.process.returncode


@contextlib.contextmanager
def simulator(*arguments, csv=None, env=None):
    """Run a simulator for the length of a ``with``: of the folder ``csv``, else of the demo market."""
    home = tempfile.mkdtemp(prefix="simulator-")
    given = [*arguments, *(("--csv", str(csv)) if csv else ())]
    found = None
    try:
        found = Simulator(given, home, env or {})
        yield found
    finally:
        if found is not None:
            found.end()
        shutil.rmtree(home, ignore_errors=True)


def free_port():
    """Return a port of this machine that nobody uses."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def bar_folder(folder, symbols=("RELIANCE", "TCS"), *, start=DATE, end=DATE, interval="1minute", volume=100_000):
    """Write gentle bars of every session from ``start`` to ``end`` and return the folder.

    ``volume`` is a minute's; of each of its twelve ticks a quarter is for us, so that a large one fills orders at once.

    ``symbols`` are names, or name → price level; a list of Row instead of a level is written as it is.
    """
    levels = symbols if isinstance(symbols, dict) else {name: MOVED.get(name, 500.0) for name in symbols}
    for name, level in levels.items():
        rows = level if isinstance(level, list) else _rows(start, end, interval, level, volume)
        write(Path(folder) / f"{name}_{SHORT[interval]}.csv", rows)
    return Path(folder)


def _rows(start, end, interval, level, volume):
    rows = days(start, end, level) if interval == "1day" else minutes(start, end, STEP[interval], level)
    shares = volume * STEP.get(interval, 375)
    return [replace(on_grid(row), volume=shares) for row in rows]


def on_grid(row, tick=0.05):
    """Return a row with its prices on the tick grid."""
    return Row(row.time, *(round(round(price / tick) * tick, 2) for price in (row.open, row.high, row.low, row.close)),
               row.volume)  # fmt: skip
