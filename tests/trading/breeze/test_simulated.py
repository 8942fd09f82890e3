"""The client against the simulator: an order's life through the real SDK, and every named fault of an order verb."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, SenseQuantError
from tests.simulators import bar_folder, simulator
from tests.trading.breeze.oddbroker import soon
from trading.adapters.breeze import errors
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.client import BreezeDesk
from trading.adapters.breeze.wire import Keys, NoBudget, Wire, exchange_session
from trading.adapters.breeze.words import Unreadable
from trading.core.orders import Status
from trading.core.ports import Ticket

pytestmark = pytest.mark.slow
DAY = dt.date(2026, 11, 23)
CODE = "RELIND"


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    folder = bar_folder(tmp_path_factory.mktemp("bars"), start=dt.date(2026, 11, 20))
    with simulator(
        "--date", "2026-11-23", "--calls-per-minute", "10000", "--orders-per-second", "1000", csv=folder
    ) as found:
        found.clock(at="10:00")
        yield found


def login(venue):
    keys = venue.credentials
    where = Addresses.of(venue.url)
    user, token = exchange_session(keys["api_key"], keys["api_session"], where)
    return Wire(Keys(keys["api_key"], keys["api_secret"], token, user), where, NoBudget(), timeouts=(2.0, 8.0))


@pytest.fixture
def desk(venue):
    venue.clear()
    return BreezeDesk(login(venue))


def hasty(desk):
    """The same desk without patience."""
    return BreezeDesk(replace(desk.wire, timeouts=(1.0, 0.5)))


def far(desk, side="BUY"):
    """A ticket that rests in the book."""
    quote = desk.quote(CODE)
    away = quote.last * (Decimal("0.9") if side == "BUY" else Decimal("1.1"))
    return Ticket(CODE, side, 10, away.quantize(Decimal("0.1")))


def rest(desk):
    return desk.place(far(desk), deadline=soon(), exit=False)


def sent(venue, verb):
    return venue.log()["counts"].get(verb, 0)


def known(venue):
    return {one["id"]: one for one in venue.orders()["orders"]}


def test_an_order_lives_its_life(venue, desk):
    number = rest(desk)
    report = desk.order(number)
    assert (report.status, report.quantity, report.filled, report.code) == (Status.WORKING, 10, 0, CODE)
    assert report.at.astimezone(IST).date() == DAY
    changed = desk.modify(number, quantity=6, limit=report.limit + 1, exit=False)
    assert (changed.quantity, changed.limit) == (6, report.limit + 1)
    ended = desk.cancel(number)
    assert (ended.status, ended.filled) == (Status.CANCELLED, 0)
    assert number in {one.order_id for one in desk.orders(DAY)}
    with pytest.raises(errors.Refused):
        desk.modify(number, quantity=5, limit=report.limit, exit=False)


def test_an_order_that_trades_shows_its_deals_and_the_position(venue, desk):
    upper = desk.quote(CODE).upper // 1
    before = {held.code: held.quantity for held in desk.positions()}.get(CODE, 0)
    number = desk.place(Ticket(CODE, "BUY", 10, upper), deadline=soon(), exit=False)
    report, deals = desk.order(number), desk.deals(number)
    assert report.status == Status.FILLED
    assert sum(deal.quantity for deal in deals) == report.filled == 10
    paid = sum(deal.price * deal.quantity for deal in deals) / 10
    assert report.average == pytest.approx(paid, abs=Decimal("0.01"))
    assert {held.code: held.quantity for held in desk.positions()}[CODE] == before + 10


def test_history_funds_and_charges(venue, desk):
    start = dt.datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    bars = desk.history(CODE, "1minute", start, start + dt.timedelta(minutes=9))
    assert len(bars) == 10
    assert bars.ts[0] == int(start.timestamp())
    assert len(desk.history("NOSUCH", "1minute", start, start)) == 0
    assert len(desk.history(CODE, "1day", start, start)) == 1
    assert desk.funds()["allocated_equity"] > 0
    assert desk.preview(far(desk))["total_brokerage"] > 0


UNKNOWN_AND_TAKEN = ("timeout_after_accept", "reset_after_accept", "html_502_after_accept")
UNKNOWN_AND_NOT_TAKEN = ("timeout_before_accept", "html_502", "html_503", "garbage_json", "aspnet_error")
CLEAN_NO = {
    "html_429": errors.Busy,
    "limit_minute": errors.Busy,
    "limit_day": errors.Busy,
    "invalid_checksum": errors.SessionLost,
}


@pytest.mark.parametrize("fault", UNKNOWN_AND_TAKEN + UNKNOWN_AND_NOT_TAKEN)
def test_a_place_struck_by_a_fault_is_unknown_and_only_the_book_can_tell(venue, desk, fault):
    ticket, before, asked = far(desk), set(known(venue)), sent(venue, "place")
    venue.fault(fault, times=1, verb="place")
    with pytest.raises(errors.OutcomeUnknown):
        hasty(desk).place(ticket, deadline=soon(), exit=False)
    time.sleep(0.05)
    assert sent(venue, "place") == asked + 1
    found = {one.order_id for one in desk.orders(DAY)} - before
    assert len(found) == (1 if fault in UNKNOWN_AND_TAKEN else 0)


@pytest.mark.parametrize("fault", CLEAN_NO)
def test_a_place_with_a_clean_no_placed_nothing(venue, desk, fault):
    ticket, before = far(desk), set(known(venue))
    venue.fault(fault, times=1, verb="place")
    with pytest.raises(CLEAN_NO[fault]):
        desk.place(ticket, deadline=soon(), exit=False)
    assert set(known(venue)) == before


@pytest.mark.parametrize("fault", UNKNOWN_AND_TAKEN)
def test_a_cancel_struck_by_a_fault_is_unknown_and_the_order_tells(venue, desk, fault):
    number = rest(desk)
    venue.fault(fault, times=1, verb="cancel")
    with pytest.raises(errors.OutcomeUnknown):
        hasty(desk).cancel(number)
    assert desk.order(number).status == Status.CANCELLED


@pytest.mark.parametrize("fault", UNKNOWN_AND_TAKEN)
def test_a_modify_struck_by_a_fault_is_unknown_and_the_order_tells(venue, desk, fault):
    number = rest(desk)
    limit = desk.order(number).limit + 2
    venue.fault(fault, times=1, verb="modify")
    with pytest.raises(errors.OutcomeUnknown):
        hasty(desk).modify(number, quantity=4, limit=limit, exit=False)
    assert (desk.order(number).quantity, desk.order(number).limit) == (4, limit)


def test_cancel_no_effect_is_seen(venue, desk):
    number = rest(desk)
    venue.fault("cancel_no_effect", times=1)
    assert desk.cancel(number).status == Status.WORKING


def test_modify_no_effect_is_seen(venue, desk):
    number = rest(desk)
    before = desk.order(number)
    venue.fault("modify_no_effect", times=1)
    after = desk.modify(number, quantity=4, limit=before.limit + 1, exit=False)
    assert (after.quantity, after.limit) == (before.quantity, before.limit)


def test_reject_without_reason_is_seen(venue, desk):
    venue.fault("reject_without_reason", times=1)
    report = desk.order(rest(desk))
    assert (report.status, report.filled) == (Status.REJECTED, 0)


@pytest.mark.parametrize("fault", ["html_502", "garbage_json", "book_error"])
def test_a_cancel_that_cannot_be_read_back_is_unknown(venue, desk, fault):
    number = rest(desk)
    venue.fault(fault, verb="order_detail")
    with pytest.raises(errors.OutcomeUnknown, match="could not be read back"):
        desk.cancel(number)
    venue.clear()
    assert desk.order(number).status == Status.CANCELLED


@pytest.mark.parametrize("fault", ["html_502", "html_503", "garbage_json", "aspnet_error", "limit_minute", "html_429"])
def test_a_book_that_does_not_come_clean_is_no_empty_book(venue, desk, fault):
    venue.fault(fault, times=1, verb="order_list")
    with pytest.raises(SenseQuantError):
        desk.orders(DAY)


def test_book_error_is_an_error_and_book_empty_is_what_it_says(venue, desk):
    rest(desk)
    venue.fault("book_error", times=1)
    with pytest.raises(SenseQuantError):
        desk.orders(DAY)
    venue.clear()
    venue.fault("book_empty", times=1)
    assert desk.orders(DAY) == []


def test_session_expired_ends_every_verb_until_somebody_logs_in(venue, desk):
    ticket = far(desk)
    venue.fault("session_expired")
    for ask in (lambda: desk.place(ticket, deadline=soon(), exit=False), desk.funds, lambda: desk.orders(DAY)):
        with pytest.raises(errors.SessionLost):
            ask()
    venue.session(replace=True)
    assert BreezeDesk(login(venue)).funds()


def test_session_replaced_ends_the_older_one(venue, desk):
    venue.session(replace=True)
    with pytest.raises(errors.SessionLost):
        desk.funds()
    assert BreezeDesk(login(venue)).funds()


def test_connect_refused_means_that_nothing_was_sent(venue, desk):
    ticket = far(desk)
    venue.fault("connect_refused", seconds=0.6)
    time.sleep(0.2)
    with pytest.raises(errors.NotSent):
        desk.place(ticket, deadline=soon(), exit=False)
    time.sleep(0.8)
    assert desk.place(ticket, deadline=soon(), exit=False)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("public_key_missing", BadInput), ("html_502", errors.Transient), ("limit_day", errors.Busy)],
)
def test_a_login_struck_by_a_fault_says_what_it_is(venue, desk, fault, kind):
    venue.fault(fault, times=1, verb="customer")
    with pytest.raises(kind):
        login(venue)


def test_a_wrong_session_is_lost(venue, desk):
    with pytest.raises(errors.SessionLost):
        exchange_session(venue.credentials["api_key"], "99999999", desk.wire.addresses)
    with pytest.raises(BadInput, match="API key"):
        exchange_session("another-key", venue.credentials["api_session"], desk.wire.addresses)


@pytest.mark.parametrize(("fault", "kind"), [("history_500", SenseQuantError), ("garbage_json", Unreadable.__base__)])
def test_history_struck_by_a_fault_is_a_typed_error(venue, desk, fault, kind):
    start = dt.datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    venue.fault(fault, times=1, verb="history")
    with pytest.raises(kind):
        desk.history(CODE, "1minute", start, start)
