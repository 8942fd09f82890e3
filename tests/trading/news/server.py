"""A local server that plays NewsAPI and Twitter v2: their keys, pages, refusals and bad days."""

import datetime as dt
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY, TOKEN, POOR = "news-key-1234", "tweet-token-1234", "poor-key-1234"
NOON = dt.datetime(2026, 11, 23, 6, 30, tzinfo=dt.UTC)


def article(title, minutes=30, text="", outlet="Example Times", **more):
    at = NOON - dt.timedelta(minutes=minutes)
    return {
        "source": {"id": None, "name": outlet}, "author": "A. Reporter", "title": title, "description": text,
        "url": "https://news.example/story", "urlToImage": None, "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "content": None, **more,
    }  # fmt: skip


def post(text, minutes=30, likes=0, retweets=0, number=1):
    at = NOON - dt.timedelta(minutes=minutes)
    return {
        "id": str(number), "text": text, "created_at": f"{at:%Y-%m-%dT%H:%M:%S.000Z}", "lang": "en",
        "public_metrics": {"like_count": likes, "retweet_count": retweets, "reply_count": 0, "quote_count": 0},
    }  # fmt: skip


class Desk:
    """What the server says, and what it was asked. ``faults`` are (what, more …), used up one by one, per API."""

    def __init__(self):
        self.articles, self.posts = [], []
        self.faults = {"newsapi": [], "twitter": []}
        self.always = {"newsapi": None, "twitter": None}
        self.seen = []
        self.small_plan = False
        self.page = None  # items a page at most, whatever is asked for
        self.ended = threading.Event()

    def asked(self, api):
        return [each for each in self.seen if each["api"] == api]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        desk, parts = self.server.desk, urlsplit(self.path)
        api = "newsapi" if parts.path.endswith("/everything") else "twitter"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        desk.seen.append({"api": api, "path": parts.path, "query": query, "headers": dict(self.headers)})
        fault = desk.faults[api].pop(0) if desk.faults[api] else desk.always[api]
        if fault:
            getattr(self, f"_{fault[0]}")(*fault[1:])
        elif not parts.path.endswith(("/everything", "/tweets/search/recent")):
            self._status(404)
        else:
            (self._newsapi if api == "newsapi" else self._twitter)(desk, query)

    def _json(self, body, status=200, headers=()):
        self._bytes(json.dumps(body).encode(), status, headers)

    def _bytes(self, data, status=200, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _newsapi(self, desk, query):
        key = self.headers.get("X-Api-Key")
        if key == POOR:
            return self._json({"status": "error", "code": "planForbids", "message": "not in your plan"}, 403)
        if key != KEY:
            return self._json({"status": "error", "code": "apiKeyInvalid", "message": f"{key} is no key"}, 401)
        size, page = min(desk.page or 100, int(query["pageSize"])), int(query.get("page", 1))
        if desk.small_plan and page > 1:
            return self._json({"status": "error", "code": "maximumResultsReached", "message": "upgrade"}, 426)
        since, until = query["from"], query["to"]
        found = [
            each
            for each in desk.articles
            if not isinstance(each, dict) or since <= str(each.get("publishedAt"))[:19] <= until
        ]
        return self._json(
            {"status": "ok", "totalResults": len(found), "articles": found[(page - 1) * size : page * size]}
        )

    def _twitter(self, desk, query):
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._json({"title": "Unauthorized", "status": 401, "detail": "Unauthorized"}, 401)
        if not 10 <= int(query["max_results"]) <= 100:
            return self._json({"title": "Invalid Request", "detail": "max_results"}, 400)
        size, begin = min(desk.page or 100, int(query["max_results"])), int(query.get("next_token", "p0")[1:])
        found = desk.posts[begin : begin + size]
        meta = {"result_count": len(found)}
        if begin + size < len(desk.posts):
            meta["next_token"] = f"p{begin + size}"
        return self._json({"meta": meta, **({"data": found} if found else {})})

    # --- bad days ---
    def _status(self, status, headers=(), body=None):
        self._json(body if body is not None else {"message": f"status {status}"}, status, headers)

    def _body(self, text):
        self._bytes(text.encode())

    def _huge(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"x" * 65_536
        try:
            for _ in range(200):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        except OSError:
            pass
        self.close_connection = True

    def _squeezed(self):
        self._bytes(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    def _hang(self):
        self.server.desk.ended.wait(5)
        self.close_connection = True

    def _drip(self):
        """Send the head a letter at a time, each well within any time-out between two letters."""
        try:
            for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200:
                self.wfile.write(bytes([letter]))
                if self.server.desk.ended.wait(0.05):
                    break
        except OSError:
            pass
        self.close_connection = True

    def _drop(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _slow(self, seconds):
        time.sleep(seconds)
        self._json({"status": "ok", "totalResults": 0, "articles": []})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Stay silent when a client hangs up."""


@contextmanager
def serving():
    """Yield the desk and the root addresses of both APIs."""
    with _Server(("127.0.0.1", 0), Handler) as server:
        server.desk = Desk()
        server.desk.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.desk
        finally:
            server.desk.ended.set()
            server.shutdown()
            thread.join()
