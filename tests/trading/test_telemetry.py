"""Traces of backtests and of the engine, from the command line and from the settings; what is lost is told."""

import datetime as dt
import json
import os
import threading
from dataclasses import replace

import pytest

from tests.trading.desks import LIVELY, WEEK, command
from tests.trading.traced import SOME
from trading.adapters.tracefiles import TraceWriter
from trading.models import BacktestRun, Condition, PredictionRecord
from trading.services import live_telemetry, telemetry
from trading.services.live_telemetry import LiveTelemetry
from trading.services.telemetry import Capture
from trading.services.trace_reading import load

pytestmark = pytest.mark.django_db
MARKET = (
    "--symbols", "DEMOBANK", "DEMOINFRA", "--data-source", "demo", "--interval", "5minute", "--strategy", "intraday",
    "--start-date", WEEK[0], "--end-date", WEEK[1], "--params", *(f"{key}={value}" for key, value in LIVELY.items()),
)  # fmt: skip
HERE = "--enable-telemetry", "--telemetry-dir"


def backtest(*words):
    code, out, err = command("backtest", *MARKET, *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return tmp_path


@pytest.fixture
def desk(settings):
    """Let a story change settings of the desk."""

    def change(**values):
        settings.DESK = replace(settings.DESK, **values)

    return change


def test_a_backtest_traces_every_trade_and_measures_them(home):
    found = backtest(*HERE, home / "t", "--export-metrics")
    traces = load([home / "t"])
    assert len(traces.table) == found["telemetry"]["traces"] == len(found["trades"]) > 5
    assert set(traces.table.strategy) == {"intraday"}
    assert traces.table.holding.max() < 390
    exported = json.loads((home / "t" / "accuracy_metrics.json").read_text())
    assert exported["confusion_matrix"] == found["telemetry"]["metrics"]["confusion_matrix"]
    assert exported["total_trades"] == len(found["trades"])
    assert exported["hit_ratio"] == pytest.approx(found["metrics"]["hit_ratio"])
    assert exported["win_rate"] == pytest.approx(found["metrics"]["win_rate"])


def test_without_being_asked_nothing_is_traced(home):
    assert backtest()["telemetry"] is None
    assert not (home / "home").joinpath("data", "analytics").exists()


def test_the_settings_can_ask_for_it(home, desk):
    desk(telemetry_enabled=True, telemetry_compression=True, telemetry_include_features=False)
    found = backtest()
    (path,) = found["telemetry"]["files"]
    assert path.startswith(str(home / "home" / "data" / "analytics" / f"backtest_{found['run_id']}_"))
    assert path.endswith(".csv.gz")
    assert BacktestRun.objects.get().telemetry["traces"] == len(found["trades"])


def test_both_strategies_are_traced_apart(home):
    words = [word if word != "intraday" else "both" for word in MARKET[: MARKET.index("--params")]]
    code, _, err = command("backtest", *words, "--params", "allow_short=1", *HERE, home / "t", "--json")
    assert (code, err) == (0, "")
    assert {each.name for each in (home / "t").glob("*")} <= {
        "predictions_intraday_0.csv", "predictions_swing_0.csv",
    }  # fmt: skip


def test_a_share_of_them_is_kept_and_the_same_share_again(home):
    every = len(backtest(*HERE, home / "all")["trades"])
    kept = telemetry.sampler(0.5, "1")
    drawn = [kept() for _ in range(4000)]
    assert 0.45 < sum(drawn) / 4000 < 0.55
    again = telemetry.sampler(0.5, "1")
    assert drawn == [again() for _ in range(4000)]
    none = backtest(*HERE, home / "none", "--telemetry-sample-rate", "0")
    assert (none["telemetry"]["traces"], none["telemetry"]["metrics"]["total_trades"]) == (0, every)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--telemetry-dir", "x"), "--telemetry-dir needs --enable-telemetry"),
        (("--export-metrics",), "--export-metrics needs --enable-telemetry"),
        (("--enable-telemetry", "--telemetry-sample-rate", "1.5"), "sample rate of 1.5 is no share"),
    ],
)
def test_words_that_contradict_are_refused_before_anything_runs(home, words, said):
    code, out, err = command("backtest", *MARKET, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert not BacktestRun.objects.exists()


def test_a_folder_that_cannot_be_written_costs_the_backtest_a_warning(home):
    (home / "file").write_text("here first")
    found = backtest(*HERE, home / "file" / "t")
    assert len(found["trades"]) > 5
    assert any("traces could not be written" in warning for warning in found["warnings"])
    assert found["telemetry"]["traces"] == 0


# while trading


def engine(*words):
    code, out, err = command("engine", "--mode", "replay", *MARKET, *words, "--json")
    assert (code, err) == (0, ""), err
    return json.loads(out)


def test_a_replay_traces_what_a_backtest_does(home):
    backtest(*HERE, home / "b")
    engine(*HERE, home / "e")
    ours, theirs = load([home / "e"]).table, load([home / "b"]).table
    for name in ("ts", "symbol", "predicted", "actual", "confidence", "returns", "holding"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    assert not Condition.objects.exists()


def full_disk(monkeypatch):
    def fail(self, *_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(TraceWriter, "_into", fail)


def test_a_full_disk_costs_the_engine_nothing_and_the_trader_is_told(home, monkeypatch):
    plain = engine("--name", "plain")
    full_disk(monkeypatch)
    traced = engine("--name", "traced", *HERE, home / "t")
    same = ("state", "bars", "trades", "orders", "signals", "equity")
    assert {key: traced[key] for key in same} == {key: plain[key] for key in same}
    told = Condition.objects.get(until=None)
    assert (told.code, told.subject, told.level) == ("telemetry-lost", "traced", "warn")
    assert "No space left on device" in told.message


def test_live_traces_are_off_until_the_settings_say_otherwise(home, desk):
    moment = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    assert live_telemetry.by_default("live", moment) is None
    desk(live_telemetry_enabled=True, live_telemetry_throttle_seconds=120, live_telemetry_sample_rate=0.2)
    found = live_telemetry.by_default("live", moment)
    assert (found.throttle, found.wanted.rate, found.wanted.buffer) == (120.0, 0.2, 50)
    assert found.wanted.folder == home / "home" / "data" / "analytics" / "live"
    assert live_telemetry.by_default("replay", moment) is None


def live(folder, **told):
    return LiveTelemetry(Capture(folder, buffer=1), **told)


def test_traces_that_come_too_soon_are_passed_over(tmp_path):
    clock = iter(range(0, 600, 10))
    found = live(tmp_path, throttle=60.0, seconds=lambda: float(next(clock)))
    taken = [found.offer(each) for each in SOME[:12]]
    found.close()
    assert taken == [True, *[False] * 5] * 2
    assert len(load([tmp_path]).table) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_died_is_started_again_and_told(tmp_path, monkeypatch):
    found = live(tmp_path)
    put = TraceWriter.write

    def die(self, trace):
        raise SystemExit

    monkeypatch.setattr(TraceWriter, "write", die)
    found.offer(SOME[0])
    found._thread.join(5)
    assert not found._thread.is_alive()
    monkeypatch.setattr(TraceWriter, "write", put)
    assert found.offer(SOME[1])
    found.close()
    assert "died and was started again" in found.trouble
    assert len(load([tmp_path]).table) == 1


def test_a_writer_that_hangs_neither_stops_the_engine_nor_its_end(tmp_path, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(live_telemetry, "ROOM", 5)
    monkeypatch.setattr(live_telemetry, "LONGEST_END", 0.05)
    monkeypatch.setattr(TraceWriter, "write", lambda self, trace: let_go.wait())
    found = live(tmp_path)
    taken = sum(found.offer(SOME[k % 20]) for k in range(20))
    assert taken < 20
    assert "does not keep up" in found.trouble
    found.close()
    assert "hangs" in found.trouble
    let_go.set()


def test_a_disk_that_is_full_for_a_while_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(live_telemetry, "AGAIN", 0.0)
    into = TraceWriter._into
    full_disk(monkeypatch)
    found = live(tmp_path)
    found.offer(SOME[0])
    while not found.trouble:
        found._thread.join(0.01)
    assert "cannot be written" in found.trouble
    monkeypatch.setattr(TraceWriter, "_into", into)
    found.offer(SOME[1])
    found.close()
    assert (found.trouble, found.lost) == ("", 1)
    assert len(load([tmp_path]).table) == 1


def test_every_run_of_the_engine_records_its_predictions_first(home):
    found = engine()
    rows = list(PredictionRecord.objects.order_by("number"))
    kinds = [row.kind for row in rows]
    assert kinds[0] == "prediction"
    assert kinds.count("outcome") == found["trades"]
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
