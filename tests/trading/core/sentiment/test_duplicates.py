"""One story told by many is one story: the same words, nearly the same words, never the opposite words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.sentiment import alike, likeness, shingles, text_hash
from trading.core.sentiment.duplicates import KEPT

TITLE = "Acme Motors Q2 net profit rises 12% to Rs 1,240 crore, beats estimates"


@pytest.mark.parametrize(
    "other",
    [
        TITLE.upper(), TITLE.replace(",", ""), f"  {TITLE}!", f"{TITLE} - The Economic Daily", f"{TITLE} | Mint",
        TITLE.replace("1,240", "1240"),
    ],
)  # fmt: skip
def test_case_marks_and_the_source_make_no_other_text(other):
    if "1240" not in other and ", beats" in other:
        assert text_hash(other) == text_hash(TITLE)
    assert alike(shingles(other), shingles(TITLE))


def test_a_short_title_keeps_what_stands_after_its_dash():
    assert text_hash("Acme - Buy") != text_hash("Acme")


@pytest.mark.parametrize(
    "other",
    [
        "Acme Motors Q2 net profit up 12% to Rs 1,240 crore, beats estimates",
        "Acme Motors' Q2 profit rises 12% to Rs 1,240 crore; beats street estimates",
    ],
)
def test_the_same_story_in_nearly_the_same_words_is_alike(other):
    assert alike(shingles(TITLE), shingles(other))


@pytest.mark.parametrize(
    "other", ["Acme Motors names new finance chief", "Bolt & Co. Q2 net loss at Rs 40 crore", "", "Acme"]
)
def test_another_story_is_not(other):
    assert not alike(shingles(TITLE), shingles(other))


def test_a_text_without_words_is_like_nothing():
    assert not alike(shingles("!!"), shingles("!!"))


texts = st.lists(st.sampled_from(["acme", "up", "profit", "deal", "q2", "falls", "bank", "5", "new"]), max_size=12).map(
    " ".join
)


@given(texts, texts)
def test_likeness_is_mutual_and_between_nought_and_one(one, two):
    a, b = shingles(one), shingles(two)
    assert likeness(a, b) == likeness(b, a)
    assert 0.0 <= likeness(a, b) <= 1.0
    if a:
        assert likeness(a, a) == 1.0


@given(st.text(max_size=2000))
def test_fingerprints_are_few_and_fit_a_database_number(text):
    found = shingles(text)
    assert len(found) <= KEPT
    assert all(-(2**63) <= number < 2**63 for number in found)


def test_long_texts_are_compared_by_a_fair_sample():
    words = [f"word{n}" for n in range(400)]
    one, two = shingles(" ".join(words)), shingles(" ".join(words[:360] + [f"other{n}" for n in range(40)]))
    assert len(one) == len(two) == KEPT
    assert likeness(one, two) == pytest.approx(0.8, abs=0.15)
