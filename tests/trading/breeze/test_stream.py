"""The real SDK's sockets, through every way in which they are known to fail."""

import signal
import threading
import time

import pytest

from tests.simulators import simulator
from tests.trading.breeze.streamed import HASTY, listening, until, wire_of
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.errors import SessionLost, Transient
from trading.adapters.breeze.line import Terms, _in_turn, attach_ticks
from trading.adapters.breeze.wire import Keys, NoBudget, Wire
from trading.core.ticks import INF, parse

MARKET = (
    "--date", "2026-11-23", "--at", "09:20", "--speed", "20", "--ticks-per-second", "20", "--calls-per-minute", "99999",
    "--calls-per-day", "99999",
)  # fmt: skip
SHARES = ("--symbols", "DEMOBANK", "DEMOCEM", "DEMOLABS")


@pytest.fixture(scope="module")
def market():
    with simulator(*MARKET, *SHARES) as running:
        yield running


@pytest.fixture
def venue(market):
    yield market
    market.clear()
    market.credentials = market.health()["credentials"]


def bad_wire(venue):
    keys = venue.credentials
    return Wire(
        Keys(keys["api_key"], keys["api_secret"], "VVNFUjoxMjM0NTY=", "USER"), Addresses.of(venue.url), NoBudget()
    )


# --- what comes


def test_quotes_come_raw_with_the_time_of_the_trade_in_epoch_seconds(venue):
    with listening(venue) as heard:
        until(lambda: heard.take() is None or len({each.raw[0] for each in heard.quotes}) == 3)
        ticks = [parse(each) for each in heard.quotes]
        now = venue.now().timestamp()
    assert all(now - 600 < tick.ts < now + 60 for tick in ticks)
    assert {tick.token for tick in ticks} == {heard.tokens[name] for name in ("DEMOBANK", "DEMOCEM", "DEMOLABS")}
    assert [each.seq for each in heard.quotes] == list(range(len(heard.quotes)))
    assert heard.stream.state == "connected"
    assert heard.stream.connected_since is not None
    assert heard.stream.failures == 0


def test_order_notices_come_raw_and_apart_from_quotes(venue):
    with listening(venue) as heard:
        until(lambda: heard.stream.orders.state == "connected")
        number = venue.plant("DEMOLABS", "Buy", 3, 300.0)
        until(lambda: heard.take() is None or heard.notices)
    assert heard.notices[0].raw[23] == number
    assert len(heard.notices[0].raw) == 47


def test_nothing_is_waited_for_by_draining(venue):
    with listening(venue, wait=False) as heard:
        assert heard.stream.drain() == ([], [])
        assert heard.stream.state == "connecting"
        assert heard.stream.outages[-1].until == INF
        assert heard.stream.wait(8.0)


def test_closing_hangs_up_for_good_and_at_once(venue):
    with listening(venue) as heard:
        until(lambda: heard.stream.orders.state == "connected")
        handlers = [line._handler for line in (heard.stream.ticks, heard.stream.orders)]
        begun = time.monotonic()
        heard.stream.close()
        assert time.monotonic() - begun < 4.0
        until(lambda: not any(each.sio.connected for each in handlers))
        heard.take()
        time.sleep(0.2)
        assert heard.take() == []


# --- how it fails


@pytest.mark.parametrize("fault", ["stream_disconnect", "engineio_close"])
def test_a_close_by_the_server_is_noticed_and_the_rooms_are_joined_again(venue, fault):
    with listening(venue) as heard:
        until(lambda: len(heard.stream.outages) == 1 and heard.stream.outages[0].until < INF)
        venue.fault(fault, feed="ticks")
        until(lambda: len(heard.stream.outages) == 2)
        assert heard.stream.outages[1].reason == "the server closed the connection"
        heard.speaks()
        until(lambda: heard.stream.outages[1].until < INF)
        gap = heard.stream.outages[1]
        assert heard.stream.state == "connected"
    assert gap.since < gap.until
    assert gap.began < gap.ended
    assert heard.stream.order_outages[-1].reason == "not connected yet", "the other socket was left alone"


def test_a_lost_order_socket_disturbs_no_quotes_and_is_told_of(venue):
    with listening(venue) as heard:
        until(lambda: heard.stream.order_outages[0].until < INF)
        venue.fault("stream_disconnect", feed="orders")
        until(lambda: len(heard.stream.order_outages) == 2 and heard.stream.orders.state == "connected")
        number = venue.plant("DEMOLABS", "Buy", 4, 300.0)
        until(lambda: heard.take() is None or any(each.raw[23] == number for each in heard.notices))
        assert len(heard.stream.outages) == 1


def test_a_mute_socket_is_lost_while_data_is_expected(venue):
    with listening(venue) as heard:
        heard.stream.expect(True)
        venue.fault("stream_mute")
        until(lambda: heard.stream.failures)
        assert heard.stream.outages[-1].reason == "connected, and yet nothing came for 0.6 seconds"
        until(lambda: heard.stream.failures > 1)
        venue.clear("stream_mute")
        heard.speaks()
        until(lambda: heard.stream.failures == 0)


def test_outside_a_session_silence_is_no_loss(venue):
    with listening(venue) as heard:
        venue.fault("stream_mute")
        time.sleep(1.0)
        assert heard.stream.state == "connected"
        assert heard.stream.failures == 0


def test_lost_connections_and_refused_attempts_end_with_a_subscription_that_works(venue):
    with listening(venue) as heard:
        venue.fault("connect_refused", seconds=0.8)
        until(lambda: heard.stream.failures >= 2)
        heard.speaks()
        assert heard.stream.ticks._handler.authentication is True
        until(lambda: heard.stream.failures == 0)
        assert heard.stream.reason == ""


def test_a_bad_token_at_connect_is_a_failure_and_more_than_five_are_trouble(venue):
    wires, told = [bad_wire], []
    provider = lambda: wires[-1](venue)  # noqa: E731 - read afresh at every connect
    trouble = lambda *said: told.append(said)  # noqa: E731
    with listening(venue, wait=False, provider=provider, on_trouble=trouble, orders=False) as heard:
        until(lambda: heard.stream.failures > 5)
        assert heard.stream.reason == "Failed to connect to live stream"
        assert heard.stream.connected_since is None
        until(lambda: told)
        wires.append(wire_of)
        heard.speaks()
        until(lambda: heard.stream.failures == 0)
    assert told[0] == ("ticks", 6, "Failed to connect to live stream")


def test_without_a_login_the_stream_waits_for_one(venue):
    known = []

    def provider():
        if not known:
            raise SessionLost("nobody has logged in", fix="log in")
        return wire_of(venue)

    with listening(venue, wait=False, provider=provider) as heard:
        until(lambda: heard.stream.failures >= 2 and heard.stream.state == "waiting")
        assert heard.stream.reason == "nobody has logged in"
        known.append(True)
        heard.speaks()


def test_a_session_replaced_by_another_login_is_read_afresh(venue):
    with listening(venue) as heard:
        venue.fault("session_replaced")
        until(lambda: len(heard.stream.outages) == 2)
        heard.speaks()
        assert heard.stream.state == "connected"


def test_a_session_that_expired_is_lost_until_somebody_logs_in(venue):
    with listening(venue) as heard:
        try:
            venue.fault("session_expired")
            venue.fault("stream_disconnect")
            until(lambda: heard.stream.failures >= 2 and heard.stream.state == "waiting")
        finally:
            venue.session(replace=True)
        heard.speaks()


def test_what_nobody_drains_makes_room_for_what_is_new_and_leaves_a_gap(venue):
    with listening(venue, wait=False, terms=Terms(delays=(0.05,), most=20)) as heard:
        until(lambda: heard.stream.overflowed > 10)
        kept = heard.take()
        assert len(kept) == 20
        assert kept[0].seq >= 10
        gap = heard.stream.outages[0]
        assert gap.reason == "quotes came faster than they were taken"
        assert gap.ended == kept[0].at
        heard.take()
        assert len(heard.stream.outages) == 2


def test_a_server_that_hangs_cannot_hold_up_the_close(venue):
    with listening(venue) as heard:
        venue.process.send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            heard.stream.close()
            assert time.monotonic() - begun < 4.0
        finally:
            venue.process.send_signal(signal.SIGCONT)


def test_the_socket_library_neither_reconnects_by_itself_nor_writes_to_stderr(venue, capfd):
    with listening(venue) as heard:
        handler = heard.stream.ticks._handler
        venue.fault("engineio_close")
        until(lambda: heard.stream.ticks._handler not in (None, handler))
        heard.speaks()
        assert handler.sio.reconnection is False
        assert not handler.sio.connected
    assert "packet" not in capfd.readouterr().err


def test_the_streams_threads_end_with_it(venue):
    before = {thread.name for thread in threading.enumerate()}
    with listening(venue):
        assert {"breeze-ticks", "breeze-orders"} <= {thread.name for thread in threading.enumerate()}
    until(lambda: {thread.name for thread in threading.enumerate() if "breeze" in thread.name} <= before)


def test_the_usual_patience_is_two_four_eight_and_thirty_seconds():
    assert Terms().delays == (2.0, 4.0, 8.0, 16.0, 30.0)
    assert HASTY.mute < Terms().mute


def test_a_room_can_be_joined_again_while_all_goes_on(venue):
    with listening(venue) as heard:
        heard.stream.rejoin(heard.tokens["DEMOLABS"])
        heard.speaks()
        assert heard.stream.failures == 0
    heard.stream.rejoin(heard.tokens["DEMOLABS"])  # with nobody there it does nothing


def test_an_answer_of_the_sdk_that_is_no_subscription_is_an_error():
    class Sdk:
        sio_rate_refresh_handler = None

        def ws_connect(self):
            pass

        def subscribe_feeds(self, **asked):
            return "Exception while subscribing to feeds Could not authenticate credentials"

    with pytest.raises(Transient, match="the SDK did not subscribe: Exception while subscribing"):
        attach_ticks(["4.1!2885"])(Sdk(), object())


def test_events_are_handed_on_in_their_turn_and_a_broken_one_ends_nothing():
    class Engine:
        def start_background_task(self, target, *said):
            return ("a thread of its own", target(*said))

    engine = Engine()
    _in_turn(engine)
    assert engine.start_background_task(str.upper, '2["stock"]') == '2["STOCK"]'
    assert engine.start_background_task(str.upper, "1") == ("a thread of its own", "1")
    assert engine.start_background_task(int, "2[") is None
