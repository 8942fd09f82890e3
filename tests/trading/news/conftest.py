"""The cast of the stories about news: a server that plays both APIs, a clock, and the desk's registry over them."""

import datetime as dt

import pytest

from sensequant.config import Desk
from tests.trading.news import server
from tests.trading.news.server import KEY, NOON, TOKEN
from trading.core.news import Question


@pytest.fixture
def outside():
    """The providers' server."""
    with server.serving() as desk:
        yield desk


class Clock:
    """A clock the story moves; ``sleep`` moves it too and remembers for how long."""

    def __init__(self, at=NOON):
        self.at, self.slept = at, []

    def __call__(self):
        return self.at

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds):
        self.at += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def question():
    """What is asked about Acme at noon: the news of two days."""

    def ask(most=100, hours=48, until=NOON):
        since = until - dt.timedelta(hours=hours)
        return Question("ACME", ("Acme Widgets", "Acme"), since, until, NOON, most)

    return ask


@pytest.fixture
def with_settings(settings):
    """Change settings of the desk."""

    def change(**values):
        told = {name: getattr(settings.DESK, name) for name in Desk.__dataclass_fields__}
        settings.DESK = Desk(**{**told, **values})
        return settings.DESK

    return change


@pytest.fixture
def both(outside, with_settings):
    """Switch both providers on, against the server."""
    return with_settings(
        sentiment_enable_newsapi=True, sentiment_newsapi_api_key=KEY, sentiment_newsapi_endpoint=f"{outside.url}/v2",
        sentiment_enable_twitter=True, sentiment_twitter_bearer_token=TOKEN,
        sentiment_twitter_endpoint=f"{outside.url}/2", sentiment_provider_timeout=0.5, symbols=("ACME",),
    )  # fmt: skip
