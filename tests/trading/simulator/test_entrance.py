"""Sessions, signatures, and how often somebody may ask."""

import base64
import json
from hashlib import sha256

import pytest

from tests.trading.simulator.opened import WALL, opened
from tests.trading.simulator.wire import BUY, V1
from trading.adapters.simulator.app import build
from trading.adapters.simulator.entrance import DAY_SPENT, MINUTE_SPENT, SECOND_SPENT, Credentials, Entrance, Quota
from trading.adapters.simulator.opening import Limits
from trading.adapters.simulator.streams import Streams

STAMP = "2026-11-18T11:06:40.000Z"  # WALL


def quota(**limits):
    hand = [0.0]
    return Quota(**{"minute": 100, "day": 5_000, "orders": 10, **limits}, monotonic=lambda: hand[0]), hand


def test_a_hundred_calls_a_minute_by_a_window_that_slides():
    limit, hand = quota()
    assert [limit.spend(order=False) for _ in range(100)] == [""] * 100
    assert limit.spend(order=False) == MINUTE_SPENT
    hand[0] = 59.9
    assert limit.spend(order=False) == MINUTE_SPENT
    hand[0] = 60.0
    assert limit.spend(order=False) == ""


def test_five_thousand_calls_a_day_and_a_new_day():
    limit, hand = quota(minute=10**6)
    assert all(limit.spend(order=False) == "" for _ in range(5_000))
    assert limit.spend(order=False) == DAY_SPENT
    hand[0] = 3_600.0
    assert limit.spend(order=False) == DAY_SPENT
    limit.new_day()
    assert limit.spend(order=False) == ""


def test_ten_orders_a_second_of_all_verbs_together():
    limit, hand = quota()
    assert [limit.spend(order=True) for _ in range(11)] == [""] * 10 + [SECOND_SPENT]
    assert limit.spend(order=False) == ""
    hand[0] = 1.0
    assert limit.spend(order=True) == ""


def test_a_later_login_ends_the_earlier_session():
    entrance = Entrance(Credentials("key", "secret"))
    before, token = entrance.session_key, entrance.token
    assert base64.b64decode(token).decode() == f"SIM00001:{before}"
    number = entrance.log_in()
    assert number.isdigit()
    assert entrance.bearer(token, "key") == "Invalid session."
    assert not entrance.socket("SIM00001", before)
    assert entrance.socket("SIM00001", entrance.session_key)
    entrance.expired = True
    assert entrance.customer(number, "key") == "Resource not available."
    assert not entrance.socket("SIM00001", entrance.session_key)
    entrance.log_in()
    assert entrance.bearer(entrance.token, "key") == ""


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-11-18 11:06:40", "2026-11-18T11:00:00.000Z"])
def test_a_stamp_that_is_none_or_old_is_no_signature(stamp):
    entrance = Entrance(Credentials("key", "secret"))
    headers = {"x-timestamp": stamp, "x-checksum": "token " + sha256(f"{stamp}{{}}secret".encode()).hexdigest()}
    assert not entrance.signed(headers, b"{}", WALL)


class Caller:
    """Calls the application itself, with the signature of a moment that stands still."""

    def __init__(self, venue):
        self.venue, self.app = venue, build(venue, Streams(venue))

    async def call(self, method, path, **body):
        """Return status and JSON of an answer."""
        text = json.dumps(body).encode()
        checksum = "token " + sha256(STAMP.encode() + text + b"secret").hexdigest()
        headers = {
            "x-timestamp": STAMP, "x-checksum": checksum, "x-appkey": "key",
            "x-sessiontoken": self.venue.entrance.token,
        }  # fmt: skip
        scope = {
            "type": "http", "method": method, "path": V1 + path, "query_string": b"", "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        sent = []

        async def receive():
            return {"type": "http.request", "body": text}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])


async def test_whoever_asks_too_often_is_told_so_in_icicis_words():
    caller = Caller(opened(limits=Limits(minute=5, day=7, orders=2)))
    order = {**BUY, "price": "1250.00"}
    answers = [await caller.call("POST", "order", **order) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 401]
    assert answers[2][1] == {"Status": 5, "Error": SECOND_SPENT}
    assert len(caller.venue.desk.orders) == 2
    answers = [await caller.call("GET", "funds") for _ in range(4)]
    assert [status for status, _ in answers] == [200, 200, 200, 401]
    assert answers[3][1] == {"Status": 5, "Error": "Limit exceed: API call per minute:Try after some time"}
    caller.venue.hand[0] += 61
    answers = [await caller.call("GET", "funds") for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 401]
    assert answers[2][1] == {"Status": 5, "Error": "Limit exceed: API call per day: "}
