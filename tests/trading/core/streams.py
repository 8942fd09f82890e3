"""Raw quotes and ticks for stories about the stream."""

import datetime as dt
import math

import numpy as np

from trading.core import demo
from trading.core.calendar import NSE
from trading.core.exchange import path
from trading.core.tick_bars import Aggregator, Pace
from trading.core.ticks import Outage, Received, Tick, parse

MONDAY = dt.date(2026, 11, 2)
NAN = math.nan
AT_ONCE = Pace(hold=0.0, grace=0.0, quiet=0.0)


def windows(day=MONDAY, segment="equity"):
    """Return a day's continuous windows in seconds UTC."""
    session = NSE.session(day, segment)
    return [(int(each.start.timestamp()), int(each.end.timestamp())) for each in session.windows] if session else []


OPEN, CLOSE = windows()[0]


def at(minute, second=0):
    """Return a moment of Monday's session in seconds UTC."""
    return OPEN + 60 * minute + second


def quote(share="2885", ts=OPEN, last=100.0, volume=1, bid=99.95, ask=100.05, lower=90.0, upper=110.0, before=99.5):
    """Return a raw quote as Breeze sends it."""
    return [
        f"4.1!{share}", 99.0, last, 101.0, 98.0, 1.0, bid, 10, ask, 10, 5, 99.9, volume, 500, 500, "1.20C", "",
        lower, upper, ts, before,
    ]  # fmt: skip


def index_quote(ts=OPEN, last=25006.2):
    """Return a raw index quote: None in most of it."""
    raw = quote("NIFTY 50", ts, last)
    return [None if k in range(6, 16) or k in (17, 18) else value for k, value in enumerate(raw)]


def tick(ts=OPEN, price=100.0, volume=1.0, *, share="2885", received=0.0, seq=0, bid=99.95, before=99.5, **limits):
    """Return a tick; ``limits`` are lower and upper."""
    lower, upper = limits.get("lower", 90.0), limits.get("upper", 110.0)
    return Tick(share, ts, price, float(volume), bid, 100.05, lower, upper, received, seq, before)


def numbered(found, first=0):
    """Return ticks as they would be received one after the other."""
    return [each._replace(seq=first + k, received=float(k)) for k, each in enumerate(found)]


def demo_bars(symbol="DEMOLABS", day=MONDAY):
    """Return the demo market's one-minute bars of a symbol's day."""
    session = NSE.session(day, demo.INSTRUMENTS[symbol].segment)
    return demo.generate(symbol, [session], seed=7, minutes=1)


def raw_of(bars, *, minutes=1, count=6, share="2885", start=0):
    """Return raw quotes that put together give the bars, by the exchange's own path."""
    seconds = np.full(len(bars), minutes * 60)
    made = path.ticks(bars, bars.ts, seconds, count=count, tick=0.05, key=path.key(7, share))
    volumes = start + np.cumsum(made.volume)
    return [
        quote(share, int(ms) // 1000, float(price), int(volume))
        for ms, price, volume in zip(made.ms, made.price, volumes, strict=True)
    ]


def ticks_of(bars, **told):
    return [parse(Received(raw, float(k), k)) for k, raw in enumerate(raw_of(bars, **told))]


def closed(book):
    """Return all of a book's bars, closed in order."""
    return [bar for start in book.starts() if (bar := book.close(start).bar) is not None]


def gathered(lanes, minutes=1, pace=AT_ONCE):
    """Return an aggregator over as many lanes of Monday's equity session."""
    return Aggregator([windows()] * lanes, minutes, pace)


def unknown_from(moment):
    """Return the outage that lies before a stream was first connected at ``moment`` (seconds UTC)."""
    return Outage(-math.inf, moment, -math.inf, -math.inf, "not connected yet")
