"""A broker on 127.0.0.1 that answers each request exactly as the test says, faults of the line included."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.client import BreezeDesk
from trading.adapters.breeze.http import shared
from trading.adapters.breeze.wire import Keys, NoBudget, Wire

KEYS = Keys("the-api-key", "the-api-secret", base64.b64encode(b"USER42:the-session-key").decode(), "USER42")
PATIENT = (2.0, 8.0)  # seconds; a busy machine may be slow
HASTY = (1.0, 0.3)  # for what never answers in time


@dataclass
class Asked:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Odd:
    """An answer: a body with a status, or a fault of the line.

    ``pause``: seconds before it; ``reset``: cut the line after reading the request; ``drip``: send a byte now and then.
    """

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    pause: float = 0.0
    reset: bool = False
    drip: float = 0.0
    short: bool = False  # promise more bytes than come
    hangs_up: bool = False  # close the connection afterwards, without having said so
    headers: dict[str, str] = field(default_factory=dict)


def yes(success, status=200):
    return Odd(json.dumps({"Success": success, "Status": status, "Error": None}).encode())


def no(error, status=500, http=200, **more):
    return Odd(json.dumps({"Success": None, "Status": status, "Error": error, **more}).encode(), http)


def limit(error):
    """The two limits of Breeze: HTTP 401, Status 5, no Success key."""
    return Odd(json.dumps({"Status": 5, "Error": error}).encode(), 401)


def html(status, title="502 Bad Gateway"):
    page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center><hr>nginx</body></html>"
    return Odd(page.encode(), status, "text/html")


class Handler(BaseHTTPRequestHandler):
    """Reads a whole request, files it, and answers as it was told."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def serve(self):
        broker = self.server.broker
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        broker.asked.append(Asked(self.command, path, query, dict(self.headers), body))
        queue = broker.answers.get((self.command, path.rsplit("/", 1)[-1])) or deque([Odd(b"", 404)])
        odd = queue[0] if len(queue) == 1 else queue.popleft()
        broker.stopped.wait(odd.pause)
        if odd.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        with contextlib.suppress(OSError):
            self.answer(odd)

    do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the names http.server calls

    def answer(self, odd):
        self.send_response(odd.status)
        self.send_header("Content-Type", odd.kind)
        self.send_header("Content-Length", str(len(odd.body) + (10 if odd.short else 0)))
        for name, value in odd.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for place in range(0, len(odd.body), 1 if odd.drip else len(odd.body) or 1):
            self.wfile.write(odd.body[place : place + (1 if odd.drip else len(odd.body))])
            if odd.drip and self.server.broker.stopped.wait(odd.drip):
                return
        self.close_connection = odd.short or odd.hangs_up

    def log_message(self, *_):
        return


class OddBroker:
    """Answers from ``say``; what nobody said is answered with HTTP 404."""

    def __init__(self):
        self.asked: list[Asked] = []
        self.wires: list[Wire] = []
        self.answers: dict[tuple[str, str], deque[Odd]] = {}
        self.stopped = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.broker = self
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def say(self, method, path, *answers):
        self.answers[method, path] = deque(answers)
        for wire in self.wires:
            wire.http = shared(self.timeouts)  # heard by a wire that has not asked yet

    @property
    def timeouts(self):
        """Patience with whoever answers, none with who will not."""
        return HASTY if any(odd.pause for queue in self.answers.values() for odd in queue) else PATIENT

    def wire(self, **how):
        how = {"budget": NoBudget(), "timeouts": self.timeouts} | how
        self.wires.append(Wire(KEYS, Addresses.of(self.origin), **how))
        return self.wires[-1]

    def desk(self, **how):
        return BreezeDesk(self.wire(**how))

    def of(self, method, path="order"):
        return [one for one in self.asked if (one.method, one.path.rsplit("/", 1)[-1]) == (method, path)]

    def close(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


def soon(seconds=5.0):
    """A deadline that many seconds from now."""
    return time.monotonic() + seconds
