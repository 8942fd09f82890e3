"""The document's lists count words, good less bad, as words and not as letters."""

import pytest

from trading.core.sentiment import score
from trading.core.sentiment.keywords import news, social


def test_the_value_is_the_balance_of_good_and_bad_words():
    assert news("Profit growth offsets decline") == (pytest.approx(1 / 3), 3.0)
    assert news("loss and decline") == (-1.0, 2.0)
    assert news("Acme holds a meeting") == (0.0, 0.0)


def test_a_word_counts_in_its_forms_but_not_inside_another():
    assert news("Acme surged") == (1.0, 1.0)
    assert news("fight against againstness") == (0.0, 0.0)  # no "gain" in it


def test_posts_have_a_list_of_their_own():
    assert social("to the moon, buy and hodl")[0] == 1.0
    assert social("dump it, pure scam")[0] == -1.0
    assert news("to the moon, buy and hodl")[0] == 0.0


def test_many_words_are_surer_than_none():
    assert score("keyword", "profit growth surge").confidence > score("keyword", "a meeting").confidence
