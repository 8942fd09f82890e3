"""A desk to watch: moments, reports that make rules hold, and receivers that really listen."""

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from monitoring.models import Episode, Notification
from monitoring.services import facts, watching
from sensequant.lib.clock import IST
from tests.trading import rows
from trading.models import Order
from trading.services import conditions

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)


def at(seconds=0.0):
    """Return a moment of a Monday's session."""
    return NOON + dt.timedelta(seconds=seconds)


def breaks(seconds=0.0, value=1.0, group="release 7", **context):
    """Let the rule release_watch_failed hold (or, with 0, not)."""
    facts.report("release_watch", value, at=at(seconds), group=group, told="Sharpe fell", **context)


def look(seconds=0.0):
    """Look at the desk."""
    return watching.look(at=at(seconds))


def episode(rule="release_watch_failed"):
    """Return the newest episode of a rule."""
    return Episode.objects.filter(rule=rule).first()


def reasons(rule="release_watch_failed", channel="log"):
    """Return why each message about a rule was sent on a channel, oldest first."""
    rows = Notification.objects.filter(channel=channel, episode__rule=rule)
    return list(rows.order_by("id").values_list("reason", flat=True))


class Sink:
    """An HTTP server that keeps what it is given and answers as it is told."""

    def __init__(self, answer=b"ok", statuses=()):
        self.seen, self.answer, self.statuses = [], answer, list(statuses)
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                sink.seen.append((self.path, dict(self.headers), body))
                status = sink.statuses.pop(0) if sink.statuses else 200
                answer = sink.answer(self.path, body) if callable(sink.answer) else sink.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def bodies(self):
        return [json.loads(body) for _, _, body in self.seen]


def condition(code="slow", *, level="warn", subject="", over=False):
    """Let the desk say that something is wrong, or no longer."""
    if over:
        conditions.clear(code, at=at(), subject=subject)
    else:
        conditions.hold(code, level=level, subject=subject, message=f"{code} it is", fix="wait", at=at())


def unknown_order():
    """An order of a live run (at a simulator) that has had no clean answer."""
    run = rows.run(mode="live", label="SIMULATED", state="suspended")
    return Order.objects.create(
        run=run, key=f"k{run.pk}", number=1, symbol="INFY", strategy="intraday", side="BUY", purpose="entry",
        quantity=1, price=1, status="unknown", created_at=at(),
    )  # fmt: skip
