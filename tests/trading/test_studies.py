"""What a backtest is worth: kept with it, shown at every door, and compared with another one's."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.test import Client

from tests.trading import rows
from tests.trading.bar_files import minutes, write
from tests.trading.desks import LIVELY, NOON, WEEK, one_lane
from tests.trading.test_backtests import ask, done
from trading.core.stress import LEVELS
from trading.models import BacktestRun
from trading.services import backtests

pytestmark = pytest.mark.django_db


def test_a_run_keeps_its_study_and_the_same_run_has_the_same():
    first, second = done(), done()
    assert first.study == second.study
    assert first.study.keys() == {
        "benchmark", "index", "monthly", "monte_carlo", "stress", "anew", "strategies", "excursions",
    }  # fmt: skip
    json.dumps(first.study, allow_nan=False)


def test_charges_once_are_the_runs_own_net_profit():
    run = done()
    row = next(each for each in run.study["stress"]["costs"] if each["level"] == 1.0)
    assert row["net_pnl"] == pytest.approx(sum(float(t.net_pnl) for t in run.trades.all()), abs=0.01)


def test_holding_is_measured_from_the_first_open_to_the_last_close():
    run = done(symbols=["DEMOBANK"])
    bars = one_lane("DEMOBANK", *WEEK).bars
    assert run.study["benchmark"]["total_return"] == pytest.approx(bars.close[-1] / bars.open[0] - 1.0)


def test_the_index_stands_beside_it_where_its_bars_lie_in_the_same_folder(tmp_path):
    write(tmp_path / "RELIANCE_5m.csv", minutes(*WEEK, step=5))
    write(tmp_path / "NIFTY50_5m.csv", [row.scaled(40) for row in minutes(*WEEK, step=5)])
    told = {"symbols": ["RELIANCE"], "source": "csv", "directory": str(tmp_path)}
    run = done(**told)
    assert run.study["index"]["name"] == "NIFTY50"
    assert run.study["index"]["total_return"] == pytest.approx(run.study["benchmark"]["total_return"], abs=1e-4)
    assert done().study["index"] is None
    write(tmp_path / "NIFTY50_5m.csv", minutes(WEEK[0] + dt.timedelta(days=2), WEEK[1], step=5))
    assert done(**told).study["index"]["sessions"] == 3  # the days it is known of, and no others


def test_two_runs_stand_side_by_side_on_a_page():
    first, second = done(), done(params={"adx_min": 30})
    client = Client()
    client.force_login(rows.people()["viewer"])
    page = client.get(f"/backtests/{first.pk}/compare?with={second.pk}").content.decode()
    assert "params.adx_min" in page
    assert "Is it luck?" in page
    for other, said in ((4711, "there is no backtest 4711"), ("x", "is not the number of a backtest"),
                        ("²", "is not the number of a backtest"),
                        (first.pk, "cannot be compared with itself")):  # fmt: skip
        assert said in client.get(f"/backtests/{first.pk}/compare?with={other}").content.decode()


def test_the_months_add_up_to_the_whole():
    run = done()
    whole = 1.0
    for _, _, value in run.study["monthly"]:
        whole *= 1.0 + value
    assert whole - 1.0 == pytest.approx(run.equity[-1][1] / float(run.capital) - 1.0)


def test_the_page_and_the_api_show_it():
    run = done()
    client = Client()
    client.force_login(rows.people()["operator"])
    page = client.get(f"/backtests/{run.pk}/").content.decode()
    for title in ("Beside buying and holding", "The same trades, otherwise", "Under heavier costs",
                  "By the month"):  # fmt: skip
        assert title in page
    assert client.get(f"/api/v1/backtests/{run.pk}/study").json()["stress"] == run.study["stress"]
    other = done(params={"adx_min": 30})
    assert client.get(f"/api/v1/backtests/{run.pk}/compare/{other.pk}").json()["b"] == other.pk
    queued = ask()
    assert client.get(f"/api/v1/backtests/{queued.pk}/study").status_code == 409


def test_a_run_without_trades_has_a_study_that_says_so():
    run = backtests.execute(ask(params={"adx_min": 60, "volume_min": 20}, capital=Decimal(1_000_000)).pk, at=NOON)
    assert BacktestRun.objects.get(pk=run.pk).study["monte_carlo"] is None
    assert run.study["stress"]["break_even_costs"] is None


def test_a_run_anew_at_the_same_costs_is_the_run_and_at_dearer_ones_is_what_a_dearer_desk_would_have_done():
    told = {"params": {**LIVELY, "stop_loss": 0.004}}
    run = done(stress=True, **told)
    rows = {(each["charges"], each["slippage"]): each for each in run.study["anew"]}
    assert len(rows) == len(LEVELS)
    same = rows[1.0, 1.0]
    assert (same["trades"], same["net_pnl"]) == (run.metrics["trades"], run.metrics["total_pnl"])
    assert rows[0.0, 1.0]["paid"] == 0.0
    assert rows[2.0, 1.0]["paid"] == pytest.approx(2 * same["paid"], rel=0.1)
    assert rows[3.0, 1.0]["net_pnl"] < rows[2.0, 1.0]["net_pnl"] < same["net_pnl"] < rows[0.0, 1.0]["net_pnl"]
    dearer = done(params={**told["params"], "slippage": 16.0})  # eight times the usual
    assert rows[1.0, 8.0]["net_pnl"] == dearer.metrics["total_pnl"]
    assert done().study["anew"] == []


def test_how_far_a_trade_went_is_that_of_the_bars_it_was_held_through():
    run, lanes = done(params={**LIVELY, "stop_loss": 0.004}), {}
    assert {each.side for each in run.trades.all()} == {"LONG", "SHORT"}
    for trade in run.trades.all():
        bars = lanes.setdefault(trade.symbol, one_lane(trade.symbol, *WEEK)).bars
        held = (bars.ts >= trade.entry_time.timestamp()) & (bars.ts < trade.exit_time.timestamp())
        entry, leave = float(trade.entry_price), float(trade.exit_price)
        low, high = min([entry, leave, *bars.low[held]]), max([entry, leave, *bars.high[held]])
        against, favour = (
            (1 - low / entry, high / entry - 1) if trade.side == "LONG" else (high / entry - 1, 1 - low / entry)
        )
        assert (trade.mae, trade.mfe) == (pytest.approx(against, abs=2e-6), pytest.approx(favour, abs=2e-6))
        move = (leave / entry - 1) * (1 if trade.side == "LONG" else -1)
        assert -trade.mae - 1e-6 <= move <= trade.mfe + 1e-6
    client = Client()
    client.force_login(rows.people()["viewer"])
    assert "How far trades went" in client.get(f"/backtests/{run.pk}/").content.decode()
    head = client.get(f"/backtests/{run.pk}/trades.csv").getvalue().decode().splitlines()[0]
    assert head.endswith("mae,mfe") or "MAE" in head
