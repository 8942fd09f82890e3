"""Order verbs at the wire: each is sent once, and every fault leaves exactly what is certain."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensequant.lib.errors import BadInput, SenseQuantError
from tests.trading.breeze import samples
from tests.trading.breeze.oddbroker import Odd, OddBroker, html, limit, no, soon, yes
from tests.trading.breeze.samples import order
from trading.adapters.breeze import errors
from trading.adapters.breeze.client import _rupees
from trading.adapters.breeze.words import Unreadable
from trading.core.orders import Status
from trading.core.ports import Ticket

TICKET = Ticket("ITC", "BUY", 10, Decimal("420.05"), remark="desk1")
NUMBER = samples.ORDER["order_id"]
DAY = dt.date(2025, 2, 5)


class Counting:
    """Notes what is spent; denies from the ``most``-th on."""

    def __init__(self, most=99):
        self.spent, self.most = [], most

    def spend(self, kind, *, exit=False):
        if len(self.spent) >= self.most:
            raise errors.BudgetSpent("spent", retry_after=60.0)
        self.spent.append((kind, exit))


def place(broker, ticket=TICKET, *, exit=False, **how):
    return broker.desk(**how).place(ticket, deadline=soon(), exit=exit)


def test_an_order_is_sent_once_with_exact_decimals(broker):
    broker.say("POST", "order", yes(samples.PLACED))
    assert place(broker) == NUMBER
    [asked] = broker.asked
    assert asked.json == {
        "stock_code": "ITC", "exchange_code": "NSE", "product": "cash", "action": "buy", "order_type": "limit",
        "quantity": "10", "price": "420.05", "validity": "day", "settlement_id": "", "order_segment_code": "",
        "lots": "", "user_remark": "desk1",
    }  # fmt: skip


@given(st.integers(1, 10**7))
def test_a_limit_is_sent_to_the_paisa(paise):
    rupees = Decimal(paise) / 100
    assert _rupees(rupees) == f"{paise // 100}.{paise % 100:02d}"


@pytest.mark.parametrize(
    ("ticket", "said"),
    [
        (Ticket("ITC", "BUY", 10, Decimal(420), product="margin"), "'margin'"),
        (Ticket("ITC", "BUY", 10, Decimal(420), product="mtf"), "'mtf'"),
        (Ticket("ITC", "SHORT", 10, Decimal(420)), "SHORT"),
        (Ticket("ITC", "buy", 10, Decimal(420)), "buy"),
        (Ticket("ITC", "BUY", 0, Decimal(420)), "0 shares"),
        (Ticket("ITC", "BUY", -5, Decimal(420)), "-5 shares"),
        (Ticket("ITC", "BUY", 10, Decimal("420.005")), "420.005"),
        (Ticket("ITC", "BUY", 10, Decimal(0)), "limit of 0"),
        (Ticket("ITC", "BUY", 10, Decimal(-1)), "limit of -1"),
        (Ticket("ITC", "BUY", 10, Decimal("NaN")), "NaN"),
        (Ticket("ITC", "BUY", 10, Decimal("1e30")), "1E"),
    ],
)
def test_what_the_broker_cannot_carry_is_refused_here(broker, ticket, said):
    budget = Counting()
    with pytest.raises(BadInput, match=said):
        place(broker, ticket, budget=budget)
    assert (broker.asked, budget.spent) == ([], [])


# The faults of the line and of the broker, as an order verb meets them. Each has its name.
UNKNOWN = {
    "time_out_before_or_after_acceptance": Odd(b"{}", pause=5),
    "line_cut_after_acceptance": Odd(reset=True),
    "answer_broken_off": Odd(b'{"Success": {"order_id"', short=True),
    "html_502_after_acceptance": html(502),
    "html_503": html(503, "503 Service Unavailable"),
    "html_504": html(504, "504 Gateway Time-out"),
    "html_200": html(200, "Under maintenance"),
    "garbage": Odd(b'{"Success": {"order_id": "2025'),
    "empty_body": Odd(b""),
    "redirect": Odd(b"", 302),
    "aspnet_exception": Odd(b'{"Message":"An error has occurred.","ExceptionMessage":"Object reference"}', 500),
    "json_500": no("Insufficient limits", 500, 500),
    "internal_server_error_in_an_envelope": no("Internal Server Error"),
    "yes_without_a_number": yes({"message": "Successfully Placed the order"}),
    "yes_with_nothing": yes(None),
    "yes_with_an_empty_number": yes({"order_id": " "}),
    "yes_with_a_list": yes([]),
}
CERTAIN = {
    "html_429": (html(429, "429 Too Many Requests"), errors.Busy),
    "limit_minute": (limit("Limit exceed: API call per minute:Try after some time"), errors.Busy),
    "limit_day": (limit("Limit exceed: API call per day: "), errors.Busy),
    "checksum": (limit("Authentication Fail :: Invalid Checksum."), errors.SessionLost),
    "http_401": (Odd(b"", 401), errors.SessionLost),
    "http_403": (html(403, "403 Forbidden"), errors.SessionLost),
    "session_over": (no("Resource not available."), errors.SessionLost),
    "session_invalid": (no("Invalid session.", 401), errors.SessionLost),
    "off_tick": (no("Price should be in multiple of tick size 0.10"), errors.Refused),
    "no_money": (no("Insufficient limits"), errors.Refused),
    "empty_error": (Odd(b'{"Success":null,"Status":500,"Error":null}'), errors.Refused),
    "http_400": (no("Stock-Code cannot be empty", 400, 400), BadInput),
}


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_place_without_a_clean_answer_is_unknown_and_never_sent_again(broker, fault):
    broker.say("POST", "order", UNKNOWN[fault])
    with pytest.raises(errors.OutcomeUnknown) as caught:
        place(broker)
    assert "order book" in caught.value.fix
    assert len(broker.asked) == 1


@pytest.mark.parametrize("fault", CERTAIN)
def test_a_place_with_a_clean_no_placed_nothing(broker, fault):
    answer, kind = CERTAIN[fault]
    broker.say("POST", "order", answer)
    with pytest.raises(kind) as caught:
        place(broker)
    assert type(caught.value) is kind
    assert len(broker.asked) == 1


def test_a_place_that_finds_nobody_was_not_sent(broker):
    broker.close()
    with pytest.raises(errors.NotSent, match="nothing was sent"):
        place(broker)


def test_a_place_after_its_deadline_is_not_sent(broker):
    with pytest.raises(errors.NotSent):
        broker.desk().place(TICKET, deadline=soon(-0.001), exit=False)
    assert broker.asked == []


def test_a_place_is_an_order_of_the_budget_and_a_denied_one_is_not_sent(broker):
    broker.say("POST", "order", yes(samples.PLACED))
    budget = Counting(1)
    place(broker, budget=budget, exit=True)
    assert budget.spent == [("order", True)]
    with pytest.raises(errors.BudgetSpent):
        place(broker, budget=budget)
    assert len(broker.asked) == 1


class Crowded(Counting):
    """Denies the first few, each time for a moment."""

    def __init__(self, denials, retry_after):
        super().__init__()
        self.denials, self.retry_after = denials, retry_after

    def spend(self, kind, *, exit=False):
        if self.denials:
            self.denials -= 1
            raise errors.BudgetSpent("spent", retry_after=self.retry_after)
        super().spend(kind, exit=exit)


def test_orders_of_one_moment_wait_their_turn(broker):
    broker.say("POST", "order", yes(samples.PLACED))
    assert place(broker, budget=Crowded(2, 0.02)) == NUMBER
    assert len(broker.asked) == 1


@pytest.mark.parametrize(("denials", "retry_after", "deadline"), [(9, 0.01, 5), (1, 2.0, 5), (1, 0.5, 0.4)])
def test_an_order_whose_turn_does_not_come_in_time_is_not_sent(broker, denials, retry_after, deadline):
    began = time.monotonic()
    with pytest.raises(errors.BudgetSpent):
        broker.desk(budget=Crowded(denials, retry_after)).place(TICKET, deadline=soon(deadline), exit=False)
    assert time.monotonic() - began < 1.9
    assert broker.asked == []


def test_a_cancel_is_read_back(broker):
    broker.say("DELETE", "order", yes(samples.CANCELLED))
    broker.say("GET", "order", yes([order(status="Cancelled", pending_quantity="0", cancelled_quantity="10")]))
    budget = Counting()
    assert broker.desk(budget=budget).cancel(NUMBER).status == Status.CANCELLED
    assert [asked.method for asked in broker.asked] == ["DELETE", "GET"]
    assert broker.asked[0].json == {"exchange_code": "NSE", "order_id": NUMBER}
    assert budget.spent == [("order", True), ("call", True)]


def test_a_cancel_that_succeeds_without_effect_is_seen(broker):
    broker.say("DELETE", "order", yes(samples.CANCELLED))
    broker.say("GET", "order", yes([samples.ORDER]))
    report = broker.desk().cancel(NUMBER)
    assert (report.status, report.pending) == (Status.WORKING, 10)


def test_a_cancel_that_crossed_a_fill_is_seen(broker):
    broker.say("DELETE", "order", yes(samples.CANCELLED))
    broker.say("GET", "order", yes([order(status="Executed", pending_quantity="0", average_price="419.9")]))
    assert broker.desk().cancel(NUMBER).filled == 10


def test_a_cancel_is_not_begun_unless_its_reading_is_paid_for(broker):
    with pytest.raises(errors.BudgetSpent):
        broker.desk(budget=Counting(1)).cancel(NUMBER)
    assert broker.asked == []


NOT_A_VERB = {name for name in UNKNOWN if name.startswith("yes")}  # a cancel's yes is read back, whatever it holds


@pytest.mark.parametrize("verb", ["cancel", "modify"])
@pytest.mark.parametrize("fault", sorted(set(UNKNOWN) - NOT_A_VERB))
def test_a_change_without_a_clean_answer_is_unknown_and_never_sent_again(broker, verb, fault):
    method = {"cancel": "DELETE", "modify": "PUT"}[verb]
    broker.say("GET", "order", yes([samples.ORDER]))
    broker.say(method, "order", UNKNOWN[fault])
    with pytest.raises(errors.OutcomeUnknown):
        change(broker, verb)
    assert len(broker.of(method)) == 1


@pytest.mark.parametrize("verb", ["cancel", "modify"])
@pytest.mark.parametrize("fault", CERTAIN)
def test_a_change_with_a_clean_no_changed_nothing(broker, verb, fault):
    answer, kind = CERTAIN[fault]
    broker.say("GET", "order", yes([samples.ORDER]))
    broker.say({"cancel": "DELETE", "modify": "PUT"}[verb], "order", answer)
    with pytest.raises(kind) as caught:
        change(broker, verb)
    assert type(caught.value) is kind


def change(broker, verb, **how):
    desk = broker.desk(**how)
    if verb == "cancel":
        return desk.cancel(NUMBER)
    return desk.modify(NUMBER, quantity=8, limit=Decimal("421.05"), exit=False)


def test_a_cancel_of_an_order_nobody_knows_is_refused(broker):
    broker.say("DELETE", "order", no("No Data Found"))
    with pytest.raises(errors.Refused, match="No Data Found"):
        broker.desk().cancel(NUMBER)


@pytest.mark.parametrize("fault", ["html_502_after_acceptance", "garbage", "line_cut_after_acceptance"])
def test_a_cancel_that_cannot_be_read_back_is_unknown(broker, fault):
    broker.say("DELETE", "order", yes(samples.CANCELLED))
    broker.say("GET", "order", UNKNOWN[fault])
    with pytest.raises(errors.OutcomeUnknown, match="could not be read back"):
        broker.desk().cancel(NUMBER)


@pytest.mark.parametrize(
    "book", [no("No Data Found"), yes([]), yes([order(status="Lost")]), yes([order(order_id="2")])]
)
def test_a_cancel_whose_order_is_not_to_be_found_is_unknown(broker, book):
    broker.say("DELETE", "order", yes(samples.CANCELLED))
    broker.say("GET", "order", book)
    with pytest.raises(errors.OutcomeUnknown):
        broker.desk().cancel(NUMBER)


def test_a_modify_is_read_back(broker):
    broker.say("GET", "order", yes([samples.ORDER]), yes([order(quantity="8", pending_quantity="8", price="421.05")]))
    broker.say("PUT", "order", yes(samples.MODIFIED))
    budget = Counting()
    report = change(broker, "modify", budget=budget)
    assert (report.quantity, report.limit) == (8, Decimal("421.05"))
    assert [asked.method for asked in broker.asked] == ["GET", "PUT", "GET"]
    assert budget.spent == [("order", False), ("call", False), ("call", False)]
    assert broker.of("PUT")[0].json == {
        "order_id": NUMBER, "exchange_code": "NSE", "order_type": "limit", "stoploss": "0", "quantity": "8",
        "price": "421.05", "validity": "day", "disclosed_quantity": "0",
    }  # fmt: skip


def test_a_modify_that_succeeds_without_effect_is_seen(broker):
    broker.say("GET", "order", yes([samples.ORDER]))
    broker.say("PUT", "order", yes(samples.MODIFIED))
    report = change(broker, "modify")
    assert (report.quantity, report.limit) == (10, Decimal("420.00"))


@pytest.mark.parametrize("status", ["Queued", "Executed", "Cancelled", "Freezed"])
def test_a_modify_the_sdk_refuses_after_looking_is_refused_and_sends_nothing(broker, status):
    broker.say("GET", "order", yes([order(status=status)]))
    with pytest.raises(errors.Refused, match="cannot be modified"):
        change(broker, "modify")
    assert [asked.method for asked in broker.asked] == ["GET"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (limit("Limit exceed: API call per minute:Try after some time"), errors.Busy),
        (no("Resource not available."), errors.SessionLost),
        (html(502), errors.Transient),
        (Odd(reset=True), errors.Transient),
        (no("No Data Found"), errors.Refused),
        (yes([]), errors.Refused),
    ],
)
def test_a_modify_whose_first_look_fails_says_why_and_sends_nothing(broker, answer, kind):
    broker.say("GET", "order", answer)
    with pytest.raises(kind):
        change(broker, "modify")
    assert [asked.method for asked in broker.asked] == ["GET"]


def test_a_modify_the_sdk_breaks_off_after_looking_is_said_to_be_broken_off(broker):
    broker.say("GET", "order", yes(samples.ORDER))  # a row where the SDK expects a list
    with pytest.raises(errors.Transient, match="broke off"):
        change(broker, "modify")
    assert [asked.method for asked in broker.asked] == ["GET"]


@pytest.mark.parametrize(("quantity", "rupees"), [(0, "421"), (-1, "421"), (8, "421.005"), (8, "0")])
def test_a_modify_to_what_cannot_be_is_refused_here(broker, quantity, rupees):
    with pytest.raises(BadInput):
        broker.desk().modify(NUMBER, quantity=quantity, limit=Decimal(rupees), exit=False)
    assert broker.asked == []


def test_an_order_is_read_by_its_number(broker):
    broker.say("GET", "order", yes([samples.ORDER]))
    assert broker.desk().order(NUMBER).order_id == NUMBER
    assert broker.asked[0].json == {"exchange_code": "NSE", "order_id": NUMBER}


@pytest.mark.parametrize("answer", [no("No Data Found"), yes([]), yes(None)])
def test_an_order_nobody_knows_is_named(broker, answer):
    broker.say("GET", "order", answer)
    with pytest.raises(BadInput, match=NUMBER):
        broker.desk().order(NUMBER)


def test_the_book_of_a_day(broker):
    broker.say("GET", "order", yes([samples.ORDER, order(order_id="2", action="Sell")]))
    assert [(one.order_id, one.side) for one in broker.desk().orders(DAY)] == [(NUMBER, "BUY"), ("2", "SELL")]
    assert broker.asked[0].json == {
        "exchange_code": "NSE", "from_date": "2025-02-05T00:00:00.000Z", "to_date": "2025-02-05T23:59:59.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [no("No Data Found"), yes([]), yes(None)])
def test_an_empty_book_is_a_clean_reading(broker, answer):
    broker.say("GET", "order", answer)
    assert broker.desk().orders(DAY) == []


def test_one_unreadable_order_makes_the_reading_unclean(broker):
    broker.say("GET", "order", yes([samples.ORDER, order(order_id="2", status="Wobbling")]))
    with pytest.raises(Unreadable, match="Wobbling"):
        broker.desk().orders(DAY)


@pytest.mark.parametrize("fault", sorted(set(UNKNOWN) - NOT_A_VERB))
def test_a_book_that_does_not_come_whole_is_no_empty_book(broker, fault):
    broker.say("GET", "order", UNKNOWN[fault])
    with pytest.raises(SenseQuantError) as caught:
        broker.desk().orders(DAY)
    assert isinstance(caught.value, errors.Transient)


def test_the_deals_of_an_order(broker):
    broker.say("GET", "trades", yes([samples.DEAL, {**samples.DEAL, "exchange_trade_id": "2"}]))
    assert [deal.trade_id for deal in broker.desk().deals(NUMBER)] == ["123456789", "2"]
    assert broker.asked[0].json == {"exchange_code": "NSE", "order_id": NUMBER}


def test_no_deals_yet_are_an_empty_list(broker):
    broker.say("GET", "trades", no("No Data Found"))
    assert broker.desk().deals(NUMBER) == []


def test_positions_holdings_and_what_an_order_would_cost(broker):
    broker.say("GET", "portfoliopositions", yes([samples.POSITION]))
    broker.say("GET", "dematholdings", yes([samples.HOLDING]))
    broker.say("GET", "preview_order", yes(samples.PREVIEW))
    desk = broker.desk()
    assert [(held.code, held.quantity) for held in desk.positions()] == [("ITC", 7)]
    assert [(held.code, held.quantity) for held in desk.holdings()] == [("UNITEC", 1)]
    assert desk.preview(TICKET)["total_brokerage"] == Decimal("0.89")
    assert broker.of("GET", "preview_order")[0].json["product"] == "cash"


def test_no_positions_are_an_empty_list(broker):
    broker.say("GET", "portfoliopositions", no("No Data Found"))
    assert broker.desk().positions() == []


@pytest.mark.parametrize("success", [None, [], {"brokerage": 1}, {"total_brokerage": "x"}])
def test_a_preview_without_charges_is_unreadable(broker, success):
    broker.say("GET", "preview_order", yes(success))
    with pytest.raises(Unreadable):
        broker.desk().preview(TICKET)


def test_what_breeze_carries_is_data(broker):
    carried = broker.desk().capabilities
    assert (carried.products, carried.order_types) == (("cash",), ("limit",))
    assert (carried.shorts, carried.protective_orders, carried.auto_square_off) == (False, False, False)


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=120), status=st.sampled_from([200, 302, 400, 401, 403, 404, 429, 500, 502, 503]))
def test_no_answer_whatsoever_to_a_place_is_taken_for_a_number_it_does_not_hold(body, status):
    broker = OddBroker()
    try:
        broker.say("POST", "order", Odd(body, status))
        with pytest.raises(SenseQuantError):
            place(broker)
        assert len(broker.asked) == 1
    finally:
        broker.close()
