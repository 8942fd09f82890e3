"""``manage.py optimize`` as a user types it, on cores, killed in the middle, and with every kind of mistake."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from models_ml.models import OptimizationRun
from tests.trading.desks import ROOT, command, environment, manage

pytestmark = pytest.mark.django_db
SPAN = ("--data-source", "demo", "--symbols", "DEMOBANK", "--start-date", "2026-09-01", "--end-date", "2026-10-30")
WORDS = (*SPAN, "--strategy", "intraday", "--interval", "5minute", "--params", "adx_min=0", "volume_min=0")


@pytest.fixture
def grid(tmp_path):
    """A grid file of twelve configurations."""
    file = tmp_path / "grid.json"
    file.write_text(json.dumps({"parameters": {"sma": [5, 8, 12, 20], "rsi_low": [30, 40, 50]}}))
    return file


def optimize(*words):
    return command("optimize", *WORDS, *words)


def test_the_answer_has_the_keys_that_scripts_read(tmp_path, grid):
    code, out, err = optimize("--config", grid, "--workers", 1, "--output-dir", tmp_path / "out", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert set(told) >= {"run_id", "output_dir", "configs_tried", "baseline", "best", "ranked", "honesty"}
    assert set(told["honesty"]) >= {"trials", "deflated_sharpe", "pbo", "verdict"}
    assert (told["configs_tried"], told["output_dir"]) == (12, str(tmp_path / "out"))
    assert told["baseline"]["config_id"] == "baseline"
    plan = (tmp_path / "out" / "deployment_plan.md").read_text()
    assert [line[:5] for line in plan.splitlines() if line.startswith("## ")] == [f"## {n}."[:5] for n in range(1, 11)]


def test_without_a_grid_the_strategys_own_bounds_are_searched_up_to_the_limit(tmp_path):
    code, out, _ = optimize("--max-configs", 5, "--workers", 1, "--output-dir", tmp_path, "--no-run-baseline", "--json")
    told = json.loads(out)
    assert (code, told["configs_tried"], told["baseline"]) == (0, 5, None)
    assert set(told["best"]["parameters"]) >= {"sma", "ema", "rsi", "rsi_low", "rsi_high", "adx_min", "volume_min"}
    assert not (tmp_path / "deployment_plan.md").exists()


def test_validate_only_checks_everything_and_keeps_nothing(grid):
    code, out, _ = optimize("--config", grid, "--validate-only", "--json")
    assert (code, json.loads(out)["configs"]) == (0, 12)
    assert not OptimizationRun.objects.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--config", "/nowhere.json"), "/nowhere.json"), (("--search", "magic"), "magic"),
        (("--objective", "luck"), "luck"), (("--workers", "0"), "--workers 0"), (("--split", "1/2"), "split"),
        (("--max-configs", "0"), "max_configs 0"), (("--strategy", "none"), "none"), (("--run", "4711"), "4711"),
        (("--workers", "celery"), "REDIS_URL"), (("--output-dir", "/proc/x"), "/proc/x"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_line_that_names_the_value(words, told):
    code, out, err = optimize(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"parameters": {"smaa": [1]}}', '{"parameters": {}, "x": 1}', '"a"'])
def test_a_grid_file_that_cannot_be_used_is_refused(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    code, _, err = optimize("--config", tmp_path / "bad.json", "--validate-only")
    assert code == 2
    assert err.startswith("error: ")


@pytest.mark.slow
@pytest.mark.once  # its desks keep SQLite files of their own
def test_kill_nine_in_the_middle_and_resume_give_the_ranking_of_an_uninterrupted_run(tmp_path):
    """Two desks, the same search: one runs through on one core, the other on two until its parent is killed."""
    values = {"sma": list(range(4, 44)), "rsi_low": [30, 35, 40, 45, 50]}
    (tmp_path / "grid.json").write_text(json.dumps({"parameters": values, "max_configs": 60}))
    words = ("--config", tmp_path / "grid.json", "--json")
    broken = manage(tmp_path, "optimize", *WORDS, *words, "--workers", "2")
    killed_at = _kill_when_some_are_done(broken, tmp_path / "desk.sqlite3")
    again = manage(tmp_path, "optimize", *WORDS, *words, "--workers", "2", "--resume")
    _, whole, _ = optimize(*words, "--workers", 1, "--output-dir", tmp_path / "whole")
    told, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert 0 < killed_at < 60
    first, second = json.loads(whole), json.loads(told)
    assert second["run_id"] == 1
    assert second["ranked"] == first["ranked"]
    assert second["honesty"] == first["honesty"]


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.once  # its desks keep SQLite files of their own
def test_celery_workers_give_the_same_answer_in_the_same_order(tmp_path, grid, redis_url):
    """A worker of another process takes every configuration over Redis; the ranking is that of one core."""
    words = ("--config", grid, "--json", "--telemetry-sample-rate", "0")
    named = {"REDIS_URL": redis_url}
    manage(tmp_path, "migrate", "-v0", **named).communicate(timeout=60)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "sensequant", "worker", "--pool", "solo", "--loglevel", "ERROR"],
        cwd=ROOT, env=environment(tmp_path, **named), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        spread = manage(tmp_path, "optimize", *WORDS, *words, "--workers", "celery", **named)
        _, whole, _ = optimize(*words, "--workers", 1, "--output-dir", tmp_path / "whole")
        told, errors = spread.communicate(timeout=120)
    finally:
        worker.terminate()
        worker.wait(timeout=30)
    assert spread.returncode == 0, errors
    assert json.loads(told)["ranked"] == json.loads(whole)["ranked"]


def _kill_when_some_are_done(process, database):
    """Kill ``process`` once a few configurations are kept, and return how many were."""
    done = 0
    while done < 5 and process.poll() is None:
        time.sleep(0.005)
        if database.exists():
            with closing(sqlite3.connect(database, timeout=5)) as rows:
                there = rows.execute("SELECT name FROM sqlite_master WHERE name = 'models_ml_trial'").fetchone()
                sql = "SELECT count(*) FROM models_ml_trial WHERE status = 'done'"
                done = rows.execute(sql).fetchone()[0] if there else 0
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return done
