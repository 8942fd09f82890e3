"""``manage.py backtest`` as a user types it: both layouts, every option, and one clear line for every mistake."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError

from tests.trading import bar_files
from tests.trading.bar_files import csv_text, days, minutes, write
from tests.trading.desks import LIVELY, NOON, WEEK, command, manage
from trading.models import BacktestRun, BacktestTrade
from trading.services import backtests
from trading.services.demo_desk import prepare_demo

pytestmark = pytest.mark.django_db
WORDS = [f"{key}={value}" for key, value in LIVELY.items()]
SPAN = ("--start-date", WEEK[0], "--end-date", WEEK[1])
INTRADAY = ("--strategy", "intraday", "--interval", "5minute")


def run(*words, symbols=("ACME",), span=SPAN):
    return command("backtest", "--symbols", *symbols, *span, *words)


def answer(*words, **told):
    code, out, err = run(*words, "--json", **told)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def folder(tmp_path):
    """Both layouts side by side: one symbol in folders by interval, one in flat files, one a folder deeper."""
    write(tmp_path / "ACME" / "5minute" / "a.csv", minutes(WEEK[0], WEEK[0], 5))
    write(tmp_path / "ACME" / "5minute" / "b.csv.gz", minutes(dt.date(2026, 11, 3), WEEK[1], 5))
    write(tmp_path / "BOLT_5m.csv", minutes(*WEEK, 5, level=90))
    write(tmp_path / "ACME" / "1day" / "all.csv", days(dt.date(2024, 1, 1), WEEK[1]))
    write(tmp_path / "ACME_1m.csv.gz", minutes(*WEEK, 1))
    return tmp_path


# what it can do


@pytest.mark.parametrize("symbol", ["ACME", "BOLT"])
def test_it_reads_both_layouts_and_keeps_the_run(folder, symbol):
    found = answer("--data-source", "csv", "--csv", folder, *INTRADAY, symbols=[symbol])
    assert found["bars"] == 375
    kept = BacktestRun.objects.get(pk=found["run_id"])
    assert (kept.status, kept.symbols, kept.interval, kept.created_by) == ("done", [symbol], "5minute", "shell")
    assert kept.metrics == found["metrics"]
    assert kept.trades.count() == len(found["trades"]) == found["metrics"]["trades"]


def test_symbols_may_be_given_with_commas_and_in_small_letters(folder):
    assert answer("--csv", folder, *INTRADAY, symbols=["acme,Bolt"])["bars"] == 750


def test_the_folder_of_the_settings_is_the_default(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    write(tmp_path / "data" / "historical" / "ACME_5m.csv", minutes(*WEEK, 5))
    assert answer(*INTRADAY)["bars"] == 375


def test_minute_data_is_a_shortcut_for_minute_bars(folder):
    found = answer("--csv", folder, "--strategy", "intraday", "--minute-data")
    assert (found["interval"], found["bars"]) == ("1minute", 5 * 375)


def test_swing_runs_on_days_which_is_the_default_interval(folder):
    long = ("--start-date", "2024-01-01", "--end-date", "2026-10-30")
    found = answer("--csv", folder, "--strategy", "swing", span=long)
    assert (found["interval"], found["bars"]) == ("1day", len(days(dt.date(2024, 1, 1), dt.date(2026, 10, 30))))


@pytest.mark.parametrize(
    ("words", "interval", "bars"),
    [((), "5minute", 375), (("--minute-data",), "1minute", 1875), (("--interval", "1m"), "1minute", 1875)],
)
def test_both_runs_intraday_on_minutes_and_swing_on_their_days_in_one_run(folder, words, interval, bars):
    found = answer("--csv", folder, "--strategy", "both", *words)
    assert (found["strategy"], found["interval"], found["bars"]) == ("both", interval, bars + 5)
    assert BacktestRun.objects.filter(status="done").count() == 1


def test_both_trade_on_one_account_and_each_trade_says_whose_it_is(tmp_path):
    words = ("allow_short=1", "adx_min=10", "swing.ema=10", "swing.rsi=3", "max_positions=1")
    span = ("--start-date", "2026-06-01", "--end-date", "2026-11-06")
    traces = ("--enable-telemetry", "--telemetry-dir", tmp_path / "traces")
    found = answer("--data-source", "demo", "--strategy", "both", "--params", *words, *traces, symbols=["DEMOINFRA"],
                   span=span)  # fmt: skip
    parts = {each["strategy"]: each for each in found["study"]["strategies"]}
    assert min(part["trades"] for part in parts.values()) > 0
    assert sum(part["trades"] for part in parts.values()) == found["metrics"]["trades"] == len(found["trades"])
    kept = BacktestRun.objects.get()
    assert float(kept.equity[-1][1]) == pytest.approx(1e6 + found["metrics"]["total_pnl"], abs=20_000)
    for name, part in parts.items():
        assert kept.trades.filter(strategy=name).count() == part["trades"]
        with next((tmp_path / "traces").glob(f"predictions_{name}_*")).open() as file:
            assert sum(1 for _ in file) == part["trades"] + 1
    spans = [(trade["entry_time"], trade["exit_time"]) for trade in found["trades"] if trade["strategy"] == "swing"]
    during = [trade for trade in found["trades"] if any(a[:10] < trade["entry_time"][:10] < b[:10] for a, b in spans)]
    assert not during  # one position is all this account may hold, whoever's it is


def test_parameters_reach_the_strategy_and_the_desk():
    prepare_demo()
    calm = answer("--data-source", "demo", *INTRADAY, symbols=["DEMOBANK", "DEMOINFRA"])
    lively = answer("--data-source", "demo", *INTRADAY, "--params", *WORDS, symbols=["DEMOBANK", "DEMOINFRA"])
    commas = answer("--data-source", "demo", *INTRADAY, "--params", ",".join(WORDS), symbols=["DEMOBANK", "DEMOINFRA"])
    assert len(lively["trades"]) > len(calm["trades"])
    assert lively["trades"] == commas["trades"]
    assert {trade["side"] for trade in lively["trades"]} == {"LONG", "SHORT"}


def test_capital_can_be_given():
    found = answer("--data-source", "demo", *INTRADAY, "--capital", "50000", symbols=["DEMOBANK"])
    assert BacktestRun.objects.get(pk=found["run_id"]).capital == 50_000


def test_in_words_it_prints_a_table_with_every_promised_measure(folder):
    code, out, _ = run("--csv", folder, *INTRADAY)
    assert code == 0
    assert out.startswith("backtest ")
    for label in ("trades", "net P&L ₹", "return %", "Sharpe", "Sortino", "max drawdown", "win rate", "hit ratio",
                  "profit factor", "charges ₹", "average hold"):  # fmt: skip
        assert label in out
    assert "note: only" in out


def test_a_queued_run_is_executed_by_its_number():
    queued = backtests.request(
        symbols=["DEMOBANK"], strategy="intraday", interval="5minute", start=WEEK[0], end=WEEK[1], by="asha", at=NOON
    )
    code, out, _ = command("backtest", "--run", queued.pk, "--json")
    assert (code, json.loads(out)["run_id"]) == (0, queued.pk)
    assert BacktestRun.objects.get().status == "done"
    code, _, err = command("backtest", f"--run={queued.pk}")
    assert (code, err) == (1, f"error: backtest {queued.pk} is done, not queued (ask for a new one)\n")


def test_a_run_that_does_not_exist_is_said():
    code, _, err = command("backtest", "--run", 4711)
    assert (code, err) == (2, "error: there is no backtest 4711 (look at the list of backtests)\n")


# what it refuses: one line, exit 2, nothing lost


@pytest.fixture
def stored(folder):
    """A result that was there before."""
    return answer("--data-source", "demo", *INTRADAY, "--params", *WORDS, symbols=["DEMOINFRA"])


def refused(*words, stored=None, **told):
    """Return the one line a refused backtest says, and see that nothing was lost."""
    before = BacktestRun.objects.filter(status="done").count(), BacktestTrade.objects.count()
    code, out, err = run(*words, **told)
    assert (code, out) == (2, "")
    assert (err.count("\n"), err.startswith("error: ")) == (1, True), err
    assert (BacktestRun.objects.filter(status="done").count(), BacktestTrade.objects.count()) == before
    if stored:
        kept = backtests.answer(BacktestRun.objects.get(pk=stored["run_id"]))
        assert json.loads(json.dumps(kept)) == stored
    return err


def spoil(rows, at, **changes):
    new = list(rows)
    new[at] = bar_files.replace(new[at], **changes)
    return new


ROWS = minutes(*WEEK, 5)
MIXED = [f"{row.text()},{'ACME' if at % 9 else 'BOLT'}" for at, row in enumerate(ROWS)]
SPOILED = {
    "missing column": (csv_text(ROWS).replace("low", "lowest"), "no column 'low'"),
    "mixed instruments": (f"{bar_files.HEADER},symbol\n" + "\n".join(MIXED) + "\n", "another symbol"),
    "OHLC violation": (spoil(ROWS, 40, high=1.0), "high"),
    "unsorted": ([*ROWS[:50], *reversed(ROWS[50:])], "324 rows after a later one"),
    "duplicate": ([*ROWS[:50], ROWS[49].scaled(1.001), *ROWS[50:]], "but other values; the last is kept"),
    "repeated rows": ([*ROWS[:50], ROWS[49], *ROWS[50:]], "1 row repeating a later row's time"),
    "future dates": (
        [*ROWS, *(bar_files.replace(r, time=r.time + dt.timedelta(days=3650)) for r in ROWS[:5])],
        "future",
    ),
    "empty file": ("", "is empty"),
    "not text": ("\0\1\2\0", "not a text file"),
    "prices that are none": (csv_text(ROWS).replace(f"{ROWS[7].open:.2f}", "cheap", 1), "unreadable"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_file_is_told_in_one_line_and_nothing_is_lost(tmp_path, stored, kind):
    content, words = SPOILED[kind]
    write(tmp_path / "bad" / "ACME_5m.csv", content)
    err = refused("--csv", tmp_path / "bad", *INTRADAY, stored=stored)
    assert "ACME_5m.csv" in err
    assert words in err, err


@pytest.mark.parametrize("kind", ["OHLC violation", "duplicate", "future dates", "mixed instruments"])
def test_with_sound_rows_it_goes_on_without_the_bad_ones(tmp_path, kind):
    write(tmp_path / "ACME_5m.csv", SPOILED[kind][0])
    found = answer("--csv", tmp_path, *INTRADAY, "--sound-rows")
    assert 300 < found["bars"] <= 375


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strategy", "moonshot", "--interval", "5minute"), "unknown strategy 'moonshot': use one of"),
        ((*INTRADAY, "--params", "sma=1"), "sma=1 is out of bounds: use 2 to 400 bars"),
        ((*INTRADAY, "--params", "sma=nan"), "sma=nan is out of bounds"),
        ((*INTRADAY, "--params", "sma"), "'sma' is not a parameter (write key=value"),
        ((*INTRADAY, "--params", "=3"), "'=3' is not a parameter"),
        ((*INTRADAY, "--params", "colour=3"), "unknown parameter 'colour'"),
        ((*INTRADAY, "--params", "plan=free"), "free"),
        ((*INTRADAY, "--capital", "1"), "capital of 1.0"),
        ((*INTRADAY, "--capital", "nan"), "capital of nan"),
        (("--strategy", "intraday"), "cannot use daily bars"),
        (("--strategy", "swing", "--interval", "5m"), "needs daily bars"),
        (("--strategy", "both", "--params", "rsi_entry=30", "colour=5"), "unknown parameter 'colour' of both"),
        (("--strategy", "both", "--params", "swing.max_positions=5"), "the account has one max_positions"),
        (("--strategy", "both", "--params", "swing.adx_min=5"), "unknown parameter 'swing.adx_min'"),
        (("--strategy", "intraday", "--interval", "3minute"), "3minute"),
        ((*INTRADAY, "--csv", "/nowhere/at/all"), "no folder /nowhere/at/all"),
    ],
)
def test_a_wrong_word_is_told_in_one_line(folder, stored, words, said):
    where = () if "--csv" in words or "--data-source" in words else ("--csv", folder)
    assert said in refused(*where, *words, stored=stored)
    assert not BacktestRun.objects.filter(status__in=["queued", "running"]).exists()


def test_an_unknown_symbol_is_told_with_the_near_ones(folder, stored):
    assert "did you mean ACME" in refused("--csv", folder, *INTRADAY, symbols=["ACNE"], stored=stored)
    assert "not a demo instrument" in refused("--data-source", "demo", *INTRADAY, symbols=["ACME"], stored=stored)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-06", "2026-11-02", "lies after the end"),
        ("2020-01-01", "2020-02-01", "ACME"),
        ("2026-11-07", "2026-11-08", "ACME"),
        ("2031-01-01", "2031-02-01", "lies in the future"),
    ],
)
def test_an_empty_range_is_told_in_one_line(folder, stored, first, last, said):
    span = ("--start-date", first, "--end-date", last)
    assert said in refused("--csv", folder, *INTRADAY, span=span, stored=stored)


def test_what_is_missing_on_the_command_line_is_named():
    code, _, err = command("backtest", "--symbols", "ACME", "--start-date", "2026-11-02")
    assert (code, err.count("\n")) == (2, 1)
    assert "--end-date, --strategy must be given" in err


def test_a_backtest_that_failed_is_kept_as_failed_with_the_same_words(tmp_path, folder):
    write(tmp_path / "bad" / "ACME_5m.csv", SPOILED["OHLC violation"][0])
    err = refused("--csv", tmp_path / "bad", *INTRADAY)
    failed = BacktestRun.objects.get(status="failed")
    assert f"error: {' '.join(failed.error.split())}\n" == err


def test_no_place_for_the_columnar_store_costs_nothing_but_time(tmp_path, settings, folder):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "data").write_text("a file where a folder should be")
    settings.SENSEQUANT_HOME = tmp_path / "home"
    assert answer("--csv", folder, *INTRADAY)["bars"] == 375


# as a process


def test_a_home_that_is_a_file_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("here first")
    words = ("backtest", "--symbols", "DEMOBANK", "--data-source", "demo", *SPAN, *INTRADAY)
    process = manage(tmp_path / "file" / "home", *words)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1), err
    assert "SENSEQUANT_HOME" in err
    assert (tmp_path / "file").read_text() == "here first"


def test_a_date_that_is_none_is_refused():
    with pytest.raises(CommandError, match="'soon' is not a date: write YYYY-MM-DD"):
        command("backtest", "--symbols", "ACME", "--strategy", "swing", "--start-date", "soon")
