"""Orders at a broker: sent once, watched to their end; what got no clean answer is settled by reading, not by hope."""

import datetime as dt
import threading
import time
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError

from sensequant.lib.errors import NotAllowed
from tests.trading.live.desk import Desk
from trading.adapters.breeze.errors import BudgetSpent, NotSent, Refused, SessionLost, Transient
from trading.core.orders import Status
from trading.core.ports import Ticket
from trading.core.state import HELD, PEND, RESERVED
from trading.models import BrokerMessage, Condition, Fill, Order, OrderEvent, Trade
from trading.services import guard, leases, order_book, order_room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.close()


def status(order):
    order.refresh_from_db()
    return Status(order.status)


def states(order):
    return [event.new for event in OrderEvent.objects.filter(order=order)]


def test_an_entry_is_committed_before_it_is_sent_and_sent_once(desk):
    desk.venue.on_place = None
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    desk.pump()
    assert states(order) == ["new", "sending", "working"]
    ((_, ticket),) = desk.venue.verbs("place")
    assert (ticket.code, ticket.side, ticket.quantity, ticket.product) == ("RELIND", "BUY", 10, "cash")
    assert ticket.limit == order.limit_price == Decimal("100.50")
    assert order.broker_order_id == desk.venue.newest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit_price": Decimal("100.52")},
        {"limit_price": Decimal("-100.50")},
        {"limit_price": Decimal(0)},
        {"tick": None},
        {"quantity": 0},
        {"price": Decimal(0)},
        {"filled": 11},
    ],
)
def test_the_database_itself_refuses_an_order_that_cannot_be(desk, wrong):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    assert (order.limit_price, order.tick) == (Decimal("100.50"), Decimal("0.05"))
    with pytest.raises(IntegrityError):
        Order.objects.filter(pk=order.pk).update(**wrong)


@pytest.mark.parametrize("wrong", [{"limit_price": Decimal("NaN")}, {"quantity": -5}, {"price": Decimal("Infinity")}])
def test_what_is_no_number_never_reaches_the_database(desk, wrong):
    order = desk.buy()
    with pytest.raises((IntegrityError, ArithmeticError, ValueError, DataError, ValidationError)):
        Order.objects.filter(pk=order.pk).update(**wrong)


def test_a_fill_becomes_a_position_once_however_often_it_is_reported(desk):
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    desk.venue.fill(desk.venue.newest(), 4, "100.05")
    desk.until(lambda: desk.held() == 4)
    assert status(order) == Status.PARTIAL
    for _ in range(20):
        desk.room.heard(desk.venue.newest())
        desk.pump()
    assert (desk.held(), Fill.objects.count()) == (4, 1)
    desk.venue.fill(desk.venue.newest(), 6, "100.15")
    desk.until(lambda: status(order) == Status.FILLED)
    assert desk.held() == 10
    assert [(f.quantity, f.price) for f in Fill.objects.order_by("number")] == [
        (4, Decimal("100.05")),
        (6, Decimal("100.15")),
    ]


def test_a_refusal_releases_what_was_reserved_and_says_why(desk):
    desk.venue.refuses = Refused("price outside the circuit")
    order = desk.buy()
    assert desk.engine.A[RESERVED] == 1000.0
    desk.until(lambda: status(order) == Status.REJECTED)
    assert desk.engine.A[RESERVED] == 0.0
    assert OrderEvent.objects.filter(order=order).latest("id").note == "price outside the circuit"


@pytest.mark.parametrize("error", [NotSent("too late"), BudgetSpent("none left", retry_after=9.0), SessionLost("gone")])
def test_an_entry_that_was_never_sent_is_dropped_and_never_sent_later(desk, error):
    desk.venue.refuses = error
    order = desk.buy()
    desk.until(lambda: status(order) == Status.CANCELLED)
    desk.venue.refuses = None
    for _ in range(5):
        desk.pump()
    assert len(desk.venue.verbs("place")) == 1
    assert desk.engine.K[0][PEND] == 0


def test_an_entry_without_a_session_is_dropped_before_anything_is_asked(desk):
    desk.no_session = SessionLost("nobody has logged in yet")
    order = desk.buy()
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert desk.venue.verbs("place") == []
    assert desk.room.lost is desk.no_session


def test_an_answer_lost_after_acceptance_is_found_in_the_book_and_not_sent_again(desk):
    desk.venue.mute = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    assert desk.engine.A[RESERVED] == 1000.0  # it counts as exposure
    assert Condition.objects.get(code="unknown-order").until is None
    desk.read_book()
    desk.until(lambda: status(order) == Status.WORKING)
    assert order.broker_order_id == desk.venue.newest()
    assert Condition.objects.get(code="unknown-order").until is not None
    desk.venue.fill(order.broker_order_id, 10)
    desk.until(lambda: desk.held() == 10)
    assert len(desk.venue.book) == 1


def test_an_order_that_never_arrived_is_given_up_only_after_clean_readings_and_a_while(desk, monkeypatch):
    desk.venue.lost = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.read_book(order_book.ABSENCES + 1)
    assert status(order) == Status.UNKNOWN  # too early to believe an absence
    monkeypatch.setattr(order_book, "GRACE", 0.0)
    desk.venue.trouble["orders"] = Transient("502")
    desk.read_book(4)
    assert status(order) == Status.UNKNOWN  # a reading that failed proves nothing
    desk.venue.trouble.clear()
    desk.read_book(order_book.ABSENCES)
    desk.until(lambda: status(order) == Status.NOT_PLACED)
    assert desk.engine.A[RESERVED] == 0.0
    assert len(desk.venue.verbs("place")) == 1


def test_a_book_that_got_shorter_proves_nothing(desk, monkeypatch):
    monkeypatch.setattr(order_book, "GRACE", 0.0)
    first = desk.buy(lane=1)
    desk.until(lambda: status(first) == Status.WORKING)
    desk.read_book()
    desk.venue.lost = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.venue.hidden = True
    desk.read_book(5)
    assert status(order) == Status.UNKNOWN
    assert order.absences == 0


def test_one_that_turns_up_after_it_was_given_up_is_adopted_and_told(desk, monkeypatch):
    monkeypatch.setattr(order_book, "GRACE", 0.0)
    desk.venue.mute = desk.venue.hidden = True
    order = desk.buy()
    desk.until(lambda: status(order) == Status.UNKNOWN)
    desk.read_book(order_book.ABSENCES)
    desk.until(lambda: status(order) == Status.NOT_PLACED)
    desk.venue.hidden = False
    desk.venue.fill(desk.venue.newest(), 10)
    desk.read_book()
    desk.until(lambda: desk.held() == 10)
    assert status(order) == Status.FILLED
    assert Condition.objects.get(code="order-late").level == "bad"


def test_orders_of_another_app_are_told_and_left_alone(desk):
    desk.venue.place(Ticket("INFTEC", "SELL", 3, Decimal("1500.00")), deadline=0, exit=False)
    desk.read_book()
    told = Condition.objects.get(code="external-order")
    assert (told.level, told.subject) == ("info", desk.venue.newest())
    assert desk.venue.verbs("cancel") == []
    assert desk.book.reconciled


def test_an_entry_left_unfilled_is_taken_back_and_what_was_filled_stays(desk):
    desk.room.patience = 0.0
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    desk.venue.fill(desk.venue.newest(), 3)
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert (desk.held(), order.filled) == (3, 3)
    assert desk.engine.A[RESERVED] == 0.0


def test_a_cancel_without_effect_is_told_and_the_order_is_not_believed_gone(desk):
    desk.room.patience = 0.0
    desk.venue.deaf_to_cancel = True
    order = desk.buy()
    desk.until(lambda: Condition.objects.filter(code="cancel-no-effect", until=None).exists())
    assert status(order) == Status.WORKING
    assert desk.engine.K[0][PEND] != 0
    desk.venue.fill(desk.venue.newest(), 10)
    desk.until(lambda: desk.held() == 10)


def test_a_stop_is_watched_on_every_tick_and_leaves_at_an_aggressive_limit(desk):
    desk.hold()
    desk.room.guard.tick(0, 98.5)
    assert desk.venue.verbs("place")[1:] == []
    desk.room.prices[0].last = Decimal("97.90")
    desk.room.guard.tick(0, 97.9)
    desk.until(lambda: len(desk.venue.book) == 2)
    ticket = desk.venue.verbs("place")[1][1]
    assert (ticket.side, ticket.quantity, ticket.limit) == ("SELL", 10, Decimal("97.40"))
    desk.room.guard.tick(0, 97.0)  # nothing is sent twice
    desk.venue.fill(desk.venue.newest(), 10, "97.85")
    desk.until(lambda: desk.held() == 0)
    trade = Trade.objects.get()
    assert (trade.exit_reason, trade.exit_price) == ("stop_loss", Decimal("97.85"))
    assert len(desk.venue.book) == 2


def test_an_exit_that_does_not_fill_has_its_limit_moved_further(desk, monkeypatch):
    monkeypatch.setattr(order_room, "EXIT_PATIENCE", 0.0)
    desk.hold()
    desk.room.guard.leave(0, 5)
    desk.until(lambda: len(desk.venue.verbs("modify")) >= 2)
    limits = [each[2] for each in desk.venue.verbs("modify")]
    assert limits == sorted(limits, reverse=True)
    desk.venue.fill(desk.venue.newest(), 10, "98.00")
    desk.until(lambda: desk.held() == 0)


def test_an_exit_that_is_refused_is_ordered_again_until_it_goes_through(desk):
    desk.hold()
    desk.venue.refuses = Refused("no reason given")
    desk.room.guard.leave(0, 5)
    desk.until(lambda: Condition.objects.filter(code="exit-refused", until=None).exists())
    assert desk.held() == 10
    desk.venue.refuses = None
    desk.until(lambda: len(desk.venue.book) == 2)
    desk.venue.fill(desk.venue.newest(), 10, "99.00")
    desk.until(lambda: desk.held() == 0)
    assert not Condition.objects.filter(code="exit-refused", until=None).exists()
    assert Trade.objects.get().exit_reason == "square_off"


def test_a_stop_hit_while_the_entry_is_still_filling_leaves_with_what_is_held(desk, monkeypatch):
    monkeypatch.setattr(guard, "CANCEL_PATIENCE", 0.0)
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    entry = desk.venue.newest()
    desk.venue.deaf_to_cancel = True
    desk.venue.fill(entry, 4, "100.00")
    desk.until(lambda: desk.held() == 4)
    desk.room.prices[0].last = Decimal("97.00")
    desk.room.guard.tick(0, 97.0)
    desk.until(lambda: len(desk.venue.book) == 2)
    assert desk.venue.verbs("place")[1][1].quantity == 4
    desk.venue.fill(entry, 6, "100.00")  # the rest of the entry crosses it on the wire
    desk.until(lambda: desk.held() == 10)
    desk.venue.fill(desk.venue.newest(), 4, "97.00")
    desk.until(lambda: desk.held() == 6)
    assert status(order) == Status.FILLED
    desk.room.guard.tick(0, 97.0)
    desk.until(lambda: len(desk.venue.book) == 3)
    desk.venue.fill(desk.venue.newest(), 6, "97.00")
    desk.until(lambda: desk.held() == 0)
    assert sum(f.quantity for f in Fill.objects.filter(order__purpose="exit")) == 10


def test_a_bar_that_says_leave_takes_a_working_entry_back_and_does_not_believe_it_gone(desk):
    order = desk.buy()
    desk.until(lambda: desk.venue.book)
    entry = desk.venue.newest()
    desk.venue.fill(entry, 4, "100.00")
    desk.until(lambda: desk.held() == 4)
    desk.venue.deaf_to_cancel = True
    desk.engine.K[0][HELD] = 2  # held over night by a strategy that trades inside the day
    desk.bar(100.0)
    desk.room.dispatch()
    desk.until(lambda: desk.venue.verbs("cancel") and len(desk.venue.book) == 2)
    assert status(order) == Status.PARTIAL
    desk.venue.fill(entry, 6, "100.00")
    desk.until(lambda: status(order) == Status.FILLED)
    desk.venue.fill(desk.venue.newest(), 4, "100.00")
    desk.until(lambda: desk.held() == 6)  # and the next bar leaves with the rest
    desk.bar(100.0)
    desk.room.dispatch()
    desk.until(lambda: len(desk.venue.book) == 3)


def test_an_entry_the_desk_no_longer_wants_is_not_sent(desk):
    desk.room._next = time.monotonic() + 60.0
    order = desk.buy()
    desk.recorder.unwanted.append(order.number)
    desk.room.dispatch()
    assert status(order) == Status.CANCELLED
    assert desk.venue.verbs("place") == []


def test_a_deal_nobody_ordered_is_told_and_not_booked(desk):
    desk.hold()
    number = desk.venue.newest()
    found = desk.venue.book[number]
    found.filled, found.ticket = 10, found.ticket
    desk.venue.fill(number, 5)
    desk.room.live.clear()
    desk.read_book()
    desk.until(lambda: Condition.objects.filter(code="unexplained-deal").exists())
    assert desk.held() == 10


def test_after_a_crash_while_sending_the_order_is_unknown_and_found(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    Order.objects.filter(pk=order.pk).update(status=Status.SENDING, broker_order_id=None)
    other = desk.again()
    try:
        assert status(order) == Status.UNKNOWN
        other.venue.fill(other.venue.newest(), 10)
        other.read_book()
        other.until(lambda: other.held() == 10)
        assert len(other.venue.book) == 1
    finally:
        other.close()


def test_after_a_crash_before_sending_an_old_entry_is_dropped_and_an_exit_is_sent(desk):
    desk.hold()
    desk.venue.trouble["quote"] = Transient("down")
    desk.no_session = SessionLost("not now")
    desk.room.guard.leave(0, 5)
    entry = desk.buy(lane=1)
    Order.objects.filter(pk=entry.pk).update(status=Status.NEW)
    desk.clock.at += dt.timedelta(minutes=5)
    other = desk.again()
    other.engine.A, other.venue.trouble = other.engine.A, {}
    try:
        other.until(lambda: len(other.venue.book) == 2)
        assert other.venue.verbs("place")[-1][1].side == "SELL"
        other.venue.fill(other.venue.newest(), 10, "99.00")
        other.until(lambda: other.held() == 0)
    finally:
        other.close()
    assert status(entry) == Status.CANCELLED


def test_fills_that_came_while_the_desk_was_down_are_booked_once(desk):
    order = desk.buy()
    desk.until(lambda: status(order) == Status.WORKING)
    desk.venue.fill(desk.venue.newest(), 4)
    desk.until(lambda: desk.held() == 4)
    desk.venue.fill(desk.venue.newest(), 6)
    other = desk.again()
    try:
        assert other.held() == 4
        other.until(lambda: other.held() == 10)
        assert Fill.objects.count() == 2
    finally:
        other.close()


def test_nothing_is_sent_under_a_lease_that_was_lost(desk):
    desk.room.lease = leases.take("engine", "me")
    desk.room.lease.token += 1
    with pytest.raises(NotAllowed, match="no longer ours"):
        desk.buy()
    assert desk.venue.verbs("place") == []
    assert Order.objects.count() == 0  # not even the intent is written


def test_an_intent_is_not_sent_once_the_lease_was_lost(desk):
    desk.room.lease = leases.take("engine", "me")
    desk.room._next = time.monotonic() + 60.0
    order = desk.buy()
    desk.room._next, desk.room.lease.token = 0.0, desk.room.lease.token + 1
    with pytest.raises(NotAllowed, match="no longer ours"):
        desk.pump()
    assert desk.venue.verbs("place") == []
    assert status(order) == Status.NEW


def test_a_slow_broker_does_not_hold_up_the_loop(desk):
    place, over = desk.venue.place, threading.Event()

    def slow(ticket, **how):
        over.wait(30.0)
        return place(ticket, **how)

    desk.venue.place = slow
    order = desk.buy()
    for _ in range(10):
        desk.room.pump()
    assert status(order) == Status.SENDING
    over.set()
    desk.until(lambda: status(order) == Status.WORKING)
    assert BrokerMessage.objects.count() == 0
