"""What comes from outside is cleaned before anybody reads it, and weighed by how much it is about the company."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.news import (
    LONGEST_URL,
    PASSING,
    SUMMARY_ONLY,
    Question,
    Story,
    clean,
    mentions,
    moment,
    quotable,
    relevance,
    web_address,
    within,
)

NOON = dt.datetime(2026, 11, 23, 6, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@given(st.text() | st.none() | st.integers() | st.binary())
def test_whatever_comes_can_be_kept_and_shown(text):
    told = clean(text, 40)
    assert len(told) <= 40
    told.encode()
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  Profit\n surges\t 20% ", "Profit surges 20%"),
        ("a\x00b", "a b"),
        ("\ud800 broken", "? broken"),
        ("\u202egnp.exe", "gnp.exe"),
        (None, ""),
        (7, ""),
    ],
)
def test_text_is_one_line_without_what_cannot_be_seen(text, told):
    assert clean(text, 100) == told


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "//evil.example",
        "ftp://a.example",
        "https://a.example/<b>",
        "",
        None,
        "http://" + "a" * 2_000,
    ],
)
def test_only_a_web_address_can_be_linked_to(address):
    assert web_address(address) == ""


def test_a_web_address_stays_as_it_is():
    assert web_address("https://a.example/b?c=d") == "https://a.example/b?c=d"
    assert len(web_address("https://a.example/" + "b" * (LONGEST_URL - 18))) == LONGEST_URL


def test_moments_are_read_in_utc_and_nonsense_is_none():
    assert moment("2026-11-23T12:00:00+05:30") == NOON
    assert moment("2026-11-23T06:30:00Z") == NOON
    assert moment("2026-11-23T06:30:00") == NOON
    assert [moment(text) for text in ("soon", "", None, 5, "0001-01-01T00:00:00+14:00")] == [None] * 5


def question(**changes):
    return Question("ACME", ("Acme",), **{"since": NOON - HOUR, "until": NOON, "asked_at": NOON, "most": 2, **changes})


def test_only_what_was_asked_for_counts_newest_first():
    stories = [Story(str(k), "", NOON - k * HOUR / 4) for k in range(-1, 6)]
    assert [story.title for story in within(stories, question(most=9))] == ["1", "2", "3", "4"]
    assert [story.title for story in within(stories, question())] == ["1", "2"]


def test_what_is_published_days_after_now_comes_from_a_broken_clock():
    late = Story("late", "", NOON + dt.timedelta(days=2))
    assert within([late], question(until=NOON + dt.timedelta(days=9))) == []


def test_a_story_counts_as_much_as_it_is_about_the_company():
    names = ("Acme Widgets", "ACME")
    assert relevance(Story("Acme widgets wins", "", NOON), names) == 1.0
    assert relevance(Story("Markets rise", "led by ACME", NOON), names) == SUMMARY_ONLY
    assert relevance(Story("Markets rise", "led by Acmeist poets", NOON), names) == PASSING
    assert relevance(Story("", "ACME to the moon", NOON), names) == 1.0


def test_names_are_whole_words_even_with_signs_in_them():
    assert mentions("L&T bags order", ("L&T",))
    assert not mentions("LT bags order", ("L&T",))
    assert not mentions("anything", ("",))


def test_a_scorer_reads_the_headline_first():
    assert Story("Up", "A lot.", NOON).words == "Up. A lot."
    assert (Story("Up", "", NOON).words, Story("", "A post", NOON).words) == ("Up", "A post")


def test_a_name_cannot_break_out_of_its_quotes():
    assert quotable('Acme" OR "x\\') == "Acme OR x"
