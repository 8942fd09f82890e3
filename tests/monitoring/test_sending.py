"""Messages reach people: over a real SMTP server and real HTTP receivers, whatever dies in between."""

import email
import hashlib
import hmac
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.db import connections

from monitoring.models import Attempt, AuditEntry, Channel, Look, Notification, Rollup
from monitoring.services import channels, facts, monitor, silences
from monitoring.services.sending import Sender
from sensequant.lib import crash, paths
from sensequant.lib.clock import now
from tests.monitoring.world import Sink, at, breaks, condition, episode, look
from tests.trading import rows
from trading.models import Lease

ALERTS = 200


class Post:
    """An SMTP server that keeps its letters and refuses whom it is told to."""

    def __init__(self):
        self.letters, self.refuse = [], ""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.letters.append(email.message_from_bytes(envelope.content))
        return "250 OK"


class Quiet(Controller):
    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=True, hostname="localhost")


@pytest.fixture
def post():
    """A real SMTP server."""
    handler = Post()
    with socket.create_server(("127.0.0.1", 0)) as door:
        handler.port = door.getsockname()[1]
    server = Quiet(handler, hostname="127.0.0.1", port=handler.port)
    server.start()
    yield handler
    server.stop()


@pytest.fixture
def sink():
    with Sink() as found:
        yield found


@pytest.fixture
def desk(monkeypatch):
    """Change settings of the desk."""

    def change(**values):
        for name, value in {"monitoring_allow_private_addresses": True, **values}.items():
            object.__setattr__(settings.DESK, name, value)

    before = {name: getattr(settings.DESK, name) for name in vars(settings.DESK)}
    yield change
    for name, value in before.items():
        object.__setattr__(settings.DESK, name, value)


@pytest.fixture
def everything(desk, post, sink):
    """E-mail and webhook switched on, both really listening."""
    desk(
        monitoring_enable_email_alerts=True, monitoring_email_smtp_host="127.0.0.1",
        monitoring_email_smtp_port=post.port, monitoring_email_to=("ops@example.com",),
        monitoring_enable_webhook_alerts=True,
        monitoring_webhook_url=f"{sink.url}/alerts", monitoring_webhook_secret="s3cret",
        monitoring_webhook_headers={"X-Desk": "one"},
    )  # fmt: skip


def send(*names, seconds=0.0):
    """Send everything that is due on some channels; return how many messages that were."""
    return sum(Sender(name, clock=lambda: at(seconds)).drain() for name in names or channels.ALL)


def lines():
    file = paths.resolve(f"logs/alerts/{at():%Y-%m-%d}.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(autouse=True)
def fresh_log():
    file = paths.resolve(f"logs/alerts/{at():%Y-%m-%d}.jsonl")
    file.unlink(missing_ok=True)


@pytest.mark.django_db
class TestEachChannel:
    def test_an_alert_arrives_everywhere_in_the_documents_words(self, everything, post, sink):
        breaks()
        look()
        assert send() == 3
        (told,) = sink.bodies()
        assert told.keys() >= {"timestamp", "severity", "rule", "message", "context", "acknowledged"}
        assert (told["severity"], told["rule"], told["acknowledged"]) == ("CRITICAL", "release_watch_failed", False)
        (letter,) = post.letters
        assert letter["Subject"] == "[CRITICAL] release_watch_failed release 7"
        assert "Sharpe fell" in letter.get_payload(decode=True).decode()
        assert [line["rule"] for line in lines()] == ["release_watch_failed"]

    def test_a_posted_alert_is_signed_and_carries_its_key_and_the_configured_headers(self, everything, sink):
        breaks()
        look()
        send("webhook")
        path, headers, body = sink.seen[0]
        stamp, _, mac = headers["X-SenseQuant-Signature"].partition(",v1=")
        seconds = stamp.removeprefix("t=")
        assert hmac.new(b"s3cret", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest() == mac
        assert (path, headers["X-Desk"]) == ("/alerts", "one")
        assert headers["Idempotency-Key"] == Notification.objects.get(channel="webhook").key == json.loads(body)["key"]

    def test_the_letters_of_an_episode_are_one_thread(self, everything, post):
        breaks()
        look()
        breaks(10, value=0.0)
        look(10)
        send("email", seconds=10)
        first, second = post.letters
        assert second["References"] == first["Message-ID"]
        assert second["Subject"] == "[CRITICAL] release_watch_failed release 7 is over"

    def test_slack_gets_one_message_that_is_edited_in_place(self, desk):
        def slack(path, body):
            return json.dumps({"ok": True, "channel": "C1", "ts": "17.5"}).encode()

        with Sink(slack) as sink:
            desk(
                monitoring_enable_slack_alerts=True, monitoring_slack_bot_token="xoxb-1", monitoring_slack_channel="C1",
                monitoring_slack_api_url=sink.url,
            )  # fmt: skip
            breaks()
            look()
            send("slack")
            breaks(10, value=0.0)
            look(10)
            send("slack", seconds=10)
            assert [path for path, _, _ in sink.seen] == ["/chat.postMessage", "/chat.update"]
            assert sink.bodies()[1]["ts"] == "17.5"
            assert sink.bodies()[1]["text"].startswith("✅")
            assert sink.seen[0][1]["Authorization"] == "Bearer xoxb-1"

    def test_a_plain_slack_webhook_is_posted_to_each_time(self, desk, sink):
        desk(monitoring_enable_slack_alerts=True, monitoring_slack_webhook_url=f"{sink.url}/services/T/B/x")
        breaks()
        look()
        send("slack")
        assert sink.bodies()[0]["text"].startswith("🔴 release_watch_failed release 7: The watch over release")

    def test_a_route_names_the_channels_of_a_severity(self, everything, desk, post, sink):
        desk(monitoring_routes={"CRITICAL": "email"})
        breaks()
        look()
        send()
        assert (len(post.letters), len(sink.seen)) == (1, 0)


@pytest.mark.django_db
class TestWhatGoesWrong:
    def test_a_receiver_that_stumbles_is_tried_again_after_one_five_and_thirty_seconds(self, everything, sink):
        sink.statuses = [500, 503, 429]
        breaks()
        look()
        assert [send("webhook", seconds=second) for second in (0, 0.5, 1, 5, 6, 35, 36)] == [1, 0, 1, 0, 1, 0, 1]
        assert Notification.objects.get(channel="webhook").state == "sent"
        assert list(Attempt.objects.order_by("id").values_list("ok", flat=True)) == [False, False, False, True]
        assert len({headers["Idempotency-Key"] for _, headers, _ in sink.seen}) == 1

    def test_a_channel_that_refuses_for_good_is_stood_in_for_by_the_next(self, everything, desk, post, sink):
        desk(monitoring_routes={"CRITICAL": "webhook"})
        sink.statuses = [404]
        breaks()
        look()
        send()
        send("email")
        assert Notification.objects.get(channel="webhook").state == "failed"
        assert len(post.letters) == 1
        stand_in = Notification.objects.get(channel="email")
        assert stand_in.stands_in_for.channel == "webhook"
        assert stand_in.reason == "first (webhook failed: HTTP 404)"
        assert AuditEntry.objects.filter(what="channel failed").exists()

    def test_a_server_that_refuses_every_receiver_is_permanent_and_one_that_defers_is_not(self, everything, post):
        post.refuse = "450 later"
        breaks()
        look()
        send("email")
        assert Notification.objects.get(channel="email").state == "waiting"
        post.refuse = "550 no such user"
        send("email", seconds=1)
        assert Notification.objects.get(channel="email").state == "failed"

    def test_when_nobody_could_be_told_that_is_an_alert_of_its_own(self, everything, desk, sink):
        desk(monitoring_enable_email_alerts=False)
        sink.statuses = [404]
        breaks()
        look()
        send()
        look(5)
        assert episode("delivery_failed").message == "Nobody could be told of release_watch_failed:release 7: HTTP 404"

    def test_after_an_hour_a_message_is_given_up_and_stands_as_failed(self, everything, sink):
        sink.statuses = [500] * 40
        breaks()
        look()
        for second in range(0, 4_000, 100):
            send("webhook", seconds=second)
        row = Notification.objects.get(channel="webhook")
        assert (row.state, row.error) == ("failed", "HTTP 500")
        assert 10 < row.attempts < 20

    def test_too_many_messages_become_a_digest_and_the_critical_ones_do_not_wait_in_it(self, everything, sink):
        for number in range(60):
            condition(f"slow-{number}")
        look(-5)
        breaks()
        look()
        send("webhook")
        bodies = sink.bodies()
        assert bodies[0]["rule"] == "release_watch_failed"
        assert [body["rule"] for body in bodies[1:21]] == ["desk_trouble"] * 20
        assert (bodies[21]["rule"], len(bodies[21]["lines"])) == ("digest", 40)
        assert len(bodies) == 22
        assert Notification.objects.filter(channel="webhook", state="merged").count() == 40
        assert len(lines()) == 0
        send("log")
        assert len(lines()) == 61

    def test_an_acknowledgement_stops_what_other_channels_have_not_sent_yet(self, everything, post, sink):
        sink.statuses = [500]
        breaks()
        look()
        send()
        silences.acknowledge("release_watch_failed", "on it", by="asha", at=at(1))
        send(seconds=2)
        row = Notification.objects.get(channel="webhook")
        assert (row.state, row.error) == ("withdrawn", "acknowledged by asha")
        assert (len(sink.seen), len(post.letters)) == (1, 1)

    def test_a_channel_tells_how_it_is(self, everything, sink):
        sink.statuses = [500]
        breaks()
        look()
        send("webhook")
        row = Channel.objects.get(name="webhook")
        assert (row.failed, row.last_error) == (1, "HTTP 500")

    def test_a_message_is_read_afresh_before_it_is_sent(self, everything, sink):
        """Two senders see the same message; only one sends it."""
        breaks()
        look()
        first, second = Sender("webhook", clock=at), Sender("webhook", clock=at)
        row = first._next(at())
        assert second._claim(row, at())
        assert not first._claim(row, at())
        assert len(sink.seen) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "why"),
    [("http://example.com/x", "not https"), ("https://user:pw@example.com/", "user name"),
     ("https://example.com:22/", "port 22"), ("gopher://example.com/", "not one of the web"),
     ("https://127.0.0.1/", "not a public address"), ("https://0/", "not a public address"),
     ("https://0x7f000001/", "not a public address"), ("https://2130706433/", "not a public address"),
     ("https://[::1]/", "not a public address"), ("https://[::ffff:127.0.0.1]/", "not a public address"),
     ("https://169.254.169.254/latest", "not a public address"), ("https://10.1.2.3/", "not a public address"),
     ("https://[64:ff9b::7f00:1]/", "not a public address"), ("https://localhost/", "not a public address")],
)  # fmt: skip
def test_no_alert_leads_into_our_own_network(desk, url, why):
    desk(monitoring_allow_private_addresses=False, monitoring_enable_webhook_alerts=True, monitoring_webhook_url=url)
    breaks()
    look()
    send("webhook")
    row = Notification.objects.get(channel="webhook")
    assert row.state == "failed"
    assert why in row.error


@pytest.mark.django_db
def test_a_redirect_into_our_own_network_is_not_followed(everything, sink):
    sink.statuses = [302]
    breaks()
    look()
    send("webhook")
    assert Notification.objects.get(channel="webhook").error == "HTTP 302"
    assert len(sink.seen) == 1


# killed


def _child(channel, place, count):
    """Send in a process of its own that is killed at a place; return how it ended."""
    child = os.fork()
    if not child:
        try:
            for each in connections.all():
                each.connection = None  # the parent's
            crash.arm(f"{place}:{count}")
            Sender(channel, clock=at).drain()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_at_every_step_of_200_alerts_loses_none(everything, post, sink):
    for number in range(ALERTS):
        breaks(group=f"release {number}")
    look()
    dice, killed = random.Random(5), 0
    places = list(crash.OF_ALERTS)
    for channel in ("webhook", "email", "log"):
        for place in places * 6:
            connections.close_all()
            killed += _child(channel, place, dice.randrange(1, 6)) == -signal.SIGKILL
        Sender(channel, clock=at).drain()
    assert killed > 40
    assert Notification.objects.exclude(state="sent").count() == 0
    keys = set(Notification.objects.values_list("key", flat=True))
    posted = Counter(headers["Idempotency-Key"] for _, headers, _ in sink.seen)
    mailed = Counter(letter["X-SenseQuant-Key"] for letter in post.letters)
    logged = Counter(line["key"] for line in lines())
    assert {*posted, *mailed, *logged} == keys
    assert all(len(found) == ALERTS for found in (posted, mailed, logged))
    assert max(posted.values()) > 1  # some came twice, under the same key


@pytest.mark.django_db(transaction=True)
def test_without_celery_and_redis_a_critical_alert_arrives_within_seconds(everything, sink, post, monkeypatch):
    """The whole loop as it runs in life, with a broker that does not exist."""
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1")
    stop = threading.Event()
    thread = threading.Thread(target=monitor.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        facts.report("release_watch", 1.0, at=now(), group="release 7", told="Sharpe fell")
        asked = time.monotonic()
        while not (sink.seen and post.letters):
            assert time.monotonic() - asked < 10.0
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join(10)
    assert sink.bodies()[0]["rule"] == "release_watch_failed"
    assert Look.objects.get().errors == []
    assert not Lease.objects.filter(name="monitor", expires_at__gt=now()).exists()


@pytest.mark.django_db(transaction=True)
class TestTheLongLoop:
    """The monitor itself, driven look by look."""

    def test_the_outside_is_told_every_minute_that_somebody_looks(self, desk, sink):
        desk(monitoring_deadman_url=f"{sink.url}/alive")
        moments = iter([0.0, 5.0, 61.0, 122.0])
        watch = monitor.Monitor(clock=lambda: at(next(moments)))
        assert [watch.once() for _ in range(4)] == [True] * 4
        assert [path for path, _, _ in sink.seen] == ["/alive"] * 3
        assert Look.objects.get().ping_error == ""

    def test_an_outside_that_does_not_answer_is_noted_and_stops_nothing(self, desk):
        desk(monitoring_deadman_url="http://127.0.0.1:9/alive")
        assert monitor.Monitor(clock=at).once()
        assert Look.objects.get().ping_error.startswith("no connection")

    def test_only_one_of_two_monitors_looks_and_the_other_follows_when_it_is_gone(self):
        first, second = monitor.Monitor(clock=at), monitor.Monitor(clock=at)
        assert [first.once(), second.once()] == [True, False]
        first._give_back()
        assert second.once()

    def test_metrics_are_folded_and_archived_on_the_way(self):
        rows.run(name="live", mode="dry-run")
        assert monitor.Monitor(clock=now).once()
        assert Rollup.objects.filter(metric="position_count").exists()
        assert Look.objects.get().archived_at is not None
