"""Faults of the answers: what was done, and what the client gets to hear of it."""

import http.client
import json
import time
import urllib.error
import urllib.request
import zipfile
from io import BytesIO

import pytest

from tests.trading.simulator.wire import BUY, Client

REST = {**BUY, "price": "1250.00"}
FIRST, LAST = "2026-11-20T09:15:00", "2026-11-20T15:29:00"


def count(venue):
    return len(venue.orders()["orders"])


INSTEAD = {
    "html_502": (502, "502 Bad Gateway"),
    "html_503": (503, "503 Service Temporarily Unavailable"),
    "html_429": (429, "429 Too Many Requests"),
    "limit_minute": (401, {"Status": 5, "Error": "Limit exceed: API call per minute:Try after some time"}),
    "limit_day": (401, {"Status": 5, "Error": "Limit exceed: API call per day: "}),
    "garbage_json": (200, '{"Success":[{"order_id":"2025'),
    "invalid_checksum": (401, {"Status": 5, "Error": "Authentication Fail :: Invalid Checksum."}),
}


@pytest.mark.parametrize("name", INSTEAD)
@pytest.mark.parametrize("verb", ["POST", "GET"])
def test_a_request_answered_so_was_not_carried_out(venue, client, name, verb):
    before = count(venue)
    venue.fault(name, times=1)
    status, answer = client.call(verb, "order" if verb == "POST" else "funds", **(REST if verb == "POST" else {}))
    expected = INSTEAD[name]
    assert status == expected[0]
    assert answer == expected[1] if isinstance(expected[1], dict) else expected[1] in answer
    assert count(venue) == before
    assert client.call("GET", "funds")[0] == 200


def test_aspnet_error_has_none_of_breezes_keys(venue, client):
    venue.fault("aspnet_error", verb="modify")
    status, answer = client.call("PUT", "order", order_id="x", exchange_code="NSE")
    assert status == 500
    assert answer["ExceptionType"] == "System.NullReferenceException"
    assert "Status" not in answer


def test_html_502_after_accept_leaves_an_order_in_the_book(venue, client):
    before = count(venue)
    venue.fault("html_502_after_accept", times=1)
    status, answer = client.call("POST", "order", **REST)
    assert (status, "502 Bad Gateway" in answer) == (502, True)
    assert count(venue) == before + 1


def test_reset_after_accept_cuts_the_connection_and_leaves_an_order(venue, client):
    before = count(venue)
    venue.fault("reset_after_accept", times=1)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        client.call("POST", "order", **REST)
    assert count(venue) == before + 1


@pytest.mark.parametrize(("name", "taken"), [("timeout_before_accept", 0), ("timeout_after_accept", 1)])
def test_a_timeout_says_nothing_of_what_was_done(venue, client, name, taken):
    before = count(venue)
    venue.fault(name, times=1, seconds=1)
    with pytest.raises(TimeoutError):
        client.call("POST", "order", timeout=0.3, **REST)
    assert count(venue) == before + taken


def test_a_silence_ends_with_a_reset(venue, client):
    venue.fault("timeout_after_accept", times=1, seconds=0.2, verb="cancel")
    number = client.place(price="1250.00")
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        client.call("DELETE", "order", order_id=number, exchange_code="NSE")
    assert client.order(number)["status"] == "Cancelled"


def test_a_refused_order_is_refused_whatever_waits_for_a_taken_one(venue, client):
    venue.fault("html_502_after_accept", times=1)
    assert client.call("POST", "order", **{**REST, "quantity": "0"})[1]["Status"] == 500
    assert client.call("POST", "order", **REST)[0] == 502


def test_slow_answers_late(venue, client):
    venue.fault("slow", seconds=0.4, times=1)
    start = time.monotonic()
    assert client.call("GET", "funds")[0] == 200
    assert time.monotonic() - start >= 0.4


def test_public_key_missing_keeps_everybody_out(venue, client):
    venue.fault("public_key_missing", times=1)
    assert client.log_in()[1] == {"Success": None, "Status": 500, "Error": "Public Key does not exist."}
    assert client.log_in()[1]["Status"] == 200


def test_session_expired_until_somebody_logs_in_again(venue, client):
    venue.fault("session_expired")
    gone = {"Success": None, "Status": 500, "Error": "Resource not available."}
    assert client.call("GET", "funds") == (401, gone)
    assert client.history(FIRST, LAST) == (401, gone)
    assert client.log_in()[1] == gone
    venue.session(replace=True)
    assert client.log_in()[1]["Status"] == 200
    assert client.call("GET", "funds")[0] == 200


def test_session_replaced_ends_the_older_session(venue, client):
    venue.fault("session_replaced")
    assert client.call("GET", "funds") == (401, {"Success": None, "Status": 500, "Error": "Invalid session."})
    venue.credentials = venue.health()["credentials"]
    assert Client(venue).call("GET", "funds")[0] == 200


def bars(client, **how):
    return client.history(FIRST, LAST, **how)[1]["Success"]


def test_history_swapped_daily_turns_open_and_close_round(venue, client):
    [sound] = client.history("2026-11-20T00:00:00", LAST, interval="1day")[1]["Success"]
    venue.fault("history_swapped_daily", times=1)
    [swapped] = client.history("2026-11-20T00:00:00", LAST, interval="1day")[1]["Success"]
    assert (swapped["open"], swapped["close"]) == (sound["close"], sound["open"])
    assert {**swapped, "open": 0, "close": 0} == {**sound, "open": 0, "close": 0}


def test_history_missing_first_bar_loses_a_quarter_past_nine(venue, client):
    venue.fault("history_missing_first_bar", times=1)
    assert bars(client)[0]["datetime"] == "2026-11-20 09:16:00"
    assert bars(client)[0]["datetime"] == "2026-11-20 09:15:00"


def test_history_incomplete_has_holes(venue, client):
    venue.fault("history_incomplete", every=5, symbol="RELIND")
    assert len(bars(client)) == 300
    assert len(bars(client, code="TCS")) == 375


def test_history_500_and_empty_history_give_no_bars(venue, client):
    venue.fault("history_500", times=1)
    status, answer = client.history(FIRST, LAST)
    assert (status, answer["Status"], answer["Success"]) == (500, 500, None)
    venue.fault("empty_history", times=1)
    assert client.history(FIRST, LAST) == (200, {"Success": [], "Status": 200, "Error": None})
    assert len(bars(client)) == 375


def test_book_error_and_book_empty_show_no_order(venue, client):
    client.place(price="1250.00")
    venue.fault("book_error", times=1)
    answer = client.book()
    assert answer["Success"] is None
    assert "contact admin" in answer["Error"]
    venue.fault("book_empty", times=1)
    assert client.book() == {"Success": None, "Status": 500, "Error": "No Data Found"}
    assert client.book()["Status"] == 200


def test_book_truncated_shows_the_first_rows_only(venue, client):
    client.place(price="1250.00")
    client.place(price="1251.00")
    venue.fault("book_truncated", rows=1, times=1)
    assert len(client.book()["Success"]) == 1
    assert len(client.book()["Success"]) >= 2


def test_book_delayed_hides_the_newest_order_for_a_while(venue, client):
    number = client.place(price="1250.00")
    venue.fault("book_delayed", seconds=30)
    answer = client.call("GET", "order", exchange_code="NSE", order_id=number)[1]
    assert answer == {"Success": None, "Status": 500, "Error": "No Data Found"}
    assert number in {row["id"] for row in venue.orders()["orders"]}
    venue.clock(advance=31)
    assert client.order(number)["status"] == "Ordered"


def test_book_stale_shows_what_was(venue, client):
    number = client.place(price="1250.00")
    venue.fault("book_stale")
    client.call("DELETE", "order", order_id=number, exchange_code="NSE")
    assert client.order(number)["status"] == "Ordered"
    venue.clear("book_stale")
    assert client.order(number)["status"] == "Cancelled"


def test_status_regress_takes_a_fill_back(venue, client):
    number = client.place(price="1500.00")
    venue.clock(advance=60)
    venue.fault("status_regress", times=1)
    row = client.order(number)
    assert (row["status"], row["pending_quantity"], row["average_price"]) == ("Ordered", "10", "0")
    assert client.order(number)["status"] == "Executed"


def test_cancel_no_effect_says_yes_and_does_nothing(venue, client):
    number = client.place(price="1250.00")
    venue.fault("cancel_no_effect", times=1)
    answer = client.call("DELETE", "order", order_id=number, exchange_code="NSE")[1]
    assert answer["Success"]["message"] == "Your Order Canceled successfully."
    assert client.order(number)["status"] == "Ordered"


def test_modify_no_effect_says_yes_and_does_nothing(venue, client):
    number = client.place(price="1250.00")
    venue.fault("modify_no_effect", times=1)
    answer = client.call("PUT", "order", order_id=number, exchange_code="NSE", quantity="99", price="1260.00")[1]
    assert answer["Success"]["message"] == "Successfully Modified the order"
    row = client.order(number)
    assert (row["quantity"], row["price"]) == ("10", "1250.00")


def test_reject_without_reason_is_taken_first(venue, client):
    venue.fault("reject_without_reason", times=1)
    row = client.order(client.place(price="1500.00"))
    assert (row["status"], row["pending_quantity"]) == ("Rejected", "0")
    assert not [key for key in row if "reason" in key.lower()]


def test_fill_after_cancel_fills_what_was_cancelled(venue, client):
    number = client.place(price="1250.00")
    venue.fault("fill_after_cancel", times=1)
    client.call("DELETE", "order", order_id=number, exchange_code="NSE")
    assert client.order(number)["status"] == "Cancelled"
    venue.clock(advance=20)
    row = client.order(number)
    assert (row["status"], row["cancelled_quantity"], row["average_price"]) == ("Executed", "0", "1250.00")
    [deal] = client.call("GET", "trades", exchange_code="NSE", order_id=number)[1]["Success"]
    assert deal["executed_quantity"] == "10"


def test_halt_stops_a_share_and_leaves_the_others(venue, client):
    resting = client.place(price="1390.00")
    before = client.quote()
    venue.fault("halt", symbol="RELIANCE")
    venue.clock(advance=120)
    assert client.quote()["ltt"] == before["ltt"]
    assert "suspended" in client.call("POST", "order", **REST)[1]["Error"]
    assert client.call("POST", "order", **{**REST, "stock_code": "TCS", "price": "3000.00"})[1]["Status"] == 200
    venue.clear()
    venue.clock(advance=60)
    assert client.quote()["ltt"] > before["ltt"]
    client.call("DELETE", "order", order_id=resting, exchange_code="NSE")


@pytest.mark.parametrize(("side", "gone"), [("upper", "offer"), ("lower", "bid")])
def test_circuit_locks_a_share_at_a_limit(venue, client, side, gone):
    venue.fault("circuit", symbol="RELIANCE", side=side)
    venue.clock(advance=30)
    quote = client.quote()
    assert quote["ltp"] == quote[f"{side}_circuit"]
    assert (quote[f"best_{gone}_price"], quote[f"best_{gone}_quantity"]) == (0.0, "0")
    if side == "upper":
        number = client.place(price=str(quote["upper_circuit"]))
        venue.clock(advance=30)
        assert client.order(number)["status"] == "Ordered"
        client.call("DELETE", "order", order_id=number, exchange_code="NSE")


def master(venue):
    with urllib.request.urlopen(venue.url + "/MotherAppMaster/SecurityMaster.zip") as answer:
        return answer.read()


def test_master_truncated_master_404_and_master_html_are_no_master(venue):
    venue.fault("master_truncated", times=1)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(master(venue)))
    venue.fault("master_html", times=1)
    assert master(venue).startswith(b"<!doctype html>")
    venue.fault("master_404", times=1)
    with pytest.raises(urllib.error.HTTPError) as gone:
        master(venue)
    gone.value.close()
    assert gone.value.code == 404
    assert zipfile.ZipFile(BytesIO(master(venue))).testzip() is None


def test_master_cdnse_last_puts_currency_over_equity(venue):
    venue.fault("master_cdnse_last", times=1)
    zipped = zipfile.ZipFile(BytesIO(master(venue)))
    assert zipped.namelist()[-1] == "CDNSEScripMaster.txt"
    assert '"2885","FUTURE"' in zipped.read("CDNSEScripMaster.txt").decode()


def test_connect_refused_for_a_while_and_then_everything_is_as_before(venue, client):
    number = client.place(price="1250.00")
    venue.fault("connect_refused", seconds=0.6)
    time.sleep(0.2)
    with pytest.raises(ConnectionRefusedError):
        client.call("GET", "funds")
    time.sleep(0.8)
    assert client.order(number)["status"] == "Ordered"


def test_a_struck_fault_stands_in_the_table_until_it_is_spent(venue, client):
    venue.fault("html_503", times=2)
    client.call("GET", "funds")
    [active] = venue.ask("GET", "/control/faults")["active"]
    assert (active["times"], active["struck"]) == (1, 1)
    client.call("GET", "funds")
    assert json.dumps(venue.ask("GET", "/control/faults")["active"]) == "[]"
