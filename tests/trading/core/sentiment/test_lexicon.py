"""The lexicon reads finance: a direction is good or bad by what it moves, negation turns, the subject matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.sentiment import lexicon_data, score
from trading.core.sentiment.lexicon import TABLE, forms, lexicon


def value(text, entity=""):
    return lexicon(text, entity)[0]


@pytest.mark.parametrize(
    "text",
    [
        "Acme shares surge to an all-time high", "Acme's debt falls", "Acme narrows its losses",
        "Brokers upgrade Acme to buy",
        "Acme Q2 net profit up 12 per cent", "Acme bags orders worth Rs 500 crore", "Acme beats estimates",
    ],
)  # fmt: skip
def test_good_news_is_good(text):
    assert score("lexicon", text, "Acme").label == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Acme shares plunge to a 52-week low", "Acme's losses widen", "Acme profit falls 12%", "Regulator bans Acme",
        "Acme shares plunge on a heavy loss", "Acme shares plunge after fraud probe", "Acme misses estimates",
        "Brokers downgrade Acme to sell", "Acme under pressure on profit booking",
    ],
)  # fmt: skip
def test_bad_news_is_bad(text):
    assert score("lexicon", text, "Acme").label == "negative"


@pytest.mark.parametrize("text", ["", "   ", "Acme to hold its annual meeting on Monday", "!!!", "तेजी", "12 34"])
def test_what_says_nothing_is_neutral(text):
    assert score("lexicon", text, "Acme").label == "neutral"


def test_two_subjects_of_one_headline_fare_differently():
    text = "Acme Motors surges on strong sales; Bolt & Co. slumps as costs rise"
    assert value(text, "Acme Motors") > 0.3
    assert value(text, "Bolt & Co.") < -0.3


def test_a_statement_about_the_stock_is_about_the_subject():
    assert value("Acme ties up with Bolt; stock down 4%", "Acme") < 0


def test_negation_turns_what_follows():
    assert value("Acme is not profitable") < 0 < value("Acme is profitable")
    assert value("no growth without a strong rally") < value("growth and a strong rally")


def test_emphasis_strengthens_and_doubt_weakens():
    assert value("Acme falls sharply") < value("Acme falls") < value("Acme falls slightly") < 0


def test_what_comes_before_but_counts_less():
    assert value("profit rises but outlook gloomy") < value("outlook gloomy and profit rises")


def test_a_question_is_half_an_answer():
    assert 0 < value("Is Acme a strong buy?") < value("Acme is a strong buy")


def test_something_happening_in_spite_of_bad_news_is_no_bad_news():
    assert value("Acme steady despite weak demand") > value("Acme steady on weak demand")


def test_a_phrase_says_more_than_its_words():
    assert value("profit booking in Acme") < 0
    assert value("stop loss for Acme at Rs 100") == 0.0


@given(st.text(max_size=400), st.sampled_from(["", "Acme", "Acme|Acme Motors"]))
def test_a_value_lies_between_minus_one_and_one_whatever_the_text(text, entity):
    got, strength = lexicon(text, entity)
    assert -1.0 <= got <= 1.0
    assert strength >= 0.0


@given(st.lists(st.sampled_from(sorted(TABLE)), min_size=1, max_size=80))
def test_even_a_pile_of_words_stays_within_bounds(pile):
    assert -1.0 <= lexicon(" ".join(pile))[0] <= 1.0


def test_regular_forms_are_made():
    assert list(forms("surge")) == ["surge", "surges", "surged", "surging"]
    assert {"dips", "dipped", "dipping"} <= set(forms("dip"))
    assert {"worries", "worried"} <= set(forms("worry"))
    assert list(forms("=best")) == ["best"]


def test_no_word_is_told_to_be_good_and_bad_by_the_same_table():
    good, bad = (
        {word for text in table.values() for word in text.split()} for table in (lexicon_data.GOOD, lexicon_data.BAD)
    )
    assert not good & bad
