"""A client that speaks Breeze's wire by hand, so that nothing softens what the simulator says."""

import base64
import contextlib
import datetime as dt
import http.client
import json
import threading
import time
from hashlib import sha256
from urllib.parse import urlencode

import socketio

from sensequant.lib.clock import now

V1 = "/breezeapi/api/v1/"
BUY = {
    "stock_code": "RELIND", "exchange_code": "NSE", "product": "cash", "action": "buy", "order_type": "limit",
    "quantity": "10", "price": "1300.00", "validity": "day", "settlement_id": "", "order_segment_code": "", "lots": "",
    "user_remark": "mine",
}  # fmt: skip


class Client:
    """Signs every request; ``stamp`` is how far its clock is off, in seconds."""

    def __init__(self, venue, *, stamp=0.0):
        self.venue, self.stamp = venue, stamp
        self.key, self.secret = venue.credentials["api_key"], venue.credentials["api_secret"]
        self.token = ""
        self.log_in()

    def log_in(self, api_session=None):
        """Ask for the session's token and return the answer."""
        told = {"SessionToken": api_session or self.venue.credentials["api_session"], "AppKey": self.key}
        answer = self.send("GET", V1 + "customerdetails", json.dumps(told), {})
        with contextlib.suppress(KeyError, TypeError):
            self.token = answer[1]["Success"]["session_token"]
        return answer

    @property
    def auth(self):
        """Return what a socket sends to be let in."""
        user, key = base64.b64decode(self.token).decode().split(":")
        return {"user": user, "token": key}

    def send(self, method, path, body="", headers=None, timeout=5):
        """Send a request; return (status, JSON or text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.venue.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text.decode(errors="replace")
        finally:
            connection.close()

    def call(self, method, path, timeout=5, **body):
        """Send a signed request of version 1."""
        text = json.dumps(body, separators=(",", ":"))
        at = now() + dt.timedelta(seconds=self.stamp)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S") + ".000Z"
        headers = {
            "X-Checksum": "token " + sha256((stamp + text + self.secret).encode()).hexdigest(),
            "X-Timestamp": stamp, "X-AppKey": self.key, "X-SessionToken": self.token,
        }  # fmt: skip
        return self.send(method, V1 + path, text, headers, timeout)

    def history(self, start, end, *, interval="1minute", code="RELIND", **more):
        """Ask version 2 for bars; return the answer."""
        query = {
            "interval": interval, "from_date": f"{start}.000Z", "to_date": f"{end}.000Z", "stock_code": code,
            "exch_code": "NSE", "product_type": "cash", **more,
        }  # fmt: skip
        headers = {"apikey": self.key, "X-SessionToken": self.token}
        return self.send("GET", f"/api/v2/historicalcharts?{urlencode(query)}", "", headers)

    def place(self, **changes):
        """Place an order and return its number; an AssertionError when it is refused."""
        status, answer = self.call("POST", "order", **{**BUY, **changes})
        assert (status, answer["Error"]) == (200, None), answer
        return answer["Success"]["order_id"]

    def order(self, number):
        """Return the row of an order."""
        answer = self.call("GET", "order", exchange_code="NSE", order_id=number)[1]
        assert answer["Status"] == 200, answer
        return answer["Success"][0]

    def book(self):
        """Return the answer to the order list of all days."""
        dates = {"from_date": "2020-01-01T00:00:00.000Z", "to_date": "2030-01-01T00:00:00.000Z"}
        return self.call("GET", "order", exchange_code="NSE", **dates)[1]

    def quote(self, code="RELIND"):
        """Return the NSE's quote."""
        return self.call("GET", "quotes", stock_code=code, exchange_code="NSE")[1]["Success"][0]


class Listener:
    """A socket that writes down all it hears, as (event, data)."""

    def __init__(self, client, *rooms, feed="ticks", auth=None, path="socket.io", channel=None):
        self.heard, self.gone = [], threading.Event()
        self.socket = socketio.Client(reconnection=False)
        for event in (channel or "stock", "order"):
            self.socket.on(event, lambda data, event=event: self.heard.append((event, data)))
        self.socket.on("disconnect", lambda *_: self.gone.set())
        self.socket.connect(
            f"{client.venue.url}/?feed={feed}", auth=client.auth if auth is None else auth, transports=["websocket"],
            socketio_path=path, wait_timeout=5,
        )  # fmt: skip
        if rooms:
            self.socket.emit("join", rooms[0] if len(rooms) == 1 else list(rooms))
            time.sleep(0.1)  # a join has no answer

    def wait(self, count, seconds=5.0):
        """Return what was heard once there are ``count`` messages."""
        deadline = time.monotonic() + seconds
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.heard) >= count, f"{len(self.heard)} of {count} messages came"
        return [data for _, data in self.heard]

    def quiet(self, seconds=0.3):
        """Return what was heard, after a while."""
        time.sleep(seconds)
        return [data for _, data in self.heard]

    def close(self):
        """Leave."""
        with contextlib.suppress(Exception):
            self.socket.disconnect()


@contextlib.contextmanager
def listening(client, *rooms, **how):
    """Listen for the length of a ``with``."""
    listener = Listener(client, *rooms, **how)
    try:
        yield listener
    finally:
        listener.close()
