"""Whatever knows the future is caught, and what does not raises no alarm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.core.desks import indian
from tests.trading.core.panels import demo_panel, random_panel, walk
from trading.core import lookahead_desk
from trading.core.errors import Invalid
from trading.core.lookahead import POISON, TRUNCATION, check
from trading.core.lookahead_desk import check_desk, check_strategy
from trading.core.setups import make_setup
from trading.core.strategies import STRATEGIES

LIVELY = {"allow_short": 1, "adx_min": 5, "volume_min": 0, "rsi_low": 30, "rsi_high": 90}
MINUTES = {"intraday": 5, "crossover": 5, "swing": 1440}


def bars(seed=1, days=6):
    one = walk(seed, days=days, a_day=75, unknown=0)
    return {"ts": one.ts, "high": one.high, "low": one.low, "close": one.close, "volume": one.volume}


def later(x, by):
    """Return what ``x`` will be ``by`` rows on."""
    out = np.full(len(x), math.nan)
    out[: max(0, len(x) - by)] = x[by:]
    return out


def centred(x, half):
    out = np.full(len(x), math.nan)
    for i in range(half, len(x) - half):
        out[i] = x[i - half : i + half + 1].mean()
    return out


def trailing(x, window):
    out = np.full(len(x), math.nan)
    for i in range(window - 1, len(x)):
        out[i] = x[i - window + 1 : i + 1].mean()
    return out


def filled_back(x):
    sparse = np.where(np.arange(len(x)) % 7 == 3, x, math.nan)
    for i in range(len(x) - 2, -1, -1):
        if math.isnan(sparse[i]):
            sparse[i] = sparse[i + 1]
    return sparse


def hourly(columns, *, closed):
    """Return the hour's last price at each bar: of the hour that is over, or (wrongly) of the one that is running."""
    hour = (columns["ts"] + 19_800) // 3600
    last = {h: columns["close"][np.flatnonzero(hour == h)[-1]] for h in np.unique(hour)}
    order = sorted(last)
    if not closed:
        return np.array([last[h] for h in hour])
    before = {h: last[order[k - 1]] if k else math.nan for k, h in enumerate(order)}
    return np.array([before[h] for h in hour])


LEAKS = {
    "shifted target": lambda c: later(c["close"], 1) / c["close"] - 1.0,
    "target five bars on": lambda c: later(c["close"], 5),
    "centred window": lambda c: centred(c["close"], 4),
    "full-sample scaling": lambda c: (c["close"] - c["close"].mean()) / c["close"].std(),
    "full-sample minimum and maximum": lambda c: (c["close"] - c["low"].min()) / (c["high"].max() - c["low"].min()),
    "global rank": lambda c: np.argsort(np.argsort(c["close"])) / len(c["close"]),
    "resample label": lambda c: hourly(c, closed=False),
    "filled backwards": lambda c: filled_back(c["close"]),
    "smoothed both ways": lambda c: np.convolve(c["close"], np.ones(5) / 5, "same"),
    "volume of the whole day": lambda c: c["volume"] / np.array(
        [c["volume"][(c["ts"] + 19_800) // 86_400 == d].sum() for d in (c["ts"] + 19_800) // 86_400]
    ),
}  # fmt: skip
HONEST = {
    "trailing window": lambda c: trailing(c["close"], 9),
    "return": lambda c: np.diff(c["close"], prepend=math.nan),
    "running maximum": lambda c: np.maximum.accumulate(c["high"]),
    "running mean": lambda c: np.cumsum(c["close"]) / np.arange(1, len(c["close"]) + 1),
    "closed hour": lambda c: hourly(c, closed=True),
    "expanding scale": lambda c: c["close"] / np.maximum.accumulate(c["close"]),
}


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("seed", range(3))
def test_every_seeded_leak_is_caught(name, seed):
    found = check(lambda c: {"honest": c["close"], name: LEAKS[name](c)}, bars(seed), fixed=["ts"], seed=seed)
    assert found.leaking == (name,)
    assert not found.clean


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("seed", range(3))
def test_what_looks_back_only_raises_no_alarm(name, seed):
    found = check(lambda c: {name: HONEST[name](c)}, bars(seed), fixed=["ts"], seed=seed)
    assert found.clean, found.leaks


def test_a_leak_says_where_it_was_found_and_by_which_test():
    (first, second) = check(lambda c: {"next": later(c["close"], 1)}, bars(), fixed=["ts"]).leaks
    assert {first.test, second.test} == {TRUNCATION, POISON}
    assert first.row == int(first.cut)
    assert (
        str(first)
        == f"next at row {first.row} is {first.whole:.10g}, but nan when what follows {first.row} is taken away"
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_looking_one_or_many_rows_ahead_is_caught_and_looking_back_is_not(seed, by):
    x = np.random.default_rng(seed).normal(size=120).cumsum()
    assert not check(lambda c: {"ahead": later(c["x"], by)}, {"x": x}, seed=seed, probes=4).clean
    back = check(lambda c: {"back": np.concatenate([np.full(by, math.nan), c["x"][:-by]])[: len(c["x"])]}, {"x": x},
                 warm=by, seed=seed, probes=4)  # fmt: skip
    assert back.clean


def test_a_table_of_many_symbols_is_cut_at_a_moment_across_all_of_them():
    rng = np.random.default_rng(5)
    times = np.repeat(np.arange(40), 3)
    x = rng.normal(size=120)

    def rank_now(c):
        return {"rank": np.array([(c["x"][c["t"] == t] < x).sum() for t, x in zip(c["t"], c["x"], strict=True)])}

    def scaled(c):
        return {"scaled": c["x"] / np.abs(c["x"]).max()}

    table = {"t": times, "x": x}
    assert check(rank_now, table, times=times, fixed=["t"]).clean
    assert check(scaled, table, times=times, fixed=["t"]).leaking == ("scaled",)


@pytest.mark.parametrize(
    ("columns", "compute", "words"),
    [
        ({"a": np.zeros(9), "b": np.zeros(8)}, lambda c: c, "of one length"),
        ({"a": np.zeros(3)}, lambda c: c, "too few to cut at"),
        ({"a": np.zeros(30)}, lambda c: {"a": c["a"][1:]}, "return one number a row"),
    ],
)
def test_what_can_not_be_checked_is_refused(columns, compute, words):
    with pytest.raises(Invalid, match=words):
        check(compute, columns)


# strategies and the desk


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_desks_own_strategies_are_clean(name):
    kind = STRATEGIES[name].KIND
    whole = random_panel(4, kind=kind, days=16, news=True)
    setup = make_setup(name, MINUTES[name], {}, LIVELY if name == "intraday" else {"allow_short": 1})
    for j in range(2):
        found = check_strategy(name, setup, whole, j, probes=5, seed=j)
        assert found.clean, found.leaks
        assert "direction when flat" in found.names
    desk = check_desk(name, setup, whole, capital=1e6, charges=indian(), probes=3)
    assert desk.clean, desk.leaks


def test_a_strategy_that_peeks_is_caught(monkeypatch):
    whole = demo_panel()

    def compute_with_a_peek(name, params):
        honest = original(name, params)

        def compute(columns):
            return {**honest(columns), "peek": later(columns["close"], 1) - columns["close"]}

        return compute

    original = lookahead_desk.rows_of
    monkeypatch.setattr(lookahead_desk, "rows_of", compute_with_a_peek)
    found = check_strategy("intraday", make_setup("intraday", 5, {}, LIVELY), whole, 0, probes=3)
    assert found.leaking == ("peek",)


def test_a_desk_that_trades_on_tomorrows_prices_is_caught(monkeypatch):
    """Signals made from a column somebody prepared with the next bar's close: the news says which way it will go."""
    setup = make_setup("intraday", 5, {}, {**LIVELY, "gate": 0.0})
    real = lookahead_desk.simulate

    def peeking(name, chosen, over, **told):
        score = np.full(len(over), math.nan)
        for a, b in zip(over.starts, over.stops, strict=True):
            score[a:b] = np.sign(later(over.close[a:b], 1) - over.close[a:b])
        return real(name, chosen, over.__class__(**{**_fields(over), "sentiment": score}), **told)

    honest = check_desk("intraday", setup, demo_panel(), capital=1e6, charges=indian(), probes=12)
    assert honest.clean
    monkeypatch.setattr(lookahead_desk, "simulate", peeking)
    caught = check_desk("intraday", setup, demo_panel(), capital=1e6, charges=indian(), probes=12)
    assert not caught.clean
    assert caught.leaks[0].name.startswith("signal")


def _fields(over):
    return {name: getattr(over, name) for name in over.__dataclass_fields__}
