"""The trade journal: a row a fill, the profit on the one that closed, rebuilt when the engine starts."""

import csv
import datetime as dt
from decimal import Decimal

import pytest

from sensequant.lib.clock import IST
from tests.trading.desks import begun, driven
from trading.models import Fill
from trading.services import journal

pytestmark = pytest.mark.django_db
THREE = dt.date(2026, 11, 2), dt.date(2026, 11, 4)


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


def written(home):
    with (home / "logs" / "trades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_journal_has_the_promised_columns_and_a_row_for_every_fill(home):
    run = driven(span=THREE)
    rows = written(home)
    assert list(rows[0]) == ["timestamp", "symbol", "action", "price", "qty", "pnl", "costs", "reason", "order_ids"]
    fills = Fill.objects.filter(order__run=run).order_by("at", "id").select_related("order")
    assert [(r["timestamp"], r["symbol"], r["action"], Decimal(r["price"]), int(r["qty"])) for r in rows] == [
        (f.at.astimezone(IST).isoformat(), f.order.symbol, f.order.side, f.price, f.quantity) for f in fills
    ]
    assert [Decimal(r["costs"]) for r in rows] == [f.charges for f in fills]


def test_the_fill_that_closed_a_trade_carries_its_profit_reason_and_orders(home):
    run = driven(span=THREE, participation=0.002, notional=200_000)
    told = [row for row in written(home) if row["pnl"]]
    trades = list(run.trades.order_by("exit_time", "id"))
    assert len(told) == len(trades) > 5
    assert sorted(Decimal(row["pnl"]) for row in told) == sorted(trade.net_pnl for trade in trades)
    assert sorted(row["order_ids"] for row in told) == sorted(" ".join(map(str, trade.orders)) for trade in trades)
    assert {row["reason"] for row in told} <= {trade.exit_reason for trade in trades}


def test_two_fills_of_one_exit_in_one_bar_carry_the_profit_once(home):
    run = driven(span=THREE)
    trade = run.trades.first()
    closing = Fill.objects.get(order__run=run, order__symbol=trade.symbol, at=trade.exit_time)
    Fill.objects.create(order=closing.order, number=2, at=closing.at, quantity=1, price=closing.price, charges=0)
    journal.rebuild(run)
    both = [row for row in written(home) if row["timestamp"] == trade.exit_time.astimezone(IST).isoformat()]
    both = [row["pnl"] for row in both if row["symbol"] == trade.symbol]
    assert both == ["", str(trade.net_pnl)]


def test_a_rebuilt_journal_is_the_one_that_was_appended(home):
    run = driven(span=THREE, participation=0.002)
    appended = (home / "logs" / "trades.csv").read_text()
    (home / "logs" / "trades.csv").write_text("half a li")
    journal.rebuild(run)
    assert (home / "logs" / "trades.csv").read_text() == appended


def test_a_run_that_is_continued_goes_on_in_the_journal(home):
    run = driven(begun(span=THREE), looks=120)
    (home / "logs" / "trades.csv").unlink()
    driven(run)
    assert len(written(home)) == Fill.objects.filter(order__run=run).count()


def test_a_journal_that_can_not_be_written_costs_the_engine_nothing(home, caplog):
    (home / "logs").mkdir()
    (home / "logs" / "trades.csv").mkdir()  # no file can be opened under this name
    run = driven(span=THREE)
    assert run.state == "finished"
    assert run.trades.count() > 5
    assert "journal not written" in caplog.text


def test_a_journal_whose_folder_is_a_file_costs_the_engine_nothing(home):
    (home / "logs").write_text("")
    assert driven(span=THREE).state == "finished"
