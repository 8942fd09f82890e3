"""breeze-connect 1.0.69 as it comes from the registry, at the simulator: only its six addresses are ours."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.simulators import simulator
from tests.trading.simulator.conftest import MANY

SCRIPT = Path(__file__).with_name("sdk_session.py")


@pytest.fixture(scope="module")
def venue(folder):
    """A simulator of its own: this story turns its session round."""
    with simulator("--date", "2026-11-23", "--at", "10:00", "--speed", "0", *MANY, csv=folder) as venue:
        yield venue


@pytest.fixture(scope="module")
def found(venue, tmp_path_factory):
    """All that the SDK answered and heard."""
    scratch = tmp_path_factory.mktemp("sdk")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), venue.url, str(scratch)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def good(answer):
    assert answer["Status"] == 200, answer
    assert answer["Error"] is None
    return answer["Success"]


def test_it_is_the_version_we_know():
    assert version("breeze-connect") == "1.0.69"


def test_login(found):
    assert found["user"] == "SIM00001"
    assert good(found["customer"])["exg_status"]["NSE"] == "O"
    assert "session_token" not in found["customer"]["Success"]
    told = "Exception: Unexpected error: Could not authenticate credentials. Please check"
    assert found["wrong_session"] == f"{told} session key."
    assert found["wrong_key"] == f"{told} api key."


def test_master(found):
    assert found["tokens"] == {"RELIND": "2885", "TCS": "11536", "360ONE": "763602", "RELIANCE": None}
    assert found["names"]["RELIANCE"] == {
        "exchange_code": "NSE", "exchange_stock_code": "RELIANCE", "isec_stock_code": "RELIND", "isec_token": "2885",
        "company name": "RELIANCE INDUSTRIES", "isec_token_level1": "4.1!2885", "isec_token_level2": "4.2!2885",
    }  # fmt: skip
    assert [token in found["names"]["HDFCBANK"]["isec_token"] for token in ("1333", "1467", "17320")] == [True] * 3
    assert "763602" in found["names"]["360ONE"]["isec_token"]
    assert found["names"]["NOPE"]["Error"] == "Result Not Found"


def test_history(found):
    rows = good(found["history"])
    assert [row["datetime"] for row in rows] == [f"2026-11-23 09:{minute}:00" for minute in (15, 16, 17)]
    assert good(found["history_of_symbol"]) == []
    assert good(found["history_v1"])[0]["datetime"] == "2026-11-23 09:16:00"


def test_quotes_and_money(found):
    nse, bse = good(found["quotes"])
    assert (nse["exchange_code"], bse["exchange_code"]) == ("NSE", "BSE")
    assert isinstance(nse["ltp"], float)
    assert good(found["funds"])["allocated_equity"] == 5_000_000.0
    assert good(found["margin"])["cash_limit"] == 5_000_000.0


def test_orders(found):
    assert good(found["limit"])["message"].startswith("Equity CASH Order placed successfully through RI reference no")
    assert good(found["limit"])["user_remark"] is None
    assert good(found["detail"])[0]["status"] == "Ordered"
    assert good(found["modified"])["message"] == "Successfully Modified the order"
    row = good(found["after_modify"])[0]
    assert (row["quantity"], row["price"]) == ("20", "1301.00")
    assert good(found["cancelled"])["message"] == "Your Order Canceled successfully."
    assert found["modify_cancelled"]["Error"] == "Order has already been executed and cannot be modified."
    assert "prohibited" in found["margin_order"]["Error"]
    assert found["empty_order"]["Status"] == 500


def test_a_market_order_becomes_a_limit_three_per_cent_away_and_is_dealt_in_parts(found):
    number = good(found["market"])["order_id"]
    row = next(each for each in good(found["list"]) if each["order_id"] == number)
    assert float(row["price"]) == pytest.approx(good(found["quotes"])[0]["ltp"] * 1.03, abs=0.1)
    assert row["status"] == "Executed"
    deals = good(found["deals"])
    assert sum(int(deal["executed_quantity"]) for deal in deals) == 40
    assert good(found["trades"])[0]["quantity"] == "40"
    assert good(found["positions"])[0]["quantity"] == "40"
    assert found["demat"]["Error"] == "No Data Found"
    assert good(found["preview"])["total_brokerage"] == 0.89


def test_html_in_place_of_an_answer_hides_an_order_that_was_taken(found):
    assert found["html"] == "Exception: Error in place_order(): Expecting value: line 1 column 1 (char 0)"
    assert len(good(found["list_after_html"])) == len(good(found["list"])) + 1


def test_stream(found):
    assert found["not_connected"] is None
    assert found["subscribed"] == [
        {"message": "Order Notification subscribed successfully"}, {"message": "Stock RELIND subscribed successfully"},
        {"message": "Stock 4.1!2885 subscribed successfully"}, {"message": "Stock NOSUCH subscribed successfully"},
    ]  # fmt: skip
    heard = found["heard"]
    assert set(heard) == {"Quotes Data", "Market Depth", "1minute", "order"}
    quote, depth, bar, order = (heard[name] for name in ("Quotes Data", "Market Depth", "1minute", "order"))
    assert (quote["symbol"], quote["exchange"], quote["stock_name"]) == (
        "4.1!2885",
        "NSE Equity",
        "RELIANCE INDUSTRIES",
    )
    assert quote["low"] <= quote["last"] <= quote["high"]
    assert len(depth["depth"]) == 5
    assert (bar["stock_code"], bar["exchange_code"]) == ("RELIND", "NSE")
    assert float(bar["low"]) <= float(bar["open"]) <= float(bar["high"])
    assert (order["stockCode"], order["orderStatus"], order["productType"]) == ("RELIND", "Ordered", "Cash")
    assert (order["orderQuantity"], order["openQuantity"], order["orderLimitRate"]) == ("1", "1", "1298.00")


def test_the_sdks_own_defects_show(found):
    assert found["ticks_after_words"] is True, "ws_disconnect only says so"
    assert found["ticks_after_disconnect"] == 0, "a server that hangs up is never called again"
    assert found["again"] == {"message": "Stock RELIND subscribed successfully"}
    assert found["ticks_again"] is True
    assert found["refused"] == "Exception: Failed to connect to live stream"


def test_the_simulator_saw_only_what_the_sdk_sends(found, venue):
    counts = venue.log()["counts"]
    assert counts["master"] == 3, "once at import, twice at login"
    assert counts["place"] == 6
    assert counts["customer"] == 4
    assert "other" not in counts
