"""Small demo markets, engines over them, and runs of the engine, for stories."""

import datetime as dt
import json
import math
import os
import subprocess
import sys
import threading
from io import StringIO

from django.core.management import call_command

from sensequant.config import ROOT
from sensequant.lib.clock import IST
from trading.core import demo
from trading.core.calendar import NSE
from trading.core.panel import LaneBars, LaneSpec, lane, told
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.models import EngineRun
from trading.services import markets, runner, runs
from trading.services.engine import Engine
from trading.services.tapes import Tape

SEED = 7  # the setting's default
TODAY = dt.date(2026, 11, 20)
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
WEEK = dt.date(2026, 11, 2), dt.date(2026, 11, 6)
SYMBOLS = ("DEMOBANK", "DEMOINFRA", "DEMOLABS")
LIVELY = {"allow_short": 1, "adx_min": 10, "volume_min": 0, "rsi_low": 40, "rsi_high": 80, "max_exposure": 500_000}


def one_lane(symbol, first, last, minutes=5) -> LaneBars:
    """Return a demo symbol's lane with its news."""
    item = demo.INSTRUMENTS[symbol]
    sessions = NSE.sessions(first, last, item.segment)
    bars = demo.generate(symbol, sessions, seed=SEED, minutes=minutes)
    news = [(ts, score) for ts, score, _ in demo.headlines(symbol, sessions, SEED)]
    spec = LaneSpec(symbol, item.tick, 1, item.segment)
    return lane(spec, bars, minutes, sentiment=told(bars.ts, minutes, news))


def lanes(symbols=SYMBOLS, span=WEEK, minutes=5) -> list[LaneBars]:
    return [one_lane(symbol, *span, minutes) for symbol in symbols]


def engine(over, name="intraday", minutes=5, **params) -> Engine:
    """Return an engine with a million rupees over lanes; it trades often unless told otherwise."""
    chosen = {**(LIVELY if name == "intraday" else {}), **params}
    charges = schedule("i-secure", "cash", dt.date(2020, 1, 1), TODAY)
    return Engine(name, make_setup(name, minutes, {}, chosen), [x.spec for x in over], capital=1e6, charges=charges)


def moments(over):
    """Return every moment of the lanes, day after day, with its day."""
    tape = Tape(over)
    return tape, [(day, ts, rows) for day in tape.days for ts, rows in tape.moments(day)]


def play(an_engine, played):
    """Return what happens over moments."""
    return [each for _, ts, rows in played for each in an_engine.step(ts, rows).happenings]


def exact(happenings):
    """Return happenings so that equality means equality to the last bit, unknown numbers included."""
    return [json.dumps(each) for each in happenings]


def state(an_engine):
    """Return every number of an engine but its latencies, as text."""
    parts = (an_engine.A, an_engine.N, an_engine.L, an_engine.K, an_engine.m)
    return json.dumps([_plain(part) for part in parts])


def _plain(part):
    if isinstance(part, list):
        return [_plain(each) for each in part]
    return None if part != part else part + 0.0 if math.isfinite(part) else repr(part)


class After(threading.Event):
    """A stop that comes by itself at the n-th look, and never waits."""

    def __init__(self, looks=10**9):
        super().__init__()
        self.looks, self.waited = looks, []

    def is_set(self):
        self.looks -= 1
        return self.looks < 0 or super().is_set()

    def wait(self, timeout=None):
        self.waited.append(timeout)
        return super().is_set()


def plan(name="story", symbols=SYMBOLS, span=WEEK, interval="5minute", strategy="intraday", speed=0.0, **params):
    """Return the plan of a replay of the demo market."""
    chosen = {**(LIVELY if strategy == "intraday" else {}), **params}
    wanted = markets.want("demo", symbols, interval, *span, today=TODAY)
    return runner.Plan(name, "replay", wanted, runs.order(strategy, chosen, 1e6), speed=speed, label="DEMO")


def begun(**told) -> EngineRun:
    return runner.begin(plan(**told), at=NOON)


def driven(run=None, looks=10**9, **told) -> EngineRun:
    """Return a run driven to its end, or to the n-th look at whether to stop."""
    run = run or begun(**told)
    runner.run_to_end(run, stop=After(looks), show=False)
    return EngineRun.objects.get(pk=run.pk)


def command(name, *words):
    """Return exit code, stdout and stderr of a management command run in this process."""
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command(name, *map(str, words), stdout=out, stderr=err)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    return code, out.getvalue(), err.getvalue()


KEPT = ("PATH", "HOME", "SENSEQUANT_KERNELS", "COVERAGE_PROCESS_START")


def environment(home, **variables):
    """Return the environment of a desk of its own under ``home``."""
    keep = {name: os.environ[name] for name in KEPT if name in os.environ}
    keep |= {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}  # the same last bits
    return {**keep, "SENSEQUANT_HOME": str(home), "ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1", **variables}


def manage(home, *words, **variables):
    """Start ``manage.py`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, words)], cwd=ROOT, env=environment(home, **variables),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
