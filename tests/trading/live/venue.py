"""A broker in memory that speaks the port, for stories about orders: what it says and what it does can differ."""

import datetime as dt
import itertools
from decimal import Decimal

from sensequant.lib.clock import IST
from trading.adapters.breeze.errors import OutcomeUnknown
from trading.core.orders import Status
from trading.core.ports import Capabilities, Deal, Quote, Report

START = dt.datetime(2026, 11, 23, 10, 0, tzinfo=IST)


class Ticking:
    """A market clock that stands still until it is moved."""

    simulated, speed, ended = True, 1.0, False

    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at


class Placed:
    """One order the venue has taken."""

    def __init__(self, number, ticket, at):
        self.number, self.ticket, self.at = number, ticket, at
        self.status, self.filled, self.cancelled = Status.WORKING, 0, 0
        self.limit = ticket.limit
        self.deals = []


class Venue:
    """Takes orders and fills them when told to. ``on_place`` may raise before (``lost``) or after (``mute``) taking."""

    capabilities = Capabilities("test", ("cash",), ("limit",), False, False, False)

    def __init__(self, clock):
        self.clock, self.book, self.asked = clock, {}, []
        self.numbers, self.trades = itertools.count(1), itertools.count(100)
        self.lost = self.mute = self.refuses = None
        self.deaf_to_cancel = self.hidden = False
        self.urgent = False  # whether the last reading of the book could use what is kept for exits
        self.trouble = {}
        self.last = Decimal("100.00")

    def place(self, ticket, *, deadline, exit):
        self.asked.append(("place", ticket))
        if self.refuses:
            raise self.refuses
        if self.lost:
            raise OutcomeUnknown("no answer")
        number = f"20261123N{next(self.numbers):09d}"
        self.book[number] = Placed(number, ticket, self.clock())
        if self.mute:
            raise OutcomeUnknown("502 after it was taken")
        return number

    def cancel(self, order_id):
        self.asked.append(("cancel", order_id))
        found = self.book[order_id]
        if not self.deaf_to_cancel and found.status in (Status.WORKING, Status.PARTIAL):
            found.status, found.cancelled = Status.CANCELLED, found.ticket.quantity - found.filled
        return self.order(order_id)

    def modify(self, order_id, *, quantity, limit, exit):
        self.asked.append(("modify", order_id, limit))
        self.book[order_id].limit = limit
        return self.order(order_id)

    def order(self, order_id, *, exit=False):
        self._fail("order")
        return self._report(self.book[order_id])

    def orders(self, day, *, exit=False):
        self.asked.append(("orders", day))
        self.urgent = exit
        self._fail("orders")
        return [] if self.hidden else [self._report(found) for found in self.book.values()]

    def deals(self, order_id, *, exit=False):
        return list(self.book[order_id].deals)

    def quote(self, code):
        self.asked.append(("quote", code))
        self._fail("quote")
        return Quote(code, self.last, None, None, Decimal(80), Decimal(120), Decimal(100), self.clock())

    def history(self, code, interval, start, end):
        raise AssertionError("nobody asks for history here")

    def fill(self, number, quantity, price="100.10"):
        """Let shares of an order change hands."""
        found = self.book[number]
        found.filled += quantity
        whole = found.filled == found.ticket.quantity
        if found.status in (Status.WORKING, Status.PARTIAL):
            found.status = Status.FILLED if whole else Status.PARTIAL
        side, code = found.ticket.side, found.ticket.code
        deal = Deal(number, str(next(self.trades)), code, side, quantity, Decimal(price), self.clock())
        found.deals.append(deal)

    def newest(self):
        """Return the number of the order taken last."""
        return list(self.book)[-1]

    def verbs(self, verb):
        """Return the requests of one verb."""
        return [each for each in self.asked if each[0] == verb]

    def _fail(self, verb):
        if verb in self.trouble:
            raise self.trouble[verb]

    def _report(self, found):
        ticket = found.ticket
        left = ticket.quantity - found.filled - found.cancelled
        return Report(
            found.number, ticket.code, ticket.side, ticket.quantity, found.filled, left, found.cancelled, found.limit,
            None, found.status, found.status.value, found.at,
        )  # fmt: skip
