"""Breeze's words: each way of saying no, each status, each moment and number, in ours."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, SenseQuantError
from trading.adapters.breeze import words
from trading.adapters.breeze.errors import Busy, OutcomeUnknown, Refused, SessionLost, Transient
from trading.adapters.breeze.words import Unreadable
from trading.core.orders import Status

MINUTE = {"Status": 5, "Error": "Limit exceed: API call per minute:Try after some time"}
DAY = {"Status": 5, "Error": "Limit exceed: API call per day: "}
CHECKSUM = {"Status": 5, "Error": "Authentication Fail :: Invalid Checksum."}
EMPTY = {"Success": None, "Status": 500, "Error": "No Data Found"}
ASPNET = {
    "Message": "An error has occurred.", "ExceptionMessage": "Object reference not set to an instance of an object.",
    "ExceptionType": "System.NullReferenceException", "StackTrace": "   at Breeze.Orders.Cancel()",
}  # fmt: skip
NGINX = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
WRONG = {"Success": None, "Status": 500, "Error": "Price should be in multiple of tick size 0.10"}


def said(body, status=200, *, moves=False):
    return words.judge(status, (body if isinstance(body, str) else json.dumps(body)).encode(), moves=moves)


@pytest.mark.parametrize("success", [{"order_id": "1"}, [], [{"a": 1}], None, ""])
@pytest.mark.parametrize("moves", [True, False])
def test_a_clean_yes_gives_what_it_holds(success, moves):
    assert said({"Success": success, "Status": 200, "Error": None}, moves=moves) == success


@pytest.mark.parametrize(
    ("body", "status", "question", "order_verb"),
    [
        (MINUTE, 401, Busy, Busy),
        (DAY, 401, Busy, Busy),
        (MINUTE, 200, Busy, Busy),
        (NGINX.replace("502 Bad Gateway", "429 Too Many Requests"), 429, Busy, Busy),
        (CHECKSUM, 401, SessionLost, SessionLost),
        ({"Success": None, "Status": 401, "Error": "Invalid session."}, 200, SessionLost, SessionLost),
        ({"Success": None, "Status": 500, "Error": "Resource not available."}, 200, SessionLost, SessionLost),
        ({"Success": None, "Status": 500, "Error": "Session key is expired."}, 200, SessionLost, SessionLost),
        ("", 401, SessionLost, SessionLost),
        (NGINX, 403, SessionLost, SessionLost),
        ({"Success": None, "Status": 401, "Error": "Public Key does not exist."}, 401, BadInput, BadInput),
        (ASPNET, 500, Transient, OutcomeUnknown),
        (ASPNET, 200, Transient, OutcomeUnknown),
        (NGINX, 502, Transient, OutcomeUnknown),
        (NGINX, 503, Transient, OutcomeUnknown),
        (NGINX, 200, Transient, OutcomeUnknown),
        ("", 302, Transient, OutcomeUnknown),
        ("", 200, Transient, OutcomeUnknown),
        ("{", 200, Transient, OutcomeUnknown),
        ("[" * 100_000, 200, Transient, OutcomeUnknown),
        ("[1, 2]", 200, Transient, OutcomeUnknown),
        ('"OK"', 200, Transient, OutcomeUnknown),
        ({"order_id": "1"}, 200, Transient, OutcomeUnknown),
        (WRONG, 500, Transient, OutcomeUnknown),
        ({"Success": None, "Status": 500, "Error": "Internal Server Error"}, 200, Transient, OutcomeUnknown),
        ({"Success": None, "Status": 400, "Error": "Exchange-Code is wrong"}, 400, BadInput, BadInput),
        (NGINX, 404, BadInput, OutcomeUnknown),
        (WRONG, 200, Refused, Refused),
        ({"Success": None, "Status": 500, "Error": "Insufficient limits"}, 200, Refused, Refused),
        ({"Success": {"order_id": "1"}, "Status": 200, "Error": "Order rejected"}, 200, Refused, Refused),
        ({"Success": None, "Status": 500, "Error": "Market session is closed"}, 200, Refused, Refused),
        ({"Status": 200, "Error": None}, 200, Refused, Refused),
    ],
)
def test_each_way_of_saying_no_has_its_meaning(body, status, question, order_verb):
    for moves, kind in ((False, question), (True, order_verb)):
        with pytest.raises(SenseQuantError) as caught:
            said(body, status, moves=moves)
        assert type(caught.value) is kind
        assert caught.value.message


def test_nothing_found_is_an_empty_answer_to_a_question_and_a_no_to_an_order_verb():
    assert said(EMPTY) is None
    with pytest.raises(Refused, match="No Data Found"):
        said(EMPTY, moves=True)


@pytest.mark.parametrize(
    ("body", "status", "fix"),
    [
        (MINUTE, 401, "the broker counts our calls"),
        (CHECKSUM, 401, "this machine's clock"),
        ({"Success": None, "Status": 500, "Error": "Resource not available."}, 200, "log in to Breeze again"),
        ({"Success": None, "Status": 401, "Error": "Public Key does not exist."}, 401, "BREEZE_API_KEY"),
    ],
)
def test_what_can_be_mended_says_how(body, status, fix):
    with pytest.raises(SenseQuantError) as caught:
        said(body, status)
    assert fix in caught.value.fix


def test_an_error_repeats_little_of_a_page_and_none_of_its_tags():
    with pytest.raises(Transient) as caught:
        said("<html><style>x</style><h1>502</h1>" + "words " * 500 + "</html>", 502)
    assert "<" not in caught.value.message
    assert len(caught.value.message) < 300


@given(st.binary(max_size=200), st.sampled_from([200, 302, 400, 401, 404, 429, 500, 503]), st.booleans())
@example(b"\xff\xfe{", 200, True)
def test_no_answer_whatsoever_is_anything_but_a_typed_error_or_a_success(body, status, moves):
    try:
        words.judge(status, body, moves=moves)
    except SenseQuantError as error:
        assert moves or not isinstance(error, OutcomeUnknown)  # noqa: PT017 - either end is right


@pytest.mark.parametrize(
    ("letter", "word", "status"),
    [
        ("R", "Requested", Status.WORKING),
        ("Q", "Queued", Status.WORKING),
        ("O", "Ordered", Status.WORKING),
        ("P", "Partially Executed", Status.PARTIAL),
        ("E", "Executed", Status.FILLED),
        ("J", "Rejected", Status.REJECTED),
        ("X", "Expired", Status.EXPIRED),
        ("B", "Partially Executed And Expired", Status.EXPIRED),
        ("D", "Partially Executed And Cancelled", Status.CANCELLED),
        ("F", "Freezed", Status.WORKING),
        ("C", "Cancelled", Status.CANCELLED),
    ],
)
def test_a_status_is_known_by_its_letter_and_its_word_in_any_case(letter, word, status):
    for form in (letter, letter.lower(), word, word.upper(), word.lower(), f"  {word.replace(' ', '  ')} "):
        assert words.status(form) == status


def test_the_status_words_are_those_of_the_sdk(broker):
    config = broker.wire().sdk().tux_to_user_value["orderStatus"]
    for letter, word in config.items():
        if letter != "A":  # A asks for all; no order is in it
            assert words.status(letter) == words.status(word)


@pytest.mark.parametrize("word", ["", None, "A", "All", "Executing", "Rejectedish", 7])
def test_an_unknown_status_is_never_guessed(word):
    with pytest.raises(Unreadable):
        words.status(word)


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("05-Feb-2025 09:26", (2025, 2, 5, 9, 26, 0)),
        ("05-Feb-2025 10:41:24", (2025, 2, 5, 10, 41, 24)),
        ("05-FEB-2025 11:19:32", (2025, 2, 5, 11, 19, 32)),
        ("5-Feb-2025", (2025, 2, 5, 0, 0, 0)),
        ("2025-02-03 09:21:00", (2025, 2, 3, 9, 21, 0)),
        ("2025-02-03T09:21:00.000Z", (2025, 2, 3, 9, 21, 0)),
    ],
)
def test_a_moment_is_the_wall_clock_of_india_whatever_letter_it_ends_with(text, wall):
    assert words.moment(text) == dt.datetime(*wall, tzinfo=IST)


@pytest.mark.parametrize("text", ["", None, "05-Feb", "30-Feb-2025", "05-Xyz-2025", "2025-13-01", "noon", 7, "25:00"])
def test_a_moment_that_is_none_is_said_to_be_none(text):
    with pytest.raises(Unreadable):
        words.moment(text)


@given(st.integers(946_684_800, 4_000_000_000))
def test_a_moment_survives_the_way_to_breeze_and_back(second):
    at = dt.datetime.fromtimestamp(second, dt.UTC)
    assert words.moment(words.written(at)) == at


@given(st.decimals(min_value=0, max_value=10**7, places=2))
def test_a_number_is_exact_from_text_and_from_json(value):
    assert words.number(str(value), "price") == value
    assert words.number(json.loads(str(value)), "price") == value


@pytest.mark.parametrize(
    "value",
    [None, "", "NA", "1,000", "abc", True, "NaN", float("nan"), float("inf"), "1e400", "1e-400", "1e9999999", []],
)
def test_a_number_that_is_none_is_said_to_be_none(value):
    with pytest.raises(Unreadable, match="price"):
        words.number(value, "price")


@pytest.mark.parametrize("value", [None, "", "NA", 0, "0", "0.00", 0.0])
def test_zero_and_nothing_are_an_unknown_price(value):
    assert words.maybe(value, "ltp") is None


def test_a_negative_price_is_not_a_price():
    with pytest.raises(Unreadable):
        words.maybe("-1.50", "ltp")


@pytest.mark.parametrize(("value", "count"), [("10", 10), (10.0, 10), ("10.00", 10), (None, 0), ("", 0), ("0", 0)])
def test_a_count_of_shares(value, count):
    assert words.whole(value, "quantity") == count


@pytest.mark.parametrize("value", ["1.5", "-1", "x", "1e9999999"])
def test_shares_are_whole_and_not_negative(value):
    with pytest.raises(Unreadable):
        words.whole(value, "quantity")


@pytest.mark.parametrize(("word", "side"), [("Buy", "BUY"), ("b", "BUY"), ("SELL", "SELL"), ("S", "SELL")])
def test_a_side(word, side):
    assert words.side(word) == side


@pytest.mark.parametrize("word", ["", None, "NA", "Hold"])
def test_an_unknown_side_is_never_guessed(word):
    with pytest.raises(Unreadable):
        words.side(word)


def test_decimals_of_json_numbers_keep_their_paise():
    assert words.number(1029.85, "price") == Decimal("1029.85")
