"""One line a day: what it must hold, and from when on it may be used."""

import datetime as dt
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.calendar import IST
from trading.core.errors import Invalid
from trading.core.snapshot_lines import SnapshotLine, begins, ends, read

DAY = dt.date(2024, 1, 1)
EVENING = dt.datetime(2024, 1, 1, 18, 0, tzinfo=IST)
LATER = dt.datetime(2025, 10, 12, 19, 5, 23, tzinfo=IST)


def line(at=LATER, score=0.65, providers=("newsapi", "twitter"), **metadata):
    return SnapshotLine("RELIANCE", DAY, at, score, 0.82, providers, metadata)


def test_the_document_s_own_line_is_read():
    found = read(
        '{"symbol": "RELIANCE", "date": "2024-01-01", "timestamp": "2025-10-12T19:05:23+05:30", "score": 0.65, '
        '"confidence": 0.82, "providers": ["newsapi", "twitter"], '
        '"metadata": {"article_count": 15, "tweet_count": 237}}\n'
    )
    assert found == line(article_count=15, tweet_count=237)
    assert read(found.line()) == found


def test_the_last_line_of_a_file_counts():
    assert read(line().line() + "\n" + line(score=-0.1).line()).score == -0.1


def test_a_timestamp_without_an_offset_is_the_exchange_s():
    told = json.loads(line().line())
    told["timestamp"] = "2025-10-12T19:05:23"
    del told["metadata"]
    assert read(json.dumps(told)).timestamp == LATER


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": 1.5}, "score 1.5 is not a number from -1 to 1"),
        ({"score": "0.5"}, "score '0.5'"),
        ({"score": True}, "score True"),
        ({"score": float("nan")}, "score nan"),
        ({"confidence": -0.1}, "confidence -0.1"),
        ({"providers": "newsapi"}, "list of names"),
        ({"metadata": []}, "metadata"),
        ({"metadata": [1]}, "not an object"),
        ({"date": "1 January"}, "Invalid isoformat"),
        ({"timestamp": "soon"}, "Invalid isoformat"),
        ({"timestamp": "2023-12-31T23:59:59+05:30"}, "lies before its date"),
        ({"metadata": {"earlier": [["2024-01-01T10:00:00+05:30", 7]]}}, "out of bounds"),
    ],
)
def test_a_line_that_cannot_be_believed_is_refused_in_words(change, words):
    told = {**json.loads(line().line()), **change}
    if change == {"metadata": []}:
        assert read(json.dumps(told)).metadata == {}
        return
    with pytest.raises(Invalid, match=words):
        read(json.dumps(told))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"symbol": "A"}', "lacks date"),
        ("[" * 9_999, "JSON"),
    ],
)
def test_what_is_no_line_is_refused_in_words(text, words):
    with pytest.raises(Invalid, match=words):
        read(text)


def test_what_is_fetched_long_after_counts_from_the_end_of_its_day():
    assert line().points == ((ends(DAY), 0.65),)
    assert (line().complete, line().backfilled) == (True, True)


def test_what_is_fetched_on_its_own_day_counts_from_then():
    assert line(EVENING).points == ((EVENING, 0.65),)
    assert (line(EVENING).complete, line(EVENING).backfilled) == (False, False)


def test_completing_a_day_leaves_what_stood_there_before():
    night = ends(DAY) + dt.timedelta(hours=18)
    whole = read(line(night, score=-0.4).completing(line(EVENING)).line())
    assert whole.points == ((EVENING, 0.65), (night, -0.4))
    assert not whole.backfilled


def test_what_completes_a_day_too_late_is_no_news_any_more():
    whole = line(LATER, score=-0.4).completing(line(EVENING))
    assert whole.points == ((EVENING, 0.65),)


def test_a_day_nobody_had_anything_to_say_on_is_unknown_not_zero():
    assert math.isnan(SnapshotLine("A", DAY, LATER, 0.0, 0.0, ("newsapi",)).value)
    assert math.isnan(line(providers=()).value)
    quiet = SnapshotLine("A", DAY, EVENING, 0.0, 0.0, ("newsapi",))
    assert math.isnan(read(line(ends(DAY)).completing(quiet).line()).points[0][1])


def test_a_dry_run_s_line_says_so():
    assert line(dryrun=True).mock
    assert not line().mock


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2035, 1, 1)), st.integers(0, 10**8), st.floats(-1, 1), st.floats(0, 1),
    st.lists(st.sampled_from(["newsapi", "twitter", "stub"]), unique=True),
)  # fmt: skip
def test_a_line_written_is_read_as_it_was(day, seconds, score, confidence, providers):
    at = begins(day) + dt.timedelta(seconds=seconds)
    made = SnapshotLine("M&M", day, at, round(score, 6), round(confidence, 6), tuple(providers))
    assert read(made.line()) == made
    assert all(begins(day) <= known <= max(at, ends(day)) for known, _ in made.points)
