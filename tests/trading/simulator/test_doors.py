"""What each door answers: in Breeze's shapes, to those who have a right to ask."""

import io
import json
import urllib.error
import urllib.parse
import urllib.request
import zipfile

import pytest

from tests.trading.simulator.wire import BUY, Client


def test_health_tells_the_clock_the_symbols_and_how_to_log_in(venue):
    health = venue.health()
    assert health["simulator"] is True
    assert health["ready"] is True
    assert health["symbols"] == ["RELIANCE", "TCS"]
    assert health["session_date"] == "2026-11-23"
    assert health["clock"]["at"].startswith("2026-11-23T1")
    assert (health["clock"]["speed"], health["clock"]["ended"]) == (0.0, False)
    assert health["credentials"].pop("api_session").isdigit()
    assert health["credentials"] == {"api_key": "simulator-key", "api_secret": "simulator-secret"}


def test_customerdetails_needs_the_right_session_and_key(client):
    assert client.log_in()[1]["Success"]["idirect_userid"] == "SIM00001"
    assert client.log_in("99999999")[1] == {"Success": None, "Status": 500, "Error": "Invalid session."}
    client.key = "wrong"
    assert client.log_in()[1]["Error"] == "Public Key does not exist."


def test_a_wrong_checksum_a_skewed_clock_and_a_wrong_token_are_refused(venue, client):
    denied = (401, {"Status": 5, "Error": "Authentication Fail :: Invalid Checksum."})
    assert Client(venue, stamp=-900).call("GET", "funds") == denied
    client.secret = "wrong"
    assert client.call("GET", "funds") == denied
    client.secret, client.token = "simulator-secret", "bm9ib2R5OjE="
    assert client.call("GET", "funds") == (401, {"Success": None, "Status": 500, "Error": "Invalid session."})


def test_an_order_is_taken_shown_changed_and_cancelled(client):
    number = client.place()
    row = client.order(number)
    assert (row["status"], row["pending_quantity"], row["price"], row["user_remark"]) == (
        "Ordered",
        "10",
        "1300.00",
        None,
    )
    assert row["stock_code"] == "RELIND"
    answer = client.call("PUT", "order", order_id=number, exchange_code="NSE", quantity="20", price=1299.95)[1]
    assert answer["Success"] == {"message": "Successfully Modified the order", "order_id": number}
    assert client.order(number)["price"] == "1299.95"
    answer = client.call("DELETE", "order", order_id=number, exchange_code="NSE")[1]
    assert answer["Success"]["message"] == "Your Order Canceled successfully."
    row = client.order(number)
    assert (row["status"], row["cancelled_quantity"], row["pending_quantity"]) == ("Cancelled", "20", "0")
    again = client.call("DELETE", "order", order_id=number, exchange_code="NSE")[1]
    assert again["Error"].startswith("Order has already been")


def test_an_order_within_the_market_trades_in_parts_and_moves_money_and_shares(venue, client):
    before = venue.orders()
    number = client.place(price="1500.00", quantity="40")
    assert client.order(number)["status"] == "Partially Executed"
    venue.clock(advance=60)
    assert client.order(number)["status"] == "Executed"
    deals = client.call("GET", "trades", exchange_code="NSE", order_id=number)[1]["Success"]
    assert sum(int(deal["executed_quantity"]) for deal in deals) == 40
    assert len({deal["exchange_trade_id"] for deal in deals}) == len(deals) > 1
    paid = sum(int(deal["executed_quantity"]) * float(deal["execution_price"]) for deal in deals)
    assert all(1_380 < float(deal["execution_price"]) < 1_420 for deal in deals)
    after = venue.orders()
    assert before["cash"] - after["cash"] == pytest.approx(paid)
    [row] = [r for r in client.call("GET", "trades", exchange_code="NSE")[1]["Success"] if r["order_id"] == number]
    assert row["quantity"] == "40"
    assert float(row["average_cost"]) == pytest.approx(paid / 40, abs=1e-4)
    [position] = client.call("GET", "portfoliopositions")[1]["Success"]
    assert (position["stock_code"], position["action"]) == ("RELIND", "Buy")
    sold = client.place(action="sell", price="1350.00", quantity=position["quantity"])
    venue.clock(advance=120)
    assert client.order(sold)["status"] == "Executed"
    assert client.call("GET", "portfoliopositions")[1]["Success"][0]["quantity"] == "0"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"product": "margin"}, "prohibited"),
        ({"product": "mtf"}, "Product should be cash"),
        ({"order_type": "market"}, "Market orders are not permitted"),
        ({"order_type": "stoploss"}, "Only limit orders"),
        ({"exchange_code": "NFO"}, "NSE only"),
        ({"stock_code": "RELIANCE"}, "Stock code is not valid"),
        ({"quantity": "0"}, "Quantity"),
        ({"quantity": "1.5"}, "Quantity"),
        ({"quantity": ""}, "Quantity"),
        ({"price": "0"}, "Limit rate should be more than zero"),
        ({"price": "nan"}, "Limit rate should be more than zero"),
        ({"price": "cheap"}, "Limit rate should be more than zero"),
        ({"price": "1300.02"}, "multiples of 0.05"),
        ({"price": "900.00"}, "should be between 11"),
        ({"price": "1900.00"}, "should be between 11"),
        ({"action": "hold"}, "Action"),
        ({"validity": "vtc"}, "Validity"),
        ({"quantity": "100000"}, "Insufficient limits"),
        ({"action": "sell", "quantity": "9999"}, "Insufficient holdings"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_nothing_is_left_of_it(client, changes, told):
    before = len(client.venue.orders()["orders"])
    status, answer = client.call("POST", "order", **{**BUY, **changes})
    assert (status, answer["Success"], answer["Status"]) == (200, None, 500)
    assert told in answer["Error"]
    assert len(client.venue.orders()["orders"]) == before


def test_the_sdks_own_arithmetic_is_understood(client):
    assert client.order(client.place(price=1300.0500000000002))["price"] == "1300.05"


def test_what_was_held_before_can_be_sold(venue, client):
    venue.hold("TCS", 5)
    [row] = client.call("GET", "dematholdings")[1]["Success"]
    assert (row["stock_code"], row["quantity"]) == ("TCS", "5")
    assert client.call("GET", "portfolioholdings", exchange_code="NSE")[1]["Success"][0]["quantity"] == "5"
    number = client.place(stock_code="TCS", action="sell", quantity="5", price="3300.00")
    refused = client.call(
        "POST", "order", **{**BUY, "stock_code": "TCS", "action": "sell", "quantity": "1", "price": "3300.00"}
    )
    assert "Insufficient holdings: 0" in refused[1]["Error"]
    client.call("DELETE", "order", order_id=number, exchange_code="NSE")


def test_quotes_are_a_list_of_both_exchanges_with_the_days_limits(client):
    answer = client.call("GET", "quotes", stock_code="RELIND", exchange_code="NSE")[1]["Success"]
    assert [row["exchange_code"] for row in answer] == ["NSE", "BSE"]
    row = answer[0]
    assert row["best_offer_price"] - row["best_bid_price"] == pytest.approx(0.05)
    assert row["best_bid_price"] <= row["ltp"] <= row["best_offer_price"]
    assert row["low"] <= row["ltp"] <= row["high"]
    assert (row["lower_circuit"], row["upper_circuit"]) == pytest.approx(
        (0.8 * row["previous_close"], 1.2 * row["previous_close"]), abs=0.05
    )
    assert client.call("GET", "quotes", stock_code="NOSUCH", exchange_code="NSE")[1]["Error"] == "No Data Found"


def test_money_can_be_allocated_and_taken_back(client):
    before = client.call("GET", "funds")[1]["Success"]
    told = {"transaction_type": "debit", "amount": "1000", "segment": "Equity"}
    assert client.call("POST", "funds", **told)[1]["Success"] == {"status": "Success"}
    after = client.call("GET", "funds")[1]["Success"]
    assert before["allocated_equity"] - after["allocated_equity"] == 1_000
    assert (
        client.call("GET", "margin", exchange_code="NSE")[1]["Success"]["amount_allocated"] == after["allocated_equity"]
    )
    refused = client.call("POST", "funds", **{**told, "amount": "999999999"})
    assert refused[1]["Error"] == "Amount is more than what is available."


def test_the_preview_is_the_sdks_own_example(client):
    told = {
        "stock_code": "RELIND",
        "product": "cash",
        "order_type": "limit",
        "price": "440",
        "action": "buy",
        "quantity": "1",
    }
    assert client.call("GET", "preview_order", exchange_code="NSE", **told)[1]["Success"] == {
        "brokerage": 0.31, "exchange_turnover_charges": 0.01, "stamp_duty": 0.07, "stt": 0.44, "sebi_charges": 0.0,
        "gst": 0.06, "total_turnover_and_sebi_charges": 0.01, "total_other_charges": 0.58, "total_brokerage": 0.89,
    }  # fmt: skip


def test_squaring_off_is_counted_as_an_order_and_refused(venue, client):
    before = venue.log()["orders"]
    assert "not available" in client.call("POST", "squareoff", stock_code="RELIND")[1]["Error"]
    assert venue.log()["orders"] == before + 1


@pytest.mark.parametrize("path", ["optionchain", "gttorder", "margincalculator"])
def test_what_an_equity_account_has_nothing_of_is_no_data(client, path):
    assert client.call("GET", path)[1] == {"Success": None, "Status": 500, "Error": "No Data Found"}


def test_bars_are_served_up_to_the_clock_with_naive_indian_times(venue, client):
    now = venue.now().strftime("%Y-%m-%dT%H:%M:%S")
    rows = client.history("2026-11-23T09:15:00", now)[1]["Success"]
    assert rows[0]["datetime"] == "2026-11-23 09:15:00"
    assert rows[-1]["datetime"] < venue.now().strftime("%Y-%m-%d %H:%M:%S")
    assert len(rows) == (venue.now().hour * 60 + venue.now().minute) - (9 * 60 + 15)
    assert set(rows[0]) == {"close", "datetime", "exchange_code", "high", "low", "open", "stock_code", "volume"}
    assert isinstance(rows[0]["open"], float)
    assert isinstance(rows[0]["volume"], int)
    both = client.history("2026-11-23T09:20:00", "2026-11-23T09:22:00")[1]["Success"]
    assert [row["datetime"][-8:] for row in both] == ["09:20:00", "09:21:00", "09:22:00"]


def test_coarser_bars_are_made_of_the_recorded_ones(client):
    minutes = client.history("2026-11-20T09:15:00", "2026-11-20T15:29:00")[1]["Success"]
    [daily] = client.history("2026-11-20T00:00:00", "2026-11-23T23:00:00", interval="1day")[1]["Success"]
    assert (daily["open"], daily["close"]) == (minutes[0]["open"], minutes[-1]["close"])
    assert (daily["high"], daily["low"]) == (max(r["high"] for r in minutes), min(r["low"] for r in minutes))
    assert daily["volume"] == sum(row["volume"] for row in minutes)
    halves = client.history("2026-11-20T00:00:00", "2026-11-20T23:00:00", interval="30minute")[1]["Success"]
    assert [row["datetime"][-8:] for row in halves][:2] == ["09:15:00", "09:45:00"]
    assert len(halves) == 13


def test_no_more_than_a_thousand_bars_come_at_once(client):
    rows = client.history("2026-11-01T00:00:00", "2026-11-23T23:00:00")[1]["Success"]
    assert len(rows) == 1_000
    assert rows[0]["datetime"] == "2026-11-18 09:15:00"


def test_an_nse_symbol_or_an_unknown_code_gives_an_empty_list_and_no_error(client):
    for code in ("RELIANCE", "NOSUCH"):
        assert client.history("2026-11-20T09:15:00", "2026-11-20T09:20:00", code=code) == (
            200,
            {"Success": [], "Status": 200, "Error": None},
        )


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"interval": "1second"}, "1second"),
        ({"interval": "2minute"}, "Interval"),
        ({"from_date": "yesterday"}, "yesterday"),
    ],
)
def test_a_question_for_bars_that_makes_no_sense_is_refused(client, how, told):
    answer = client.history("2026-11-20T09:15:00", "2026-11-20T09:20:00", **how)[1]
    assert answer["Status"] == 500
    assert told in answer["Error"]


def test_the_old_history_stamps_the_end_of_a_bar_and_speaks_in_texts(client):
    told = {"interval": "minute", "from_date": "2026-11-20T09:15:00.000Z", "to_date": "2026-11-20T09:16:00.000Z"}
    rows = client.call("GET", "historicalcharts", stock_code="RELIND", exchange_code="NSE", **told)[1]["Success"]
    assert rows[0]["datetime"] == "2026-11-20 09:16:00"
    assert rows[0]["volume"] == "35"
    none = client.call("GET", "historicalcharts", stock_code="NOSUCH", exchange_code="NSE", **told)[1]
    assert none == {"Success": None, "Status": 500, "Error": "No Data Found"}


def test_the_login_page_sends_the_browser_back_with_a_new_session(venue):
    page = venue.url + "/apiuser/login?api_key=" + urllib.parse.quote_plus("simulator-key")
    assert "<form" in urllib.request.urlopen(page).read().decode()

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with pytest.raises(urllib.error.HTTPError) as sent:
        urllib.request.build_opener(Stay).open(page, b"api_key=simulator-key")
    sent.value.close()
    assert sent.value.code == 303
    there = sent.value.headers["location"]
    assert there.startswith("http://127.0.0.1:8000/broker/breeze/callback?apisession=")
    number = there.partition("apisession=")[2]
    assert number.isdigit()
    assert venue.health()["credentials"]["api_session"] == number
    venue.credentials = venue.health()["credentials"]
    with pytest.raises(urllib.error.HTTPError) as wrong:
        urllib.request.urlopen(venue.url + "/apiuser/login?api_key=nobody")
    wrong.value.close()
    assert wrong.value.code == 400


def test_the_log_counts_every_request_and_hides_secrets(venue, client):
    last = venue.log()["last"]
    client.quote()
    client.place(price="1301.00")
    log = venue.log(since=last)
    assert [(row["verb"], row["order"], row["status"]) for row in log["requests"]] == [
        ("quotes", False, 200),
        ("place", True, 200),
    ]
    assert log["requests"][1]["body"]["price"] == "1301.00"
    client.log_in()
    text = json.dumps(venue.log()["requests"])
    assert client.token not in text
    assert venue.credentials["api_session"] not in text
    assert "simulator-key" not in text


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "/control/faults", {"name": "nothing_like_it"}, "is not known"),
        ("POST", "/control/faults", {"name": "halt", "symbol": "NOSUCH"}, "'NOSUCH' is not listed"),
        ("POST", "/control/clock", {}, "the clock takes"),
        ("POST", "/control/clock", {"advance": -5}, "cannot go back"),
        ("POST", "/control/clock", {"at": "noon"}, "'noon' is not a time of day"),
        ("POST", "/control/clock", {"speed": "fast"}, "speed 'fast' is not a number"),
        ("POST", "/control/order", {"symbol": "TCS", "side": "hold"}, "neither Buy nor Sell"),
        ("POST", "/control/order", {"symbol": "TCS", "side": "Buy", "quantity": 1, "price": 1}, "Limit rate"),
        ("POST", "/control/market", {"symbol": "TCS", "price": -1}, "is not above zero"),
        ("POST", "/control/holding", {"symbol": "TCS", "quantity": -1}, "cannot be held"),
        ("POST", "/control/session", {}, "a session takes"),
        ("GET", "/control/log?since=x", None, "since 'x' is not a number"),
    ],
)
def test_the_control_endpoint_names_what_it_cannot_do(venue, method, path, body, told):
    with pytest.raises(AssertionError, match=told):
        venue.ask(method, path, body)


def test_the_control_endpoint_answers_no_browser_and_no_other_host(client):
    assert client.send("GET", "/control/orders", "", {"Origin": "http://evil.example"})[0] == 403
    assert client.send("GET", "/control/orders", "", {"Host": "evil.example"})[0] == 403
    assert client.send("POST", "/control/faults", "not json")[0] == 400
    assert client.send("POST", "/control/faults", "[]")[0] == 400


def test_an_order_by_hand_stands_in_the_book_like_any_other(venue, client):
    number = venue.plant("RELIANCE", "Buy", 3, 1310.0)
    assert client.order(number)["quantity"] == "3"


def test_a_nudged_price_fills_what_rests(venue, client):
    number = client.place(price="1250.00")
    venue.nudge("RELIANCE", 1249.0)
    row = client.order(number)
    assert (row["status"], row["average_price"]) == ("Executed", "1250.00")


def test_the_fault_table_is_served_with_its_meanings(venue):
    table = venue.ask("GET", "/control/faults")
    assert len(table["faults"]) == 52
    assert table["faults"]["cancel_no_effect"]["meaning"] == "A cancel succeeds and changes nothing (#238)"
    venue.fault("slow", seconds=0.5, verb="funds")
    [active] = venue.ask("GET", "/control/faults")["active"]
    assert (active["name"], active["seconds"], active["verb"]) == ("slow", 0.5, "funds")
    assert [each["name"] for each in venue.clear("slow")["cleared"]] == ["slow"]


def master(venue):
    with urllib.request.urlopen(venue.url + "/MotherAppMaster/SecurityMaster.zip") as answer:
        return zipfile.ZipFile(io.BytesIO(answer.read()))


def test_the_master_is_a_zip_of_seven_files_currency_before_equity(venue):
    names = master(venue).namelist()
    assert names == [f"{name}ScripMaster.txt" for name in ("BSE", "CDNSE", "FOBSE", "FONSE", "MCX", "MF", "NSE")]
    header, first, *_ = master(venue).read("NSEScripMaster.txt").decode().splitlines()
    assert header.startswith('"Token", "ShortName", "Series", "CompanyName", "ticksize"')
    assert header.endswith('"MarginPercentage", "ExchangeCode"')
    assert first.startswith('"2885","RELIND","EQ","RELIANCE INDUSTRIES",0.01,1,')
    assert first.endswith('"RELIANCE"')
