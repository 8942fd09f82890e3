"""The line: bounded, never repeated, and each exchange says whether anything may have reached the broker."""

import datetime as dt
import logging
import os
import socket
import ssl
import threading
import time

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.trading.breeze.oddbroker import HASTY, PATIENT, Odd, OddBroker, html, soon, yes
from trading.adapters.breeze import pool
from trading.adapters.breeze.exchange import Exchange, Forbidden, TooLate, TooMuch, Unanswered
from trading.adapters.breeze.http import Http, shared


@pytest.fixture
def line():
    return Http(PATIENT)


def one(line, broker, method="POST", path="order", *, deadline=None, body='{"a":1}'):
    """Send one request; return its exchange and what was raised."""
    with line.watch(moves=True, deadline=deadline) as watch:
        try:
            getattr(line, method.lower())(url=f"{broker.origin}/{path}", data=body, headers={"X-Mark": "1"})
        except Unanswered as error:
            return watch.exchanges[-1], error
    return watch.exchanges[-1], None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_each_verb_carries_its_body_and_headers(line, broker, method):
    broker.say(method, "order", yes({"order_id": "1"}))
    exchange, error = one(line, broker, method)
    assert error is None
    assert (exchange.status, exchange.written) == (200, True)
    asked = broker.asked[0]
    assert (asked.method, asked.body, asked.headers["X-Mark"]) == (method, b'{"a":1}', "1")
    assert asked.headers["Content-Length"] == "7"
    assert "Cookie" not in asked.headers


def test_a_query_is_written_as_the_sdks_library_writes_it(line, broker):
    import requests

    query = {"from_date": "2025-02-03T09:20:00.000Z", "stock_code": "MAHMAH", "odd": "a b&c+d/é"}
    url = f"{broker.origin}/historicalcharts"
    broker.say("GET", "historicalcharts", yes([]))
    line.get(url=url, params=query, headers={})
    assert f"{url}?{broker.asked[0].query}" == requests.Request("GET", url, params=query).prepare().url


def test_a_hundred_requests_go_over_one_connection(line, broker):
    broker.say("GET", "funds", yes({}))
    ports = set()
    broker.server.process_request, plain = (
        lambda request, client: (ports.add(client[1]), plain(request, client)),
        broker.server.process_request,
    )
    for _ in range(100):
        line.get(url=f"{broker.origin}/funds", data="{}", headers={})
    assert len(ports) == 1


def test_a_connection_the_server_has_dropped_is_noticed_before_an_order_goes_over_it(line, broker):
    broker.say("GET", "funds", Odd(b"{}", hangs_up=True))
    broker.say("POST", "order", yes({"order_id": "1"}))
    line.get(url=f"{broker.origin}/funds", data="{}", headers={})
    time.sleep(0.05)
    exchange, error = one(line, broker)
    assert (error, exchange.status) == (None, 200)


def test_nothing_is_written_when_the_connection_is_refused(line, broker):
    broker.close()
    exchange, error = one(line, broker)
    assert (exchange.written, exchange.status, exchange.why) == (False, None, "the connection was refused")
    assert type(error) is Unanswered


def test_nothing_is_written_when_the_name_is_unknown(line):
    with line.watch(moves=True) as watch, pytest.raises(Unanswered):
        line.post(url="http://nowhere.invalid/order", data="{}", headers={})
    assert (watch.exchanges[0].written, watch.exchanges[0].why) == (False, "its name cannot be resolved")


def test_nothing_is_written_when_no_connection_comes_about_in_time():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(2)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())  # the queue is full from here on
        line = Http((0.2, 0.2))
        with line.watch(moves=True) as watch, pytest.raises(Unanswered):
            line.post(url=f"http://127.0.0.1:{full.getsockname()[1]}/order", data="{}", headers={})
        for each in waiting:
            each.close()
    assert (watch.exchanges[0].written, watch.exchanges[0].why) == (False, "no connection in time")


def test_a_time_out_after_the_request_leaves_everything_open(broker):
    broker.say("POST", "order", Odd(b"{}", pause=5))
    began = time.monotonic()
    exchange, _ = one(Http(HASTY), broker)
    assert (exchange.written, exchange.status, exchange.why) == (True, None, "no answer in time")
    assert time.monotonic() - began < 4.5


def test_a_line_cut_after_the_request_leaves_everything_open(line, broker):
    broker.say("POST", "order", Odd(reset=True))
    exchange, _ = one(line, broker)
    assert (exchange.written, exchange.status, exchange.why) == (True, None, "the line was cut")


def test_an_answer_that_breaks_off_is_no_answer(line, broker):
    broker.say("POST", "order", Odd(b'{"Success"', short=True))
    exchange, _ = one(line, broker)
    assert (exchange.written, exchange.status, exchange.why) == (True, None, "the answer broke off")


def test_an_answer_that_drips_is_cut_when_its_time_is_over(broker):
    broker.say("GET", "order", Odd(b"x" * 1_000, drip=0.05))
    began = time.monotonic()
    exchange, _ = one(Http(HASTY), broker, "GET")
    assert exchange.why == "the answer took too long"
    assert time.monotonic() - began < 20  # it would drip for fifty seconds


def test_an_endless_answer_is_cut(line, broker, monkeypatch):
    monkeypatch.setattr("trading.adapters.breeze.http.MOST", 1_000)
    broker.say("GET", "order", Odd(b"x" * 5_000))
    _, error = one(line, broker, "GET")
    assert type(error) is TooMuch


@pytest.mark.parametrize("fault", [Odd(reset=True), Odd(b"{}", pause=5), html(502), html(503), html(429)])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nothing_is_ever_sent_twice(broker, method, fault):
    broker.say(method, "order", fault)
    one(Http(broker.timeouts), broker, method)
    time.sleep(0.02)
    assert len(broker.asked) == 1


def test_no_redirect_is_followed(line, broker):
    broker.say("POST", "order", Odd(b"", 307, headers={"Location": f"{broker.origin}/elsewhere"}))
    exchange, error = one(line, broker)
    assert (error, exchange.status, len(broker.asked)) == (None, 307, 1)


def test_no_cookie_is_kept(line, broker):
    broker.say("GET", "funds", Odd(b"{}", headers={"Set-Cookie": "a=b"}))
    for _ in range(2):
        line.get(url=f"{broker.origin}/funds", data="{}", headers={})
    assert "Cookie" not in broker.asked[1].headers


def test_no_proxy_of_the_environment_is_used(line, broker, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    broker.say("GET", "funds", yes({}))
    line.get(url=f"{broker.origin}/funds", data="{}", headers={})
    assert len(broker.asked) == 1


def test_after_the_deadline_nothing_is_sent(line, broker):
    exchange, error = one(line, broker, deadline=time.monotonic() - 0.001)
    assert type(error) is TooLate
    assert (exchange.written, broker.asked) == (False, [])


def test_a_deadline_that_passes_while_connecting_is_noticed_before_the_first_byte():
    exchange = Exchange("POST", "/order", time.monotonic(), deadline=time.monotonic() + 0.01)
    time.sleep(0.02)
    with pytest.raises(TooLate):
        exchange.about_to_write()
    assert not exchange.written


def test_a_deadline_bounds_the_wait_for_the_answer(broker):
    broker.say("POST", "order", Odd(b"{}", pause=20))
    began = time.monotonic()
    exchange, _ = one(Http((1.0, 30.0)), broker, deadline=soon(0.5))
    assert exchange.written
    assert time.monotonic() - began < 15  # what was let out may be answered for two seconds more


def test_a_question_knows_no_deadline(line, broker):
    broker.say("GET", "order", yes([]))
    exchange, error = one(line, broker, "GET", deadline=time.monotonic() - 1)
    assert (error, exchange.status) == (None, 200)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_where_only_questions_may_be_asked_no_order_verb_goes_out(line, broker, method):
    with pytest.raises(Forbidden):
        getattr(line, method)(url=f"{broker.origin}/order", data="{}", headers={})
    with line.watch() as watch, pytest.raises(Forbidden):
        getattr(line, method)(url=f"{broker.origin}/order", data="{}", headers={})
    assert (watch.exchanges[0].written, broker.asked) == (False, [])


def test_watches_of_threads_do_not_mix(line, broker):
    broker.say("GET", "funds", yes({}))
    counts = []

    def ask(times):
        with line.watch() as watch:
            for _ in range(times):
                line.get(url=f"{broker.origin}/funds", data="{}", headers={})
            counts.append((times, len(watch.exchanges)))

    threads = [threading.Thread(target=ask, args=(times,)) for times in (1, 5, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [(1, 1), (5, 5), (9, 9)]


def test_a_child_process_opens_connections_of_its_own(line, broker):
    broker.say("GET", "funds", yes({}))
    line.get(url=f"{broker.origin}/funds", data="{}", headers={})
    assert len(pool._pool().pools)
    child = os.fork()
    if not child:
        os._exit(len(pool._pool().pools))
    assert os.waitpid(child, 0)[1] == 0


def test_the_answer_has_what_the_sdk_uses_of_it(line, broker):
    broker.say("GET", "funds", yes({"a": 1}), Odd(b"x", 500))
    answer = line.get(url=f"{broker.origin}/funds", data="{}", headers={}, timeout=60)
    answer.raise_for_status()
    assert (answer.json()["Success"], answer.status_code, repr(answer)) == ({"a": 1}, 200, "<Response [200]>")
    with pytest.raises(Unanswered, match="HTTP 500"):
        line.get(url=f"{broker.origin}/funds", data="{}", headers={}).raise_for_status()


def test_a_log_line_is_method_path_status_and_time_only(line, broker, caplog):
    broker.say("GET", "funds", yes({"balance": "canary-1"}))
    with caplog.at_level(logging.DEBUG, "breeze-http"):
        line.get(url=f"{broker.origin}/funds", params={"token": "canary-2"}, data="canary-3", headers={"X": "canary-4"})
    record = next(each for each in caplog.records if each.name == "breeze-http")
    assert record.context.keys() == {"method", "path", "status", "ms"}
    assert "canary" not in str(vars(record))


def test_the_line_of_a_process_is_shared_by_its_time_limits():
    assert shared((5.0, 15.0)) is shared((5.0, 15.0))
    assert shared((5.0, 16.0)) is not shared((5.0, 15.0))


@pytest.fixture
def sealed(tmp_path):
    """A TLS server on localhost, and the file of the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    paper = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(noon - dt.timedelta(days=3650)).not_valid_after(noon.replace(year=2099))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    both = tmp_path / "both.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(secret + paper.public_bytes(Encoding.PEM))
    odd = OddBroker()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    odd.server.socket = context.wrap_socket(odd.server.socket, server_side=True)
    odd.origin = f"https://localhost:{odd.server.server_port}"
    yield odd, both
    odd.close()


def test_a_certificate_nobody_vouches_for_ends_it_before_the_first_byte(line, sealed):
    broker, _ = sealed
    exchange, _ = one(line, broker)
    assert (exchange.written, exchange.why) == (False, "its certificate cannot be trusted")
    assert broker.asked == []


def test_over_tls_everything_is_the_same(line, sealed, monkeypatch):
    broker, both = sealed
    monkeypatch.setattr(certifi, "where", lambda: str(both))
    pool._pool.cache_clear()
    try:
        broker.say("POST", "order", yes({"order_id": "1"}), Odd(reset=True))
        exchange, error = one(line, broker, deadline=soon())
        assert (error, exchange.status, exchange.written) == (None, 200, True)
        exchange, _ = one(line, broker, deadline=time.monotonic() - 1)
        assert not exchange.written
        exchange, _ = one(line, broker)
        assert (exchange.status, exchange.written) == (None, True)
    finally:
        pool._pool.cache_clear()
