"""The wire: the SDK logged in with our keys, the login itself, and what is told of every answer."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from sensequant.lib import redact
from sensequant.lib.errors import BadInput
from tests.trading.breeze import samples
from tests.trading.breeze.oddbroker import KEYS, PATIENT, Odd, html, limit, no, soon, yes
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.client import BreezeDesk
from trading.adapters.breeze.errors import Busy, NotSent, OutcomeUnknown, SessionLost, Transient
from trading.adapters.breeze.wire import ForExits, Keys, NoBudget, Wire, exchange_session
from trading.core.ports import Ticket

TOKEN = base64.b64encode(b"XY604721:87654321").decode()
TICKET = Ticket("ITC", "BUY", 10, Decimal("420.00"))


@pytest.fixture
def login(broker):
    """Exchange an API session at the odd broker."""

    def ask(api_session="12345678", api_key="a key+with/signs"):
        return exchange_session(api_key, api_session, Addresses.of(broker.origin), timeouts=broker.timeouts)

    return ask


def test_a_login_gives_the_user_and_the_token(broker, login):
    broker.say("GET", "customerdetails", yes({**samples.CUSTOMER, "session_token": TOKEN}))
    assert login(" 12345678 ") == ("XY604721", TOKEN)
    assert broker.asked[0].body == b'{"SessionToken":"12345678","AppKey":"a key+with/signs"}'


def test_our_login_sends_what_the_sdks_login_sends(broker, login):
    broker.say("GET", "customerdetails", yes({**samples.CUSTOMER, "session_token": TOKEN}))
    login("12345678", KEYS.api_key)
    sdk = broker.wire().sdk()
    sdk.session_key = "12345678"
    sdk.api_util()
    ours, theirs = broker.asked
    assert (ours.method, ours.path, ours.body, ours.headers) == (
        theirs.method,
        theirs.path,
        theirs.body,
        theirs.headers,
    )
    assert (sdk.user_id, sdk.session_key) == ("XY604721", "87654321")


@pytest.mark.parametrize(
    ("answer", "kind", "fix"),
    [
        (no("Invalid session.", 401), SessionLost, "log in"),
        (no("Resource not available.", 500), SessionLost, "log in"),
        (no("Public Key does not exist.", 401), BadInput, "BREEZE_API_KEY"),
        (limit("Limit exceed: API call per day: "), Busy, "wait"),
        (html(502), Transient, "later"),
        (Odd(b"{}"), Transient, "later"),
        (Odd(reset=True), Transient, "later"),
        (Odd(b"{}", pause=5), Transient, "later"),
        (yes({"idirect_userid": "XY604721"}), Transient, "log in"),
        (yes(None), Transient, "log in"),
        (yes({"session_token": "SNjhweuihjndmsbdhjqgy*"}), SessionLost, "log in"),
        (yes({"session_token": base64.b64encode(b"no colon").decode()}), SessionLost, "log in"),
    ],
)
def test_a_login_that_fails_says_what_to_do(broker, login, answer, kind, fix):
    broker.say("GET", "customerdetails", answer)
    with pytest.raises(kind) as caught:
        login()
    assert type(caught.value) is kind
    assert fix in caught.value.fix


@pytest.mark.parametrize(("api_session", "api_key"), [("", "k"), ("  ", "k"), ("1", "")])
def test_a_login_without_its_parts_asks_nobody(broker, login, api_session, api_key):
    with pytest.raises(BadInput):
        login(api_session, api_key)
    assert broker.asked == []


def test_the_sdk_is_logged_in_with_our_keys_and_asks_nobody(broker):
    wire = broker.wire()
    sdk = wire.sdk()
    assert (sdk.user_id, sdk.session_key, sdk.secret_key) == ("USER42", "the-session-key", "the-api-secret")
    assert sdk.api_handler.base64_session_token == KEYS.session_token
    assert wire.sdk() is sdk
    assert broker.asked == []


def test_threads_share_one_sdk(broker):
    wire, found = broker.wire(), []
    threads = [threading.Thread(target=lambda: found.append(wire.sdk())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_every_request_is_signed_over_the_very_bytes_that_are_sent(broker):
    broker.say("POST", "order", yes(samples.PLACED))
    broker.desk().place(TICKET, deadline=soon(), exit=False)
    asked = broker.asked[0]
    stamp = asked.headers["X-Timestamp"]
    expected = hashlib.sha256(stamp.encode() + asked.body + KEYS.api_secret.encode()).hexdigest()
    assert asked.headers["X-Checksum"] == f"token {expected}"
    assert asked.headers["X-SessionToken"] == KEYS.session_token
    assert asked.headers["X-AppKey"] == KEYS.api_key


@pytest.mark.parametrize("token", ["", "not base64!", "é", base64.b64encode(b"USER:").decode()])
def test_a_token_that_is_none_is_a_lost_session(broker, token):
    with pytest.raises(SessionLost):
        Wire(Keys("k", "s", token), Addresses.of(broker.origin), NoBudget())


def test_a_session_key_may_hold_a_colon(broker):
    token = base64.b64encode(b"USER:a:b").decode()
    sdk = Wire(Keys("k", "s", token), Addresses.of(broker.origin), NoBudget()).sdk()
    assert (sdk.user_id, sdk.session_key) == ("USER", "a:b")


def test_every_answer_is_told_with_its_secrets_hidden(broker):
    heard = []
    broker.say("POST", "order", yes({**samples.PLACED, "session_token": "canary", "echo": KEYS.api_secret}))
    broker.desk(on_message=lambda *said: heard.append(said)).place(TICKET, deadline=soon(), exit=False)
    [(verb, payload)] = heard
    assert verb == "place"
    assert (payload["method"], payload["path"], payload["http"]) == ("POST", "/breezeapi/api/v1/order", 200)
    assert payload["sent"] is True
    assert payload["answer"]["Success"]["order_id"] == samples.PLACED["order_id"]
    assert payload["answer"]["Success"]["session_token"] == redact.HIDDEN
    assert payload["answer"]["Success"]["echo"] == redact.HIDDEN
    json.dumps(payload)


def test_what_is_unreadable_is_told_too(broker):
    heard = []
    desk = broker.desk(on_message=lambda *said: heard.append(said))
    broker.say("POST", "order", html(502), Odd(reset=True))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            desk.place(TICKET, deadline=soon(), exit=False)
    assert "502 Bad Gateway" in heard[0][1]["answer"]
    assert (heard[1][1]["failure"], heard[1][1]["http"], heard[1][1]["sent"]) == ("the line was cut", None, True)


def test_a_modify_is_told_request_by_request(broker):
    heard = []
    broker.say("GET", "order", yes([samples.ORDER]))
    broker.say("PUT", "order", yes(samples.MODIFIED))
    desk = broker.desk(on_message=lambda verb, payload: heard.append((verb, payload["method"])))
    desk.modify(samples.ORDER["order_id"], quantity=10, limit=Decimal("421.00"), exit=False)
    assert heard == [("modify", "GET"), ("modify", "PUT"), ("order", "GET")]


def test_an_answer_that_cannot_be_filed_is_an_answer_nevertheless(broker):
    def fail(verb, payload):
        raise RuntimeError("the disk is full")

    broker.say("POST", "order", yes(samples.PLACED))
    desk = broker.desk(on_message=fail)
    assert desk.place(TICKET, deadline=soon(), exit=False) == samples.PLACED["order_id"]


def test_no_secret_is_ever_logged(broker, caplog):
    """The canaries: every key and token, through every kind of answer, at the lowest level, in the raw records."""
    token = base64.b64encode(b"USER42:canary-session-key").decode()
    keys = Keys("canary-api-key", "canary-api-secret", token, "USER42")
    wire = Wire(keys, Addresses.of(broker.origin), NoBudget(), timeouts=PATIENT)
    echo = {"keys": ["canary-api-key", "canary-api-secret", token, "canary-session-key"]}
    answers = [yes(echo), no(json.dumps(echo)), html(502, json.dumps(echo)), limit("Limit exceed: API call per day: "),
               Odd(reset=True), Odd(json.dumps(echo).encode(), 401)]  # fmt: skip
    caplog.set_level(logging.DEBUG)
    told = []
    for answer in answers:
        broker.say("GET", "funds", answer)
        broker.say("GET", "customerdetails", answer)
        for ask in (
            lambda: wire.ask("funds", lambda sdk: sdk.get_funds()),
            lambda: exchange_session("canary-api-key", "canary-session-key", wire.addresses, timeouts=PATIENT),
        ):
            try:
                ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, its words must be clean
                told.append(str(error))
    records = [str(vars(record)) + record.getMessage() for record in caplog.records]
    assert records
    assert told
    for secret in ("canary", token):
        assert not [line for line in records + told if secret in line]
    assert "canary" not in repr(wire) + repr(keys)


def test_where_only_questions_are_asked_an_order_verb_is_not_sent(broker):
    wire = broker.wire()
    with pytest.raises(NotSent):
        wire.ask("sly", lambda sdk: sdk.place_order(stock_code="ITC", exchange_code="NSE", order_type="limit"))
    with pytest.raises(Exception, match="not allowed"):
        wire.sdk().cancel_order(exchange_code="NSE", order_id="1")
    assert broker.asked == []


def test_what_the_sdk_itself_refuses_is_bad_input_and_asks_nobody(broker):
    wire = broker.wire()
    with pytest.raises(BadInput, match="Interval cannot be empty"):
        wire.ask("history", lambda sdk: sdk.get_historical_data_v2())
    with pytest.raises(BadInput, match="asked nothing"):
        wire.ask("names", lambda sdk: sdk.get_names("NSE", "ITC"))
    assert broker.asked == []


def test_a_budget_for_exits_spends_as_an_exit():
    class Told:
        spent = ()

        def spend(self, kind, *, exit=False):
            self.spent += ((kind, exit),)

    told = Told()
    ForExits(told).spend("call")
    assert told.spent == (("call", True),)


def test_threads_that_ask_at_once_get_each_its_own_answer(broker):
    wire = broker.wire()
    broker.say("POST", "order", *(yes({"order_id": str(number)}) for number in range(40)), html(502))
    desk, found = BreezeDesk(wire), []

    def place(_):
        return [desk.place(TICKET, deadline=soon(), exit=False) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        found = [number for numbers in pool.map(place, range(4)) for number in numbers]
    assert sorted(map(int, found)) == list(range(40))
    assert len(broker.of("POST")) == 40
