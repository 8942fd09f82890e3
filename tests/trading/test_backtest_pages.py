"""Backtests from the browser: asked for by a form, watched while they run, read when they are done."""

import csv
import io

import pytest
from django.contrib.auth.models import Group, User

from sensequant.lib.clock import now
from tests.trading.pages import NOON
from trading.core.metrics import Measures
from trading.core.returns import NAMES
from trading.core.rights import OPERATORS
from trading.core.strategies import STRATEGIES
from trading.models import BacktestRun, BacktestTrade
from trading.selectors.backtests import drawdowns
from trading.services import backtests as service
from trading.views import backtests, metrics

GOOD = {
    "symbols": "demobank, DEMOOIL", "strategy": "intraday", "interval": "5minute", "start": "2026-11-02",
    "end": "2026-11-06", "directory": "", "capital": "1000000",
}  # fmt: skip


@pytest.fixture
def queued(monkeypatch):
    """What was handed to the worker."""
    handed = []
    monkeypatch.setattr(backtests.run_backtest, "delay_on_commit", lambda **told: handed.append(told))
    return handed


@pytest.fixture
def trader(db, client):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


def text(answer):
    return answer.content.decode()


def a_backtest(**changes):
    usual = {
        "symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "start": "2026-11-02",
        "end": "2026-11-06", "source": "demo", "capital": 1_000_000, "created_at": NOON, "created_by": "asha",
    }  # fmt: skip
    return BacktestRun.objects.create(**{**usual, **changes})


def a_done_one(trades=3):
    run = a_backtest(
        status="done", progress=1.0, bars=375, finished_at=NOON, warnings=["only 3 trades"],
        metrics={"total_pnl": -1234.5, "total_return": -0.0012, "sharpe_ratio": None, "trades": trades},
        equity=[["2026-11-02", 1000000.0], ["2026-11-03", 1010000.0], ["2026-11-04", 989800.0]],
    )  # fmt: skip
    for number in range(1, trades + 1):
        BacktestTrade.objects.create(
            run=run, number=number, symbol="DEMOBANK", side="LONG", quantity=40, entry_time=NOON, entry_price=900,
            exit_time=NOON, exit_price=901, exit_reason="take_profit", gross_pnl=40, charges=60, net_pnl=-20,
        )  # fmt: skip
    return run


def test_the_form_offers_every_strategy_with_its_bounds_and_meanings(trader):
    page = text(trader.get("/backtests/"))
    for name in STRATEGIES:
        assert f'id="strategy-{name}"' in page
    for said in (
        "2 … 400 bars",
        "simple moving average price must retake",
        "usual: 20",
        "No backtest yet",
        'name="p.swing.stop_loss"',
    ):
        assert said in page


def test_a_good_form_queues_a_run_and_goes_to_its_page(trader, queued):
    answer = trader.post("/backtests/", {**GOOD, "p.intraday.sma": "10", "p.intraday.ema": "", "p.swing.sma": "99"})
    run = BacktestRun.objects.get()
    assert answer.headers["Location"] == f"/backtests/{run.pk}/"
    assert queued == [{"run_id": run.pk}]
    assert (run.symbols, run.source, run.created_by, run.status) == (["DEMOBANK", "DEMOOIL"], "demo", "asha", "queued")
    assert {name: float(value) for name, value in run.params.items()} == {"sma": 10}


@pytest.mark.parametrize(
    ("source", "directory", "kept"),
    [
        ("demo", "", "demo"), ("", "", "demo"), ("hybrid", "", "hybrid"), ("breeze", "", "breeze"),
        ("hybrid", "bars", "hybrid"),
    ],
)  # fmt: skip
def test_the_form_asks_where_the_bars_come_from(trader, queued, source, directory, kept):
    symbols = "DEMOBANK" if kept == "demo" else "RELIANCE"
    trader.post("/backtests/", {**GOOD, "symbols": symbols, "source": source, "directory": directory})
    run = BacktestRun.objects.get()
    assert (run.source, len(queued)) == (kept, 1)
    assert f'<option value="{kept}" selected>' in text(trader.get(f"/backtests/?again={run.pk}"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"source": "bloomberg"}, "bloomberg is not one of the available choices"),
        ({"source": "demo", "directory": "/no/such/folder"}, "there is no folder"),
        ({"p.intraday.sma": "1"}, "sma=1 is out of bounds: use 2 to 400 bars"),
        ({"p.intraday.sma": "ten"}, "is not a number"),
        ({"symbols": "NOSUCH"}, "NOSUCH"),
        ({"symbols": ""}, "This field is required"),
        ({"start": "2026-11-09"}, "swap the two dates"),
        ({"capital": "10"}, "greater than or equal to 1000"),
        ({"strategy": "martingale"}, "martingale is not one of the available choices"),
        ({"interval": "1day"}, "cannot use daily bars"),
        ({"directory": "/no/such/folder"}, "there is no folder"),
        ({"start": "2036-01-01", "end": "2036-02-01"}, "lies in the future"),
    ],
)
def test_a_wrong_form_is_shown_again_with_the_reason(trader, queued, wrong, said):
    answer = trader.post("/backtests/", {**GOOD, **wrong})
    assert answer.status_code == 422
    assert said in text(answer)
    assert f'value="{({**GOOD, **wrong})["end"]}"' in text(answer)
    assert queued == []
    assert not BacktestRun.objects.exists()


def test_what_was_typed_is_still_there(trader, queued):
    assert 'value="1"' in text(trader.post("/backtests/", {**GOOD, "p.intraday.sma": "1"}))


def test_who_only_looks_sees_results_but_starts_nothing(db, client):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    run = a_done_one()
    assert "Run the backtest" not in text(client.get("/backtests/"))
    assert client.get(f"/backtests/{run.pk}/").status_code == 200
    assert client.post("/backtests/", GOOD).status_code == 403
    assert client.post(f"/backtests/{run.pk}/cancel").status_code == 403


def test_a_running_one_shows_how_far_it_is_and_looks_again_by_itself(trader):
    run = a_backtest(status="running", progress=0.42)
    page = text(trader.get(f"/backtests/{run.pk}/"))
    assert "42 %" in page
    assert 'hx-trigger="every 1s"' in page
    assert 'http-equiv="refresh"' in page
    assert "Cancel" in page


def test_cancelling_reaches_the_run_once(trader):
    run = a_backtest()
    assert "Cancellation requested" in text(trader.post(f"/backtests/{run.pk}/cancel", follow=True))
    assert "cannot be cancelled" in text(trader.post(f"/backtests/{run.pk}/cancel", follow=True))


def test_a_cancelled_one_and_one_whose_process_died_can_be_resumed(trader, queued):
    for run in (a_backtest(status="cancelled"), a_backtest(status="running", progress=0.4)):
        assert "Resume" in text(trader.get(f"/backtests/{run.pk}/"))
        assert "The backtest goes on" in text(trader.post(f"/backtests/{run.pk}/resume", follow=True))
        assert queued[-1] == {"run_id": run.pk}
        assert "cannot be resumed" in text(trader.post(f"/backtests/{run.pk}/resume", follow=True))


def test_a_failed_one_says_why(trader):
    assert "column volume is missing" in text(
        trader.get(f"/backtests/{a_backtest(status='failed', error='column volume is missing').pk}/")
    )


def test_a_done_one_shows_curve_measures_warnings_and_trades(trader):
    page = text(trader.get(f"/backtests/{a_done_one().pk}/"))
    for said in (
        "▼ −₹1,234.50",
        "−0.12%",
        "only 3 trades",
        "Mean ÷ standard deviation",
        "equity-data",
        "take profit",
        "−20.00",
        "<polyline",
    ):
        assert said in page, said
    assert "http-equiv" not in page


def test_every_measure_has_its_formula_on_the_page():
    told = {metric.key for _, group in metrics.GROUPS for metric in group}
    assert told <= {*Measures._fields, *NAMES}
    assert set(Measures._fields) - told == {"avg_hold_bars"}  # said in minutes instead


def test_the_trades_are_exported(trader):
    answer = trader.get(f"/backtests/{a_done_one().pk}/trades.csv")
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["net_pnl"]) == -20


def test_running_again_starts_from_what_was_asked(trader):
    run = a_backtest(params={"sma": "33"}, symbols=["DEMOCEM"])
    page = text(trader.get(f"/backtests/?again={run.pk}"))
    assert 'value="33"' in page
    assert "DEMOCEM" in page


def test_an_unknown_number_is_a_404(trader):
    assert trader.get("/backtests/999/").status_code == 404
    assert trader.get("/backtests/?again=999").status_code == 200


def test_a_drawdown_is_the_distance_from_the_highest_point_before():
    assert drawdowns([["a", 100.0], ["b", 120.0], ["c", 90.0]]) == [0.0, 0.0, pytest.approx(-0.25)]


def test_from_the_form_to_the_trades_of_the_demo_market(trader, queued):
    trader.post("/backtests/", GOOD)
    run = BacktestRun.objects.get()
    service.execute(run.pk, at=now())
    page = text(trader.get(f"/backtests/{run.pk}/"))
    assert "✔ done" in page
    assert f"{run.trades.count()}" in page
