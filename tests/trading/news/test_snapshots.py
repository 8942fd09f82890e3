"""Daily snapshots: fetched once, completed when their day is over, capped, retried, and never made up."""

import datetime as dt
import json

import pytest

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from tests.trading.desks import command
from tests.trading.news.server import NOON, article, post
from trading.core.snapshot_lines import read
from trading.models import NewsCall, NewsItem, SnapshotFetch
from trading.services import snapshot_states, snapshots
from trading.services.snapshot_plans import ask
from trading.services.snapshots import Fetching

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)
SATURDAY, SUNDAY = TODAY - 2 * DAY, TODAY - DAY


@pytest.fixture
def folder(tmp_path, both, with_settings):
    """A folder of snapshots, NewsAPI asked for them, and a home of its own for the state."""
    with_settings(sentiment_snapshot_output_dir=str(tmp_path / "s"), sentiment_snapshot_providers=("newsapi",))
    snapshot_states.file().unlink(missing_ok=True)
    return tmp_path / "s"


@pytest.fixture
def fetch(clock):
    def go(start=SUNDAY, end=SUNDAY, symbols=("ACME",), **more):
        if more.get("incremental"):
            start = None
        run = Fetching(ask(symbols=symbols, start=start, end=end, at=clock(), **more), clock=clock, sleep=clock.sleep)
        list(run.steps())
        run.finish()
        return run

    return go


def states(run):
    return [each.state for each in run.results]


def line_of(folder, day=SUNDAY, symbol="ACME"):
    return read((folder / symbol / f"{day}.jsonl").read_text())


def on(day, title, hour=12):
    at = dt.datetime(day.year, day.month, day.day, hour, tzinfo=IST)
    return article(title, publishedAt=f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}")


def test_a_day_becomes_one_line_in_the_document_s_layout(folder, outside, fetch, clock):
    outside.articles = [on(SUNDAY, "Acme profit surges"), on(SUNDAY, "Acme wins order", 15)]
    assert states(fetch()) == ["fetched"]
    text = (folder / "ACME" / "2026-11-22.jsonl").read_text()
    told = json.loads(text)
    assert text.count("\n") == 1
    assert list(told) == ["symbol", "date", "timestamp", "score", "confidence", "providers", "metadata"]
    assert (told["symbol"], told["date"], told["providers"]) == ("ACME", "2026-11-22", ["newsapi"])
    assert told["timestamp"] == clock().astimezone(IST).isoformat(timespec="seconds")
    assert told["score"] > 0.0
    assert told["metadata"]["article_count"] == 2


def test_only_what_was_published_on_the_day_counts(folder, outside, fetch):
    outside.articles = [
        on(SUNDAY, "Acme profit surges"), on(SATURDAY, "Acme shares plunge"), on(TODAY, "Acme shares plunge", 0),
    ]  # fmt: skip
    fetch()
    asked = outside.seen[0]["query"]
    assert (asked["from"], asked["to"]) == ("2026-11-21T18:30:00", "2026-11-22T18:30:00")
    assert line_of(folder).metadata["article_count"] == 1
    assert line_of(folder).score > 0.0


def test_several_providers_are_averaged_by_weight_and_noted(folder, outside, fetch):
    outside.articles = [on(SUNDAY, "Acme profit surges")]
    outside.posts = [post("Acme to the moon, great growth", 24 * 60)]
    fetch(providers=("newsapi", "twitter"))
    line = line_of(folder)
    assert line.providers == ("newsapi", "twitter")
    assert (line.metadata["article_count"], line.metadata["tweet_count"]) == (1, 1)
    scores = line.metadata["scores"]
    assert line.score == pytest.approx(scores["newsapi"] * 0.6 + scores["twitter"] * 0.4, abs=1e-5)


def test_when_one_provider_fails_the_other_s_word_stands_and_the_failure_is_noted(folder, outside, fetch):
    outside.articles = [on(SUNDAY, "Acme profit surges")]
    outside.always["twitter"] = ("status", 400)
    fetch(providers=("newsapi", "twitter"))
    assert line_of(folder).providers == ("newsapi",)
    assert "HTTP 400" in line_of(folder).metadata["failed"]["twitter"]


def test_a_day_without_news_is_a_line_without_an_opinion(folder, fetch):
    assert states(fetch()) == ["fetched"]
    line = line_of(folder)
    assert (line.score, line.confidence, line.providers) == (0.0, 0.0, ("newsapi",))
    assert line.value != line.value


def test_every_item_is_kept_as_fetched_now(folder, outside, fetch, clock):
    outside.articles = [on(SUNDAY, "Acme profit surges")]
    fetch()
    assert NewsItem.objects.get().fetched_at == clock()
    assert NewsCall.objects.get().purpose == "snapshot"
    row = SnapshotFetch.objects.get()
    assert (row.day, row.complete, row.path) == (SUNDAY, True, str(folder / "ACME" / "2026-11-22.jsonl"))
    assert str(row) == "ACME 2026-11-22"


def test_what_is_there_is_not_asked_for_again_unless_it_is_forced(folder, outside, fetch):
    fetch(start=SATURDAY)
    assert states(fetch(start=SATURDAY)) == ["cached", "cached"]
    assert len(outside.seen) == 2
    outside.articles = [on(SUNDAY, "Acme profit surges")]
    assert states(fetch(force=True)) == ["fetched"]
    assert line_of(folder).score > 0.0
    assert SnapshotFetch.objects.filter(day=SUNDAY).count() == 2


def test_the_present_day_is_fetched_as_far_as_it_is_and_completed_later(folder, outside, fetch, clock):
    outside.articles = [on(TODAY, "Acme profit surges", 9)]
    fetch(start=TODAY, end=TODAY)
    assert not line_of(folder, TODAY).complete
    assert states(fetch(start=TODAY, end=TODAY)) == ["cached"]
    clock.at += DAY
    outside.articles = [on(TODAY, "Acme shares plunge", 20)]
    assert states(fetch(start=TODAY, end=TODAY)) == ["fetched"]
    whole = line_of(folder, TODAY)
    assert whole.complete
    (first, score), (second, later) = whole.points
    assert (first, second) == (NOON, clock())
    assert score > 0.0 > later


@pytest.mark.parametrize("fault", [("status", 503), ("status", 429), ("drop",), ("hang",)])
def test_what_may_pass_is_tried_again_two_and_four_seconds_later(folder, outside, fetch, clock, fault):
    outside.faults["newsapi"] = [fault, fault]
    run = fetch()
    assert states(run) == ["fetched"]
    assert clock.slept == [2.0, 4.0]
    assert run.requests == 3


def test_who_says_how_long_to_wait_is_believed(folder, outside, fetch, clock):
    outside.faults["newsapi"] = [("status", 429, {"Retry-After": "30"})]
    assert states(fetch()) == ["fetched"]
    assert clock.slept == [30.0]


@pytest.mark.parametrize("status", [400, 404])
def test_what_will_not_pass_is_not_tried_again(folder, outside, fetch, clock, status):
    outside.faults["newsapi"] = [("status", status)]
    run = fetch(start=SATURDAY)
    assert states(run) == ["failed", "fetched"]
    assert clock.slept == []
    assert f"HTTP {status}" in run.results[0].error
    assert not (folder / "ACME" / "2026-11-21.jsonl").exists()


def test_attempts_are_as_many_as_the_settings_allow(folder, outside, fetch, clock, with_settings):
    with_settings(sentiment_snapshot_retry_limit=2, sentiment_snapshot_retry_backoff_seconds=5)
    outside.always["newsapi"] = ("status", 503)
    run = fetch()
    assert (states(run), clock.slept, run.requests) == (["failed"], [5.0], 2)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run_at_once(folder, outside, fetch, status):
    outside.always["newsapi"] = ("status", status)
    run = fetch(start=TODAY - 5 * DAY)
    assert states(run) == ["failed", "left", "left", "left", "left"]
    assert len(outside.seen) == 1
    assert f"HTTP {status}" in run.stopped


def test_an_open_circuit_ends_the_run_instead_of_hammering(folder, outside, fetch, with_settings):
    with_settings(sentiment_circuit_breaker_threshold=2)
    outside.always["newsapi"] = ("status", 400)
    run = fetch(start=TODAY - 6 * DAY)
    assert states(run) == ["failed"] * 3 + ["left"] * 3
    assert "its circuit is open" in run.stopped


def test_our_own_ration_is_waited_for(folder, outside, fetch, clock, with_settings):
    with_settings(sentiment_newsapi_rate_limit=2)
    assert states(fetch(start=TODAY - 4 * DAY)) == ["fetched"] * 4
    assert clock.slept == pytest.approx([30.0, 30.0])


def test_a_day_s_cap_leaves_the_rest_for_tomorrow(folder, outside, fetch, clock, with_settings):
    with_settings(sentiment_snapshot_max_per_day=2)
    run = fetch(start=TODAY - 3 * DAY)
    assert states(run) == ["fetched", "fetched", "left"]
    assert "SENTIMENT_SNAPSHOT_MAX_PER_DAY" in run.stopped
    assert states(fetch(start=TODAY - 3 * DAY)) == ["cached", "cached", "left"]
    clock.at += DAY
    assert states(fetch(start=TODAY - 3 * DAY)) == ["cached", "cached", "fetched"]


def test_days_out_of_reach_fail_without_a_question(folder, outside, fetch):
    run = fetch(start=TODAY - 30 * DAY, end=TODAY - 30 * DAY, providers=("twitter",))
    assert (states(run), outside.seen) == (["failed"], [])
    assert "7 days" in run.results[0].error


def test_the_stub_needs_no_key_asks_nobody_and_makes_nothing_up(folder, outside, fetch):
    assert states(fetch(providers=("stub",))) == ["fetched"]
    line = line_of(folder)
    assert (line.providers, outside.seen) == (("stub",), [])
    assert (line.score, line.confidence) == (0.0, 0.5)


def test_a_dry_run_writes_mocks_asks_nobody_and_keeps_no_row(folder, outside, fetch):
    run = fetch(start=SATURDAY, dryrun=True)
    assert (states(run), outside.seen) == (["mock", "mock"], [])
    assert line_of(folder).metadata == {"dryrun": True}
    assert not SnapshotFetch.objects.exists()
    assert states(fetch(start=SATURDAY, dryrun=True)) == ["cached", "cached"]
    assert states(fetch(start=SATURDAY)) == ["fetched", "fetched"]
    assert not line_of(folder).mock


def test_a_dry_run_never_replaces_what_is_real(folder, outside, fetch):
    fetch()
    before = line_of(folder)
    assert states(fetch(dryrun=True, force=True)) == ["cached"]
    assert line_of(folder) == before


def test_the_first_incremental_run_goes_back_as_far_as_it_is_told(folder, fetch):
    run = fetch(end=None, incremental=True, lookback=3)
    assert [each.day for each in run.results] == [SATURDAY, SUNDAY, TODAY]


def test_the_next_one_goes_on_after_the_last_whole_day(folder, outside, fetch, clock):
    fetch(end=None, incremental=True, lookback=3)
    clock.at += DAY
    run = fetch(end=None, incremental=True, lookback=3)
    assert [(each.day, each.state) for each in run.results] == [(TODAY, "fetched"), (TODAY + DAY, "fetched")]


def test_a_day_that_failed_is_tried_again_by_the_next_one(folder, outside, fetch, clock):
    outside.faults["newsapi"] = [None, ("status", 400), None]
    assert states(fetch(end=None, incremental=True, lookback=3)) == ["fetched", "failed", "fetched"]
    clock.at += DAY
    run = fetch(end=None, incremental=True, lookback=4)
    assert [(each.day, each.state) for each in run.results] == [
        (SUNDAY, "fetched"), (TODAY, "fetched"), (TODAY + DAY, "fetched"),
    ]  # fmt: skip


def test_each_symbol_goes_on_from_its_own_last_day(folder, fetch, clock):
    fetch(end=None, incremental=True, lookback=3)
    run = fetch(end=None, symbols=("ACME", "TCS"), incremental=True, lookback=2)
    assert [(each.symbol, each.day) for each in run.results] == [("ACME", TODAY), ("TCS", SUNDAY), ("TCS", TODAY)]


def test_scripts_read_the_state_as_the_document_lays_it_out(folder, fetch, clock):
    fetch(start=SATURDAY)
    told = json.loads(snapshot_states.file().read_text())
    assert told["symbols"] == {
        "ACME": {"last_fetch_date": "2026-11-22T00:00:00", "last_updated": "2026-11-23T12:00:00+05:30"}
    }
    assert told["last_run"] == {
        "timestamp": "2026-11-23T12:00:00+05:30", "run_type": "full", "success": True, "dryrun": False,
        "symbols_processed": ["ACME"], "files_created": 2, "errors": 0,
    }  # fmt: skip
    assert snapshot_states.file() == paths.resolve("data/state/sentiment_fetch.json")


def test_the_state_never_goes_back_and_a_dry_run_does_not_move_it(folder, fetch):
    fetch()
    fetch(start=TODAY - 9 * DAY, end=TODAY - 9 * DAY)
    fetch(start=TODAY, end=TODAY, dryrun=True)
    told = json.loads(snapshot_states.file().read_text())
    assert told["symbols"]["ACME"]["last_fetch_date"] == "2026-11-22T00:00:00"
    assert told["last_run"]["dryrun"] is True


def test_without_rows_the_state_file_of_another_desk_is_gone_on_from(folder, fetch):
    snapshot_states.file().parent.mkdir(parents=True, exist_ok=True)
    snapshot_states.file().write_text(json.dumps({"symbols": {"ACME": {"last_fetch_date": "2026-11-22T00:00:00"}}}))
    run = fetch(end=None, incremental=True)
    assert [each.day for each in run.results] == [SUNDAY, TODAY]


@pytest.mark.parametrize("text", ["{", "[]", '{"symbols": 5}', '{"symbols": {"ACME": {"last_fetch_date": "soon"}}}'])
def test_a_broken_state_file_is_not_believed(folder, fetch, text):
    snapshot_states.file().parent.mkdir(parents=True, exist_ok=True)
    snapshot_states.file().write_text(text)
    assert len(fetch(end=None, incremental=True, lookback=2).results) == 2
    assert json.loads(snapshot_states.file().read_text())["symbols"]["ACME"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": SUNDAY, "end": SATURDAY}, "lies after the end"),
        ({"end": TODAY + DAY}, "lies in the future"),
        ({"start": dt.date(1999, 1, 1)}, "lies before"),
        ({"symbols": ["../etc"]}, "not an NSE symbol"),
        ({"providers": ["reuters"]}, "no provider 'reuters'"),
        ({"lookback": 0}, "lookback of 0 days"),
        ({"start": SUNDAY, "incremental": True}, "--incremental"),
    ],
)
def test_what_cannot_be_is_refused_in_words(both, clock, wrong, words):
    with pytest.raises(BadInput, match=words):
        ask(at=clock(), **wrong)


def test_a_provider_without_a_key_is_refused_unless_nobody_is_asked(clock):
    with pytest.raises(BadInput, match="newsapi has no key"):
        ask(providers=["newsapi"], at=clock())
    assert ask(providers=["newsapi"], dryrun=True, at=clock()).providers == ("newsapi",)


def test_what_is_left_open_comes_from_the_settings(clock):
    asked = ask(at=clock())
    assert asked.symbols == ("RELIANCE", "TCS", "INFY")
    assert (asked.start, asked.end) == (TODAY - 29 * DAY, TODAY)
    assert asked.providers == ("stub",)


def test_the_daily_run_does_nothing_until_it_is_switched_on(folder, outside, clock, with_settings):
    assert snapshots.scheduled(clock=clock) == 0
    assert outside.seen == []
    with_settings(sentiment_snapshot_enabled=True, incremental_lookback_days=2)
    assert snapshots.scheduled(clock=clock) == 2


# --- the command ---


def test_the_command_tells_what_came_of_it_and_where_it_lies(tmp_path, with_settings):
    with_settings(sentiment_snapshot_output_dir=str(tmp_path))
    words = ("--symbols", "RELIANCE,TCS", "--start-date", "2024-01-01", "--end-date", "2024-01-02")
    code, out, err = command("fetch_sentiment_snapshots", *words, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["stats"] == {"fetched": 4, "cached": 0, "failed": 0, "mock": 0, "left": 0, "total_requests": 4}
    assert told["date_range"] == {"start": "2024-01-01", "end": "2024-01-02", "days": 2}
    assert (tmp_path / "TCS" / "2024-01-02.jsonl").exists()
    code, out, err = command("fetch_sentiment_snapshots", *words)
    assert (code, "0 fetched, 4 there already" in out) == (0, True)


def test_the_command_fails_in_one_line_and_still_tells_everything(folder, outside, with_settings):
    outside.always["newsapi"] = ("status", 401)
    code, out, err = command("fetch_sentiment_snapshots", "--symbols", "ACME", "--lookback-days", "2", "--json")
    assert code == 1
    assert err.startswith("error: 2 of 2 days lack: newsapi: HTTP 401")
    assert err.count("\n") == 1
    assert json.loads(out)["stats"]["left"] == 1


def test_the_command_says_what_a_dry_run_is(tmp_path):
    words = ("--symbols", "ACME", "--lookback-days", "2", "--output-dir", tmp_path, "--dryrun")
    code, out, _ = command("fetch_sentiment_snapshots", *words)
    assert code == 0
    assert "nobody was asked; 2 neutral mock files" in out
    code, out, err = command("fetch_sentiment_snapshots", "--symbols", "a b")
    assert (code, out) == (2, "")
    assert "not an NSE symbol" in err
