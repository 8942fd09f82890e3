"""Panels to run on: random walks in sessions of their own, and the generated demo market."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np

from trading.core import demo
from trading.core.bars import DAY, Bars
from trading.core.calendar import NSE, SessionColumns
from trading.core.panel import NOTHING, LaneBars, LaneSpec, lane, panel, told

FIRST = dt.date(2026, 11, 2).toordinal()
OPEN_AT = 9 * 3600 + 15 * 60 - 19_800
CHOPPY = 0.006


def walk(seed, *, days, a_day, tick=0.05, minutes=5, unknown=0.1):
    """Return bars of a choppy random walk, ``a_day`` of them in each session, some of unknown volume."""
    rng = np.random.default_rng(seed)
    n = days * a_day
    swing = np.sin(np.arange(n * 4) / rng.uniform(8, 60)) * 0.01
    path = np.exp(np.log(rng.uniform(50, 3000)) + swing + np.cumsum(rng.normal(0, CHOPPY, n * 4))).reshape(n, 4)
    price = np.round(np.maximum(np.round(path / tick), 1) * tick, 2)
    volume = np.where(rng.random(n) < unknown, np.nan, rng.integers(0, 20_000, n).astype(float))
    day = np.repeat(np.arange(days) + FIRST, a_day)
    start = OPEN_AT if minutes < DAY else -19_800
    ts = (day - 719_163) * 86_400 + start + np.tile(np.arange(a_day) * minutes * 60, days)
    return Bars(ts, price[:, 0].copy(), price.max(1), price.min(1), price[:, 3].copy(), volume)


def placed(bars, a_day, minutes, spec, sentiment=NOTHING):
    """Return bars with their places in sessions of ``a_day`` bars."""
    n = len(bars)
    session = ((bars.ts + 19_800) // 86_400 + 719_163).astype(np.int32)
    place = (bars.ts - OPEN_AT) % 86_400 // (minutes * 60) if minutes < DAY else np.zeros(n, np.int64)
    left = (a_day - 1 - place) * minutes if minutes < DAY else np.zeros(n, np.int64)
    minute = (place * minutes).astype(np.int32) if minutes < DAY else np.zeros(n, np.int32)
    return LaneBars(spec, bars, SessionColumns(session, minute, left.astype(np.int32), np.ones(n, bool)), sentiment)


def random_panel(seed, *, kind="intraday", lanes=2, days=8, a_day=15, news=False, until=None, change=None):
    """Return a panel of random lanes; ``until`` cuts every lane at a moment, ``change`` rewrites its bars first."""
    minutes = 5 if kind == "intraday" else DAY
    if kind != "intraday":
        days, a_day = days * a_day, 1
    made = []
    for j in range(lanes):
        bars = walk(seed + j, days=days, a_day=a_day, minutes=minutes)
        rng = np.random.default_rng(seed + j)
        scores = np.where(rng.random(len(bars)) < 0.5, rng.uniform(-1, 1, len(bars)), np.nan) if news else NOTHING
        if change is not None:
            bars, scores = change(bars, scores)
        if until is not None:
            n = int(np.searchsorted(bars.ts, until))
            bars, scores = bars.until(n), scores[:n]
        if len(bars):
            spec = LaneSpec(f"R{j}", 0.05, 1, "equity", 50)
            made.append(placed(bars, a_day, minutes, spec, scores))
    return panel(made)


@cache
def demo_panel(kind="intraday", *, news=False, lanes=2):
    """Return generated demo bars: three weeks of 5 minutes or two years of days."""
    minutes, first = (5, dt.date(2026, 10, 26)) if kind == "intraday" else (DAY, dt.date(2024, 11, 4))
    made = []
    for symbol in list(demo.INSTRUMENTS)[:lanes]:
        item = demo.INSTRUMENTS[symbol]
        sessions = NSE.sessions(first, dt.date(2026, 11, 13), item.segment)
        bars = demo.generate(symbol, sessions, seed=11, minutes=minutes)
        known = [(at, score) for at, score, _ in demo.headlines(symbol, sessions, 11)] if news else []
        spec = LaneSpec(symbol, item.tick, 1, item.segment, 40)
        made.append(lane(spec, bars, minutes, sentiment=told(bars.ts, minutes, known)))
    return panel(made)
