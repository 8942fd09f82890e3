"""What the fault drill found in the order path, each told as the story that showed it."""

import datetime as dt
import threading
import time
from decimal import Decimal

import pytest
from django.db import DatabaseError
from django.db.models import F

from sensequant.lib.errors import NotAllowed
from tests.trading.live.desk import Desk
from trading.adapters.breeze.errors import Refused, SessionLost
from trading.core.orders import Status
from trading.core.ports import Ticket
from trading.core.state import RESERVED
from trading.models import Condition, EngineRun, Fill, Order, OrderEvent
from trading.models.broker import Lease
from trading.services import halts, leases, order_book

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.close()


def status(order):
    order.refresh_from_db()
    return Status(order.status)


def test_an_entry_that_was_filled_as_its_cancel_was_asked_for_is_read_and_booked(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    desk.room.patience = 0.0

    def too_late(order_id):
        desk.venue.asked.append(("cancel", order_id))
        desk.venue.fill(order_id, 10)
        desk.venue.cancel = refused
        raise Refused("it is executed already")

    def refused(order_id):
        raise Refused("it is executed already")

    desk.venue.cancel = too_late
    desk.until(lambda: desk.held() == 10)
    assert status(order) == Status.FILLED


def test_reading_an_order_whose_cancel_came_to_something_may_use_what_is_kept_for_exits(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    (live,) = desk.room.live.values()
    assert not live.urgent
    live.unread = True
    assert live.urgent


def test_reading_the_book_for_an_unknown_order_may_use_what_is_kept_for_exits_and_no_other_reading_may(desk):
    desk.read_book()
    assert not desk.venue.urgent
    desk.venue.mute = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.read_book()
    assert desk.venue.urgent
    assert status(order) == Status.WORKING
    desk.read_book()
    assert not desk.venue.urgent


def test_a_session_that_was_lost_and_made_anew_is_not_thrown_away_by_an_older_request(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    (live,) = desk.room.live.values()
    older, desk.venue.order = desk.venue.order, lambda order_id, exit=False: raise_lost()
    desk.room.look(live)
    newer = Desk.__new__(Desk)  # whatever stands for a newer session
    desk.room.broker = lambda: newer
    desk.room.pool.close()
    desk.room.pool.handle()
    assert desk.room.lost is None
    desk.venue.order = older


def raise_lost():
    raise SessionLost("Invalid session.")


def test_a_lost_session_is_forgotten_as_soon_as_the_book_can_be_read_again(desk):
    desk.no_session = SessionLost("gone")
    desk.book._due = 0.0
    desk.book.tend()
    assert desk.room.lost is desk.no_session
    desk.no_session = None
    desk.read_book()
    assert desk.room.lost is None
    assert desk.book.reconciled


def test_an_engine_that_lost_its_lease_writes_nothing_at_all(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    before = EngineRun.objects.get(pk=desk.run.pk).numbers
    desk.room.lease = leases.take("engine", "me")
    Lease.objects.filter(name="engine").update(holder="another", token=F("token") + 1)
    desk.venue.fill(desk.venue.newest(), 10)
    with pytest.raises(NotAllowed, match="no longer ours"):
        desk.until(lambda: desk.held() == 10)
    desk.close()
    assert EngineRun.objects.get(pk=desk.run.pk).numbers == before
    assert Fill.objects.count() == 0
    assert status(order) == Status.WORKING


def test_what_the_last_request_came_to_is_kept_when_the_engine_ends_with_its_lease(desk, monkeypatch):
    desk.room.lease = leases.take("engine", "me")
    ending, place, close = threading.Event(), desk.venue.place, desk.room.pool.close
    monkeypatch.setattr(desk.venue, "place", lambda *told, **more: ending.wait(5) and place(*told, **more))
    monkeypatch.setattr(desk.room.pool, "close", lambda: (ending.set(), close()))
    order = desk.buy()
    desk.until(lambda: status(order) == Status.SENDING)
    desk.close()
    assert status(order) == Status.WORKING


def test_once_a_moment_could_not_be_recorded_nothing_more_is_and_the_run_is_restored_whole(desk, monkeypatch):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    desk.venue.fill(desk.venue.newest(), 4)

    def broken(*args, **kwargs):
        raise DatabaseError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Fill.objects, "create", broken)
        with pytest.raises(DatabaseError):
            desk.until(lambda: desk.held() == 4)
    assert desk.held() == 4  # in mind only
    with pytest.raises(NotAllowed, match="could not be recorded"):
        desk.recorder.save(desk.cursor)
    other = desk.again()
    try:
        assert other.held() == 0
        other.until(lambda: other.held() == 4)
        assert Fill.objects.count() == 1
    finally:
        other.close()


def test_a_step_and_its_event_are_written_both_or_neither(desk, monkeypatch):
    order = desk.buy()

    def broken(*args, **kwargs):
        raise DatabaseError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(OrderEvent.objects, "create", broken)
        with pytest.raises(DatabaseError):
            desk.recorder.move(order, Status.CANCELLED, at=desk.clock())
    order.refresh_from_db()
    events = [event.new for event in OrderEvent.objects.filter(order=order)]
    assert events[-1] == order.status


def test_an_entry_waiting_for_its_turn_is_not_sent_once_the_kill_switch_is_on_and_an_exit_is(desk):
    desk.hold()
    desk.room._next = time.monotonic() + 60.0
    order = desk.buy(lane=1)
    halts.engage(halts.KILL, "too much goes wrong", at=desk.clock(), by="asha")
    desk.room._next = 0.0
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert "kill switch" in OrderEvent.objects.filter(order=order).latest("id").note
    assert desk.engine.A[RESERVED] == 0.0
    desk.room.guard.leave(0, 7)
    desk.until(lambda: len(desk.venue.book) == 2)
    assert desk.venue.verbs("place")[-1][1].side == "SELL"


def test_an_order_whose_answer_is_still_to_come_is_not_told_of_as_somebody_elses(desk):
    place = desk.venue.place

    def slow(ticket, **how):
        number = place(ticket, **how)
        time.sleep(0.3)
        return number

    desk.venue.place = slow
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    desk.read_book()
    desk.until(lambda: status(order) == Status.WORKING)
    assert not Condition.objects.filter(code="external-order").exists()


@pytest.mark.parametrize("minutes", [-60, -4, 4, 60])
def test_an_order_is_found_in_the_book_although_the_desks_clock_is_wrong(desk, minutes):
    desk.venue.mute = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.venue.book[desk.venue.newest()].at = desk.clock.at - dt.timedelta(minutes=minutes)
    desk.read_book()
    desk.until(lambda: status(order) == Status.WORKING)
    assert order.broker_order_id == desk.venue.newest()


def test_an_order_that_was_seen_before_ours_is_not_taken_for_it_although_it_looks_the_same(desk):
    desk.venue.place(Ticket("RELIND", "BUY", 10, Decimal("100.50")), deadline=0, exit=False)
    desk.read_book()
    desk.venue.lost = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.read_book(2)
    assert status(order) == Status.UNKNOWN


def test_an_order_of_yesterday_is_looked_for_in_yesterdays_book(desk, monkeypatch):
    monkeypatch.setattr(order_book, "GRACE", 0.0)
    desk.venue.mute = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.venue.fill(desk.venue.newest(), 10)
    yesterday = desk.clock.at.date()
    desk.clock.at += dt.timedelta(days=1)
    whole, desk.venue.hidden = desk.venue.orders, False
    desk.venue.orders = lambda day, exit=False: whole(day) if day == yesterday else _empty(desk, day)
    other = desk.again()
    try:
        other.read_book(order_book.ABSENCES + 2)
        other.until(lambda: other.held() == 10)
        assert status(order) == Status.FILLED
    finally:
        other.close()


def _empty(desk, day):
    desk.venue.asked.append(("orders", day))
    return []


def test_a_book_that_lacks_an_order_we_have_a_number_for_proves_nothing_even_to_a_new_process(desk, monkeypatch):
    monkeypatch.setattr(order_book, "GRACE", 0.0)
    first = desk.buy(lane=1)
    desk.until(lambda: status(first) == Status.WORKING)
    desk.venue.lost = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.venue.hidden = True
    desk.clock.at += dt.timedelta(seconds=1)
    other = desk.again()
    try:
        other.read_book(order_book.ABSENCES + 1)
        assert status(order) == Status.UNKNOWN
        assert not other.book.reconciled
        assert Condition.objects.get(code="book-incomplete").until is None
        other.venue.hidden = False
        other.read_book()
        assert Condition.objects.get(code="book-incomplete").until is not None
    finally:
        other.close()


def test_a_fill_that_crossed_a_cancel_is_booked_as_soon_as_it_is_heard_of(desk):
    desk.room.patience = 0.0
    order = desk.buy()
    desk.until(lambda: status(order) == Status.CANCELLED)
    number = desk.venue.newest()
    found = desk.venue.book[number]
    found.status, found.cancelled = Status.WORKING, 0
    desk.venue.fill(number, 10)
    desk.room.heard(number)
    desk.until(lambda: desk.held() == 10)
    assert status(order) == Status.FILLED


def test_questions_that_hang_do_not_hold_up_a_way_out(desk):
    desk.hold()
    over = threading.Event()
    desk.venue.orders = desk.venue.quote = lambda *_, **__: over.wait(30.0)
    for _ in range(4):
        desk.room.pool.request("book", None, lambda: desk.venue.orders(None))
    desk.room.pool.handlers["book"] = lambda answer: None
    desk.room.guard.leave(0, 7)
    desk.until(lambda: len(desk.venue.book) == 2)
    assert not over.is_set()
    over.set()


def test_a_rejection_after_a_part_was_filled_ends_the_order_with_that_part(desk):
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    number = desk.venue.newest()
    desk.venue.fill(number, 4)
    desk.until(lambda: desk.held() == 4)
    desk.venue.book[number].status = Status.REJECTED
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert (desk.held(), order.filled) == (4, 4)


def test_an_order_left_over_from_before_a_crash_that_nobody_waits_for_is_taken_back(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    desk.recorder.instantly(desk.cursor, desk.engine.give_up(0, desk.room.now()))  # and then the process is killed
    other = desk.again()
    try:
        other.until(lambda: status(order) == Status.CANCELLED)
        assert other.venue.verbs("cancel") == [("cancel", other.venue.newest())]
    finally:
        other.close()
    assert Order.objects.count() == 1
