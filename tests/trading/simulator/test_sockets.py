"""The sockets, and what goes wrong on them."""

import datetime as dt

import pytest
import socketio

from tests.trading.simulator.wire import listening

QUOTES, DEPTH, OTHER = "4.1!2885", "4.2!2885", "4.1!11536"
LATER = 60  # market seconds a test winds the clock by: a bar's worth of ticks


def quotes(heard, room=QUOTES):
    return [data for data in heard if data[0] == room]


@pytest.mark.parametrize(
    "auth", [{"user": "SIM00001", "token": "wrong"}, {"user": "nobody", "token": "x"}, {}, {"user": 1, "token": []}]
)
@pytest.mark.parametrize("feed", ["ticks", "orders"])
def test_a_wrong_token_is_not_let_in(client, auth, feed):
    with pytest.raises(socketio.exceptions.ConnectionError), listening(client, feed=feed, auth=auth):
        pass


def test_quotes_are_lists_of_21_whose_ticks_make_the_recorded_bars(venue, client):
    venue.clock(advance=59 - venue.now().second)
    start = venue.now() + dt.timedelta(seconds=1)
    with listening(client, QUOTES) as listener:
        venue.clock(advance=301)
        venue.nudge("RELIANCE", 1400.0)
        heard = listener.wait(2)
        while heard[-1][2] != 1400.0:
            heard = listener.wait(len(heard) + 1)
    rows = client.history(*(f"{start + dt.timedelta(minutes=m):%Y-%m-%dT%H:%M:%S}" for m in (0, 4)))[1]["Success"]
    assert len(rows) == 5
    for row in rows:
        at = dt.datetime.fromisoformat(row["datetime"] + "+05:30").timestamp()
        ticks = [each for each in heard[:-1] if at <= each[19] < at + 60]
        prices = [each[2] for each in ticks]
        assert (prices[0], max(prices), min(prices), prices[-1]) == (row["open"], row["high"], row["low"], row["close"])
        assert ticks[-1][12] - ticks[0][12] + ticks[0][10] == row["volume"] == sum(each[10] for each in ticks)
    assert {len(each) for each in heard} == {21}
    assert heard[0][15].endswith("C")


def test_depth_has_five_offers_of_eight_fields_on_both_sides(venue, client):
    with listening(client, DEPTH) as listener:
        venue.clock(advance=LATER)
        symbol, second, rows = listener.wait(4)[0]
    assert (symbol, type(second)) == (DEPTH, int)
    assert [len(row) for row in rows] == [8] * 5
    assert rows[0][0] > rows[1][0]
    assert rows[0][4] < rows[1][4]


def test_rooms_are_joined_one_by_one_or_many_at_once_and_left(venue, client):
    with listening(client, QUOTES, OTHER) as listener:
        venue.clock(advance=LATER)
        assert {data[0] for data in listener.wait(8)} == {QUOTES, OTHER}
        listener.socket.emit("leave", OTHER)
        listener.quiet(0.2)
        listener.heard.clear()
        venue.clock(advance=LATER)
        listener.wait(4)
        assert {data[0] for data in listener.quiet()} == {QUOTES}


@pytest.mark.parametrize("nonsense", [None, 7, {"a": 1}, [1, None], "4.1!False", "x" * 5_000])
def test_a_nonsensical_room_harms_nobody(venue, client, nonsense):
    with listening(client, QUOTES) as listener:
        listener.socket.emit("join", nonsense)
        listener.socket.emit("leave", nonsense)
        venue.clock(advance=LATER)
        listener.wait(4)


def test_an_event_called_disconnect_is_only_words(venue, client):
    with listening(client, QUOTES) as listener:
        listener.socket.emit("disconnect", "transport close")
        listener.quiet(0.2)
        venue.clock(advance=LATER)
        listener.wait(4)
        assert not listener.gone.is_set()


def test_every_change_of_an_order_is_told_in_47_items(venue, client):
    with listening(client, feed="orders") as listener:
        number = client.place(price="1500.00", quantity="90")
        venue.clock(advance=5 * LATER)
        rows = listener.wait(3)
        while rows[-1][20] != "E":
            rows = listener.wait(len(rows) + 1)
    assert {len(row) for row in rows} == {47}
    assert {(row[2], row[11], row[13], row[14], row[15], row[23]) for row in rows} == {
        ("SIM00001", "4", "NSE", "RELIND", "B", number)
    }
    states = [(row[20], int(row[26]), int(row[25])) for row in rows]
    assert states[0] == ("O", 0, 90)
    assert states[-1] == ("E", 90, 0)
    assert [filled for _, filled, _ in states] == sorted({filled for _, filled, _ in states})


@pytest.mark.parametrize(("channel", "seconds"), [("1MIN", 60), ("5MIN", 300)])
def test_ohlc_lines_are_the_recorded_bars_low_before_high_before_open(venue, client, channel, seconds):
    venue.clock(advance=seconds - 1 - (venue.now().minute * 60 + venue.now().second) % seconds)
    with listening(client, QUOTES, feed="", path="ohlcvstream", channel=channel) as listener:
        venue.clock(advance=3 * seconds + 2)
        line = listener.wait(2)[-1]
    exchange, code, low, high, first, last, volume, stamp, unit = line.split(",")
    assert (exchange, code, unit) == ("NSE", "RELIND", channel)
    at = stamp.replace(" ", "T")
    [row] = client.history(at, at, interval="1minute" if seconds == 60 else "5minute")[1]["Success"]
    assert [float(each) for each in (low, high, first, last)] == [row["low"], row["high"], row["open"], row["close"]]
    assert int(volume) == row["volume"]


@pytest.mark.parametrize("name", ["stream_disconnect", "engineio_close"])
@pytest.mark.parametrize("feed", ["ticks", "orders"])
def test_a_server_that_hangs_up_takes_one_feed_or_all(venue, client, name, feed):
    with (
        listening(client, feed=feed) as listener,
        listening(client, feed="orders" if feed == "ticks" else "ticks") as other,
    ):
        venue.fault(name, feed=feed)
        assert listener.gone.wait(3)
        assert not other.gone.wait(0.2)
        venue.fault(name)
        assert other.gone.wait(3)
    with listening(client, QUOTES) as again:
        venue.clock(advance=LATER)
        again.wait(4)


def test_session_replaced_hangs_up_on_the_older_session(venue, client):
    with listening(client, QUOTES) as listener:
        venue.session(replace=True)
        assert listener.gone.wait(3)
    with pytest.raises(socketio.exceptions.ConnectionError), listening(client, QUOTES):
        pass


def test_stream_mute_is_connected_and_silent(venue, client):
    with listening(client, QUOTES, DEPTH) as listener:
        venue.fault("stream_mute")
        venue.clock(advance=LATER)
        assert listener.quiet() == []
        assert listener.socket.connected
        venue.clear()
        venue.clock(advance=LATER)
        listener.wait(4)


def test_ticks_late_come_with_the_time_they_happened(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("ticks_late", seconds=0.5)
        venue.clock(advance=LATER)
        assert listener.quiet(0.2) == []
        assert listener.wait(4)[0][19] <= venue.health()["clock"]["epoch"]


def test_ticks_repeated_come_twice(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("ticks_repeated")
        venue.clock(advance=LATER)
        heard = listener.wait(8)
    assert heard[0] == heard[1]
    assert heard[2] == heard[3]


def test_ticks_out_of_order_run_backwards_by_batches(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("ticks_out_of_order", batch=3)
        venue.clock(advance=LATER)
        volumes = [data[12] for data in listener.wait(6)]
    assert volumes[0] > volumes[1] > volumes[2]
    assert volumes[3] > volumes[0]


def test_ticks_index_none_fields_lack_almost_everything(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("ticks_index_none_fields")
        venue.clock(advance=LATER)
        data = listener.wait(1)[0]
    assert [at for at, value in enumerate(data) if value is None] == [*range(6, 16), 17, 18]
    assert len(data) == 21


def test_short_lists_break_off(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("short_lists", items=9, times=1)
        venue.clock(advance=LATER)
        heard = listener.wait(2)
    assert [len(data) for data in heard[:2]] == [9, 21]


def test_wrong_token_ticks_bring_another_shares_price(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("wrong_token_ticks", times=1)
        venue.clock(advance=LATER)
        wrong, right = listener.wait(2)[:2]
    assert wrong[0] == right[0] == QUOTES
    assert (wrong[2] > 2_500, right[2] > 2_500) == (True, False)


def test_ltp_frozen_stands_still_while_the_volume_goes_on(venue, client):
    with listening(client, QUOTES) as listener:
        venue.fault("ltp_frozen", symbol="RELIANCE")
        venue.clock(advance=5 * LATER)
        heard = listener.wait(20)
        assert len({data[2] for data in heard}) == 1
        assert heard[-1][12] > heard[0][12]
        assert client.quote()["ltp"] == heard[0][2]


def notices(client, number):
    """Cancel an order and so make three notices with those of placing it."""
    client.call("PUT", "order", order_id=number, exchange_code="NSE", price="1251.00", quantity="10")
    client.call("DELETE", "order", order_id=number, exchange_code="NSE")


def test_notifications_duplicate_come_twice(venue, client):
    with listening(client, feed="orders") as listener:
        venue.fault("notifications_duplicate")
        notices(client, client.place(price="1250.00"))
        rows = listener.wait(6)
    assert [row[20] for row in rows] == ["O", "O", "O", "O", "C", "C"]
    assert rows[0] == rows[1]


def test_notifications_shuffled_tell_the_end_first(venue, client):
    with listening(client, feed="orders") as listener:
        venue.fault("notifications_shuffled", batch=3)
        notices(client, client.place(price="1250.00"))
        assert [row[20] for row in listener.wait(3)] == ["C", "O", "O"]


def test_notifications_delayed_come_late(venue, client):
    with listening(client, feed="orders") as listener:
        venue.fault("notifications_delayed", seconds=0.5)
        notices(client, client.place(price="1250.00"))
        assert listener.quiet(0.2) == []
        assert [row[20] for row in listener.wait(3)] == ["O", "O", "C"]


def test_notifications_lost_do_not_come_though_the_order_is_there(venue, client):
    with listening(client, feed="orders") as listener:
        venue.fault("notifications_lost")
        number = client.place(price="1250.00")
        assert listener.quiet() == []
    assert client.order(number)["status"] == "Ordered"
