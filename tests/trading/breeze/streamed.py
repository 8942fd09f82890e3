"""Streams of the real SDK against a simulator."""

import contextlib
import time
import zipfile
from io import BytesIO
from urllib.request import urlopen

from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.line import Terms
from trading.adapters.breeze.probe import clock_of
from trading.adapters.breeze.stream import Stream
from trading.adapters.breeze.wire import Keys, NoBudget, Wire, exchange_session

HASTY = Terms(delays=(0.05, 0.1), mute=0.6)


def until(condition, patience=8.0):
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def wire_of(venue):
    """Log in afresh and return a wire of the session."""
    venue.credentials = venue.health()["credentials"]
    keys, addresses = venue.credentials, Addresses.of(venue.url)
    user, token = exchange_session(keys["api_key"], keys["api_session"], addresses)
    return Wire(Keys(keys["api_key"], keys["api_secret"], token, user), addresses, NoBudget())


def tokens_of(venue):
    """Return symbol → token, and symbol → ISEC code, of the simulator's master."""
    with urlopen(f"{venue.url}/MotherAppMaster/SecurityMaster.zip") as answer:
        archive = zipfile.ZipFile(BytesIO(answer.read()))
    lines = archive.read("NSEScripMaster.txt").decode().splitlines()[1:]
    rows = [line.replace('"', "").split(",") for line in lines]
    return {row[-1]: row[0] for row in rows}, {row[-1]: row[1] for row in rows}


class Listener:
    """A stream and everything it has said."""

    def __init__(self, venue, provider=None, terms=HASTY, **told):
        self.tokens, _ = tokens_of(venue)
        clock = clock_of(venue.url)
        asked = [self.tokens[symbol] for symbol in venue.health()["symbols"]]
        self.stream = Stream(provider or (lambda: wire_of(venue)), asked, clock=clock.now, terms=terms, **told)
        self.quotes, self.notices = [], []

    def take(self):
        quotes, notices = self.stream.drain()
        self.quotes += quotes
        self.notices += notices
        return quotes

    def speaks(self):
        """Wait for quotes that come from now on."""
        self.take()
        until(self.take)


@contextlib.contextmanager
def listening(venue, *, wait=True, **told):
    """Run a stream for the length of a ``with``."""
    listener = Listener(venue, **told)
    listener.stream.start()
    try:
        if wait:
            listener.speaks()
        yield listener
    finally:
        listener.stream.close()
