"""Twitter v2 as it is: its query, its token, its pages, its reach, and how much a post counts."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.news.server import NOON, TOKEN, post
from trading.adapters.news.errors import KeyRefused, OutOfReach, RateLimited, Transient, Unreadable
from trading.adapters.news.twitter import LOUDEST, Twitter, engagement, query
from trading.core.news import Question


@pytest.fixture
def api(outside):
    return Twitter(TOKEN, f"{outside.url}/2", timeout=0.5)


def free():
    """A ration without end."""


def test_posts_come_newest_first_and_weigh_what_people_cared(outside, api, question):
    outside.posts = [post("Acme to the moon", 50, likes=100, retweets=20, number=7), post("Acme is fine", 5)]
    quiet, loud = api.fetch(question(), free).stories
    assert (quiet.text, quiet.weight, quiet.title) == ("Acme is fine", 1.0, "")
    assert loud.weight == pytest.approx(1 + 4.9488, abs=1e-3)
    assert loud.url == "https://twitter.com/i/web/status/7"


def test_the_token_travels_in_a_header(outside, api, question):
    api.fetch(question(), free)
    (seen,) = outside.seen
    assert seen["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert seen["path"] == "/2/tweets/search/recent"
    assert TOKEN not in str(seen["query"])


def test_it_is_looked_for_by_name_and_cashtag_without_retweets_in_english(outside, api, question):
    api.fetch(question(), free)
    assert outside.seen[0]["query"]["query"] == '("Acme Widgets" OR "Acme" OR $ACME OR #ACME) -is:retweet lang:en'


def test_a_cashtag_has_no_signs_in_it():
    assert "$MM OR #MM" in query(Question("M&M", ("Mahindra & Mahindra",), NOON, NOON, NOON))


def test_a_query_never_outgrows_what_twitter_takes():
    names = tuple(f"A rather long company name number {k}" for k in range(40))
    told = query(Question("ACME", names, NOON, NOON, NOON))
    assert len(told) <= 512
    assert "$ACME OR #ACME) -is:retweet lang:en" in told


def test_pages_follow_the_token_of_the_one_before(outside, api, question):
    outside.posts = [post(f"Acme {k}", k + 1, number=k) for k in range(25)]
    outside.page = 10
    assert len(api.fetch(question(), free).stories) == 25
    assert [seen["query"].get("next_token") for seen in outside.seen] == [None, "p10", "p20"]


def test_the_end_keeps_its_distance_from_now_and_the_start_within_reach(outside, api, question):
    api.fetch(question(hours=24 * 30), free)
    asked = outside.seen[0]["query"]
    assert asked["end_time"] == "2026-11-23T06:29:45Z"
    assert asked["start_time"] == "2026-11-16T06:30:15Z"


def test_days_it_does_not_go_back_to_are_not_asked_for(outside, api, question):
    with pytest.raises(OutOfReach, match="7 days") as caught:
        api.fetch(question(until=NOON - dt.timedelta(days=30)), free)
    assert outside.seen == []
    assert not caught.value.failure


def test_a_search_without_a_result_is_an_answer(api, question):
    assert api.fetch(question(), free).stories == ()


def test_retweets_and_what_lacks_words_or_time_are_left_out(outside, api, question):
    outside.posts = [
        post("RT @someone: Acme"), post(""), {"text": "Acme, when?"}, None, 5,
        {**post("Acme stands"), "public_metrics": None},
    ]  # fmt: skip
    answer = api.fetch(question(), free)
    assert [(story.text, story.weight) for story in answer.stories] == [("Acme stands", 1.0)]
    assert answer.unusable == 5


def test_a_token_that_is_refused_is_said_so(outside, question):
    with pytest.raises(KeyRefused, match="HTTP 401: Unauthorized"):
        Twitter("another-token", f"{outside.url}/2").fetch(question(), free)
    with pytest.raises(KeyRefused, match="no bearer token"):
        Twitter("", outside.url)


def test_too_many_requests_name_the_moment_of_the_reset(outside, api, question):
    outside.faults["twitter"] = [("status", 429, {"x-rate-limit-reset": str(int(NOON.timestamp()) + 900)})]
    with pytest.raises(RateLimited) as caught:
        api.fetch(question(), free)
    assert caught.value.retry_after == 900.0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (("status", 503), Transient), (("hang",), Transient), (("drop",), Transient), (("body", "x"), Unreadable),
        (("body", "{}"), Unreadable), (("body", '{"data": "many"}'), Unreadable), (("huge",), Unreadable),
    ],
)  # fmt: skip
def test_bad_days_are_told_apart(outside, api, question, fault, error):
    outside.faults["twitter"] = [fault]
    with pytest.raises(error):
        api.fetch(question(), free)


@given(
    st.dictionaries(
        st.sampled_from(["like_count", "retweet_count", "reply_count", "x"]), st.integers() | st.none() | st.text()
    )
)
def test_no_post_weighs_less_than_a_silent_one_or_more_than_the_loudest(metrics):
    assert 1.0 <= engagement(metrics) <= LOUDEST


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_care_never_weighs_less(likes, more):
    assert engagement({"like_count": likes}) <= engagement({"like_count": likes + more})
