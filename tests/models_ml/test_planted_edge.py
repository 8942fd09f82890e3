"""From bars to a verdict: a planted edge is found and promoted; without it, or with too much of it, nobody is."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from models_ml.services import promotions
from models_ml.services.court import Court
from tests.trading.desks import LIVELY, NOON, TODAY
from tests.trading.pupils import pupil, seat
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.observations import made_by
from trading.core.panel import LaneSpec, lane
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.services import markets

SPAN = dt.date(2026, 1, 5), dt.date(2026, 11, 6)
MINUTES, BARS = 15, 25
SETUP = make_setup(
    "intraday", MINUTES, {},
    {**LIVELY, "gate": -1, "boost_above": 1, "flat": 0, "slippage": 0, "participation": 0, "min_student": 0.42,
     "max_exposure": 0, "rsi_low": 30, "rsi_high": 90, "adx_min": 0, "square_off": 15, "stop_loss": 0,
     "take_profit": 0, "allow_short": 0},
)  # fmt: skip


def market(edge, lanes=6, seed=3):
    """Return random walks in which a session with good news drifts up a little, and one with bad news down."""
    rng = np.random.default_rng(seed)
    sessions = [s for s in NSE.sessions(*SPAN) if (s.close - s.open).total_seconds() == BARS * MINUTES * 60]
    ts = np.concatenate([int(s.open.timestamp()) + 60 * MINUTES * np.arange(BARS) for s in sessions])
    found = []
    for j in range(lanes):
        news = np.repeat(rng.choice([-0.2, 0.2], len(sessions)), BARS)
        steps = 0.002 * (rng.normal(size=ts.size) + edge * np.sign(news))
        close = 1000.0 * np.exp(np.cumsum(steps))
        opened = np.concatenate([[1000.0], close[:-1]])
        wick = 1.0 + 0.0005 * np.abs(rng.normal(size=ts.size))
        high, low = np.maximum(opened, close) * wick, np.minimum(opened, close) / wick
        bars = Bars(ts, opened, high, low, close, np.full(ts.size, 1e5))
        found.append(lane(LaneSpec(f"S{j}", 0.0), bars, MINUTES, sentiment=news))
    return found


def judged(folder, edge):
    reader = pupil(slope=0.4, middle=0.0, names=("sentiment",), digest=made_by("intraday", SETUP))
    model = dataclasses.replace(reader.model, low=reader.model.low - 1.0)
    candidate = seat(folder, dataclasses.replace(reader, model=model), trained_until="2025-12-31")
    charges = schedule("i-secure", "cash", dt.date(2020, 1, 1), TODAY)
    court = Court("intraday", SETUP, market(edge), charges, 1e6)
    wanted = markets.Wanted("story", ("S0",), "15minute", *SPAN)
    return promotions.judged(court, candidate, None, wanted, author="tara", at=NOON, folders=(str(folder), ""))


@pytest.mark.django_db
@pytest.mark.once
@pytest.mark.parametrize(
    ("edge", "word", "why"),
    [
        (0.0, "REJECT", "not enough evidence"),
        (0.06, "PROMOTE", "All validation criteria"),
        (0.1, "REJECT", "suspected leak"),
    ],
    ids=["no edge", "an edge", "too good to be true"],
)
def test_the_verdict_follows_what_was_planted(tmp_path, settings, edge, word, why):
    settings.SENSEQUANT_HOME = tmp_path
    found = judged(tmp_path / "s", edge)
    assert (found["recommendation"], why in found["reason"]) == (word, True), found["reason"]
    assert found["skill"]["decisions"] > 900
