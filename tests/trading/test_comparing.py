"""Two backtests side by side: settings, measures, a paired test, the trades of one alone."""

import json

import numpy as np
import pytest

from tests.trading.desks import command
from tests.trading.test_backtests import MONTH, ask, done
from trading.core.resampling import block_bootstrap
from trading.models import BacktestRun
from trading.services import comparing

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    span = {"start": MONTH[0], "end": MONTH[1]}
    return done(**span), done(**span, params={"allow_short": 0, "adx_min": 10, "volume_min": 0})


def test_what_differs_is_told_and_what_does_not_is_not(pair):
    a, b = pair
    found = json.loads(command("compare_backtests", a.pk, b.pk, "--json")[1])
    names = {row["name"] for row in found["settings"]}
    assert "params.allow_short" in names
    assert not names & {"strategy", "symbols", "params.adx_min"}
    pnl = next(row for row in found["metrics"] if row["name"] == "total_pnl")
    assert pnl["difference"] == pytest.approx(b.metrics["total_pnl"] - a.metrics["total_pnl"])
    trades = found["trades"]
    assert trades["both"] + trades["only_a"] == a.metrics["trades"]
    assert trades["both"] + trades["only_b"] == b.metrics["trades"]
    assert {row["side"] for row in trades["listed_a"]} >= {"SHORT"}
    assert found["paired"]["low"] <= found["paired"]["mean"] <= found["paired"]["high"]


def test_a_run_beside_its_own_repetition_does_not_differ(pair):
    again = BacktestRun.objects.get(pk=pair[0].pk)
    twin = done(start=MONTH[0], end=MONTH[1])
    found = comparing.compare(again.pk, twin.pk)
    assert (found["settings"], found["trades"]["only_a"], found["paired"]["mean"]) == ([], 0, 0.0)
    assert found["paired"]["verdict"] == "no difference that luck could not make"
    assert "the same settings" in command("compare_backtests", again.pk, twin.pk)[1]


def test_a_difference_of_every_day_is_no_luck(pair):
    a, b = pair
    for run, rate in ((a, 1.0), (b, 1.002)):
        equity = [[day, 1e6 * rate**k] for k, (day, _) in enumerate(a.equity, start=1)]
        BacktestRun.objects.filter(pk=run.pk).update(equity=equity, capital=1_000_000)
    found = comparing.compare(a.pk, b.pk)["paired"]
    assert (found["verdict"], found["p"]) == ("b is better", 0.0)
    assert comparing.compare(b.pk, a.pk)["paired"]["verdict"] == "b is worse"


def test_what_can_not_be_compared_is_said(pair):
    a = pair[0].pk
    waiting = ask().pk
    for second, code, words in ((a, 2, "with itself"), (4711, 2, "no backtest 4711"), (waiting, 1, "is queued")):
        got, out, err = command("compare_backtests", a, second)
        assert (got, out, err.count("\n")) == (code, "", 1)
        assert words in err


def test_blocks_keep_neighbours_together():
    drawn = block_bootstrap(23, block=5, times=50, seed=1)
    assert drawn.shape == (50, 23)
    steps = np.diff(drawn, axis=1) % 23
    assert (steps == 1).mean() > 0.75
    np.testing.assert_array_equal(drawn, block_bootstrap(23, block=5, times=50, seed=1))
