"""NewsAPI as it is: its query, its key, its pages, its refusals, and what its articles become."""

import pytest

from sensequant.lib import redact
from tests.trading.news.server import KEY, NOON, POOR, article
from trading.adapters.news.errors import KeyRefused, RateLimited, Refused, Transient, Unreadable
from trading.adapters.news.newsapi import NewsApi, query
from trading.core.news import Question


@pytest.fixture
def api(outside):
    return NewsApi(KEY, f"{outside.url}/v2/", timeout=0.5)


def free():
    """A ration without end."""


def test_articles_come_newest_first_with_what_they_say(outside, api, question):
    outside.articles = [
        article("Acme wins order", 90, "Its largest ever."), article("Acme shares rise", 10, outlet="Daily Acme"),
    ]  # fmt: skip
    answer = api.fetch(question(), free)
    newest, older = answer.stories
    assert (newest.title, newest.outlet, newest.url) == ("Acme shares rise", "Daily Acme", "https://news.example/story")
    assert (older.title, older.text, older.weight) == ("Acme wins order", "Its largest ever.", 1.0)
    assert newest.published > older.published
    assert answer.payloads[0]["totalResults"] == 2


def test_the_key_travels_in_a_header_and_never_in_the_address(outside, api, question):
    api.fetch(question(), free)
    (seen,) = outside.seen
    assert seen["headers"]["X-Api-Key"] == KEY
    assert KEY not in str(seen["query"])
    assert seen["path"] == "/v2/everything"


def test_the_company_is_looked_for_by_its_names_and_its_symbol(outside, api, question):
    api.fetch(question(), free)
    asked = outside.seen[0]["query"]
    assert asked["q"] == '"Acme Widgets" OR "Acme"'
    assert (asked["from"], asked["to"], asked["language"]) == ("2026-11-21T06:30:00", "2026-11-23T06:30:00", "en")
    infy = Question("INFY", ("Infosys",), NOON, NOON, NOON)
    assert query(infy) == '"Infosys" OR "INFY"'


def test_a_query_never_outgrows_what_newsapi_takes():
    names = tuple(f"A rather long company name number {k}" for k in range(40))
    told = query(Question("ACME", names, NOON, NOON, NOON))
    assert len(told) <= 500
    assert told.startswith('"A rather long company name number 0"')


def test_pages_are_read_until_all_articles_are_there(outside, api, question):
    outside.articles = [article(f"Acme story {k}", k + 1) for k in range(45)]
    outside.page = 20
    answer = api.fetch(question(), free)
    assert len(answer.stories) == 45
    assert [seen["query"]["page"] for seen in outside.seen] == ["1", "2", "3"]


def test_no_more_are_read_than_were_asked_for(outside, api, question):
    outside.articles = [article(f"Acme story {k}", k + 1) for k in range(45)]
    outside.page = 20
    answer = api.fetch(question(most=20), free)
    assert (len(answer.stories), len(outside.seen)) == (20, 1)


def test_pages_have_an_end_even_where_the_provider_knows_none(outside, api, question):
    outside.articles = [article(f"Acme story {k}", k + 1) for k in range(90)]
    outside.page = 2
    assert len(api.fetch(question(), free).stories) == 10


def test_a_small_plan_that_ends_after_a_page_still_gives_that_page(outside, api, question):
    outside.articles = [article(f"Acme story {k}", k + 1) for k in range(45)]
    outside.page, outside.small_plan = 20, True
    assert len(api.fetch(question(), free).stories) == 20


def test_every_page_takes_from_the_ration(outside, api, question):
    outside.articles = [article(f"Acme story {k}", k + 1) for k in range(45)]
    outside.page, taken = 20, []
    api.fetch(question(), lambda: taken.append(1))
    assert len(taken) == 3


def test_nothing_found_is_an_answer(outside, api, question):
    answer = api.fetch(question(), free)
    assert (answer.stories, answer.unusable) == ((), 0)


def test_articles_that_lack_what_matters_are_left_out_and_counted(outside, api, question):
    outside.articles = [
        article("Acme stands"), article(None), article("[Removed]"),
        article("Acme never", publishedAt="2026-11-23T06:00:00 or so"), None, "words", 7,
        article("Acme odd", source="A paper", url="javascript:alert(1)"),
    ]  # fmt: skip
    answer = api.fetch(question(), free)
    assert sorted(story.title for story in answer.stories) == ["Acme odd", "Acme stands"]
    assert answer.unusable == 6
    odd = next(story for story in answer.stories if story.title == "Acme odd")
    assert (odd.outlet, odd.url) == ("A paper", "")


def test_what_does_not_name_the_company_counts_little(outside, api, question):
    outside.articles = [article("Markets rally", 10), article("Markets rally", 20, "Acme led the gains")]
    weights = [story.weight for story in api.fetch(question(), free).stories]
    assert weights == [0.25, 0.6]


@pytest.mark.parametrize(
    ("key", "status", "words"), [("wrong-key-9999", 401, "is no key"), (POOR, 403, "not in your plan")]
)
def test_a_key_that_is_refused_is_said_so(outside, question, key, status, words):
    with pytest.raises(KeyRefused, match=f"HTTP {status}.*{words}") as caught:
        NewsApi(key, f"{outside.url}/v2").fetch(question(), free)
    assert "check the key" in caught.value.fix
    assert not caught.value.transient


def test_a_key_never_stands_in_an_error(outside, question):
    redact.register(["wrong-key-9999"])
    with pytest.raises(KeyRefused) as caught:
        NewsApi("wrong-key-9999", f"{outside.url}/v2").fetch(question(), free)
    redact.forget()
    assert "wrong-key" not in str(caught.value)


def test_without_a_key_nothing_is_asked():
    with pytest.raises(KeyRefused, match="there is no key"):
        NewsApi("", "https://newsapi.org/v2")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Mon, 23 Nov 2026 06:30:42 GMT"}, 42.0),
        ({"Retry-After": "Mon, 23 Nov 2020 06:30:42 GMT"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"x-rate-limit-reset": str(int(NOON.timestamp()) + 90)}, 90.0),
        ({}, 0.0),
    ],
)
def test_who_asks_us_to_wait_says_how_long(outside, api, question, headers, seconds):
    outside.faults["newsapi"] = [("status", 429, headers)]
    with pytest.raises(RateLimited) as caught:
        api.fetch(question(), free)
    assert caught.value.retry_after == pytest.approx(seconds)
    assert not caught.value.transient


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_in_trouble_may_be_asked_again(outside, api, question, status):
    outside.faults["newsapi"] = [("status", status)]
    with pytest.raises(Transient, match=f"HTTP {status}") as caught:
        api.fetch(question(), free)
    assert caught.value.transient


@pytest.mark.parametrize("status", [400, 404, 422, 426])
def test_any_other_refusal_is_not_asked_again(outside, api, question, status):
    outside.faults["newsapi"] = [("status", status)]
    with pytest.raises(Refused, match=f"HTTP {status}") as caught:
        api.fetch(question(), free)
    assert not caught.value.transient


def test_a_redirect_is_not_followed(outside, api, question):
    outside.faults["newsapi"] = [("status", 302, {"Location": "http://127.0.0.1:9/secret"})]
    with pytest.raises(Refused, match="redirects are not followed"):
        api.fetch(question(), free)
    assert len(outside.seen) == 1


@pytest.mark.parametrize("fault", [("hang",), ("drip",), ("slow", 1.0)])
def test_an_answer_that_does_not_come_in_time_is_given_up(outside, api, question, fault):
    outside.faults["newsapi"] = [fault]
    with pytest.raises(Transient, match=r"no answer within 0.5 s"):
        api.fetch(question(), free)


def test_a_connection_that_breaks_may_be_tried_again(outside, api, question):
    outside.faults["newsapi"] = [("drop",)]
    with pytest.raises(Transient, match="no connection"):
        api.fetch(question(), free)


def test_a_server_that_is_not_there_may_be_tried_again(question):
    with pytest.raises(Transient, match="no connection"):
        NewsApi(KEY, "http://127.0.0.1:9/v2").fetch(question(), free)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (("body", "<html>"), "not JSON"),
        (("body", ""), "not JSON"),
        (("body", "[" * 100_000), "not JSON"),
        (("body", "[]"), "no list of articles"),
        (("body", '{"status": "ok"}'), "no list of articles"),
        (("body", '{"status": "ok", "articles": "many"}'), "no list of articles"),
        (("huge",), "more than 2,000,000 bytes"),
        (("squeezed",), "compressed"),
    ],
)
def test_what_is_not_what_was_promised_is_not_believed(outside, api, question, fault, words):
    outside.faults["newsapi"] = [fault]
    with pytest.raises(Unreadable, match=words) as caught:
        api.fetch(question(), free)
    assert not caught.value.transient


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("apiKeyInvalid", KeyRefused),
        ("rateLimited", RateLimited),
        ("unexpectedError", Transient),
        ("sourceDoesNotExist", Refused),
    ],
)
def test_an_error_inside_an_answer_is_an_error(outside, api, question, code, error):
    outside.faults["newsapi"] = [("status", 200, (), {"status": "error", "code": code, "message": "so it is"})]
    with pytest.raises(error, match=f"{code}: so it is"):
        api.fetch(question(), free)
