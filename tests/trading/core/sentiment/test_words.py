"""A text becomes the same words whatever its marks, and its subject is found as words, not as letters."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.sentiment.words import LONGEST, SUBJECT, clause, words


def test_numbers_and_per_cents_are_told_apart_and_not_by_their_value():
    assert words("Up 5% to Rs 1,234.50") == ["up", "#%", "to", "rs", "#"]
    assert words("up 5 per cent") == words("up 7.25 percent") == words("up 3 pct") == ["up", "#%"]


def test_a_subject_is_masked_wherever_it_is_named_and_by_any_of_its_names():
    assert words("Acme's profit up; Acme Motors and AML rise", "Acme|Acme Motors|AML") == [
        "@", "profit", "up", ";", "@", "and", "@", "rise",
    ]  # fmt: skip


def test_a_subject_inside_another_word_is_not_named():
    assert SUBJECT not in words("Acmeville goes bust", "Acme")


@pytest.mark.parametrize("name", ["Bolt & Co.", "M&M", "Dr. Reddy", "L&T", "Kite-Power", "3M"])
def test_a_name_with_marks_is_found(name):
    assert words(f"Why {name} gains", name) == ["why", "@", "gains"]


def test_an_at_sign_in_the_text_is_no_subject():
    assert SUBJECT not in words("write to desk@acme.example @acme")


def test_a_full_stop_ends_a_statement_but_not_a_shortened_word():
    assert words("Profit up. Rs. 5 paid by J. Rao of X Ltd. today") == [
        "profit", "up", ".", "rs", "#", "paid", "by", "j", "rao", "of", "x", "ltd", "today",
    ]  # fmt: skip


def test_a_statement_reaches_from_mark_to_mark():
    found = words("Gold falls; Acme Motors gains 5%: brokers", "Acme Motors")
    assert found[slice(*clause(found, found.index(SUBJECT)))] == ["@", "gains", "#%"]


def test_what_lies_beyond_the_longest_text_is_not_read():
    assert words("up " * LONGEST + "crash").count("crash") == 0


@given(st.text(max_size=300), st.text(max_size=30))
def test_any_text_can_be_read(text, entity):
    found = words(text, entity)
    assert all(word and word == word.lower() for word in found)
    assert not any(a == b == SUBJECT for a, b in pairwise(found))
