"""A generated market of a dozen fictional companies: the same bars for the same seed, symbol and date, always.

The log price of every calendar day follows one path from a fixed first day: a market factor with regimes, clustered
volatility and fat tails, the company's own shocks, now and then a news jump, and a slow pull towards its usual price.
A session's minutes are a bridge from that day's opening to its close, so any day can be made alone and days append.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from trading.core.bars import DAY, INTERVALS, IST_OFFSET, Bars
from trading.core.calendar import IST, Session
from trading.core.errors import Invalid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_DAY: Final = dt.date(2007, 1, 1)
LAST_DAY: Final = dt.date(2037, 12, 31)
DAYS: Final = LAST_DAY.toordinal() - FIRST_DAY.toordinal() + 1
TRADING_DAYS: Final = 252
MARKET_VOLATILITY: Final = 0.14 / TRADING_DAYS**0.5
WEEKEND_SHARE: Final = 0.3  # news goes on while the exchange is shut, but less of it
PULL: Final = 0.004  # per calendar day: half of a departure from the usual price is gone in 173 days
JUMP_CHANCE: Final = 0.025
JUMP_SIZE: Final = 0.035
LARGEST_MOVE: Final = 0.18
NOISE: Final = 0.72  # a session's own movement, as a share of the day's volatility with its overnight gap
FULL_SESSION: Final = 375

# A regime's market drift per day, its volatility relative to the usual one, and the next day's chances.
REGIMES: Final = ("trend", "range", "slide", "crash")
DRIFT: Final = np.array([0.0009, 0.0, -0.0008, -0.012])
TURMOIL: Final = np.array([0.8, 0.9, 1.2, 3.0])
NEXT: Final = np.array(
    [[0.970, 0.020, 0.009, 0.001], [0.020, 0.960, 0.018, 0.002], [0.010, 0.025, 0.955, 0.010], [0.00, 0.15, 0.05, 0.80]]
)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A fictional company: usual price in rupees, its own annual volatility, beta, tick, mean daily volume."""

    symbol: str
    company: str
    price: float
    volatility: float
    beta: float
    tick: float
    segment: str
    volume: float


INSTRUMENTS: Final[dict[str, Instrument]] = {
    item.symbol: item
    for item in (
        Instrument("DEMOBANK", "Demo National Bank", 780.0, 0.18, 1.15, 0.05, "equity_fno", 9.0e6),
        Instrument("DEMOFIN", "Demo Housing Finance", 1460.0, 0.26, 1.30, 0.10, "equity_fno", 2.4e6),
        Instrument("DEMOSTEEL", "Demo Steel Works", 138.0, 0.30, 1.35, 0.01, "equity_fno", 2.8e7),
        Instrument("DEMOTECH", "Demo Software Services", 1620.0, 0.20, 0.75, 0.10, "equity_fno", 5.5e6),
        Instrument("DEMOPHARMA", "Demo Pharmaceuticals", 1190.0, 0.22, 0.55, 0.10, "equity_fno", 1.9e6),
        Instrument("DEMOAUTO", "Demo Motors", 910.0, 0.24, 1.10, 0.05, "equity_fno", 6.2e6),
        Instrument("DEMOPOWER", "Demo Power Grid", 246.0, 0.19, 0.80, 0.01, "equity_fno", 1.3e7),
        Instrument("DEMOOIL", "Demo Oil and Gas", 1330.0, 0.21, 0.95, 0.10, "equity_fno", 7.4e6),
        Instrument("DEMOFOODS", "Demo Consumer Foods", 2380.0, 0.15, 0.50, 0.10, "equity_fno", 1.1e6),
        Instrument("DEMOCEM", "Demo Cement", 640.0, 0.25, 0.90, 0.05, "equity", 8.5e5),
        Instrument("DEMOINFRA", "Demo Infrastructure", 88.0, 0.38, 1.45, 0.01, "equity", 1.6e7),
        Instrument("DEMOLABS", "Demo Diagnostics", 415.0, 0.34, 0.60, 0.05, "equity", 4.2e5),
    )
}

GOOD_NEWS: Final = (
    "{company} wins a large order, guidance raised",
    "{company} quarterly profit beats every estimate",
    "{company} to buy back shares at a premium",
)
BAD_NEWS: Final = (
    "{company} warns on margins, shares under pressure",
    "{company} faces a regulatory inquiry",
    "{company} loses a major customer",
)
PLAIN_NEWS: Final = (
    "{company} schedules its board meeting",
    "{company} holds its annual analyst day",
    "{company} names a new independent director",
)


@dataclass(frozen=True, slots=True)
class _Paths:
    """Per calendar day from ``FIRST_DAY``: log close, day volatility, day move, and jump (0: none)."""

    close: Floats
    sigma: Floats
    move: Floats
    jump: Floats


@dataclass(frozen=True, slots=True)
class _Day:
    """What a symbol's day is made of: log prices at both ends and where in the session a jump falls (-1: none)."""

    seed: int
    date: dt.date
    opening: float
    closing: float
    sigma: float
    jump: float
    jump_at: float
    fuss: float


def instrument(symbol: str) -> Instrument:
    """Return the demo instrument, or raise ``Invalid`` naming those there are."""
    if symbol not in INSTRUMENTS:
        raise Invalid(f"{symbol!r} is not a demo instrument: use one of {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS[symbol]


def generate(symbol: str, sessions: Sequence[Session], *, seed: int, minutes: int = 1) -> Bars:
    """Return the symbol's bars of ``minutes`` (1, 5, 15 or 1440) over ``sessions``, in their continuous windows.

    Prices lie on the tick grid; volumes are whole shares. The same (seed, symbol, date, windows) give the same bars.
    """
    return bars_of(instrument(symbol), sessions, seed=seed, minutes=minutes)


def bars_of(item: Instrument, sessions: Sequence[Session], *, seed: int, minutes: int = 1) -> Bars:
    """Return the bars of a company that need not be one of the dozen; its symbol is what its path follows from."""
    if minutes not in INTERVALS.values():
        raise Invalid(f"demo bars last {', '.join(map(str, INTERVALS.values()))} minutes, not {minutes}")
    days = [_minutes_of(item, session, seed) for session in sessions]
    if not days:
        nothing = np.zeros(0)
        return Bars(np.zeros(0, np.int64), nothing, nothing, nothing, nothing, nothing)
    if minutes > 1:
        days = [_gather(day, session, minutes) for day, session in zip(days, sessions, strict=True)]
    return Bars(*(np.concatenate(columns) for columns in zip(*(day.columns() for day in days), strict=True)))


def headlines(symbol: str, sessions: Sequence[Session], seed: int) -> list[tuple[int, float, str]]:
    """Return (seconds UTC, score in [-1, 1], text) of the symbol's demo news, oldest first.

    Every jump of the price is announced, minutes before an intraday one and before the opening otherwise; a routine
    item of a score near 0 appears now and then.
    """
    return news_of(instrument(symbol), sessions, seed)


def news_of(item: Instrument, sessions: Sequence[Session], seed: int) -> list[tuple[int, float, str]]:
    """Return the demo news of a company that need not be one of the dozen."""
    news = []
    for session in sessions:
        day, rng = _day(item, session.date, seed), _random(seed, f"{item.symbol} news", session.date)
        ahead, tone, pick = rng.integers(60, 240), rng.normal(0.0, 0.1), int(rng.integers(3))
        if day.jump:
            texts = GOOD_NEWS if day.jump > 0 else BAD_NEWS
            score = float(np.clip(np.tanh(day.jump / JUMP_SIZE) + tone, -1.0, 1.0))
            news.append(
                (_jump_second(session, day) - int(ahead), round(score, 3), texts[pick].format(company=item.company))
            )
        elif rng.random() < 0.12:
            start = int(session.open.timestamp())
            at = start + int(rng.integers(-3600, 4 * 3600))
            news.append((at, round(float(tone), 3), PLAIN_NEWS[pick].format(company=item.company)))
    return news


def _random(seed: int, name: str, day: dt.date | None = None) -> np.random.Generator:
    """Return the generator that belongs to a name and, if given, a day."""
    return np.random.default_rng((seed, crc32(name.encode()), day.toordinal() if day else 0))


@lru_cache(maxsize=8)
def _market(seed: int) -> tuple[Floats, Floats]:
    """Return the market's move of each calendar day and the turmoil (volatility relative to the usual) behind it."""
    rng = _random(seed, "market")
    ladder = NEXT.cumsum(axis=1)
    ladder[:, -1] = 1.0
    chances, steps = rng.random(DAYS), ladder.tolist()
    regimes = list(accumulate(chances.tolist(), lambda now, u: sum(u >= edge for edge in steps[now]), initial=1))[1:]
    clusters = _decaying(0.10 * rng.standard_normal(DAYS), 0.96)
    turmoil = TURMOIL[regimes] * np.exp(clusters - clusters.var() / 2)
    shocks = rng.standard_t(5, DAYS) * (3 / 5) ** 0.5
    return DRIFT[regimes] + MARKET_VOLATILITY * turmoil * shocks, turmoil


@lru_cache(maxsize=64)
def _paths(item: Instrument, seed: int) -> _Paths:
    """Return the company's daily paths; the longest part of making one day, hence kept."""
    rng = _random(seed, item.symbol)
    market, turmoil = _market(seed)
    own = item.volatility / TRADING_DAYS**0.5 * np.sqrt(turmoil)
    shocks = own * rng.standard_t(4, DAYS) * (2 / 4) ** 0.5
    jumps = rng.choice((-1.0, 1.0), DAYS) * JUMP_SIZE * (0.6 + rng.exponential(0.5, DAYS))
    ordinals = np.arange(DAYS) + FIRST_DAY.toordinal()
    weekend = (ordinals + 6) % 7 >= 5
    jump = np.where((rng.random(DAYS) < JUMP_CHANCE) & ~weekend, jumps, 0.0)
    share = np.where(weekend, WEEKEND_SHARE, 1.0)
    move = np.clip(share * (item.beta * market + shocks) + jump, -LARGEST_MOVE, LARGEST_MOVE)
    sigma = np.hypot(item.beta * MARKET_VOLATILITY * turmoil, own)
    return _Paths(
        np.log(item.price) + _decaying(move, 1.0 - PULL), sigma, move, np.clip(jump, -LARGEST_MOVE, LARGEST_MOVE)
    )


def _decaying(shocks: Floats, keep: float) -> Floats:
    """Return the first-order autoregression x[t] = keep * x[t-1] + shocks[t], from 0."""
    return np.array(list(accumulate(shocks.tolist(), lambda x, shock: keep * x + shock)))


def _day(item: Instrument, date: dt.date, seed: int) -> _Day:
    row = date.toordinal() - FIRST_DAY.toordinal()
    if not 0 < row < DAYS:
        raise Invalid(f"the demo market runs from {FIRST_DAY + dt.timedelta(1)} to {LAST_DAY}, not on {date}")
    paths, rng = _paths(item, seed), _random(seed, f"{item.symbol} day", date)
    jump, overnight, where = float(paths.jump[row]), rng.random() < 0.5, float(rng.uniform(0.08, 0.9))
    gap = (float(paths.move[row]) - jump) * rng.normal(0.3, 0.2) + 0.15 * float(
        paths.sigma[row]
    ) * rng.standard_normal()
    before = float(paths.close[row - 1]) + gap
    fuss = float(np.exp(rng.normal(0.0, 0.3)) * (1.0 + 0.6 * abs(paths.move[row]) / paths.sigma[row]))
    in_session = jump != 0.0 and not overnight
    return _Day(
        seed=seed,
        date=date,
        opening=before if in_session else before + jump,
        closing=float(paths.close[row]),
        sigma=float(paths.sigma[row]),
        jump=jump,
        jump_at=where if in_session else -1.0,
        fuss=fuss,
    )


def _starts(session: Session) -> Ints:
    """Return the start of each continuous minute of the session, seconds UTC."""
    return np.concatenate(
        [np.arange(int(window.start.timestamp()), int(window.end.timestamp()), 60) for window in session.windows]
    )


def _jump_second(session: Session, day: _Day) -> int:
    """Return when a jump strikes: the minute inside the session, or the opening."""
    starts = _starts(session)
    return int(starts[int(day.jump_at * starts.size)] if day.jump_at >= 0 else starts[0])


def _minutes_of(item: Instrument, session: Session, seed: int) -> Bars:
    """Return the one-minute bars of one session."""
    day, ts = _day(item, session.date, seed), _starts(session)
    n, rng = ts.size, _random(seed, f"{item.symbol} minutes", session.date)
    pace = _pace(n)
    log_close = _bridge(item, day, ts, rng)
    spread = day.sigma * np.sqrt(pace / n)
    log_open = np.concatenate(([day.opening], log_close[:-1]))
    log_open[1:] += np.where(rng.random(n - 1) < 0.4, 0.2 * spread[1:] * rng.standard_normal(n - 1), 0.0)
    wicks = 0.6 * spread * np.abs(rng.standard_normal((2, n)))
    opens, closes = _ticks(np.exp(log_open), item.tick), _ticks(np.exp(log_close), item.tick)
    highs = np.maximum(_ticks(np.exp(np.maximum(log_open, log_close) + wicks[0]), item.tick), np.maximum(opens, closes))
    lows = np.minimum(_ticks(np.exp(np.minimum(log_open, log_close) - wicks[1]), item.tick), np.minimum(opens, closes))
    return Bars(ts, opens, highs, lows, closes, _volumes(item, day, n, rng))


def _pace(n: int) -> Floats:
    """Return each minute's variance relative to the mean: busy at the open, calm at noon, busy again at the end."""
    x = (np.arange(n) + 0.5) / n
    shape = 0.55 + 2.2 * np.exp(-x / 0.06) + 1.6 * (x - 0.45) ** 2 + 0.7 * np.exp(-(1 - x) / 0.08)
    relative: Floats = shape / shape.mean()
    return relative


@lru_cache(maxsize=64)
def _market_minutes(seed: int, date: dt.date) -> Floats:
    """Return the market's shock of each minute of the day, which all symbols share whatever their windows."""
    return _random(seed, "market minutes", date).standard_t(5, DAY)


def _bridge(item: Instrument, day: _Day, ts: Ints, rng: np.random.Generator) -> Floats:
    """Return the log price at the end of each minute, from the opening to exactly the day's close."""
    n, pace = ts.size, _pace(ts.size)
    common = _market_minutes(day.seed, day.date)[(ts + IST_OFFSET) % 86_400 // 60]
    part = min(0.8, 0.7 * item.beta * MARKET_VOLATILITY * TRADING_DAYS**0.5 / item.volatility)
    mixed = part * common + (1.0 - part**2) ** 0.5 * rng.standard_t(4, n)
    walked = (NOISE * day.sigma * mixed * np.sqrt(pace / n)).cumsum()
    clock = pace.cumsum() / n
    jump = day.jump if day.jump_at >= 0 else 0.0
    struck = np.arange(n) >= int(day.jump_at * n) if jump else np.zeros(n)
    bridge: Floats = day.opening + walked - clock * (walked[-1] - (day.closing - day.opening - jump)) + jump * struck
    return bridge


def _volumes(item: Instrument, day: _Day, n: int, rng: np.random.Generator) -> Floats:
    """Return whole shares traded per minute; a short session trades its share of a day, a jump draws a crowd."""
    pace = _pace(n) * np.exp(rng.normal(0.0, 0.45, n) - 0.1)
    if day.jump_at >= 0:
        after = np.arange(n) - int(day.jump_at * n)
        pace = pace * (1.0 + 5.0 * np.where(after >= 0, np.exp(-np.maximum(after, 0) / 12.0), 0.0))
    shares: Floats = np.maximum(np.round(item.volume / FULL_SESSION * day.fuss * pace), 1.0)
    return shares


def _ticks(prices: Floats, tick: float) -> Floats:
    return np.round(np.maximum(np.round(prices / tick), 1.0) * tick, 2)


def _gather(bars: Bars, session: Session, minutes: int) -> Bars:
    """Return one session's minute bars as bars of ``minutes``, counted afresh from each window's start."""
    if minutes >= DAY:
        midnight = dt.datetime(session.date.year, session.date.month, session.date.day, tzinfo=IST)
        firsts, ts = np.zeros(1, np.int64), np.array([int(midnight.timestamp())], np.int64)
    else:
        starts = np.array([int(window.start.timestamp()) for window in session.windows])
        since = (bars.ts - starts[np.searchsorted(starts, bars.ts, side="right") - 1]) // 60
        firsts = np.flatnonzero(since % minutes == 0)
        ts = bars.ts[firsts]
    lasts = np.append(firsts[1:], len(bars)) - 1
    return Bars(
        ts,
        bars.open[firsts],
        np.maximum.reduceat(bars.high, firsts),
        np.minimum.reduceat(bars.low, firsts),
        bars.close[lasts],
        np.add.reduceat(bars.volume, firsts),
    )
