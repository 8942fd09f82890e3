"""Fetching through the real SDK from a simulated Breeze: the same bars, every defect by its name, one line for each."""

import dataclasses
import datetime as dt
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from celery.schedules import crontab

from sensequant import celery
from sensequant.lib import redact
from sensequant.lib.errors import NotFound
from tests.simulators import bar_folder, simulator
from tests.trading.desks import command, manage
from tests.trading.served import same
from trading import tasks
from trading.adapters import cachefiles
from trading.adapters.breeze.errors import SessionLost
from trading.adapters.csvfeed import CsvFeed
from trading.core.bars import Bars
from trading.core.calendar import IST
from trading.models import BacktestRun, CallBudget, Condition
from trading.models.fetching import FetchRun, FetchState
from trading.services import feeds, fetch_calls, fetching
from trading.services import fetch_plans as plans
from trading.services.fetch_keeping import configured

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FIRST, LAST, TODAY = dt.date(2026, 10, 12), dt.date(2026, 11, 20), dt.date(2026, 11, 23)
SPAN = ("--start-date", FIRST, "--end-date", LAST)
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
WEEK = ("--start-date", "2026-11-02", "--end-date", "2026-11-06")
SESSIONS, BARS = 29, 28 * 75 + 12  # one of them is an hour on Diwali's evening


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return bar_folder(tmp_path_factory.mktemp("bars"), ("RELIANCE", "TCS"), start=FIRST, end=TODAY, interval="5minute")


@pytest.fixture(scope="module")
def market(recorded):
    limits = ("--calls-per-minute", "100000", "--calls-per-day", "100000")
    with simulator("--date", TODAY, "--at", "12:00", *limits, csv=recorded) as found:
        yield found


@pytest.fixture
def venue(market, settings, tmp_path):
    """Settings of a desk whose Breeze is the simulator."""
    market.clear()
    market.session(replace=True)
    settings.DESK = dataclasses.replace(settings.DESK, breeze_base_url=market.url, breeze_calls_per_minute=100)
    settings.SENSEQUANT_HOME = tmp_path
    yield market
    market.clear()
    redact.forget()


def source(recorded, symbol="RELIANCE", interval="5minute", first=FIRST, last=LAST) -> Bars:
    return CsvFeed(recorded, NOON).get_historical_bars(symbol, first, last, interval)


class Passing:
    """A clock whose time passes while somebody sleeps, and a note of how long."""

    def __init__(self):
        self.slept = []

    def __call__(self):
        return NOON + dt.timedelta(seconds=sum(self.slept))


def fetch(symbols=("RELIANCE",), intervals=("5minute",), start=FIRST, end=LAST, clock=None, run=None, **told):
    clock = clock or Passing()
    CallBudget.objects.all().delete()  # a minute has passed since the last one
    asked = plans.ask(symbols=symbols, intervals=intervals, start=start, end=end, lookback=None, at=NOON, **told)
    run = run or fetching.begin(asked, at=NOON)
    line = fetch_calls.breeze(clock)
    for _ in fetching.Fetching(run, line, clock=clock, sleep=clock.slept.append).steps():
        pass
    run.refresh_from_db()
    return run


def only(run):
    (result,) = run.results.values()
    return result


def kept(symbol="RELIANCE", interval="5minute"):
    return plans.cache_of(symbol, interval).read()


def asked_of(venue):
    return venue.log()["counts"].get("history", 0)


# what is fetched


def test_what_is_fetched_is_what_the_market_recorded_to_the_last_bit(venue, recorded):
    before = asked_of(venue)
    run = fetch(["RELIANCE", "TCS"], ["5minute", "1day"])
    assert (run.state, asked_of(venue) - before) == ("done", 2 * (3 + 1))
    for symbol in ("RELIANCE", "TCS"):
        for interval in ("5minute", "1day"):
            assert same(kept(symbol, interval), source(recorded, symbol, interval))
    assert run.results["RELIANCE 5minute"]["code"] == "RELIND"
    assert all(each["missing"] == 0 for each in run.results.values())


# every defect by its name


@pytest.mark.parametrize(
    "fault", ["history_500", "html_429", "html_502", "garbage_json", "limit_minute", "aspnet_error"]
)
def test_a_passing_trouble_is_waited_out(venue, recorded, fault):
    clock = Passing()
    venue.fault(fault, times=2, verb="history")
    run = fetch(clock=clock)
    assert (run.state, clock.slept) == ("done", [2.0, 4.0])
    assert same(kept(), source(recorded))


@pytest.mark.parametrize("fault", ["history_500", "html_429", "garbage_json"])
def test_a_trouble_that_stays_fails_the_series_in_one_line_and_stores_nothing(venue, fault):
    clock = Passing()
    venue.fault(fault, verb="history")
    run = fetch(clock=clock)
    assert (run.state, clock.slept, only(run)["requests"]) == ("failed", [2.0, 4.0, 8.0], 4)
    assert "\n" not in only(run)["error"]
    assert only(run)["error"]
    assert not FetchState.objects.exists()
    assert cachefiles.names(plans.cache_of("RELIANCE", "5minute").folder) == []


def test_one_share_s_trouble_is_not_another_s(venue, recorded):
    clock = Passing()
    venue.fault("history_500", symbol="TCS")
    run = fetch(["RELIANCE", "TCS"], clock=clock)
    assert (run.state, {key: each["state"] for key, each in run.results.items()}) == (
        "partial", {"RELIANCE 5minute": "done", "TCS 5minute": "failed"},
    )  # fmt: skip
    venue.clear()
    run = fetch(run=run, clock=clock)
    assert (run.state, run.error) == ("done", ""), run.results
    assert same(kept("TCS"), source(recorded, "TCS"))


def test_the_day_s_limit_ends_the_run_and_the_next_day_it_goes_on(venue, recorded):
    clock = Passing()
    fetch(end=dt.date(2026, 10, 20))
    venue.fault("limit_day", verb="history")
    run = fetch(["RELIANCE", "TCS"], clock=clock)
    assert (run.state, clock.slept) == ("failed", [])
    assert "API call per day" in run.error
    assert len(kept()) == 6 * 75
    venue.clear()
    assert fetch(run=run).state == "done"
    assert same(kept(), source(recorded))


def test_an_expired_session_ends_the_run_and_says_what_to_do(venue):
    fetch(end=dt.date(2026, 10, 20))
    venue.fault("session_expired")
    run = fetch(["RELIANCE", "TCS"])
    assert run.state == "failed"
    assert "log in to Breeze again" in run.error
    assert Condition.objects.get(until=None).code == "session-lost"
    assert len(kept()) == 6 * 75
    with pytest.raises(SessionLost):
        fetch_calls.breeze(lambda: NOON).data()


def test_missing_first_bars_are_found_told_and_repaired(venue, recorded):
    venue.fault("history_missing_first_bar")
    told = only(fetch())
    assert (told["gaps_told"], told["missing"]) == (f"{SESSIONS} late starts", SESSIONS)
    venue.clear()
    told = only(fetch(repair=True))
    assert (told["missing"], same(kept(), source(recorded))) == (0, True)


def test_holes_are_found_told_and_repaired(venue, recorded):
    venue.fault("history_incomplete", every=9)
    told = only(fetch())
    assert "holes" in told["gaps_told"]
    assert told["missing"] == BARS - told["kept"]
    venue.clear()
    assert only(fetch(repair=True))["missing"] == 0
    assert same(kept(), source(recorded))


def test_swapped_daily_bars_are_found_by_the_day_s_own_bars_and_left_as_they_are(venue, recorded):
    fetch()
    venue.fault("history_swapped_daily")
    told = only(fetch(intervals=["1day"]))
    true, seen = source(recorded, interval="1day"), kept(interval="1day")
    assert np.array_equal(seen.open, true.close)
    apart = int((np.abs(true.open / true.close - 1) > 0.002).sum())
    assert apart > 3
    assert sum("have changed places" in each for each in told["warnings"]) >= min(apart, 20) - 1


def test_an_empty_answer_is_no_success(venue):
    venue.fault("empty_history")
    run = fetch()
    assert run.state == "failed"
    assert "Breeze has no 5minute bar of RELIANCE (RELIND)" in only(run)["error"]
    assert not FetchState.objects.exists()


def test_an_empty_answer_in_the_middle_is_a_gap(venue, recorded):
    fetch(end=dt.date(2026, 10, 20))
    venue.fault("empty_history", times=1)
    told = only(fetch())
    assert "missing sessions" in told["gaps_told"]
    assert only(fetch(repair=True))["missing"] == 0
    assert same(kept(), source(recorded))


def test_a_symbol_the_master_does_not_list_is_refused_with_the_near_ones(venue):
    asked = plans.ask(symbols=["RELIANC"], intervals=["1day"], start=FIRST, end=LAST, lookback=None, at=NOON)
    with pytest.raises(NotFound, match="did you mean RELIANCE"):
        fetching.planned(asked, fetch_calls.breeze(lambda: NOON), at=NOON, strict=True)


# the command


def test_the_command_tells_each_series_and_the_dry_run_asks_nothing(venue, recorded):
    words = ("fetch_historical_data", "--symbols", "RELIANCE", "TCS", *SPAN, "--interval", "5minute")
    before = asked_of(venue)
    code, out, _ = command(*words, "--dryrun", "--json")
    told = json.loads(out)
    assert (code, told["calls"], asked_of(venue)) == (0, 6, before)
    assert [each["candles"] for each in told["series"]] == [BARS] * 2
    code, out, err = command(*words)
    assert (code, err) == (0, "")
    assert "done    RELIANCE     5minute      29 sessions, 0 there already; 2,112 of 2,112 candles" in out
    assert out.splitlines()[-1].endswith("done: 4,224 bars kept of 2 series, 6 calls")
    code, out, _ = command(*words, "--json")
    told = json.loads(out)
    assert (told["state"], told["calls"], [each["there"] for each in told["series"]]) == ("done", 0, [SESSIONS] * 2)
    assert same(kept("TCS"), source(recorded, "TCS"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--symbols", "RELIANC", *SPAN), 2, "RELIANC is not a symbol NSE lists on 2026-11-23 (did you mean RELIANCE"),
        (("--symbols", "RELIANCE", "--interval", "3minute"), 2, "interval '3minute' is not known"),
        (("--symbols", "RELIANCE", "--start-date", LAST, "--end-date", FIRST), 2, "lies after the end"),
        (("--symbols", "RELIANCE", "--end-date", "2031-01-01"), 2, "lies in the future"),
        (("--symbols", "RELIANCE", "--start-date", "2031-01-01"), 2, "lies after the end"),
        (("--incremental", "--start-date", FIRST), 2, "--start-date has no meaning"),
        (("--resume", "--force"), 2, "not with --force"),
        (("--symbols", "RELIANCE", "--lookback-days", "0"), 2, "lookback of 0 days"),
    ],
)
def test_a_wrong_word_is_told_in_one_line_and_changes_nothing(venue, words, code, said):
    fetch(end=dt.date(2026, 10, 20))
    before = (kept().ts.tolist(), list(FetchState.objects.values()), FetchRun.objects.count())
    answer = command("fetch_historical_data", *words)
    assert (answer[0], answer[1], answer[2].count("\n")) == (code, "", 1)
    assert said in answer[2]
    assert (kept().ts.tolist(), list(FetchState.objects.values()), FetchRun.objects.count()) == before


def test_a_cache_folder_that_cannot_be_written_is_told_in_one_line(venue):
    configured().parent.mkdir()
    configured().write_text("a file")
    code, out, err = command("fetch_historical_data", "--symbols", "RELIANCE", *SPAN)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "bars cannot be kept in" in err


def test_without_a_broker_there_is_one_line(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    code, out, err = command("fetch_historical_data", "--symbols", "RELIANCE", "--interval", "1day")
    assert (code != 0, out, err.count("\n")) == (True, "", 1)
    assert "log in" in err
    assert not FetchRun.objects.exists()


def test_nothing_unfinished_is_nothing_to_resume(venue):
    assert command("fetch_historical_data", "--resume")[:2] == (
        0,
        "no run was left unfinished: nothing is left to do\n",
    )


def test_a_run_that_is_not_complete_exits_with_one_and_says_how_to_go_on(venue, recorded):
    venue.fault("limit_day", verb="history")
    code, out, err = command("fetch_historical_data", "--symbols", "RELIANCE", *SPAN, "--interval", "5m", "--json")
    first = json.loads(out)
    assert (code, first["state"], err.count("\n")) == (1, "failed", 1)
    assert "1 of 1 series not complete" in err
    assert "--resume" in err
    venue.clear()
    code, out, _ = command("fetch_historical_data", "--resume", "--json")
    assert (code, json.loads(out)["run"], json.loads(out)["state"]) == (0, first["run"], "done")
    assert same(kept(), source(recorded))


def peak(pid):
    """Return the most memory a process has had so far, in kB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def test_a_signal_in_the_middle_leaves_whole_files_and_a_small_process_resumes(venue, tmp_path, recorded):
    venue.fault("slow", seconds=0.5, verb="history")
    words = ("fetch_historical_data", "--symbols", "RELIANCE", "TCS", *SPAN, "--interval", "5minute", "--json")
    before = asked_of(venue)
    process = manage(tmp_path, *words, BREEZE_BASE_URL=venue.url)
    deadline = time.monotonic() + 60
    while asked_of(venue) < before + 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    venue.clear()
    assert (process.returncode, err.strip().splitlines()[-1]) == (130, "error: stopped")
    folder = tmp_path / "data" / "historical"
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    process = manage(tmp_path, "fetch_historical_data", "--resume", "--json", BREEZE_BASE_URL=venue.url)
    most = 0
    while process.poll() is None:  # its own memory: what a child is said to have used begins with its parent's
        most = max(most, peak(process.pid))
        time.sleep(0.02)
    told = json.loads(process.communicate()[0])
    assert (told["state"], [each["kept"] for each in told["series"]]) == ("done", [BARS, BARS])
    assert 0 < most < 250 * 1024
    assert asked_of(venue) - before <= 7  # at most one request was made twice
    for symbol in ("RELIANCE", "TCS"):
        found = CsvFeed(folder, NOON).get_historical_bars(symbol, FIRST, LAST, "5minute")
        assert same(found, source(recorded, symbol))


def test_the_nightly_update_fetches_what_is_new_when_it_is_enabled(venue, settings, tmp_path, monkeypatch, caplog):
    row = celery.SCHEDULE["update the bars"]
    assert row["schedule"] == crontab(hour="18", minute="0", day_of_week="1-5")
    tasks.update_history()
    assert not caplog.records
    own = {"BREEZE_BASE_URL": venue.url, "SYMBOLS": "RELIANCE", "MINUTE_DATA_RESOLUTION": "5m"}
    kept_by_others = {"SENSEQUANT_HOME": str(tmp_path / "desk"), "DATABASE_URL": "", "ENV_FILE": os.devnull}
    for name, value in {**own, **kept_by_others, "DJANGO_SETTINGS_MODULE": "sensequant.settings"}.items():
        monkeypatch.setenv(name, value)
    settings.DESK = dataclasses.replace(settings.DESK, incremental_enabled=True)
    tasks.update_history()
    assert "bars updated" in caplog.text
    folder = tmp_path / "desk" / "data" / "historical" / "RELIANCE"
    assert len(cachefiles.names(folder / "1day")) == len(cachefiles.names(folder / "5minute")) == 1
    settings.BASE_DIR = tmp_path  # nothing to run there
    tasks.update_history()
    assert "bars not updated" in caplog.text


# feeds


INTRADAY = ("--strategy", "intraday", "--interval", "5minute", "--params", "plan=i-secure")


@pytest.mark.parametrize("kind", ["breeze", "hybrid"])
def test_a_backtest_runs_on_the_broker_s_bars_as_on_the_files(venue, recorded, kind):
    words = ("backtest", "--symbols", "RELIANCE", "TCS", *WEEK, *INTRADAY, "--json")
    code, out, err = command(*words, "--data-source", kind)
    assert code == 0, err
    found = json.loads(out)
    of_files = json.loads(command(*words, "--data-source", "csv", "--csv", recorded)[1])
    assert (found["bars"], found["metrics"], found["trades"]) == (
        of_files["bars"], of_files["metrics"], of_files["trades"],
    )  # fmt: skip
    run = BacktestRun.objects.get(pk=found["run_id"])
    assert (run.source, run.directory) == (kind, str(configured()))


def test_a_backtest_without_a_session_runs_on_the_cache_and_warns(venue):
    fetch(end=dt.date(2026, 11, 6))
    venue.fault("session_expired")
    words = ("backtest", "--symbols", "RELIANCE", *SPAN, *INTRADAY, "--json", "--data-source")
    code, out, _ = command(*words, "hybrid")
    assert (code, any("partial cache: RELIANCE 5minute lacks" in each for each in json.loads(out)["warnings"])) == (
        0,
        True,
    )
    feeds.ANSWERS.forget()
    code, out, err = command(*words, "breeze")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "log in" in err


def test_engine_and_backtester_agree_on_the_broker_s_bars(venue):
    words = ("parity", "--symbols", "RELIANCE", "TCS", *WEEK, *INTRADAY, "--data-source", "hybrid", "--json", "--plain")
    code, out, err = command(*words)
    assert (code, json.loads(out)["identical"]) == (0, True), err


def test_a_replay_plays_the_broker_s_bars(venue):
    words = (
        "engine",
        "--mode",
        "replay",
        "--symbols",
        "RELIANCE",
        *WEEK,
        *INTRADAY,
        "--data-source",
        "hybrid",
        "--json",
    )
    code, out, err = command(*words)
    assert (code, json.loads(out)["bars"]) == (0, 5 * 75), err
