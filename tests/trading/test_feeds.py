"""The feeds breeze and hybrid: what the cache has, what the broker gives, and words for what neither has."""

import datetime as dt

import numpy as np
import pytest

from sensequant.lib.errors import BadInput, NotFound
from tests.trading.bar_files import days as daily_rows
from tests.trading.bar_files import minutes, write
from tests.trading.served import Served, between, failing, made, same
from trading.adapters import cachefiles
from trading.adapters.barcache import BarCache
from trading.adapters.breeze.errors import SessionLost, Transient
from trading.core.bars import Bars
from trading.core.calendar import IST
from trading.models import CorporateAction
from trading.models.fetching import FetchState
from trading.services import feeds, fetch_states, markets, runs
from trading.services.feeds import Answers, BreezeFeed, HybridFeed

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2024, 3, 28, 18, 0, tzinfo=IST)
MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
JANUARY = dt.date(2024, 1, 1), dt.date(2024, 1, 31)


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def served():
    return Served()


def a_feed(kind, served, folder, at=NOW, **told):
    return kind(folder, at, served.line(), sleep=lambda _: None, answers=told.pop("answers", Answers()), **told)


@pytest.fixture
def hybrid(served, tmp_path):
    return lambda **told: a_feed(HybridFeed, served, tmp_path, **told)


@pytest.fixture
def breeze(served, tmp_path):
    return lambda **told: a_feed(BreezeFeed, served, tmp_path, **told)


def source(unit="5minute", first=JANUARY[0], last=JANUARY[1], code="RELIND") -> Bars:
    return between(made(code, unit), first, last)


def fill(folder, first, last, unit="5minute"):
    BarCache(folder, "RELIANCE", unit).write(source(unit, first, last), first, last, at=NOW)


def moment(day, hour=0, minute=0):
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)


def rules(loaded):
    return {found.rule for found in loaded.report.findings}


# breeze


@pytest.mark.parametrize("interval", ["1minute", "5minute", "1day"])
@pytest.mark.parametrize("cached", [True, False])
def test_breeze_gives_the_broker_s_bars_and_keeps_them_when_there_is_a_cache(breeze, tmp_path, interval, cached):
    found = breeze(cached=cached).get_historical_bars("RELIANCE", *JANUARY, interval)
    assert same(found, source(interval))
    assert bool(cachefiles.names(tmp_path / "RELIANCE" / interval)) == cached


@pytest.mark.parametrize("cached", [True, False])
def test_fifteen_minute_bars_are_made_of_five_minute_ones(breeze, cached):
    found = breeze(cached=cached).get_historical_bars("RELIANCE", MONDAY, MONDAY, "15minute")
    fine = source("5minute", MONDAY, MONDAY)
    assert len(found) == 25
    assert np.array_equal(found.close, fine.close[2::3])
    assert np.array_equal(found.high, fine.high.reshape(-1, 3).max(axis=1))


def test_both_ends_are_included_as_in_the_csv_feed(breeze):
    found = breeze().get_historical_bars("RELIANCE", moment(MONDAY, 10, 0), moment(MONDAY, 10, 10), "5m")
    assert found.ts.tolist() == [int(moment(MONDAY, 10, minute).timestamp()) for minute in (0, 5, 10)]


@pytest.mark.parametrize("cached", [True, False])
def test_recorded_corporate_actions_are_applied_when_bars_are_read(breeze, served, cached):
    CorporateAction.objects.create(
        symbol="RELIANCE", kind="bonus", ex_date=FRIDAY, known_on=FRIDAY, price_factor="0.5", volume_factor="2",
    )  # fmt: skip
    whole = made("RELIND", "5minute")
    before = whole.ts < int(moment(FRIDAY).timestamp())
    prices = (np.where(before, 2 * column, column) for column in whole.columns()[1:5])
    served.known["RELIND", "5minute"] = Bars(whole.ts, *prices, np.where(before, whole.volume / 2, whole.volume))
    found = breeze(cached=cached).get_historical_bars("RELIANCE", MONDAY, FRIDAY, "5minute")
    assert np.allclose(found.close, source(first=MONDAY, last=FRIDAY).close)


def test_breeze_without_a_session_gives_one_clear_line(breeze, served, tmp_path):
    served.logged_in = False
    fill(tmp_path, *JANUARY)
    with pytest.raises(SessionLost, match="no session at the broker"):
        breeze().get_historical_bars("RELIANCE", *JANUARY, "5minute")


def test_what_breeze_does_not_have_is_said(breeze, served):
    served.known["RELIND", "5minute"] = made("RELIND", "5minute", dt.date(2024, 3, 1))
    with pytest.raises(NotFound, match="Breeze has no 5minute bar of RELIANCE from 2024-01-01 to 2024-01-31"):
        breeze().get_historical_bars("RELIANCE", *JANUARY, "5minute")
    with pytest.raises(BadInput, match="needs a first and a last day"):
        breeze().get_historical_bars("RELIANCE", None, FRIDAY, "5minute")
    with pytest.raises(NotFound, match="did you mean RELIANCE"):
        breeze().get_historical_bars("RELINCE", *JANUARY, "5minute")


def test_what_came_before_an_error_is_kept(breeze, served, tmp_path):
    served.troubles.append(failing(lambda: Transient("HTTP 500"), 2, 3, 4, 5))
    with pytest.raises(Transient):
        breeze().get_historical_bars("RELIANCE", *JANUARY, "5minute")
    assert len(BarCache(tmp_path, "RELIANCE", "5minute").read()) == 13 * 75


# hybrid


def test_hybrid_asks_nothing_when_the_cache_has_it_all(hybrid, served, tmp_path):
    served.logged_in = False
    fill(tmp_path, *JANUARY)
    loaded = hybrid().load("RELIANCE", "5minute", *JANUARY)
    assert (same(loaded.bars, source()), served.asked, loaded.report.verdict) == (True, [], "ok")


def test_hybrid_asks_for_what_is_missing_and_for_nothing_else(hybrid, served, tmp_path):
    fill(tmp_path, JANUARY[0], dt.date(2024, 1, 5))
    fill(tmp_path, dt.date(2024, 1, 15), JANUARY[1])
    loaded = hybrid().load("RELIANCE", "5minute", *JANUARY)
    assert (same(loaded.bars, source()), loaded.report.verdict) == (True, "ok")
    assert [(call[2].date(), call[3].date()) for call in served.asked] == [(MONDAY, FRIDAY)]
    served.logged_in = False
    assert same(hybrid().load("RELIANCE", "5minute", *JANUARY).bars, source())


@pytest.mark.parametrize("cached", [True, False])
def test_hybrid_begins_with_an_empty_cache(hybrid, served, cached):
    assert same(hybrid(cached=cached).load("RELIANCE", "5minute", *JANUARY).bars, source())


def test_hybrid_without_a_cache_adds_what_is_missing_in_memory(hybrid, served, tmp_path):
    fill(tmp_path, JANUARY[0], dt.date(2024, 1, 10))
    loaded = hybrid(cached=False).load("RELIANCE", "5minute", *JANUARY)
    assert same(loaded.bars, source())
    assert len(cachefiles.names(tmp_path / "RELIANCE" / "5minute")) == 1


def test_a_session_at_an_end_of_the_range_is_tolerated_and_told(hybrid, served, tmp_path):
    fill(tmp_path, dt.date(2024, 1, 2), dt.date(2024, 1, 30))
    loaded = hybrid().load("RELIANCE", "5minute", *JANUARY)
    assert (served.asked, rules(loaded)) == ([], {"edge_of_cache"})
    assert "no bar of RELIANCE on 2024-01-01, 2024-01-31" in loaded.report.findings[-1].message


def test_two_sessions_at_an_end_are_fetched(hybrid, served, tmp_path):
    fill(tmp_path, dt.date(2024, 1, 3), JANUARY[1])
    assert same(hybrid().load("RELIANCE", "5minute", *JANUARY).bars, source())
    assert len(served.asked) == 1


def test_the_newest_session_of_all_is_always_fetched(hybrid, served, tmp_path):
    fill(tmp_path, JANUARY[0], dt.date(2024, 1, 30))
    loaded = hybrid(at=moment(JANUARY[1], 18)).load("RELIANCE", "5minute", *JANUARY)
    assert (same(loaded.bars, source()), len(served.asked)) == (True, 1)


TROUBLES = [(lambda: SessionLost("Session key is expired."), "expired"), (lambda: Transient("HTTP 500"), "HTTP 500")]


@pytest.mark.parametrize(("trouble", "said"), TROUBLES)
def test_when_the_broker_does_not_answer_hybrid_serves_the_cache_with_a_warning(
    hybrid, served, tmp_path, trouble, said, caplog
):
    fill(tmp_path, JANUARY[0], dt.date(2024, 1, 19))
    served.troubles.append(failing(trouble))
    loaded = hybrid().load("RELIANCE", "5minute", *JANUARY)
    assert same(loaded.bars, source(last=dt.date(2024, 1, 19)))
    found = loaded.report.findings[-1]
    assert (found.rule, found.count, str(found.severity)) == ("partial_cache", 7, "warn")
    assert "lacks 7 of 22 sessions (2024-01-20 to 2024-01-31)" in found.message
    assert said in found.message
    assert "bars are missing" in caplog.text


def test_without_session_and_without_cache_hybrid_says_what_the_broker_said(hybrid, served):
    served.logged_in = False
    with pytest.raises(SessionLost, match="no session at the broker"):
        hybrid().load("RELIANCE", "5minute", *JANUARY)


def test_a_symbol_the_broker_does_not_know_is_served_from_the_cache(hybrid, tmp_path):
    write(tmp_path / "ACME_5m.csv", minutes(MONDAY, FRIDAY, 5))
    loaded = hybrid().load("ACME", "5minute", *JANUARY)
    assert (len(loaded.bars), "ACME is not a symbol NSE lists" in loaded.report.findings[-1].message) == (375, True)


def test_a_session_that_was_answered_without_a_bar_is_not_asked_for_again(hybrid, served, tmp_path):
    served.known["RELIND", "5minute"] = made("RELIND", "5minute", dt.date(2024, 1, 10))
    assert len(hybrid().load("RELIANCE", "5minute", *JANUARY).bars) == 15 * 75
    calls = len(served.asked)
    assert len(hybrid().load("RELIANCE", "5minute", *JANUARY).bars) == 15 * 75
    assert len(served.asked) == calls


def test_what_the_broker_lacks_too_is_told(hybrid, served, tmp_path):
    served.known["RELIND", "5minute"] = made("RELIND", "5minute", JANUARY[0], dt.date(2024, 1, 25))
    loaded = hybrid().load("RELIANCE", "5minute", *JANUARY)
    assert rules(loaded) == {"partial_cache"}
    assert loaded.report.findings[-1].message.endswith("(2024-01-29, 2024-01-30, 2024-01-31): the broker has none")


def test_bars_made_from_finer_ones_count_as_there(hybrid, served, tmp_path):
    fill(tmp_path, *JANUARY)
    loaded = hybrid().load("RELIANCE", "15minute", *JANUARY)
    assert (len(loaded.bars), served.asked) == (22 * 25, [])


def test_the_files_of_others_are_not_hidden_by_what_is_fetched(hybrid, served, tmp_path):
    write(tmp_path / "RELIANCE_1d.csv", daily_rows(dt.date(2023, 1, 2), dt.date(2023, 12, 29), level=2500))
    found = hybrid().load("RELIANCE", "1day", dt.date(2023, 1, 2), JANUARY[1]).bars
    assert same(between(found, *JANUARY), source("1day"))
    assert found.ts[0] == int(moment(dt.date(2023, 1, 2)).timestamp())


# the session that goes on


def test_the_session_that_goes_on_is_given_up_to_its_last_bar_and_kept_nowhere(hybrid, breeze, served, tmp_path):
    at = moment(FRIDAY, 11, 3)
    for feed in (hybrid(at=at), breeze(at=at)):
        found = feed.load("RELIANCE", "5minute", MONDAY, FRIDAY).bars
        assert same(found, source(first=MONDAY, last=FRIDAY).until(4 * 75 + 21))
    assert BarCache(tmp_path, "RELIANCE", "5minute").claims() == [(MONDAY, dt.date(2024, 1, 11))]


def test_the_first_minutes_of_a_day_are_enough(hybrid, breeze):
    at = moment(MONDAY, 9, 21)
    for feed in (hybrid(at=at), breeze(at=at)):
        assert len(feed.load("RELIANCE", "5minute", MONDAY, MONDAY).bars) == 1


def test_of_a_day_that_goes_on_there_is_no_daily_bar(hybrid):
    found = hybrid(at=moment(FRIDAY, 11, 0)).load("RELIANCE", "1day", MONDAY, FRIDAY)
    assert len(found.bars) == 4


def test_without_a_session_the_cache_is_served_and_today_is_told_to_be_missing(hybrid, served, tmp_path):
    served.logged_in = False
    fill(tmp_path, MONDAY, dt.date(2024, 1, 11))
    loaded = hybrid(at=moment(FRIDAY, 11, 0)).load("RELIANCE", "5minute", MONDAY, FRIDAY)
    assert len(loaded.bars) == 4 * 75
    assert "lacks 1 of 5 sessions (2024-01-12): there is no session" in loaded.report.findings[-1].message


def test_whoever_looks_every_second_asks_once_a_bar(served, tmp_path):
    now = [0.0]
    answers = Answers(lambda: now[0])
    for second in range(0, 600, 2):
        now[0] = float(second)
        at = moment(MONDAY, 11, 0) + dt.timedelta(seconds=second)
        a_feed(HybridFeed, served, tmp_path, at=at, answers=answers).load("RELIANCE", "5minute", MONDAY, MONDAY)
    assert len({(call[2], call[3]) for call in served.asked}) == 2
    assert len(served.asked) <= 10


def test_a_broker_that_does_not_answer_is_left_alone_for_a_while(served, tmp_path):
    now = [0.0]
    answers = Answers(lambda: now[0])
    served.troubles.append(failing(lambda: Transient("HTTP 500")))
    fill(tmp_path, MONDAY, dt.date(2024, 1, 10))
    for second in range(0, 120, 2):
        now[0] = float(second)
        a_feed(HybridFeed, served, tmp_path, answers=answers).load("RELIANCE", "5minute", MONDAY, FRIDAY)
    assert len(served.asked) == 2 * 4


# state


def test_a_feed_over_the_configured_cache_advances_the_state(served, settings):
    folder = runs.paths.resolve(settings.DESK.data_feed_csv_directory)
    a_feed(HybridFeed, served, folder).load("RELIANCE", "5minute", *JANUARY)
    assert fetch_states.believed(FetchState.objects.get()).last_fetch == JANUARY[1]


# how the desk asks for them


def test_a_source_is_one_word():
    word = feeds.source("hybrid", "/a/b:c")
    assert feeds.split(word) == ("hybrid", "/a/b:c")
    assert feeds.split("/a/hybrid:x") == ("", "/a/hybrid:x")
    assert feeds.split("demo") == ("", "demo")


def test_the_words_of_the_command_line_name_a_source(settings, tmp_path, monkeypatch):
    configured = runs.paths.resolve(settings.DESK.data_feed_csv_directory)
    assert runs.source_of("hybrid", "") == f"hybrid:{configured}"
    assert runs.source_of("breeze", str(tmp_path / "new")) == f"breeze:{tmp_path}/new"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hybrid:x").mkdir()
    assert runs.source_of("csv", "hybrid:x") == str(tmp_path / "hybrid:x")
    with pytest.raises(BadInput, match="data source 'bloomberg' is not known"):
        runs.source_of("bloomberg", "")


def test_lanes_come_from_a_cache_without_a_session_and_say_what_is_missing(tmp_path):
    fill(tmp_path, MONDAY, FRIDAY)
    wanted = markets.want(f"hybrid:{tmp_path}", ["RELIANCE"], "5minute", MONDAY, FRIDAY, today=NOW.date())
    (lane,) = markets.lanes(wanted, at=NOW)
    assert (len(lane.bars), lane.notes) == (375, ())
    wider = markets.want(f"hybrid:{tmp_path}", ["RELIANCE"], "5minute", *JANUARY, today=NOW.date())
    (lane,) = markets.lanes(wider, at=NOW)
    assert "RELIANCE 5minute lacks 17 of 22 sessions" in lane.notes[0]
    assert markets.every_symbol(f"hybrid:{tmp_path}", "5minute", at=NOW) == ["RELIANCE"]
    assert markets.every_symbol(f"breeze:{tmp_path}/nothing", "5minute", at=NOW) == []
