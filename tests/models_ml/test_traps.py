"""The traps of learning from prices, each with what catches it; and proof that what catches them does.

``traps.md`` beside this file names the test of every trap, wherever it lives.
"""

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pytest

from models_ml.core.assembly import Recipe, first_bars, observed, part
from models_ml.core.labels import UNKNOWN, Barriers, label
from models_ml.core.proving import MINUTES, Ground, market
from models_ml.services import datasets
from models_ml.services.certificates import null_proof
from sensequant.config import ROOT
from tests.models_ml.core.lanes import FREE
from tests.models_ml.core.lanes import lane as random_lane
from tests.models_ml.mutants import LEAKS, past_mean, seeing
from tests.models_ml.test_certificates import ridge
from tests.models_ml.wanted import SPAN, bar_file, built, plan
from trading.core.bars import Bars
from trading.core.calendar import NSE, SessionColumns
from trading.core.lookahead import POISON, TRUNCATION, check
from trading.core.observations import NAMES, OBSERVATIONS
from trading.core.panel import LaneBars, LaneSpec
from trading.core.scoring import Linear, Scorer, Thresholds
from trading.core.setups import make_setup
from trading.models import CorporateAction, Listing, SentimentScore

SETUP = make_setup("intraday", MINUTES)
PLACES = ("session", "minute", "left", "ts")  # known ahead, as a calendar is
SMALL = Ground(symbols=3, days=3)
TABLE = Path(__file__).with_name("traps.md").read_text()


# T1: a feature knows the future


def columns_of(lane):
    bars, places = lane.bars, lane.places
    named = dict(zip(("ts", "open", "high", "low", "close", "volume"), bars.columns(), strict=True))
    return {**named, "session": places.session, "minute": places.minute, "left": places.left}


def lane_of(columns):
    prices = [np.asarray(columns[name], float) for name in ("open", "high", "low", "close", "volume")]
    n = len(columns["ts"])
    places = SessionColumns(columns["session"], columns["minute"], columns["left"], np.ones(n, bool))
    return LaneBars(LaneSpec("T", 0.05), Bars(columns["ts"], *prices), places)


def features(see):
    """Return the function from a lane's columns to its features that the look-ahead check asks for."""

    def compute(columns):
        x, _ = see(lane_of(columns), "intraday", SETUP)
        return dict(zip(NAMES, x.T, strict=True))

    return compute


@pytest.mark.parametrize("which", range(3))
def test_no_feature_changes_when_the_future_is_taken_away_or_poisoned(which):
    report = check(features(observed), columns_of(market(4, SMALL)[which]), fixed=PLACES, seed=which, tolerance=0.0)
    assert report.clean, report.leaks
    assert report.names == tuple(OBSERVATIONS)


@pytest.mark.parametrize("name", LEAKS)
def test_every_seeded_leak_is_caught_by_truncation_and_by_poison(name):
    report = check(features(seeing(LEAKS[name])), columns_of(market(4, SMALL)[0]), fixed=PLACES)
    assert {leak.test for leak in report.leaks} == {TRUNCATION, POISON}
    assert report.leaking == ("gap",)


def test_an_honest_feature_in_the_same_place_is_not_accused():
    assert check(features(seeing(past_mean)), columns_of(market(4, SMALL)[0]), fixed=PLACES).clean


@pytest.mark.parametrize("name", ["shifted", "centred_mean"])
def test_the_null_market_finds_leaks_that_pay(name):
    proof = null_proof(ridge, seeds=(1, 2, 3), see=seeing(LEAKS[name]), ground=Ground(4, 12))
    assert not proof.passed
    assert proof.mean > 0.6


# T2: what is served is what was taught, also by an engine that began today


def last_bars(lane, n):
    return lane_of({name: column[-n:] for name, column in columns_of(lane).items()})


def test_an_engine_warmed_with_nine_sessions_sees_what_was_learned_from():
    lane = market(3, Ground(symbols=1, days=30))[0]
    taught = observed(lane, "intraday", SETUP)[0][-75:]
    served = observed(last_bars(lane, 10 * 75), "intraday", SETUP)[0][-75:]
    known = [k for k, name in enumerate(NAMES) if name != "sentiment"]
    usual = taught[:, known].std(axis=0)
    assert (np.abs(served - taught)[:, known] <= 1e-8 * usual).all()
    cold = observed(last_bars(lane, 2 * 75), "intraday", SETUP)[0][-75:]
    assert (np.abs(cold - taught)[:, known] > 1e-2 * usual).any()  # which is why a dataset begins with a warm-up


@pytest.mark.django_db
def test_a_bar_that_goes_on_is_not_learned_from(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    ten = dt.datetime(2026, 10, 30, 4, 30, tzinfo=dt.UTC)  # ten o'clock in Mumbai

    def so_far(times, prices, volumes):
        n = sum(when <= ten for when in times)
        return times[:n], prices[:n], volumes[:n]

    folder = bar_file(tmp_path / "bars", "ACME", dt.date(2026, 9, 28), SPAN[1], change=so_far)
    asked = plan(folder, symbols=("ACME",))
    at_ten, later = (datasets.build(asked, at=ten + dt.timedelta(minutes=m)) for m in (0, 3))
    assert at_ten.manifest["symbols"]["ACME"]["bars"]["last"] == ten.timestamp() - 300
    assert later.digest == at_ten.digest
    assert datasets.build(asked, at=ten + dt.timedelta(minutes=5)).digest != at_ten.digest


def test_a_day_goes_on_until_its_close():
    lane = random_lane(9, days=4, minutes=1440)
    day = dt.datetime.fromtimestamp(int(lane.bars.ts[-1]), dt.UTC)
    before, after = (datasets.ended(lane, 1440, NSE, at=day + dt.timedelta(hours=h)) for h in (14, 16))
    assert (len(before.bars), len(after.bars)) == (3, 4)
    assert len(datasets.ended(first_bars(lane, 0), 1440, NSE, at=day).bars) == 0


# T4, T17: labels that are not settled yet, and longer runs


@pytest.mark.django_db
def test_a_longer_run_begins_with_the_shorter_one_to_the_last_bit(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    short = built(span=(SPAN[0], dt.date(2026, 10, 23)))
    long = built(span=SPAN)
    first = np.flatnonzero(long.ts <= short.ts.max())
    for name in ("X", "ts", "end", "y", "net", "symbol", "ambiguous"):
        assert getattr(long, name)[first].tobytes() == getattr(short, name).tobytes(), name


def test_a_day_that_goes_on_has_labels_only_where_they_are_settled():
    lane = market(4, SMALL)[0]
    whole = part(lane, Recipe("intraday", SETUP, Barriers(), 0), FREE)
    noon = 2 * 75 + 40
    cut = first_bars(lane, noon)
    early = part(cut, Recipe("intraday", SETUP, Barriers(), 0), FREE)
    assert early.counts["not_settled"] > 0
    assert early.arrays["y"].size < whole.arrays["y"].size
    both = np.isin(whole.arrays["ts"], early.arrays["ts"])
    for name in ("y", "net", "end", "X"):
        assert whole.arrays[name][both].tobytes() == early.arrays[name].tobytes()
    assert UNKNOWN not in early.arrays["y"]
    assert early.arrays["end"].max() <= lane.bars.ts[noon - 1] + 300


# T8, T9: what only teaching knows


@pytest.mark.parametrize("name", ["label_end", "teacher_p_long", "fwd_return"])
def test_what_is_known_only_afterwards_is_no_feature_anywhere(name):
    zeros = np.zeros((3, 1))
    with pytest.raises(ValueError, match="known only afterwards"):
        Scorer("", "x", (name,), "", Linear(zeros, zeros[:, 0], zeros[0], zeros[0], zeros[0]), 1.0, Thresholds(1, 1))
    assert name not in NAMES


# T14, T15: what was known later


@pytest.fixture
def home(settings, tmp_path, db):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return tmp_path


EX = dt.date(2026, 10, 20)


def before_split(times, prices, volumes):
    """Return bars as they were traded: five times the price, a fifth of the shares, until the ex-date."""
    old = np.array([when.date() < EX for when in times])
    return times, np.where(old[:, None], prices * 5.0, prices), np.where(old, volumes / 5.0, volumes)


def fifths(times, prices, volumes):
    return times, prices, volumes * 5.0


def split(known_on=EX):
    CorporateAction.objects.create(
        symbol="ACME", kind="split", ex_date=EX, known_on=known_on, price_factor="0.2", volume_factor="5", terms="10:2"
    )


def acme(folder, **told):
    return built(folder, symbols=("ACME",), **told)


def test_a_split_inside_the_bars_changes_no_feature_and_no_label(home):
    span = dt.date(2026, 9, 28), SPAN[1]
    smooth = acme(bar_file(home / "smooth", "ACME", *span, change=fifths))

    def traded(times, prices, volumes):
        return before_split(times, prices, volumes * 5.0)

    raw = bar_file(home / "raw", "ACME", *span, change=traded)
    split()
    Listing.objects.create(
        symbol="ACME", isec_code="ACM", token="1", isin="INE1", series="EQ", since=dt.date(2026, 1, 5)
    )
    found = acme(raw)
    told = found.manifest["symbols"]["ACME"]
    assert told["actions"] == [{"kind": "split", "ex_date": str(EX), "known_on": str(EX), "terms": "10:2"}]
    assert told["names"] == [{"symbol": "ACME", "series": "EQ", "isin": "INE1", "since": "2026-01-05", "until": None}]
    np.testing.assert_allclose(found.X, smooth.X, rtol=1e-9, atol=1e-12)
    assert np.array_equal(found.y, smooth.y)


def test_a_split_to_come_is_not_known_before_its_day(home):
    raw = bar_file(home / "raw", "ACME", dt.date(2026, 9, 28), SPAN[1])
    early = SPAN[0], EX - dt.timedelta(days=4)
    before = acme(raw, span=early)
    split()
    assert acme(raw, span=early).digest == before.digest


def scores(symbol, *told):
    for at, value in told:
        SentimentScore.objects.create(symbol=symbol, at=at, value=value, confidence=0.9, source="newsapi")


def test_news_that_came_later_change_no_earlier_row(home):
    raw = bar_file(home / "raw", "ACME", dt.date(2026, 9, 28), SPAN[1])
    noon = dt.datetime(2026, 10, 20, 6, 30, tzinfo=dt.UTC)
    scores("ACME", (noon - dt.timedelta(days=2), 0.4))
    before = acme(raw)
    scores("ACME", (noon, -0.8))
    after = acme(raw)
    sentiment = NAMES.index("sentiment")
    ends = before.ts + 300
    known = ends <= noon.timestamp()
    assert after.X[known].tobytes() == before.X[known].tobytes()
    told = after.X[ends >= noon.timestamp() + 2][:, sentiment]
    assert told[0] == -0.8
    assert before.digest != after.digest


# T16: a signal that is filled on the bar it was made from


def gains(lane, direction):
    """Return what trades in ``direction`` (n,) of a lane earn before any cost, one number a row; NaN where none."""
    free = Barriers(target=0.5, stop=0.5, by_atr=0, horizon=6, slippage=0.0, entry_cutoff=0)
    found = label(lane, MINUTES, free, FREE, np.zeros(0))
    return np.where(direction > 0, found.net[:, 0], np.where(direction < 0, found.net[:, 1], np.nan))


def test_knowing_the_close_one_decides_at_earns_nothing_on_a_random_walk():
    honest, cheating = [], []
    for lane in market(9, Ground(symbols=8, days=40, together=0.0)):
        lane = LaneBars(LaneSpec(lane.spec.symbol, 0.0), lane.bars, lane.places)
        bars = lane.bars
        honest.append(gains(lane, np.sign(bars.close - bars.open)))
        cheating.append(gains(lane, np.sign(np.append(bars.close[1:] - bars.open[1:], 0.0))))
    daily = np.nanmean(np.reshape(honest, (-1, 75)), axis=1)
    error = daily.std() / np.sqrt(daily.size)
    assert abs(daily.mean()) < 3.4 * error
    ahead = np.nanmean(np.reshape(cheating, (-1, 75)), axis=1)
    assert ahead.mean() > 10 * error


# the table


def test_the_table_names_a_living_test_for_every_trap():
    rows = [line for line in TABLE.splitlines() if re.match(r"\| T\d+ ", line)]
    assert [int(re.match(r"\| T(\d+)", row)[1]) for row in rows] == list(range(1, 20))
    for row in rows:
        named = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", row)
        assert named, row
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"{file} has no {name}"
