"""The demo market: reproducible day by day, on the tick grid, in the session's own windows, and market-like."""

from __future__ import annotations

import datetime as dt
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core.bars import Bars
from trading.core.calendar import NSE, Session
from trading.core.demo import INSTRUMENTS, generate, headlines
from trading.core.errors import Invalid

SYMBOLS = list(INSTRUMENTS)


def sessions(start: str, end: str, segment: str = "equity_fno") -> list[Session]:
    return NSE.sessions(dt.date.fromisoformat(start), dt.date.fromisoformat(end), segment)


def closes(symbol: str, start: str, end: str, seed: int = 1) -> np.ndarray:
    """Return the last close of each session."""
    days = [generate(symbol, [session], seed=seed) for session in sessions(start, end)]
    return np.array([bars.close[-1] for bars in days])


def same(a: Bars, b: Bars) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.columns(), b.columns(), strict=True))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SYMBOLS), st.integers(0, 2**32), st.integers(1, 18))
def test_a_range_is_its_days_made_alone_and_days_append(symbol, seed, cut):
    days = sessions("2026-07-20", "2026-08-14")
    whole = generate(symbol, days, seed=seed)
    early, late = generate(symbol, days[:cut], seed=seed), generate(symbol, days[cut:], seed=seed)
    assert same(whole.until(len(early)), early)
    assert same(whole.between(int(late.ts[0]), int(late.ts[-1]) + 1), late)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SYMBOLS), st.integers(0, 2**32), st.dates(dt.date(2008, 1, 1), NSE.known_until))
def test_bars_hold_together_and_lie_on_the_tick_grid(symbol, seed, date):
    item = INSTRUMENTS[symbol]
    session = NSE.session(NSE.previous_session(date), item.segment)
    assert session
    bars = generate(symbol, [session], seed=seed)
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.low > 0).all()
    assert (bars.volume >= 1).all()
    assert (bars.volume == np.round(bars.volume)).all()
    for prices in (bars.open, bars.high, bars.low, bars.close):
        np.testing.assert_allclose(prices / item.tick, np.round(prices / item.tick), atol=1e-6)
    columns = NSE.session_columns(bars.ts, 1, item.segment)
    assert columns.inside.all()
    assert (columns.minute[0], columns.left[-1]) == (0, 0)


def test_the_seed_makes_another_market():
    days = sessions("2026-11-02", "2026-11-06")
    assert not same(generate("DEMOBANK", days, seed=1), generate("DEMOBANK", days, seed=2))


@pytest.mark.parametrize(
    ("symbol", "date", "bars"),
    [
        ("DEMOBANK", "2026-07-31", 375),
        ("DEMOBANK", "2026-08-03", 360),
        ("DEMOCEM", "2026-08-03", 375),
        ("DEMOBANK", "2026-12-07", 375),
        ("DEMOBANK", "2025-10-21", 60),
        ("DEMOBANK", "2024-03-02", 105),
        ("DEMOBANK", "2009-06-01", 335),
    ],
)
def test_a_session_has_a_bar_for_each_of_its_continuous_minutes(symbol, date, bars):
    assert len(generate(symbol, sessions(date, date, INSTRUMENTS[symbol].segment), seed=1)) == bars


@pytest.mark.parametrize("minutes", [5, 15])
def test_longer_bars_gather_the_minutes_of_each_window(minutes):
    days = sessions("2024-02-29", "2024-03-04")
    ones, longer = generate("DEMOOIL", days, seed=3), generate("DEMOOIL", days, seed=3, minutes=minutes)
    assert longer.volume.sum() == ones.volume.sum()
    for start, volume, high in zip(longer.ts, longer.volume, longer.high, strict=True):
        part = ones.between(int(start), int(start) + 60 * minutes)
        assert (volume, high) == (part.volume.sum(), part.high.max())


def test_a_daily_bar_starts_at_midnight_and_spans_the_day():
    days = sessions("2026-08-03", "2026-08-04")
    ones, daily = generate("DEMOAUTO", days, seed=3), generate("DEMOAUTO", days, seed=3, minutes=1440)
    assert len(daily) == 2
    assert NSE.session_columns(daily.ts, 1440).inside.all()
    assert (daily.open[0], daily.close[-1]) == (ones.open[0], ones.close[-1])


def test_no_sessions_give_no_bars_and_no_news():
    assert len(generate("DEMOBANK", [], seed=1)) == 0
    assert headlines("DEMOBANK", [], seed=1) == []


def test_what_is_not_in_the_demo_market_is_refused():
    days = sessions("2026-11-02", "2026-11-02")
    with pytest.raises(Invalid, match="'RELIANCE' is not a demo instrument: use one of DEMOBANK"):
        generate("RELIANCE", days, seed=1)
    with pytest.raises(Invalid, match="not 7"):
        generate("DEMOBANK", days, seed=1, minutes=7)
    before = Session(dt.date(2006, 6, 1), "regular", days[0].phases)
    with pytest.raises(Invalid, match="2006-06-01"):
        generate("DEMOBANK", [before], seed=1)


def test_daily_returns_have_fat_tails_and_clustered_volatility():
    returns = np.diff(np.log(closes("DEMOBANK", "2022-01-01", "2026-06-30")))
    centred = returns - returns.mean()
    assert (centred**4).mean() / returns.var() ** 2 > 4.0
    assert np.corrcoef(np.abs(returns[1:]), np.abs(returns[:-1]))[0, 1] > 0.02
    assert 0.15 < returns.std() * 252**0.5 < 0.60


def test_symbols_share_the_market():
    bank, motors = (np.diff(np.log(closes(s, "2025-01-01", "2026-06-30"))) for s in ("DEMOBANK", "DEMOAUTO"))
    assert 0.15 < np.corrcoef(bank, motors)[0, 1] < 0.95


def test_volume_is_heaviest_at_both_ends_of_the_day():
    days = [generate("DEMOTECH", [session], seed=5).volume for session in sessions("2025-01-01", "2025-03-31")]
    curve = np.mean([day for day in days if day.size == 375], axis=0)
    noon = curve[150:225].mean()
    assert curve[:15].mean() > 2.0 * noon
    assert curve[-15:].mean() > 1.3 * noon


def test_prices_gap_overnight():
    bars = generate("DEMOSTEEL", sessions("2025-01-01", "2025-06-30"), seed=5, minutes=1440)
    gaps = np.abs(bars.open[1:] / bars.close[:-1] - 1)
    assert 0.002 < gaps.mean() < 0.03


def test_news_comes_before_the_jump_it_explains_and_shares_its_sign():
    days = sessions("2025-01-01", "2026-06-30")
    news = headlines("DEMOFIN", days, seed=9)
    assert news == headlines("DEMOFIN", days, seed=9)
    assert all(-1.0 <= score <= 1.0 for _, score, _ in news)
    assert all("Demo Housing Finance" in text for _, _, text in news)
    strong = [(ts, score) for ts, score, _ in news if abs(score) > 0.5]
    assert len(strong) > 5
    bars = generate("DEMOFIN", days, seed=9)
    for ts, score in strong:
        at = int(np.searchsorted(bars.ts, ts))
        assert (bars.close[at + 5] / bars.close[max(at - 2, 0)] - 1) * score > 0


def test_headlines_of_a_day_do_not_depend_on_the_other_days():
    days = sessions("2025-01-01", "2025-12-31")
    assert headlines("DEMOLABS", days, seed=2) == [n for day in days for n in headlines("DEMOLABS", [day], seed=2)]


def test_a_month_of_the_whole_market_takes_a_moment():
    days = {segment: sessions("2026-07-20", "2026-08-14", segment) for segment in ("equity", "equity_fno")}
    started = time.perf_counter()
    for symbol, item in INSTRUMENTS.items():
        generate(symbol, days[item.segment], seed=11)
    assert time.perf_counter() - started < 3.0  # about 0.25 s where nothing else runs
