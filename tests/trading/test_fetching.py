"""Fetching history: nothing twice, nothing half, every series on its own, and after any interruption it goes on."""

import datetime as dt
import json

import numpy as np
import pytest

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading.bar_files import minutes, write
from tests.trading.served import Served, between, failing, made, same, without
from trading.adapters import cachefiles
from trading.adapters.barcache import BarCache
from trading.adapters.breeze.errors import BudgetSpent, Busy, Refused, SessionLost, Transient
from trading.adapters.breeze.words import Unreadable
from trading.adapters.csvfeed import CsvFeed
from trading.core.bars import Bars
from trading.core.calendar import IST
from trading.core.errors import Invalid
from trading.models import BarReport, Instrument, QuarantinedRow
from trading.models.fetching import FetchRun, FetchState
from trading.services import fetch_orders, fetch_states, fetching
from trading.services import fetch_plans as plans

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2024, 3, 28, 18, 0, tzinfo=IST)  # a Thursday evening
MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
JANUARY = dt.date(2024, 1, 1), dt.date(2024, 1, 31)


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return settings.SENSEQUANT_HOME


@pytest.fixture
def served():
    return Served()


def asked(symbols=("RELIANCE",), intervals=("5minute",), start=JANUARY[0], end=JANUARY[1], at=NOW, **told):
    usual = {"lookback": None, **told}
    return plans.ask(symbols=symbols, intervals=intervals, start=start, end=end, at=at, **usual)


def cache(symbol="RELIANCE", interval="5minute") -> BarCache:
    return plans.cache_of(symbol, interval)


def fetch(served, run=None, at=NOW, slept=None, steps=None, **told):
    """Run a fetching to its end, or over its first steps, and return the run."""
    run = run or fetching.begin(asked(at=at, **told), at=at)
    work = fetching.Fetching(run, served.line(), clock=lambda: at, sleep=(slept if slept is not None else []).append)
    going = work.steps()
    for number, _ in enumerate(going, start=1):
        if number == steps:
            going.close()
    run.refresh_from_db()
    return run


def result(run, key="RELIANCE 5minute"):
    return run.results[key]


def source(served, code="RELIND", interval="5minute", first=JANUARY[0], last=JANUARY[1]) -> Bars:
    return between(served.known[code, interval], first, last)


# what is fetched


@pytest.mark.parametrize(("interval", "calls"), [("1minute", 11), ("5minute", 2), ("1day", 1)])
def test_what_is_fetched_is_what_the_broker_has_in_as_few_calls_as_can_be(served, interval, calls):
    run = fetch(served, intervals=[interval])
    assert run.state == "done"
    assert same(cache(interval=interval).read(), source(served, interval=interval))
    told = result(run, f"RELIANCE {interval}")
    assert (told["requests"], len(served.asked)) == (calls, calls)
    assert (told["sessions"], told["missing"], told["fetched"], told["kept"]) == (
        22, 0, told["requested"], told["requested"],
    )  # fmt: skip
    assert (told["files"], told["code"]) == (["2024-01-01_to_2024-01-31.csv"], "RELIND")


def test_the_csv_feed_reads_what_was_fetched(served):
    fetch(served, intervals=["5minute", "1day"], symbols=["RELIANCE", "TCS"])
    feed = CsvFeed(fetching.root(), NOW)
    assert feed.symbols("5minute") == ["RELIANCE", "TCS"]
    series = feed.series("TCS", "5minute")
    assert (series.report.verdict, same(series.bars, source(served, "TCS"))) == ("ok", True)
    assert len(feed.series("RELIANCE", "15minute").bars) == 22 * 25


def test_nothing_is_asked_for_a_second_time(served):
    fetch(served)
    run = fetch(served, start=JANUARY[0], end=dt.date(2024, 2, 9))
    assert (len(served.asked), served.asked[-1][2].date()) == (3, dt.date(2024, 2, 1))
    assert (result(run)["there"], result(run)["sessions"]) == (22, 29)
    assert same(cache().read(), source(served, last=dt.date(2024, 2, 9)))


def test_force_fetches_again_and_the_newest_answer_wins(served):
    fetch(served)
    served.known["RELIND", "5minute"] = Bars(
        *(column + (0 if at in (0, 5) else 1) for at, column in enumerate(served.known["RELIND", "5minute"].columns()))
    )
    assert fetch(served, start=MONDAY, end=FRIDAY, force=True).state == "done"
    assert same(between(cache().read(), MONDAY, FRIDAY), source(served, first=MONDAY, last=FRIDAY))
    assert cachefiles.names(cache().folder) == ["2024-01-01_to_2024-01-31.csv"]


def test_fifteen_minute_bars_are_fetched_as_five_minute_ones(served):
    run = fetch(served, intervals=["15m"])
    assert {call[1] for call in served.asked} == {"5minute"}
    assert "Breeze has no 15minute bars" in result(run, "RELIANCE 15minute")["warnings"][0]
    assert len(cache().read()) == 22 * 75


def test_five_and_fifteen_minutes_of_a_share_are_one_series(served):
    assert len(plans.plan(asked(intervals=["5m", "15m", "1d"]), at=NOW)) == 2


def test_a_folder_with_files_of_fifteen_minutes_gets_those_too(served):
    fetch(served, end=FRIDAY)
    coarse = cache(interval="15minute")
    week = CsvFeed(fetching.root(), NOW).series("RELIANCE", "15minute").bars
    coarse.write(week, JANUARY[0], FRIDAY, at=NOW, source="csv_file")
    fetch(served)
    assert len(CsvFeed(fetching.root(), NOW).series("RELIANCE", "15minute").bars) == 22 * 25


def test_a_share_with_a_closing_auction_is_measured_by_its_own_session(served):
    Instrument.objects.create(symbol="RELIANCE", segment="equity_fno")
    at, day = dt.datetime(2026, 11, 23, 18, 0, tzinfo=IST), dt.date(2026, 11, 20)
    served.known["RELIND", "1minute"] = made("RELIND", "1minute", day, day, "equity_fno")
    run = fetch(served, at=at, start=day, end=day, intervals=["1minute"])
    told = result(run, "RELIANCE 1minute")
    assert (told["requested"], told["kept"], told["missing"]) == (360, 360, 0)


def test_a_session_that_is_not_over_is_left_for_later(served):
    noon = dt.datetime(2024, 1, 31, 12, 0, tzinfo=IST)
    run = fetch(served, at=noon, start=dt.date(2024, 1, 30), end=None)
    assert "the session of 2024-01-31 is not over" in result(run)["warnings"][0]
    assert cache().claims() == [(dt.date(2024, 1, 30), dt.date(2024, 1, 30))]


def test_files_that_the_cache_would_hide_are_taken_over(served, home):
    write(fetching.root() / "RELIANCE_5m.csv", minutes(dt.date(2023, 12, 27), dt.date(2023, 12, 29), 5, level=2500))
    run = fetch(served)
    assert "225 bars of RELIANCE_5m.csv were taken over" in result(run)["warnings"][0]
    read = CsvFeed(fetching.root(), NOW).series("RELIANCE", "5minute").bars
    assert len(read) == 225 + 22 * 75


def joined(*parts: Bars) -> Bars:
    columns = [np.concatenate(each) for each in zip(*(part.columns() for part in parts), strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Bars(*(column[order] for column in columns))


def test_an_answer_cut_off_at_a_thousand_candles_is_asked_again_in_halves(served):
    bars = made("RELIND", "5minute")
    evening = np.arange(30) * 60 + int(dt.datetime(2024, 1, 2, 16, 0, tzinfo=IST).timestamp())
    strays = Bars(evening, *(np.full(30, column[0]) for column in bars.columns()[1:]))
    served.known["RELIND", "5minute"] = joined(bars, strays)
    run = fetch(served)
    assert same(cache().read(), between(bars, *JANUARY))
    assert len(served.asked) == 4
    assert any("outside_hours" in each for each in result(run)["warnings"])


# what is wrong with an answer


def moment(day, hour, minute):
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)


def test_missing_bars_are_told_kept_apart_and_repaired_when_the_broker_has_them(served):
    whole = made("RELIND", "5minute")
    gone = (moment(MONDAY, 9, 15), moment(FRIDAY, 11, 0), moment(FRIDAY, 11, 5))
    served.known["RELIND", "5minute"] = without(whole, *gone)
    run = fetch(served)
    told = result(run)
    assert (run.state, told["missing"], told["gaps_told"]) == ("done", 3, "1 late start, 1 hole")
    assert told["gaps"][0] == {"kind": "first", "day": "2024-01-08", "bars": 1, "start": "09:15"}
    served.known["RELIND", "5minute"] = whole
    run = fetch(served, repair=True)
    assert (result(run)["requests"], result(run)["missing"]) == (1, 0)
    assert same(cache().read(), between(whole, *JANUARY))


def test_what_the_broker_does_not_have_is_asked_for_twice_and_then_left_alone(served):
    served.known["RELIND", "5minute"] = without(made("RELIND", "5minute"), moment(MONDAY, 9, 15))
    fetch(served)
    assert result(fetch(served, repair=True))["requests"] == 1
    assert result(fetch(served, repair=True))["requests"] == 0
    state = fetch_states.read(cache(), at=NOW)
    assert (state.gaps, state.confirmed) == ({"2024-01-08": 1}, {"2024-01-08": 1})


def test_a_missing_session_is_a_gap_and_one_at_the_end_is_not_taken_for_answered(served):
    whole = made("RELIND", "5minute")
    wednesday = dt.date(2024, 1, 10)
    served.known["RELIND", "5minute"] = joined(
        between(whole, JANUARY[0], dt.date(2024, 1, 9)), between(whole, dt.date(2024, 1, 11), dt.date(2024, 1, 29))
    )
    told = result(fetch(served))
    assert told["gaps_told"] == "3 missing sessions"
    assert cache().claims() == [(JANUARY[0], dt.date(2024, 1, 29))]
    served.known["RELIND", "5minute"] = whole
    served.asked.clear()
    told = result(fetch(served))
    assert [call[2].date() for call in served.asked] == [dt.date(2024, 1, 30)]
    assert told["gaps"] == [{"kind": "session", "day": str(wednesday), "bars": 75, "start": ""}]
    assert result(fetch(served, repair=True))["missing"] == 0


def test_days_before_a_listing_are_answered_days_and_not_asked_again(served):
    served.known["RELIND", "1minute"] = made("RELIND", "1minute", dt.date(2024, 1, 1))
    start = dt.date(2023, 10, 3)
    run = fetch(served, start=start, intervals=["1minute"])
    assert result(run, "RELIANCE 1minute")["requests"] > 25
    assert cache(interval="1minute").claims() == [(start, JANUARY[1])]
    assert result(fetch(served, start=start, intervals=["1minute"]), "RELIANCE 1minute")["requests"] == 0


def test_no_bar_at_all_is_an_error_and_nothing_is_stored(served):
    served.known["RELIND", "5minute"] = made("RELIND", "5minute", dt.date(2024, 3, 1))
    run = fetch(served)
    assert run.state == "failed"
    assert "Breeze has no 5minute bar of RELIANCE (RELIND) from 2024-01-01 to 2024-01-31" in result(run)["error"]
    assert not FetchState.objects.exists()
    assert not cache().folder.exists()


def test_a_bad_row_is_set_aside_in_words_and_the_others_are_kept(served):
    bars = made("RELIND", "5minute")
    bars.high[np.searchsorted(bars.ts, moment(MONDAY, 10, 0).timestamp())] = 1.0
    served.known["RELIND", "5minute"] = bars
    told = result(fetch(served))
    assert (told["quarantined"], told["kept"], told["missing"]) == (1, 22 * 75 - 1, 1)
    assert "quarantine ohlc: 1 row" in told["warnings"][0]
    row = QuarantinedRow.objects.get()
    assert row.file == "breeze/RELIANCE/5minute/2024-01-01_to_2024-01-31"
    assert row.raw.startswith("2024-01-08 10:00:00,")
    assert BarReport.objects.filter(rule="ohlc").count() == 1


class Wordy(Served):
    """A broker whose rows are read one by one when one of them cannot be a bar."""

    def history(self, *asked):
        super().history(*asked)
        raise Unreadable("the bar of '2024-01-08 10:00:00' lacks a price")

    def history_rows(self, *asked):
        names = ("open", "high", "low", "close", "volume")
        rows = [
            {
                "datetime": f"{dt.datetime.fromtimestamp(ts, IST):%Y-%m-%d %H:%M:%S}",
                **dict(zip(names, row, strict=True)),
            }
            for ts, *row in zip(*(column.tolist() for column in Served.history(self, *asked).columns()), strict=True)
        ]
        rows[50]["close"], rows[60]["volume"], rows[70]["datetime"] = None, "many", "yesterday"
        return rows


def test_one_row_that_cannot_be_read_costs_one_row():
    served = Wordy()
    told = result(fetch(served, start=MONDAY, end=FRIDAY))
    assert (told["requests"], told["kept"], told["quarantined"]) == (2, 5 * 75 - 3, 3)
    words = sorted(QuarantinedRow.objects.values_list("raw", flat=True))
    assert '"close": null' in words[0]
    assert any('"datetime": "yesterday"' in each for each in words)


def test_bars_of_another_interval_are_not_kept(served):
    served.spoil = lambda _: between(made("RELIND", "1minute"), MONDAY, MONDAY)
    run = fetch(served, start=MONDAY, end=MONDAY)
    assert "the bars stand 1minute apart" in result(run)["error"]
    assert not cache().folder.exists()
    assert not FetchState.objects.exists()


def test_open_and_close_exchanged_are_told_and_never_mended(served):
    daily = made("RELIND", "1day")
    at = int(np.searchsorted(daily.ts, moment(MONDAY, 0, 0).timestamp()))
    daily.open[at], daily.close[at] = 2600.0, 2550.0
    daily.high[at], daily.low[at] = 2610.0, 2540.0
    served.known["RELIND", "1day"] = daily
    fine = made("RELIND", "5minute")
    first, last = (int(np.searchsorted(fine.ts, moment(MONDAY, *clock).timestamp())) for clock in ((9, 15), (15, 25)))
    fine.open[first], fine.close[last] = 2550.0, 2600.0
    fine.low[first], fine.high[last] = min(fine.low[first], 2550.0), max(fine.high[last], 2600.0)
    served.known["RELIND", "5minute"] = fine
    run = fetch(served, intervals=["5minute", "1day"])
    told = result(run, "RELIANCE 1day")
    assert any("2024-01-08: open 2600 and close 2550 have changed places" in each for each in told["warnings"])
    assert same(cache(interval="1day").read(), between(daily, *JANUARY))


# when the broker does not answer


@pytest.mark.parametrize("error", [Busy, Transient])
def test_a_busy_or_silent_broker_is_asked_again_after_two_four_and_eight_seconds(served, error):
    slept = []
    served.troubles.append(failing(lambda: error("HTTP 503"), 1, 2, 3))
    run = fetch(served, slept=slept)
    assert (run.state, slept, result(run)["requests"]) == ("done", [2.0, 4.0, 8.0], 5)


def test_a_broker_that_stays_silent_fails_that_series_and_not_the_others(served):
    slept = []

    def trouble(_):
        if served.asked[-1][0] == "TCS":
            raise Transient("HTTP 500: oops")

    served.troubles.append(trouble)
    run = fetch(served, symbols=["RELIANCE", "TCS", "INFY"], slept=slept)
    assert run.state == "partial"
    assert [result(run, f"{name} 5minute")["state"] for name in ("RELIANCE", "TCS", "INFY")] == [
        "done",
        "failed",
        "done",
    ]
    assert (slept, result(run, "TCS 5minute")["requests"]) == ([2.0, 4.0, 8.0], 4)
    assert not FetchState.objects.filter(symbol="TCS").exists()


@pytest.mark.parametrize("error", [lambda: BadInput("HTTP 400"), lambda: Refused("no"), lambda: NotFound("HTTP 404")])
def test_a_plain_no_is_not_asked_again(served, error):
    slept = []
    served.troubles.append(failing(error))
    run = fetch(served, slept=slept)
    assert (run.state, slept, len(served.asked)) == ("failed", [], 1)


def test_a_lost_session_ends_the_run_with_everything_fetched_so_far_kept(served):
    served.troubles.append(failing(lambda: SessionLost("Session key is expired.", fix="log in"), 2))
    run = fetch(served, symbols=["RELIANCE", "TCS"])
    assert (run.state, len(served.asked), served.lost) == ("partial", 2, ["Session key is expired."])
    assert run.error == "Session key is expired. (log in)"
    assert (result(run)["state"], result(run, "TCS 5minute")["state"]) == ("partial", "waiting")
    assert len(cache().read()) == 13 * 75
    served.troubles.clear()
    again = fetch(served, run=run)
    assert (again.pk, again.state, again.error) == (run.pk, "done", "")
    assert same(cache().read(), source(served))
    assert len(served.asked) == 2 + 1 + 2


def test_the_minute_s_budget_is_waited_for_and_the_day_s_is_not(served):
    slept = []
    spent = failing(lambda: BudgetSpent("the budget of 100 calls a minute is spent", retry_after=31.5), 1)
    served.troubles.append(spent)
    run = fetch(served, slept=slept, end=FRIDAY)
    assert (run.state, slept, result(run)["requests"]) == ("done", [31.5], 1)
    served.troubles[:] = [
        failing(lambda: BudgetSpent("the budget of 5,000 calls a day is spent", retry_after=40_000.0))
    ]
    run = fetch(served, slept=slept, symbols=["TCS"])
    assert (run.state, slept, result(run, "TCS 5minute")["requests"]) == ("failed", [31.5], 0)
    assert "5,000 calls a day is spent" in run.error


def test_a_minute_s_budget_that_never_comes_free_ends_the_run(served):
    slept = []
    served.troubles.append(failing(lambda: BudgetSpent("spent", retry_after=60.0)))
    assert fetch(served, slept=slept).state == "failed"
    assert slept == [60.0] * 5


def test_the_broker_s_own_daily_limit_ends_the_run_at_once(served):
    slept = []
    served.troubles.append(failing(lambda: Busy("Limit exceed: API call per day: ")))
    run = fetch(served, slept=slept, symbols=["RELIANCE", "TCS"])
    assert (run.state, slept, len(served.asked)) == ("failed", [], 1)


# interruptions


def stopped_at(number):
    return failing(KeyboardInterrupt, number)


def test_a_signal_keeps_what_came_and_the_run_is_gone_on_from(served):
    served.troubles.append(stopped_at(6))
    with pytest.raises(KeyboardInterrupt):
        fetch(served, intervals=["1minute"])
    run = FetchRun.objects.get()
    told = result(run, "RELIANCE 1minute")
    assert (run.state, told["state"], told["kept"]) == ("stopped", "partial", 5 * 2 * 375)
    assert fetching.unfinished() == run
    run = fetch(served, run=run)
    assert (run.state, len(served.asked)) == ("done", 6 + 6)
    assert same(cache(interval="1minute").read(), source(served, interval="1minute"))
    assert fetching.unfinished() is None


def test_a_forced_run_is_gone_on_from_without_asking_again_what_it_has(served):
    fetch(served, intervals=["1minute"])
    served.asked.clear()
    served.troubles.append(stopped_at(6))
    with pytest.raises(KeyboardInterrupt):
        fetch(served, intervals=["1minute"], force=True)
    fetch(served, run=fetching.unfinished())
    assert len(served.asked) == 6 + 6


def test_whoever_stops_listening_leaves_an_orderly_run(served):
    run = fetch(served, intervals=["1minute"], steps=3)
    assert (run.state, 0.2 < run.progress < 0.35) == ("stopped", True)
    assert len(cache(interval="1minute").read()) == 3 * 2 * 375


def test_a_defect_of_ours_is_kept_on_the_run_and_raised(served):
    served.troubles.append(failing(lambda: ZeroDivisionError("oops"), 2))
    with pytest.raises(ZeroDivisionError):
        fetch(served)
    run = FetchRun.objects.get()
    assert (run.state, run.error) == ("failed", "ZeroDivisionError: oops")
    assert len(cache().read()) == 13 * 75


def test_two_fetchings_never_write_at_once():
    folder = fetching.root()
    with fetching.alone(folder), pytest.raises(NotAllowed, match="fetched into"), fetching.alone(folder):
        pass
    with fetching.alone(folder):
        pass


# going on day by day


def evening(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, 18, 0, tzinfo=IST)


def nightly(served, day, **told):
    return fetch(served, at=evening(day), start=None, end=None, incremental=True, **told)


def test_an_incremental_fetch_begins_with_the_lookback_and_goes_on_from_the_last_bar(served):
    told = result(nightly(served, dt.date(2024, 1, 10), lookback=7))
    assert (told["sessions"], told["kept"]) == (6, 6 * 75)
    told = result(nightly(served, dt.date(2024, 1, 12)))
    assert (told["sessions"], told["kept"], told["files"]) == (2, 150, ["2024-01-11_to_2024-01-12.csv"])
    assert result(nightly(served, dt.date(2024, 1, 12)))["requests"] == 0
    assert result(nightly(served, dt.date(2024, 1, 13)))["requests"] == 0  # a Saturday
    assert same(cache().read(), source(served, first=dt.date(2024, 1, 3), last=FRIDAY))


def test_a_last_day_that_ended_early_is_asked_for_again(served):
    whole = made("RELIND", "5minute")
    served.known["RELIND", "5minute"] = whole.between(0, int(moment(FRIDAY, 14, 0).timestamp()))
    assert result(nightly(served, FRIDAY))["missing"] == 18
    served.known["RELIND", "5minute"] = whole
    told = result(nightly(served, dt.date(2024, 1, 15)))
    assert (told["sessions"], told["missing"], told["requests"]) == (2, 0, 1)


def test_a_day_the_broker_does_not_have_yet_does_not_advance_the_state(served):
    whole = made("RELIND", "5minute")
    served.known["RELIND", "5minute"] = between(whole, JANUARY[0], dt.date(2024, 1, 11))
    nightly(served, dt.date(2024, 1, 11))
    run = nightly(served, FRIDAY)
    assert (run.state, result(run)["gaps_told"]) == ("done", "1 missing session")
    assert fetch_states.read(cache(), at=NOW).last_fetch == dt.date(2024, 1, 11)
    served.known["RELIND", "5minute"] = whole
    assert result(nightly(served, FRIDAY))["kept"] == 75


def test_bars_that_were_deleted_are_fetched_again(served, caplog):
    nightly(served, FRIDAY, lookback=7)
    for name in cachefiles.names(cache().folder):
        (cache().folder / name).unlink()
    told = result(nightly(served, FRIDAY, lookback=7))
    assert told["kept"] == 6 * 75
    assert "bars are gone since the last fetch" in caplog.text


# words that cannot be


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"symbols": ["REL/../.."]}, "is not a symbol"),
        ({"intervals": ["3minute"]}, "interval '3minute' is not known"),
        ({"start": JANUARY[1], "end": JANUARY[0]}, "lies after the end"),
        ({"end": dt.date(2031, 1, 1)}, "lies in the future"),
        ({"start": dt.date(2031, 1, 1), "end": None}, "lies after the end"),
        ({"start": dt.date(1999, 1, 1)}, "before the calendar's first day"),
        ({"lookback": 0}, "lookback of 0 days"),
        ({"incremental": True}, "--start-date has no meaning"),
        ({"incremental": True, "start": None, "force": True}, "--force has no meaning"),
    ],
)
def test_words_that_cannot_be_are_refused_with_the_reason(wrong, said):
    with pytest.raises((BadInput, Invalid), match=said):
        asked(**wrong)


def test_without_words_the_desk_s_own_symbols_and_intervals_are_meant(settings):
    found = plans.ask(symbols=(), intervals=(), start=None, end=None, lookback=None, at=NOW)
    assert (found.symbols, found.intervals) == (settings.DESK.symbols, ("1day", "1minute"))
    assert (found.start, found.end) == (dt.date(2024, 2, 27), NOW.date())
    assert plans.of_json(json.loads(json.dumps(found.as_json()))) == found


def test_days_the_calendar_does_not_know_are_told_and_not_guessed():
    at = dt.datetime(2027, 1, 15, 18, 0, tzinfo=IST)
    (series,) = plans.plan(asked(start=dt.date(2026, 12, 28), end=None, at=at), at=at)
    assert series.days[-1] == dt.date(2026, 12, 31)
    assert "the calendar ends on 2026-12-31" in series.notes[0]


def test_an_unknown_symbol_is_refused_before_anything_is_asked(served):
    with pytest.raises(NotFound, match="did you mean RELIANCE"):
        fetching.planned(asked(symbols=["RELIANCE", "RELINCE"]), served.line(), at=NOW, strict=True)
    assert served.asked == []
    run = fetch(served, symbols=["RELIANCE", "RELINCE"])
    assert (run.state, result(run, "RELINCE 5minute")["state"]) == ("partial", "failed")


def test_without_a_session_nothing_is_begun(served):
    served.logged_in = False
    with pytest.raises(SessionLost, match="no session at the broker"):
        fetching.planned(asked(), served.line(), at=NOW, strict=True)
    assert len(fetching.planned(asked(), None, at=NOW, strict=True)) == 1


def test_a_cache_folder_that_cannot_be_written_is_told_at_once(settings, home):
    (home / "data").mkdir(parents=True)
    (home / "data" / "historical").write_text("a file")
    with pytest.raises(BadInput, match=r"bars cannot be kept in .*historical"):
        fetching.root()


def test_a_series_whose_folder_cannot_be_written_fails_alone(served):
    (fetching.root() / "TCS").write_text("a file where a folder should be")
    run = fetch(served, symbols=["RELIANCE", "TCS"])
    assert (run.state, result(run)["state"], result(run, "TCS 5minute")["state"]) == ("partial", "done", "failed")
    assert "bars cannot be kept in" in result(run, "TCS 5minute")["error"]


def test_scripts_find_the_state_in_the_document_s_file(served):
    fetch(served, symbols=["RELIANCE", "TCS"], intervals=["5minute", "1day"])
    told = json.loads(paths.resolve("data/state/historical_fetch.json").read_text())
    assert told["symbols"]["RELIANCE"]["last_fetch_date"] == "2024-01-31T00:00:00"
    assert told["symbols"]["TCS"]["last_updated"] == "2024-03-28T18:00:00+05:30"
    assert told["last_run"] == {
        "timestamp": "2024-03-28T18:00:00+05:30", "run_type": "full", "success": True,
        "symbols_processed": ["RELIANCE", "TCS"], "files_created": 4, "errors": 0,
    }  # fmt: skip


def test_a_cancelled_run_ends_after_the_request_it_is_in_and_keeps_what_came(served):
    run = fetching.begin(asked(intervals=["1minute"]), at=NOW)
    going = fetching.Fetching(run, served.line(), clock=lambda: NOW).steps()
    next(going)
    fetch_orders.cancel(run.pk, at=NOW, by="asha")
    assert [*going] == []
    run.refresh_from_db()
    assert (run.state, len(served.asked)) == ("stopped", 2)
    assert len(cache(interval="1minute").read()) == 2 * 2 * 375
