"""Who is outside: a receiver of alerts, a house of news, a page that listens, a script that asks."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
import time
import urllib.parse
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from sensequant.lib.clock import now

PASSWORD: Final = "soak-soak-soak-soak"  # noqa: S105 - of a user who lives as long as the scratch database
USER: Final = "soak"


class World:
    """One local server: alerts are posted to it, and news are asked of it."""

    def __init__(self) -> None:
        """Begin to answer on a port of its own."""
        self.heard: list[tuple[str, dict[str, Any]]] = []  # key, body
        self.asked = 0
        world = self

        class Door(_Door):
            outside = world

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="outside", daemon=True).start()

    @property
    def url(self) -> str:
        """Return its root."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Door(BaseHTTPRequestHandler):
    outside: ClassVar[World]

    def do_POST(self) -> None:
        """Take an alert."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.outside.heard.append((self.headers.get("Idempotency-Key") or "", json.loads(body or b"{}")))
        self._answer({"ok": True})

    def do_GET(self) -> None:
        """Answer as NewsAPI does, with one story about whoever is asked about."""
        self.outside.asked += 1
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        name = (query.get("q") or ["Somebody"])[0].split('"')[1:2] or ["Somebody"]
        at = now().astimezone(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=1)
        story = {
            "source": {"name": "Soak Times"}, "title": f"{name[0]} wins a large order, guidance raised",
            "description": f"{name[0]} beats every estimate", "url": f"https://news.example/{self.outside.asked}",
            "publishedAt": at.isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        self._answer({"status": "ok", "totalResults": 1, "articles": [story]})

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # whoever asked was shot meanwhile
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Client:
    """A person's page with its socket, and a script that asks the API, both coming back after every fall."""

    def __init__(self, port: int, key: str) -> None:
        """Begin to listen and to ask; ``key`` is the script's."""
        self.root, self.key, self.host = f"http://127.0.0.1:{port}", key, f"127.0.0.1:{port}"
        self.stop = threading.Event()
        self.answers: Counter[str] = Counter()  # the script's
        self.bad: Counter[str] = Counter()  # answers a server must not give
        self.messages = self.connects = 0
        self.newest = ("", -1)
        self.backwards = 0  # an older picture of the same engine after a newer one
        self.last = 0.0  # monotonic second of the newest message
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._listen, self._ask)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Leave."""
        self.stop.set()
        for thread in self._threads:
            thread.join(10.0)

    def _listen(self) -> None:
        cookie = ""
        while not self.stop.is_set():
            try:
                cookie = cookie or self._log_in()
                self._hear(cookie)
            except (OSError, WebSocketException, httpx.HTTPError, LookupError) as error:
                self.answers[f"socket {type(error).__name__}"] += 1
                if "Status" in type(error).__name__:  # refused: the session may be gone
                    cookie = ""
                self.stop.wait(1.0)

    def _log_in(self) -> str:
        with httpx.Client(base_url=self.root, timeout=10.0, follow_redirects=False) as page:
            form = page.get("/login")
            token = form.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            told = {"csrfmiddlewaretoken": token, "username": USER, "password": PASSWORD, "next": "/"}
            done = page.post("/login", data=told, headers={"Origin": self.root})
            if done.status_code != httpx.codes.FOUND:
                raise LookupError(f"not let in: {done.status_code}")
            return "; ".join(f"{name}={value}" for name, value in page.cookies.items())

    def _hear(self, cookie: str) -> None:
        address = f"ws://{self.host}/ws/live/"
        with connect(
            address, origin=Origin(self.root), additional_headers={"Cookie": cookie}, open_timeout=10.0
        ) as door:
            self.connects += 1
            door.send('{"do": "subscribe", "topic": "live"}')
            while not self.stop.is_set():
                self._take(json.loads(door.recv(timeout=15.0)))

    def _take(self, said: dict[str, Any]) -> None:
        self.messages += 1
        self.last = time.monotonic()
        if said.get("topic") == "live":
            epoch, version = str(said["epoch"]), int(said["v"])
            self.backwards += epoch == self.newest[0] and version < self.newest[1]
            self.newest = (epoch, version)

    def _ask(self) -> None:
        paths = ("/api/v1/health", "/api/v1/orders", "/api/v1/positions", "/healthz", "/readyz")
        with httpx.Client(base_url=self.root, timeout=15.0, headers={"Authorization": f"Bearer {self.key}"}) as api:
            k = 0
            while not self.stop.wait(0.5):
                path = paths[(k := k + 1) % len(paths)]
                try:
                    status = api.get(path).status_code
                except httpx.HTTPError as error:
                    self.answers[f"no answer ({type(error).__name__})"] += 1
                    continue
                self.answers[str(status)] += 1
                if status not in (200, 503):
                    self.bad[f"{status} {path}"] += 1
