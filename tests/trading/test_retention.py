"""Rows that grow for ever are deleted when they are old; what is a record of money never is."""

import datetime as dt

import pytest

from tests.trading.desks import NOON, begun, command, driven
from trading import tasks
from trading.models import BrokerMessage, Condition, EngineRun, EquityPoint, Fill, Order, Signal, Trade
from trading.services import retention

pytestmark = pytest.mark.django_db
YEAR = dt.timedelta(days=365)


def test_old_rows_go_in_batches_and_young_ones_stay(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    for years in (0, 4, 6, 6, 6, 6, 6, 6, 6):
        at = NOON - years * YEAR
        Condition.objects.create(code="x", level="warn", message="m", since=at, seen_at=at, until=at)
    Condition.objects.create(code="open", level="bad", message="m", since=NOON - 9 * YEAR, seen_at=NOON)
    assert retention.counted(at=NOON)["conditions"] == 7
    assert retention.prune(at=NOON)["conditions"] == 7
    assert sorted(Condition.objects.values_list("code", flat=True)) == ["open", "x", "x"]
    assert retention.prune(at=NOON)["conditions"] == 0


def test_a_replay_that_ended_long_ago_keeps_its_orders_fills_and_trades(monkeypatch):
    run = driven()
    kept = [rows.objects.count() for rows in (Order, Fill, Trade)]
    assert Signal.objects.exists()
    assert EquityPoint.objects.exists()
    retention.prune(at=NOON + 9 * YEAR)
    assert Signal.objects.exists()  # the run may go on
    EngineRun.objects.filter(pk=run.pk).update(current=False, stopped_at=NOON)
    monkeypatch.setattr(tasks, "now", lambda: NOON + YEAR)
    tasks.delete_old_rows()
    assert (Signal.objects.count(), EquityPoint.objects.count()) == (0, 0)
    assert [rows.objects.count() for rows in (Order, Fill, Trade)] == kept
    assert min(kept) > 0


def test_a_dry_run_only_counts():
    begun()
    code, out, _ = command("prune", "--dry-run")
    assert code == 0
    assert "0 broker messages would go" in out
    assert BrokerMessage.objects.count() == 0
