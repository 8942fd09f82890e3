"""``manage.py bench --only SENT``: what each part of news costs, and that it costs no more than it may."""

import json

import pytest

from tests.trading.desks import command
from trading.services import sentiment_benches

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(sentiment_benches, "ROUNDS", 3)


def test_every_promised_part_is_timed_beside_what_it_may_cost():
    code, out, err = command("bench", "--only", "SENT", "--json")
    told = json.loads(out)["SENT"]
    assert (code, err) == (0, "")
    for name, most in told["allowed_ms"].items():
        assert told[f"{name}_ms"] > 0, name
        assert most > 0
    assert told["slow"] == [name for name, most in told["allowed_ms"].items() if told[f"{name}_ms"] >= most]


def test_the_promised_limits_are_those_of_the_desk():
    allowed = sentiment_benches.ALLOWED
    assert allowed["score_trained"] == allowed["score_lexicon"] == 0.3
    assert (allowed["registry"], allowed["cache_hit"], allowed["token_bucket"]) == (1.0, 0.1, 0.01)


def test_the_table_marks_what_is_too_slow(monkeypatch):
    monkeypatch.setitem(sentiment_benches.ALLOWED, "score_lexicon", 1e-9)
    code, out, _ = command("bench", "--only", "SENT")
    (line,) = [line for line in out.splitlines() if line.strip().startswith("score_lexicon ")]
    assert (code, "too slow" in line) == (0, True)
