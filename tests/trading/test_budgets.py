"""The call budget in the database: shared by processes, kept over restarts, a denial at once."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, connections, transaction

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, Unavailable
from trading.adapters.breeze.errors import BudgetSpent
from trading.models import CallBudget
from trading.services import budgets
from trading.services.budgets import DeskBudget, Limits, gauges

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
pytestmark = pytest.mark.django_db

LIMITS = Limits(minute=100, day=5_000, orders=5, reserved=0.3)


class Clock:
    def __init__(self, at=NOON):
        self.at = at

    def __call__(self):
        return self.at

    def pass_(self, seconds):
        self.at += dt.timedelta(seconds=seconds)


def spent(budget, kind="call", *, exit=False, tries=10_000):
    """Spend until denied; return how often it went, and the denial."""
    for count in range(tries):
        try:
            budget.spend(kind, exit=exit)
        except BudgetSpent as denied:
            return count, denied
    raise AssertionError("never denied")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(clock):
    return DeskBudget(clock, LIMITS)


def test_ordinary_calls_are_denied_while_exits_still_go(budget):
    ordinary, denied = spent(budget)
    assert ordinary == 20
    assert "100 calls a minute, 30% of them kept for exits" in denied.message
    exits, denied = spent(budget, exit=True)
    assert exits == 30
    assert "kept for exits" not in denied.message


def test_a_long_download_leaves_something_to_those_who_trade(budget, clock):
    fetched, denied = spent(budget, "history")
    assert fetched == 10
    for _ in range(60):  # it goes on as fast as it may
        clock.pass_(denied.retry_after + 0.001)
        budget.spend("history")
        _, denied = spent(budget, "history")
    assert spent(budget)[0] == 10
    assert spent(budget, exit=True)[0] == 30


def test_a_days_download_leaves_something_to_those_who_trade():
    clock = Clock()
    budget = DeskBudget(clock, Limits(minute=100, day=10, orders=5, reserved=0.5))
    counts = []
    for kind, exit in (("history", False), ("call", False), ("call", True)):
        clock.pass_(3_600)
        counts.append(spent(budget, kind, exit=exit)[0])
    assert counts == [4, 1, 5]


def test_a_denial_says_how_long_to_wait_and_after_that_it_goes(budget, clock):
    _, denied = spent(budget)
    assert 0 < denied.retry_after < 2
    clock.pass_(denied.retry_after + 0.001)  # the clock counts whole microseconds
    budget.spend("call")


def test_an_order_is_a_call_too_and_is_denied_by_the_second(budget, clock):
    placed, denied = spent(budget, "order")
    assert placed == 2
    assert "order requests a second" in denied.message
    clock.pass_(denied.retry_after + 0.001)
    budget.spend("order")
    rows = {row.name: row for row in CallBudget.objects.all()}
    assert {name: row.used for name, row in rows.items()} == {"day": 3, "minute": 3, "orders": 3}
    assert {name: row.denied for name, row in rows.items()} == {"day": 0, "minute": 0, "orders": 1}


def test_a_denied_order_takes_nothing_from_the_other_budgets(budget, clock):
    spent(budget, "order", exit=True)
    before = gauges(at=clock(), limits=LIMITS)
    with pytest.raises(BudgetSpent):
        budget.spend("order", exit=True)
    after = gauges(at=clock(), limits=LIMITS)
    assert (after["day"], after["minute"]) == (before["day"], before["minute"])


def test_the_day_ends_at_midnight_in_india_and_begins_at_nothing():
    clock = Clock(dt.datetime(2026, 11, 23, 23, 59, 50, tzinfo=IST))
    budget = DeskBudget(clock, Limits(minute=100, day=4, orders=5, reserved=0.5))
    ordinary, denied = spent(budget)
    assert ordinary == 2
    assert denied.retry_after == 10
    assert "midnight IST" in denied.fix
    assert spent(budget, exit=True)[0] == 2
    clock.pass_(10)
    assert spent(budget)[0] == 2
    assert gauges(at=clock(), limits=budget.limits)["day"]["denied"] == 1


def test_a_clock_reading_just_before_midnight_does_not_bring_yesterday_back():
    clock = Clock(dt.datetime(2026, 11, 24, 0, 0, 1, tzinfo=IST))
    budget = DeskBudget(clock, Limits(minute=100, day=4, orders=5, reserved=0.5))
    budget.spend("call")
    clock.pass_(-2)
    budget.spend("call")
    clock.pass_(2)
    with pytest.raises(BudgetSpent):
        budget.spend("call")


def test_what_was_spent_survives_a_restart(budget, clock):
    spent(budget, exit=True)
    with pytest.raises(BudgetSpent):
        DeskBudget(clock, LIMITS).spend("call", exit=True)


@pytest.mark.parametrize("name", ["day", "minute", "orders"])
def test_a_row_that_was_deleted_is_made_anew(budget, name):
    budget.spend("order")
    CallBudget.objects.filter(name=name).delete()
    budget.spend("order")
    assert CallBudget.objects.count() == 3


def test_an_unknown_kind_is_named(budget):
    with pytest.raises(BadInput, match="'quote'"):
        budget.spend("quote")


def test_the_settings_give_the_limits(settings):
    assert Limits.of_settings() == LIMITS


def test_gauges_of_a_budget_nobody_has_used():
    assert gauges(at=NOON) == {
        "minute": {"left": 50, "most": 50, "limit": 100, "reserved": 30, "used": 0, "denied": 0},
        "day": {"left": 5_000, "most": 5_000, "limit": 5_000, "reserved": 1_500, "used": 0, "denied": 0},
        "orders": {"left": 3, "most": 3, "limit": 5, "reserved": 2, "used": 0, "denied": 0},
    }
    assert not CallBudget.objects.exists()


def test_gauges_show_what_is_left_and_begin_anew_with_the_day(budget, clock):
    spent(budget)
    assert gauges(at=clock())["minute"] == {
        "left": 30, "most": 50, "limit": 100, "reserved": 30, "used": 20, "denied": 1,
    }  # fmt: skip
    assert gauges(at=clock())["day"]["left"] == 4_980
    assert gauges(at=clock() + dt.timedelta(days=1))["minute"]["used"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_budget_is_never_spent_inside_a_transaction_that_may_be_undone():
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        DeskBudget(Clock(), LIMITS).spend("call")


class Broken:
    """A database that answers nothing."""

    def __call__(self, execute, sql, params, many, context):
        raise DatabaseError("the disk is gone")


def test_without_its_rows_an_exit_uses_the_reserve_and_nothing_else_goes(budget, clock):
    with connection.execute_wrapper(Broken()):
        with pytest.raises(Unavailable, match="cannot be read"):
            budget.spend("call")
        assert spent(budget, exit=True)[0] == 30
        clock.pass_(2)
        budget.spend("order", exit=True)


def _went(budget):
    try:
        budget.spend("call", exit=True)
    except BudgetSpent:
        return 0
    return 1


def hammer(start=None):
    """Spend fifteen times as fast as it goes; return how often it went."""
    if start is not None:
        start.wait()
    try:
        budget = DeskBudget(Clock(), LIMITS)
        return sum(_went(budget) for _ in range(15))
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_four_processes_together_never_pass_more_than_the_limit():
    connections.close_all()  # no child speaks over a connection of ours
    forked = multiprocessing.get_context("fork")
    start, counts = forked.Event(), forked.SimpleQueue()
    children = [forked.Process(target=lambda: counts.put(hammer(start))) for _ in range(4)]
    for child in children:
        child.start()
    start.set()
    passed = sum(counts.get() for _ in children)
    for child in children:
        child.join(10)
    assert passed == 50
    minute = CallBudget.objects.get(name="minute")
    assert (minute.tokens, minute.used, minute.denied) == (0.0, 50, 10)
    assert CallBudget.objects.get(name="day").used == 50


@pytest.mark.django_db(transaction=True)
def test_threads_of_one_process_never_pass_more_than_the_limit():
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: hammer(), range(4))) == 50


def test_the_windows_are_longer_than_the_broker_counts():
    assert budgets.WINDOWS["minute"] > 60
    assert budgets.WINDOWS["orders"] > 1
