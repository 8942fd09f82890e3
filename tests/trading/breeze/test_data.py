"""What may be read: history, quotes, funds; and no verb that moves money anywhere near it."""

from __future__ import annotations

import datetime as dt
import inspect
import subprocess
import sys
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from sensequant.config import ROOT
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from tests.trading.breeze import samples
from tests.trading.breeze.oddbroker import KEYS, Odd, html, limit, no, yes
from trading.adapters.breeze import errors
from trading.adapters.breeze.client import BreezeData, BreezeDesk
from trading.adapters.breeze.words import Unreadable
from trading.core.errors import Invalid
from trading.core.ports import MarketData, OrderDesk

START, END = dt.datetime(2025, 2, 3, 9, 20, tzinfo=IST), dt.datetime(2025, 2, 3, 9, 22, tzinfo=IST)
ORDER_VERBS = {"place", "cancel", "modify", "order", "orders", "deals", "square_off", "positions", "holdings"}


@pytest.fixture
def data(broker):
    return BreezeData(broker.wire())


def public(kind):
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


def test_market_data_has_no_order_verb():
    assert public(BreezeData) == {"history", "history_rows", "quote", "funds", "customer"}
    assert not public(BreezeData) & ORDER_VERBS
    assert not public(MarketData) & ORDER_VERBS
    assert public(OrderDesk) - {"capabilities"} <= public(BreezeDesk)


def test_the_types_say_so_too(tmp_path):
    code = tmp_path / "sly.py"
    code.write_text(
        "from trading.adapters.breeze.client import BreezeData, BreezeDesk\n"
        "from trading.core.ports import MarketData, OrderDesk\n"
        "def good(wire: object, data: BreezeData, desk: BreezeDesk) -> tuple[MarketData, OrderDesk]:\n"
        "    return data, desk\n"
        "def bad(data: BreezeData) -> OrderDesk:\n"
        "    return data\n"
    )
    light = [
        "--config-file=",
        "--follow-imports=silent",
        "--ignore-missing-imports",
        "--cache-dir=var/cache/mypy-tests",
    ]
    command = [sys.executable, "-m", "mypy", *light, str(code)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("error:") == 1, done.stdout
    assert ":6: error: Incompatible return value type" in done.stdout


def test_history_asks_v2_once_in_the_wall_clock_of_india(broker, data):
    broker.say("GET", "historicalcharts", yes(samples.BARS))
    bars = data.history("RELIND", "1m", START.astimezone(dt.UTC), END.astimezone(dt.UTC))
    assert bars.close.tolist() == [1250.15, 1249.15, 1248.9]
    [asked] = broker.asked
    assert asked.path == "/api/v2/historicalcharts"
    assert {name: values[0] for name, values in parse_qs(asked.query).items()} == {
        "interval": "1minute", "from_date": "2025-02-03T09:20:00.000Z", "to_date": "2025-02-03T09:22:00.000Z",
        "stock_code": "RELIND", "exch_code": "NSE", "product_type": "cash",
    }  # fmt: skip
    assert asked.headers["apikey"] == KEYS.api_key
    assert asked.headers["X-SessionToken"] == KEYS.session_token


def test_history_is_paid_for_as_what_can_wait(broker):
    class Told:
        spent = ()

        def spend(self, kind, *, exit=False):
            self.spent += ((kind, exit),)

    told = Told()
    broker.say("GET", "historicalcharts", yes([]))
    broker.say("GET", "quotes", yes([samples.QUOTE]))
    data = BreezeData(broker.wire(budget=told))
    data.history("RELIND", "1minute", START, END)
    data.quote("RELIND", exit=True)
    assert told.spent == (("history", False), ("call", True))


def test_history_gives_what_was_asked_for_only(broker, data):
    broker.say("GET", "historicalcharts", yes(samples.BARS))
    assert len(data.history("RELIND", "1minute", START, START + dt.timedelta(minutes=1))) == 2


def test_daily_bars_are_asked_for_by_whole_days(broker, data):
    broker.say("GET", "historicalcharts", yes([{**samples.BARS[0], "datetime": "2025-02-03 00:00:00"}]))
    bars = data.history("RELIND", "1d", START, END)
    assert bars.ts.tolist() == [int(dt.datetime(2025, 2, 3, tzinfo=IST).timestamp())]
    asked = parse_qs(broker.asked[0].query)
    assert (asked["from_date"], asked["to_date"]) == (["2025-02-03T00:00:00.000Z"], ["2025-02-03T23:59:59.000Z"])
    assert asked["interval"] == ["1day"]


def test_an_unknown_share_is_no_bars_and_no_error(broker, data):
    broker.say("GET", "historicalcharts", yes([]))
    assert len(data.history("NOSUCH", "1minute", START, END)) == 0


@pytest.mark.parametrize(
    ("interval", "start", "end", "said"),
    [
        ("15minute", START, END, "Breeze has no 15minute bars"),
        ("7minute", START, END, "is not known"),
        ("1minute", END, START, "before it starts"),
        ("1minute", START.replace(tzinfo=None), END, "time zone"),
        ("1minute", START, START + dt.timedelta(days=4), "more than the 1,000"),
        ("1day", START - dt.timedelta(days=1600), END, "more than the 1,000"),
    ],
)
def test_what_one_request_cannot_carry_is_invalid_and_asks_nobody(broker, data, interval, start, end, said):
    with pytest.raises(Invalid, match=said):
        data.history("RELIND", interval, start, end)
    assert broker.asked == []


def test_a_thousand_candles_fit_however_many_nights_lie_between(broker, data):
    broker.say("GET", "historicalcharts", yes([]))
    friday = dt.datetime(2025, 1, 31, 9, 15, tzinfo=IST)
    data.history("RELIND", "1minute", friday, dt.datetime(2025, 2, 3, 13, 24, tzinfo=IST))  # with the Saturday session
    with pytest.raises(Invalid, match="1,001 candles"):
        data.history("RELIND", "1minute", friday, dt.datetime(2025, 2, 3, 13, 25, tzinfo=IST))


@pytest.mark.parametrize("rows", [[{}], [{"datetime": "x"}], ["x"], "x", [{**samples.BARS[0], "close": None}]])
def test_bars_that_are_none_are_a_typed_error(broker, data, rows):
    broker.say("GET", "historicalcharts", yes(rows))
    with pytest.raises(Unreadable):
        data.history("RELIND", "1minute", START, END)


def test_rows_are_given_word_for_word(broker, data):
    broker.say("GET", "historicalcharts", yes(samples.BARS))
    assert data.history_rows("RELIND", "1minute", START, END) == samples.BARS


def test_a_long_history_is_not_filed_row_by_row(broker):
    heard = []
    broker.say("GET", "historicalcharts", yes(samples.BARS))
    BreezeData(broker.wire(on_message=lambda *said: heard.append(said))).history("RELIND", "1minute", START, END)
    assert heard[0][1]["answer"]["Success"] == "3 rows"


QUESTIONS = {
    "historicalcharts": lambda data: data.history("RELIND", "1minute", START, END),
    "quotes": lambda data: data.quote("RELIND"),
    "funds": lambda data: data.funds(),
    "customerdetails": lambda data: data.customer("12345678"),
}


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Odd(b"{}", pause=5), errors.Transient),
        (Odd(reset=True), errors.Transient),
        (html(502), errors.Transient),
        (html(503, "503 Service Unavailable"), errors.Transient),
        (html(200, "maintenance"), errors.Transient),
        (Odd(b'{"Success": ['), errors.Transient),
        (html(429, "429 Too Many Requests"), errors.Busy),
        (limit("Limit exceed: API call per minute:Try after some time"), errors.Busy),
        (limit("Limit exceed: API call per day: "), errors.Busy),
        (limit("Authentication Fail :: Invalid Checksum."), errors.SessionLost),
        (no("Resource not available."), errors.SessionLost),
        (Odd(b"", 401), errors.SessionLost),
        (html(403, "403 Forbidden"), errors.SessionLost),
        (html(404, "404 Not Found"), BadInput),
        (no("Stock code is invalid", 400, 400), BadInput),
        (no("Not allowed today"), errors.Refused),
    ],
)
def test_every_odd_answer_to_a_question_is_its_error(broker, data, path, answer, kind):
    broker.say("GET", path, answer)
    with pytest.raises(kind) as caught:
        QUESTIONS[path](data)
    assert type(caught.value) is kind
    assert len(broker.asked) == 1


def test_a_quote(broker, data):
    broker.say("GET", "quotes", yes([samples.QUOTE, {**samples.QUOTE, "exchange_code": "BSE"}]))
    assert data.quote("RELIND").last == Decimal("1209.05")
    assert broker.asked[0].json == {"stock_code": "RELIND", "exchange_code": "NSE", "product_type": "cash"}


@pytest.mark.parametrize("success", [None, [], [{"exchange_code": "NSE", "ltp": 0}], "x"])
def test_no_quote_is_transient_and_never_a_price(broker, data, success):
    broker.say("GET", "quotes", yes(success))
    with pytest.raises(errors.Transient):
        data.quote("RELIND")


def test_funds_and_customer(broker, data):
    broker.say("GET", "funds", yes(samples.FUNDS))
    broker.say("GET", "customerdetails", yes({**samples.CUSTOMER, "session_token": "canary"}))
    assert data.funds()["allocated_equity"] == 200_000_000
    assert data.customer("12345678") == samples.CUSTOMER
    assert broker.asked[1].json == {"SessionToken": "12345678", "AppKey": KEYS.api_key}
