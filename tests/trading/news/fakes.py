"""Providers of a few lines, and a registry over them, for stories about the registry."""

import datetime as dt

from tests.trading.news.server import NOON
from trading.core.breakers import Rule
from trading.core.news import Answer, Metadata, Story
from trading.services import sentiment_gates, sentiment_keeping
from trading.services.sentiment import Registry
from trading.services.sentiment_gates import Gate


class Says:
    """A provider that answers with what it was given, one after another; an error is raised; the last stays."""

    def __init__(self, name, *said, rate=600, kind="fixed"):
        self.metadata = Metadata(name, "1", rate, kind)
        self.said, self.asked = list(said), []

    def fetch(self, question, ration):
        ration()
        self.asked.append(question)
        what = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(what, Exception):
            raise what
        return what


def word(value, confidence=0.8):
    """A verdict."""
    return Answer(value=value, confidence=confidence)


NOTHING = Answer()


def stories(*titles, minutes=30, weight=1.0):
    """Headlines, published a while before noon, the first the newest."""
    return Answer(
        tuple(
            Story(title, "", NOON - dt.timedelta(minutes=minutes + k), weight=weight) for k, title in enumerate(titles)
        )
    )


def registry(clock, *providers, kept=False, weights=(), ttl=600.0, threshold=5, cooldown=1_800.0):
    """A registry over ``providers``, earliest first, in memory or over rows."""
    gate = Gate(sentiment_gates.Rows() if kept else sentiment_gates.Memory(), clock=clock)
    ledger = sentiment_keeping.Rows() if kept else sentiment_keeping.Nothing()
    made = Registry(gate, ledger, clock=clock, rule=Rule(threshold, cooldown), sleep=clock.sleep)
    for k, provider in enumerate(providers):
        weight = weights[k] if weights else 1.0
        made.register(provider.metadata.name, provider, weight=weight, priority=k, ttl=ttl)
    return made
