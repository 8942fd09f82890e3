"""What a bar may know of the news: the desk's own scores from two seconds on, snapshots from when they were known."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensequant.lib import paths
from sensequant.lib.clock import IST
from tests.trading.bar_files import minutes, write
from trading.core.calendar import NSE
from trading.core.snapshot_lines import SnapshotLine, ends
from trading.models import SentimentScore
from trading.services import markets, news_history, snapshots
from trading.services.sentiment_board import Board

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY, FRIDAY = dt.date(2026, 11, 16), dt.date(2026, 11, 17), dt.date(2026, 11, 20)
MINUTE = 60


def at(hour, minute=0, second=0, day=TUESDAY):
    return dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=IST)


def bars(*moments):
    return np.array([int(each.timestamp()) for each in moments], np.int64)


def believed(value, when, symbol="ACME"):
    return SentimentScore.objects.create(symbol=symbol, at=when, value=value, confidence=0.8)


@pytest.fixture
def folder(tmp_path, with_settings):
    with_settings(sentiment_snapshot_output_dir=str(tmp_path))
    return tmp_path


def snapshot(folder, day=MONDAY, score=0.6, when=None, **metadata):
    line = SnapshotLine("ACME", day, when or at(10, day=FRIDAY), score, 0.8, ("newsapi",), metadata)
    return snapshots.write(folder, line)


def heard(*moments, minutes=5, symbol="ACME"):
    return news_history.sentiment(symbol, bars(*moments), minutes, calendar=NSE).tolist()


def test_a_bar_knows_what_was_believed_at_its_end():
    believed(0.4, at(9, 59, 50))
    believed(-0.7, at(10, 5))
    assert heard(at(9, 55), at(10), at(10, 5)) == [0.4, 0.4, -0.7]


def test_a_score_counts_from_two_seconds_after_it_was_made():
    believed(0.4, at(9, 59, 58))
    believed(-0.7, at(9, 59, 59))
    assert heard(at(9, 55)) == [0.4]
    assert news_history.counts_from(at(9, 59, 58)) == int(at(10).timestamp())


def test_neutral_ends_what_was_believed_before():
    believed(0.4, at(9, 30))
    believed(None, at(9, 50))
    first, second = heard(at(9, 40), at(9, 50))
    assert first == 0.4
    assert math.isnan(second)


def test_what_is_older_than_a_day_counts_for_nothing():
    believed(0.4, at(10, 0, 30, day=MONDAY))
    first, second = heard(at(9, 55), at(10))
    assert first == 0.4
    assert math.isnan(second)


def test_a_symbol_nobody_spoke_of_has_no_sentiment_at_all(folder):
    believed(0.4, at(9), symbol="TCS")
    assert heard(at(9, 55)) == []
    assert news_history.sentiment("ACME", bars(), 5, calendar=NSE).size == 0


def test_a_snapshot_fetched_later_counts_from_the_end_of_its_day(folder):
    snapshot(folder)
    monday, tuesday = heard(at(15, 20, day=MONDAY), at(9, 15))
    assert math.isnan(monday)
    assert tuesday == 0.6


def test_a_snapshot_fetched_on_its_day_counts_from_then(folder):
    snapshot(folder, day=TUESDAY, when=at(11))
    before, after = heard(at(10, 54), at(10, 55))
    assert math.isnan(before)
    assert after == 0.6


def test_a_dry_run_s_snapshot_is_passed_over(folder):
    snapshot(folder, dryrun=True)
    assert heard(at(9, 15)) == []


def test_a_daily_bar_knows_no_more_than_its_session(folder):
    snapshot(folder, day=MONDAY, score=0.6)
    believed(-0.9, at(18))
    midnight = bars(dt.datetime.combine(TUESDAY, dt.time(), IST))
    assert news_history.sentiment("ACME", midnight, 1440, calendar=NSE).tolist() == [0.6]


def test_where_the_desk_kept_scores_what_was_fetched_afterwards_does_not_count(folder):
    believed(None, at(15, day=MONDAY))
    snapshot(folder, score=0.6)
    assert math.isnan(heard(at(9, 15))[0])


def test_what_was_known_on_the_day_counts_beside_the_desk_s_own_scores(folder):
    believed(0.1, at(9, 30))
    snapshot(folder, day=TUESDAY, when=at(11), score=0.6)
    believed(0.2, at(11, 30))
    assert heard(at(10), at(11), at(11, 30)) == [0.1, 0.6, 0.2]


def test_completing_a_day_never_changes_what_was_known_on_it(folder):
    first = SnapshotLine("ACME", MONDAY, at(18, day=MONDAY), 0.6, 0.8, ("newsapi",))
    snapshots.write(folder, first)
    before = heard(at(9, 15), at(15, 20))
    later = SnapshotLine("ACME", MONDAY, at(18, day=TUESDAY), -0.9, 0.8, ("newsapi",))
    snapshots.write(folder, later.completing(first))
    assert heard(at(9, 15), at(15, 20)) == before == [0.6, 0.6]
    assert heard(at(9, 15, day=dt.date(2026, 11, 18))) == [-0.9]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        SnapshotLine("TCS", MONDAY, at(10), 0.6, 0.8, ("newsapi",)).line(),
    ],
)
def test_a_file_that_cannot_be_believed_is_passed_over(folder, text):
    path = snapshot(folder)
    path.write_text(text)
    assert heard(at(9, 15)) == []


def test_files_of_other_names_are_passed_over(folder):
    snapshot(folder)
    (folder / "ACME" / "notes.jsonl").write_text("x")
    assert heard(at(9, 15)) == [0.6]


def test_a_file_that_changes_is_read_again(folder):
    snapshot(folder, score=0.6)
    assert heard(at(9, 15)) == [0.6]
    snapshot(folder, score=-0.2)
    assert heard(at(9, 15)) == [-0.2]


def test_bars_of_a_folder_come_with_the_sentiment_of_their_moment(folder, tmp_path):
    home = tmp_path / "bars"
    home.mkdir()
    write(home / "ACME_5m.csv", minutes(MONDAY, TUESDAY, 5))
    snapshot(folder, score=0.6)
    wanted = markets.want(str(home), ["ACME"], "5minute", MONDAY, TUESDAY, today=FRIDAY)
    (lane,) = markets.lanes(wanted, at=at(12, day=FRIDAY))
    days = (lane.bars.ts + 19_800) // 86_400
    assert np.isnan(lane.sentiment[days == days[0]]).all()
    assert (lane.sentiment[days == days[-1]] == 0.6).all()


def test_a_training_knows_where_a_symbol_s_snapshots_lie(folder):
    snapshot(folder)
    told = snapshots.available("ACME", MONDAY, TUESDAY)
    assert told["sentiment_available"] is True
    assert told["sentiment_snapshot_path"].endswith("/ACME")
    assert snapshots.available("ACME", FRIDAY, FRIDAY) == {
        "sentiment_snapshot_path": None,
        "sentiment_available": False,
    }
    assert paths.resolve("x").is_absolute()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(-1, 1) | st.none()), max_size=10), st.integers(0, 60))
def test_an_engine_that_reads_the_board_and_a_replay_see_the_same(scores, k):
    """Whatever was believed when: what memory says at a bar's end is what rows say of that bar afterwards."""
    SentimentScore.objects.all().delete()
    for minute, value in scores:
        believed(value, at(9) + dt.timedelta(minutes=minute))
    bar = at(9, 15) + dt.timedelta(minutes=5 * k)
    end = bar + dt.timedelta(minutes=5)
    board = Board()
    board.load(["ACME"], at=end)
    live, replayed = board.value("ACME", end.timestamp()), (heard(bar) or [math.nan])[0]
    assert live == replayed or (math.isnan(live) and math.isnan(replayed))


def test_the_board_answers_for_what_it_loaded_alone(folder):
    board = Board()
    assert math.isnan(board.value("ACME", at(10).timestamp()))
    believed(0.4, at(9, 30))
    board.load(["ACME"], at=at(9, 40))
    believed(0.9, at(9, 41), symbol="TCS")
    board.load(["TCS"], at=at(9, 45))
    assert board.value("ACME", at(9, 45).timestamp()) == 0.4
    assert board.value("TCS", at(9, 45).timestamp()) == 0.9
    assert math.isnan(board.value("ACME", at(9, 29).timestamp()))
    assert math.isnan(board.value("ACME", at(10, day=FRIDAY).timestamp()))


def test_a_day_is_over_at_midnight_in_mumbai():
    assert ends(MONDAY) == at(0)
