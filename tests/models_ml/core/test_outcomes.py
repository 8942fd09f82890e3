"""What directions would have earned: one trade at a time, net of charges, with an interval that means what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.core import evaluation, gates, outcomes
from models_ml.core.gates import Baseline
from models_ml.core.outcomes import Rows
from models_ml.core.thresholds import choose
from tests.models_ml.invented import dataset
from trading.core.errors import Invalid
from trading.core.scoring import NEVER

DAY, BAR = 86_400, 300


def rows_of(data):
    return Rows(data.symbol, data.ts, data.end, data.y.astype(int), data.net)


def few(*, y=(1, -1, 0, 1), last=(1, 1, 1, 1), net=None):
    n = len(y)
    ts = 13_500 + BAR * np.arange(n)
    net = np.array(net) if net is not None else np.column_stack([np.array(y), -np.array(y)]) * 0.01 - 0.001
    return Rows(np.full(n, "AAA"), ts, ts + BAR * np.array(last), np.array(y), net)


def test_while_a_trade_lasts_no_other_is_taken_in_its_symbol():
    rows = few(y=(1, 1, 1, 1), last=(2, 1, 1, 1))
    assert outcomes.taken(rows, np.array([1, 1, 1, 0])).tolist() == [0, 2]
    other = rows.symbol.copy()
    other[1] = "BBB"
    apart = Rows(other, rows.ts, rows.end, rows.y, rows.net)
    assert outcomes.taken(apart, np.array([1, 1, 1, 0])).tolist() == [0, 1, 2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_trades_of_one_symbol_never_overlap_and_follow_their_signals(seed):
    data = dataset(days=4, bars=12, seed=seed % 1000)
    rows = rows_of(data)
    directions = np.random.default_rng(seed).integers(-1, 2, len(data))
    trades = outcomes.taken(rows, directions)
    assert (directions[trades] != 0).all()
    for symbol in ("AAA", "BBB"):
        mine = trades[rows.symbol[trades] == symbol]
        assert (rows.ts[mine][1:] >= rows.end[mine][:-1]).all()


def test_each_side_earns_its_own_net_return():
    rows = few()
    found = outcomes.realised(rows, np.array([1, -1, 1, -1]), seed=0)
    assert found["net_total"] == pytest.approx(0.009 + 0.009 - 0.001 - 0.011)
    assert found["precision"]["value"] == 0.5
    assert found["hit_ratio"]["value"] == 0.5
    assert found["base_rate"] == pytest.approx((0.5 + 0.25) / 2)
    assert found["decided"]["precision"] == pytest.approx(2 / 3)


def test_without_a_direction_nothing_is_claimed():
    found = outcomes.realised(few(), np.zeros(4, int), seed=0)
    assert (found["trades"], found["precision"], found["sharpe"], found["net_mean"]) == (0, None, None, None)
    assert found["baselines"]["shuffled"] is None


def test_always_long_in_a_bull_market_has_no_uplift():
    data = dataset(days=30, seed=3)
    y = np.where(np.random.default_rng(0).random(len(data)) < 0.7, 1, -1)
    rows = Rows(data.symbol, data.ts, data.end, y, data.net)
    found = outcomes.realised(rows, np.ones(len(data), int), seed=0)
    assert found["precision"]["value"] > 0.65
    assert abs(found["uplift"]["value"]) < 0.03


def test_an_interval_covers_the_truth_as_often_as_it_says_though_a_days_rows_move_alike():
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(120):
        blocks = np.repeat(np.arange(40), 12)
        common = rng.normal(size=40)[blocks]
        told = outcomes.interval(np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(size=480), blocks, trial)
        inside += told["low"] <= 0.0 <= told["high"]
    assert 0.88 <= inside / 120 <= 1.0
    alone = outcomes.interval(np.arange(480.0), np.arange(480), 1)
    assert (alone["n"], alone["blocks"]) == (480, 480)


def test_too_few_blocks_have_a_mean_and_no_interval():
    told = outcomes.interval(np.array([1.0, 2.0]), np.array([0, 1]), 0)
    assert (told["value"], told["low"], told["high"]) == (1.5, None, None)


def test_nobody_earns_more_than_one_who_knew():
    data = dataset(edge=0.3, days=20, seed=1)
    rows = rows_of(data)
    found = outcomes.realised(rows, np.where(data.X[:, 0] > 0, 1, -1), seed=0)
    assert 0 < found["net_total"] < found["oracle_net"]
    assert found["capture"] == pytest.approx(found["net_total"] / found["oracle_net"])


def test_a_threshold_is_the_one_that_paid_and_says_when_none_did():
    data = dataset(edge=0.6, days=40, seed=2)
    lean = 1 / (1 + np.exp(-data.X[:, 0]))
    chances = np.column_stack([lean, 1 - lean, np.zeros(len(data))])
    limits, told = choose(rows_of(data), chances)
    assert told["long"]["pays"]
    assert told["long"]["net_mean"] > 0
    assert told["short"]["pays"]
    assert 0.5 < limits.long < 1
    lost, told = choose(rows_of(dataset(days=40, seed=2, cost=0.02)), chances)
    assert not told["long"]["pays"]
    assert lost.long == pytest.approx(np.quantile(lean[lean > 0.5], 0.95))


def test_a_side_that_never_leads_is_never_taken():
    data = dataset(days=10)
    limits, told = choose(rows_of(data), np.tile([0.6, 0.1, 0.3], (len(data), 1)))
    assert limits.short == NEVER
    assert told["short"]["pays"] is False


@pytest.mark.parametrize(
    ("area", "uplift", "suspected"),
    [(0.52, 0.02, False), (0.561, 0.0, True), (0.5, 0.081, True), (None, None, False), (0.56, 0.08, False)],
)
def test_figures_too_good_to_be_honest_are_a_suspected_leak(area, uplift, suspected):
    told = gates.suspected_leak(area, 500, uplift, 200)
    assert told["suspected"] is suspected
    assert bool(told["reasons"]) is suspected


def test_of_few_rows_such_figures_are_luck_and_no_pass_either():
    told = gates.suspected_leak(0.9, 60, 0.4, 20)
    assert (told["suspected"], told["enough"]) == (False, False)
    few = gates.checks(fine() | {"leak": told}, Baseline(0.0, 0.0))
    assert [each["name"] for each in few if not each["pass"]] == ["leak"]
    assert "too few rows to tell" in few[-1]["value"]


def fine():
    sure = {"value": 0.02, "low": 0.01, "high": 0.03}
    return {
        "teacher_agreement": {"accuracy": 0.9, "precision_macro": 0.8, "recall_macro": 0.8},
        "realised": {"net_mean": sure, "decided": {"uplift": sure}}, "thresholds": {"long": {"pays": True}},
        "leak": {"suspected": False, "enough": True},
    }  # fmt: skip


def test_everything_must_be_met_and_what_is_missing_is_not():
    baseline = Baseline(0.6, 0.55)
    assert all(each["pass"] for each in gates.checks(fine(), baseline))
    for name in fine():
        rest = {key: value for key, value in fine().items() if key != name}
        assert not all(each["pass"] for each in gates.checks(rest, baseline)), name
    for bad in (None, float("nan")):
        spoiled = fine()
        spoiled["realised"]["net_mean"] = {"low": bad}
        assert not all(each["pass"] for each in gates.checks(spoiled, baseline))


def test_agreement_with_the_teacher_alone_promotes_nobody():
    told = fine() | {"realised": {"net_mean": {"low": -0.001}, "decided": {"uplift": {"low": -0.01}}}}
    told["teacher_agreement"] = {"accuracy": 1.0, "precision_macro": 1.0, "recall_macro": 1.0}
    assert gates.document_criteria(told["teacher_agreement"])["all_pass"]
    failed = {each["name"] for each in gates.checks(told, Baseline(0.6, 0.55)) if not each["pass"]}
    assert failed == {"net", "uplift"}


@pytest.mark.parametrize("shares", [(1.1, 0.5), (0.5, -0.1)])
def test_a_baseline_that_is_no_share_is_refused(shares):
    with pytest.raises(Invalid):
        Baseline(*shares)


def test_where_only_long_can_be_traded_short_is_never_taken_and_long_is_told_from_the_rest():
    data = dataset(edge=0.5, days=40, seed=2)
    net = np.column_stack([data.net[:, 0], np.full(len(data), np.nan)])
    y = np.where(data.y > 0, 1, 0)
    rows = Rows(data.symbol, data.ts, data.end, y, net)
    assert not rows.both
    found = outcomes.realised(rows, np.where(data.X[:, 0] > 1.0, 1, -1), seed=0)
    longs = outcomes.realised(rows, np.where(data.X[:, 0] > 1.0, 1, 0), seed=0)
    assert (found["trades"], found["net_total"]) == (longs["trades"], longs["net_total"])
    assert found["decided"]["trades"] == found["trades"]
    assert found["decided"]["uplift"]["low"] > 0.02
    assert found["baselines"]["always_short"] is None
    assert np.isfinite(found["oracle_net"])
    lean = 1 / (1 + np.exp(-data.X[:, 0]))
    limits, _ = choose(rows, np.column_stack([lean, 1 - lean, np.zeros(len(data))]))
    assert limits.short == NEVER
    assert limits.long < 1
    assert evaluation.directional_auc(y, np.column_stack([lean, 1 - lean]), both=False) > 0.55
