"""``manage.py sentiment``: what the news say, on a terminal."""

import datetime as dt
import json

import pytest

from sensequant.lib.clock import now
from tests.trading.desks import command

pytestmark = pytest.mark.django_db


def test_it_tells_the_score_its_parts_and_the_headlines(both, outside):
    at = now() - dt.timedelta(minutes=20)
    outside.articles = [{"title": "ACME profit surges", "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}", "source": None}]
    code, out, err = command("sentiment", "acme")
    assert (code, err) == (0, "")
    assert out.startswith("ACME: +")
    assert "newsapi +" in out
    assert "ACME profit surges" in out
    told = json.loads(command("sentiment", "ACME", "--json")[1])
    assert told["scores"]["ACME"]["source"] == "newsapi"
    assert len(outside.asked("newsapi")) == 1
    command("sentiment", "ACME", "--fresh")
    assert len(outside.asked("newsapi")) == 2


def test_silence_is_neutral_and_says_who_fails(both, outside):
    outside.always["newsapi"] = outside.always["twitter"] = ("status", 401)
    code, out, _ = command("sentiment", "ACME")
    assert code == 0
    assert "ACME: neutral" in out
    assert "newsapi: newsapi: HTTP 401" in out or "HTTP 401" in out


def test_without_providers_it_says_how_to_switch_one_on():
    code, out, err = command("sentiment", "ACME")
    assert (code, out) == (2, "")
    assert "set SENTIMENT_ENABLE_NEWSAPI" in err
