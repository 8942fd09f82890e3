"""Breeze's streams of quotes and order notifications: queued as they come, kept open, drained by one consumer."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from trading.adapters.breeze.line import Clock, Line, Provider, Terms, Trouble, attach_orders, attach_ticks
from trading.core.ticks import INF, Outage, Received, room

MOST_NOTICES: Final = 10_000
PATIENT: Final = Terms()


class Stream:
    """Owns the SDK's sockets. ``state``, ``failures``, ``reason`` and ``outages`` are those of the quotes."""

    def __init__(
        self, provider: Provider, tokens: Sequence[str], *, clock: Clock, terms: Terms = PATIENT, orders: bool = True,
        on_trouble: Trouble | None = None,
    ) -> None:  # fmt: skip
        """Stream quotes of ``tokens``, and the account's order notifications unless ``orders`` is False.

        ``provider`` returns a wire of the present session and is called, in threads of the stream, at every connect;
        ``clock`` is the market's. ``on_trouble(line, failures, reason)`` is called, in a thread of the stream, at every
        failure after the fifth in a row.
        """
        self._clock = clock
        self._turn = threading.Lock()
        self._arrived = threading.Event()
        self._count = itertools.count()
        self._quotes: deque[Received] = deque(maxlen=terms.most)
        self._notices: deque[Received] = deque(maxlen=MOST_NOTICES)
        self._spilled: tuple[Outage, ...] = ()
        self._drained = (-INF, -INF)  # the market's second and ours
        self._told_of = 0
        self.overflowed = 0  # quotes given up because nobody drained them
        attach = attach_ticks([room(token) for token in tokens])
        self.ticks = Line("ticks", provider, attach, self._quote, clock=clock, terms=terms, on_trouble=on_trouble)
        self.orders = (
            Line("orders", provider, attach_orders, self._notice, clock=clock, terms=terms, on_trouble=on_trouble)
            if orders
            else None
        )

    def start(self) -> Stream:
        """Begin to connect, and return at once."""
        for line in self._lines():
            line.start()
        return self

    def close(self) -> None:
        """Hang up, within seconds."""
        for line in self._lines():
            line.close()

    def expect(self, data: bool) -> None:
        """Say whether quotes should be coming now; only then is a mute stream taken for a lost one."""
        self.ticks.expecting = data

    def rejoin(self, token: str) -> None:
        """Join the room of a token again: a share that trades was not heard of."""
        self.ticks.join(room(token))

    def wait(self, timeout: float) -> bool:
        """Wait until something has arrived, ``timeout`` seconds at most; say whether it has."""
        return self._arrived.wait(timeout)

    def drain(self) -> tuple[list[Received], list[Received]]:
        """Return the raw quotes and the raw order notices that came since the last call; never wait."""
        self._arrived.clear()
        with self._turn:
            quotes, notices = list(self._quotes), list(self._notices)
            self._quotes.clear()
            self._notices.clear()
            overflowed = self.overflowed
        if overflowed > self._told_of:
            self._told_of = overflowed
            self._spill(quotes)
        self._drained = (self.ticks.present, time.monotonic())
        return quotes, notices

    @property
    def state(self) -> str:
        """Return connecting, connected, lost, or waiting (for a login)."""
        return self.ticks.state

    @property
    def failures(self) -> int:
        """Return how often in a row connecting failed, or nothing came of it."""
        return self.ticks.failures

    @property
    def reason(self) -> str:
        """Return what went wrong last; empty while all is well."""
        return self.ticks.reason

    @property
    def connected_since(self) -> dt.datetime | None:
        """Return since when (market time) the quotes' socket has been open."""
        return self.ticks.connected_since

    @property
    def heard(self) -> float:
        """Return when (monotonic seconds) the newest quote came."""
        return self.ticks.heard

    @property
    def outages(self) -> Sequence[Outage]:
        """Return every stretch in which quotes may be missing, oldest first; the newest may still last."""
        return (*self._spilled, *self.ticks.outages)

    @property
    def order_outages(self) -> Sequence[Outage]:
        """Return every stretch in which order notices may be missing: after each, the book must be read."""
        return self.orders.outages if self.orders else ()

    def _lines(self) -> list[Line]:
        return [self.ticks, self.orders] if self.orders else [self.ticks]

    def _quote(self, raw: Any) -> None:
        with self._turn:
            self.overflowed += len(self._quotes) == self._quotes.maxlen  # the oldest makes room
            self._quotes.append(Received(raw, time.monotonic(), next(self._count)))
        self._arrived.set()

    def _notice(self, raw: Any) -> None:
        with self._turn:
            self._notices.append(Received(raw, time.monotonic(), next(self._count)))
        self._arrived.set()

    def _spill(self, kept: Sequence[Received]) -> None:
        """Take note that of what came since the last drain only ``kept`` is left."""
        since, began = self._drained
        ended = kept[0].at if kept else time.monotonic()
        new = Outage(since, self._clock().timestamp(), began, ended, "quotes came faster than they were taken")
        self._spilled = (*self._spilled[-20:], new)
