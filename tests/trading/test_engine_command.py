"""``manage.py engine`` as processes: killed, stopped, continued, measured; whatever happens, nothing is lost."""

import datetime as dt
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError

from sensequant.config import ROOT
from tests.trading.bar_files import write
from tests.trading.desks import LIVELY, WEEK, command, environment, manage, one_lane
from trading.core.demo import INSTRUMENTS
from trading.models import EngineRun

pytestmark = pytest.mark.slow
WORDS = [f"{key}={value}" for key, value in {**LIVELY, "participation": 0.005}.items()]
DEMO = ("--data-source", "demo", "--symbols", "DEMOBANK", "DEMOINFRA", "--strategy", "intraday")
SPAN = ("--start-date", WEEK[0], "--end-date", dt.date(2026, 11, 4))
MINUTES = ("engine", *DEMO, *SPAN, "--interval", "1minute", "--params", *WORDS, "--json")
TABLES = {
    "signals": "select at, symbol, direction, confidence, price, reason, objections, features from trading_signal",
    "orders": (
        "select number, symbol, side, purpose, reason, quantity, filled, price, status, created_at from trading_order"
    ),
    "events": "select o.number, e.old, e.new, e.at from trading_orderevent e join trading_order o on o.id = e.order_id",
    "fills": (
        "select o.number, f.number, f.at, f.quantity, f.price, f.charges"
        " from trading_fill f join trading_order o on o.id = f.order_id"
    ),
    "trades": "select symbol, side, quantity, entry_time, exit_time, exit_reason, net_pnl, orders from trading_trade",
    "positions": "select symbol, side, quantity, entry_price from trading_position",
    "equity": "select at, equity, cash, exposure from trading_equitypoint",
    "lanes": "select number, symbol, memory, bars, halted from trading_lanestate",
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A desk's home, its database made."""
    home = tmp_path_factory.mktemp("empty")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env=environment(home),
        check=True,
        capture_output=True,
    )
    return home


@pytest.fixture
def home(empty, tmp_path):
    return shutil.copytree(empty, tmp_path / "home")


def asked(home, query):
    """Return the rows of the desk's database as they are now."""
    with sqlite3.connect(home / "desk.sqlite3", timeout=10) as known:
        return known.execute(query).fetchall()


def tell(home, change):
    with sqlite3.connect(home / "desk.sqlite3", timeout=10) as known:
        known.execute(change)


def everything(home):
    """Return all a desk's single run came to: every row, and the numbers of account and lanes."""
    (numbers, bars, state), *others = asked(home, "select numbers, bars, state from trading_enginerun")
    assert others == []
    rows = {name: sorted(asked(home, query), key=repr) for name, query in TABLES.items()}
    return {**rows, "numbers": {key: json.loads(numbers)[key] for key in "ANLK"}, "bars": bars, "state": state}


def finished(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def bars_done(home):
    found = asked(home, "select bars from trading_enginerun where current")
    return found[0][0] if found else 0


def until(condition, process, seconds=60):
    """Wait for a condition; say whether it came before the process ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        if process.poll() is not None:
            return False
    raise AssertionError("it takes too long")


# killed


@pytest.fixture(scope="module")
def uninterrupted(empty, tmp_path_factory):
    home = shutil.copytree(empty, tmp_path_factory.mktemp("whole") / "home")
    finished(manage(home, *MINUTES))
    return home, everything(home)


def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(home, uninterrupted):
    whole_home, whole = uninterrupted
    dice, kills = random.Random(2), 0
    while kills < 5:
        process = manage(home, *MINUTES)
        goal = bars_done(home) + dice.randint(1, 420)
        if not until(lambda goal=goal: bars_done(home) >= goal, process):
            break
        time.sleep(dice.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills >= 3
    told = finished(manage(home, *MINUTES))
    assert (told["state"], told["trades"] > 10) == ("finished", True)
    assert everything(home) == whole
    assert (home / "logs" / "trades.csv").read_text() == (whole_home / "logs" / "trades.csv").read_text()


def test_a_finished_run_is_not_continued_but_begun_anew(tmp_path, uninterrupted):
    whole_home, whole = uninterrupted
    home = shutil.copytree(whole_home, tmp_path / "home")
    finished(manage(home, *MINUTES))
    found = asked(home, "select id, current, state, bars from trading_enginerun order by id")
    assert [row[1:] for row in found] == [(0, "finished", whole["bars"]), (1, "finished", whole["bars"])]
    assert asked(home, "select count(*) from trading_trade") == [(2 * len(whole["trades"]),)]


# stopped


SLOW = ("--speed", "36000")


def started(home, *words):
    """Start the engine at a pace, and wait until it has taken a few bars."""
    process = manage(home, *MINUTES, *words)
    before = bars_done(home)
    assert until(lambda: bars_done(home) > before, process)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_suspends_it_and_the_next_start_goes_on(home, uninterrupted, number):
    process = started(home, *SLOW)
    process.send_signal(number)
    told = finished(process)
    assert told["state"] == "suspended"
    assert 0 < told["bars"] < uninterrupted[1]["bars"]
    assert asked(home, "select state, stopped_at is null from trading_enginerun") == [("suspended", 0)]
    tell(home, "update trading_enginerun set speed = 0")
    again = finished(manage(home, *MINUTES))
    assert (again["run"], again["state"]) == (told["run"], "finished")
    assert everything(home) == uninterrupted[1]


def test_fresh_leaves_the_old_run_and_begins_a_new_one(home):
    process = started(home, *SLOW)
    process.send_signal(signal.SIGTERM)
    old = finished(process)
    new = finished(manage(home, *MINUTES, "--fresh"))
    assert new["run"] != old["run"]
    assert asked(home, "select state, current from trading_enginerun order by id") == [
        ("suspended", 0),
        ("finished", 1),
    ]


def test_an_operators_stop_ends_it_with_its_state_kept(home):
    process = started(home, *SLOW)
    tell(home, "update trading_enginerun set stop_requested = 1")
    told = finished(process)
    assert (told["state"], told["bars"] > 0) == ("stopped", True)


def test_a_signal_before_the_first_bar_is_no_trouble(home):
    process = manage(home, *MINUTES, "--speed", "0.001")
    assert until(
        lambda: asked(home, "select count(*) from trading_enginerun where state = 'running'") == [(1,)], process
    )
    process.send_signal(signal.SIGTERM)
    assert finished(process) | {"bars": 0, "p99_us": None} == {
        "run": 1, "state": "suspended", "bars": 0, "trades": 0, "orders": 0, "signals": 0, "equity": 1e6,
        "p50_us": None, "p99_us": None,
    }  # fmt: skip


# light


WATCHED = """
import re, sys
from pathlib import Path
sys.argv = ["manage.py", *sys.argv[1:]]
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
heavy = sorted({"pandas", "numba", "scipy", "pyarrow"} & set(sys.modules))
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024, heavy)
"""
MONTH = dt.date(2026, 10, 5), dt.date(2026, 11, 2)


def fifty(folder):
    """Write a month of 5-minute bars of fifty symbols, each a demo symbol at another price."""
    known = [one_lane(name, *MONTH).bars for name in INSTRUMENTS]
    for number in range(50):
        rows = zip(*(column.tolist() for column in known[number % len(known)].columns()), strict=True)
        factor = 1 + number // len(known)
        text = [
            f"{ts},{','.join(f'{factor * price:.2f}' for price in prices)},{volume:.0f}" for ts, *prices, volume in rows
        ]
        write(folder / f"SYM{number:02d}_5m.csv", "\n".join(["timestamp,open,high,low,close,volume", *text, ""]))
    return [f"SYM{number:02d}" for number in range(50)]


def test_fifty_symbols_fit_in_150_megabytes_and_load_nothing_heavy(home, tmp_path):
    words = (
        "engine", "--symbols", *fifty(tmp_path / "bars"), "--csv", tmp_path / "bars", "--strategy", "intraday",
        "--interval", "5minute", "--start-date", MONTH[0], "--end-date", MONTH[1], "--json", "--params", "adx_min=30",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False,
        env=environment(home, DJANGO_SETTINGS_MODULE="sensequant.settings"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, peak = done.stdout.splitlines()
    told = json.loads(answer)
    assert (told["state"], told["bars"] > 65_000, told["trades"] > 20) == ("finished", True, True)
    assert told["p99_us"] <= 1024
    megabytes, heavy = peak.split(" ", 1)
    assert heavy == "[]"
    assert int(megabytes) < 150


# in words


@pytest.mark.django_db
def test_it_says_what_came_of_it():
    five = ("engine", *DEMO, *SPAN, "--interval", "5minute")
    code, out, _ = command(*five)
    assert code == 0
    assert out.startswith(f"run {EngineRun.objects.get().pk} finished: 441 bars, ")
    assert "µs a bar" in out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--mode", "live"), 2, "live trading needs live prices, not demo"),
        (("--params", "sma=1"), 2, "sma=1 is out of bounds"),
        (("--symbols", "RELIANCE"), 2, "not a demo instrument"),
        (("--strategy", "moonshot"), 2, "unknown strategy"),
        (("--start-date", "2026-11-09", "--end-date", "2026-11-06"), 2, "lies after the end"),
        (("--data-source", "csv", "--csv", "/nowhere/at/all"), 2, "no folder"),
    ],
)
def test_what_can_not_be_is_told_in_one_line(words, code, said):
    told, _, err = command("engine", *DEMO, *SPAN, "--interval", "5minute", *words)
    assert (told, err.count("\n")) == (code, 1)
    assert said in err
    assert not EngineRun.objects.filter(state="running").exists()


@pytest.mark.django_db
def test_a_replay_needs_its_dates():
    code, _, err = command("engine", *DEMO, "--interval", "5minute")
    assert (code, err) == (2, "error: a replay needs dates (give --start-date and --end-date)\n")


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(CommandError, match="invalid choice: 'yolo'"):
        command("engine", *DEMO, *SPAN, "--mode", "yolo")
