"""What the unmodified SDK lives through at the simulator; run as a script of its own, it prints JSON.

    python sdk_session.py ORIGIN SCRATCH_FOLDER

Nothing of the SDK is changed but the six addresses of its module ``config``.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
import urllib.request
from contextlib import redirect_stdout
from pathlib import Path

KEY, SECRET, SESSION = "simulator-key", "simulator-secret", "12345678"
DAY = ("2026-11-23T00:00:00.000Z", "2026-11-23T23:59:59.000Z")
FOUND = {}


def load(origin):
    """Return the SDK's module, pointed at ``origin``."""
    place = Path(importlib.util.find_spec("breeze_connect").submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("config", place / "config.py")
    config = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(config)
    config.API_URL = origin + "/breezeapi/api/v1/"
    config.BREEZE_NEW_URL = origin + "/api/v2/"
    config.LIVE_STREAM_URL = origin + "/?feed=ticks"
    config.LIVE_FEEDS_URL = origin + "/?feed=orders"
    config.LIVE_OHLC_STREAM_URL = origin
    config.SECURITY_MASTER_URL = origin + "/MotherAppMaster/SecurityMaster.zip"
    sys.modules["config"] = config
    return importlib.import_module("breeze_connect.breeze_connect")


def said(call, *arguments, **named):
    """Return what a call answers, or the text of what it raises."""
    try:
        return call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing but plain ones
        return f"{type(error).__name__}: {error}"


def control(origin, path, **body):
    """Steer the simulator."""
    request = urllib.request.Request(f"{origin}/control/{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def wait(done, seconds=5.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)


def log_in(sdk):
    """Log in wrongly and then rightly."""
    FOUND["wrong_session"] = said(sdk.BreezeConnect(KEY).generate_session, SECRET, "1")
    FOUND["wrong_key"] = said(sdk.BreezeConnect("nobody").generate_session, SECRET, SESSION)
    breeze = sdk.BreezeConnect(KEY)
    breeze.generate_session(SECRET, SESSION)
    FOUND["user"] = breeze.user_id
    FOUND["customer"] = breeze.get_customer_details(SESSION)
    return breeze


def look(breeze):
    """Read the master, history, quotes and money."""
    tokens = breeze.stock_script_dict_list[1]
    FOUND["tokens"] = {code: tokens.get(code) for code in ("RELIND", "TCS", "360ONE", "RELIANCE")}
    FOUND["names"] = {name: breeze.get_names("NSE", name) for name in ("RELIANCE", "HDFCBANK", "360ONE", "NOPE")}
    how = {"interval": "1minute", "exchange_code": "NSE", "product_type": "cash"}
    edges = {"from_date": "2026-11-23T09:15:00.000Z", "to_date": "2026-11-23T09:17:00.000Z"}
    FOUND["history"] = breeze.get_historical_data_v2(stock_code="RELIND", **how, **edges)
    FOUND["history_of_symbol"] = breeze.get_historical_data_v2(stock_code="RELIANCE", **how, **edges)
    FOUND["history_v1"] = breeze.get_historical_data(
        stock_code="RELIND", interval="1minute", exchange_code="NSE", **edges
    )
    FOUND["quotes"] = breeze.get_quotes("RELIND", "NSE", product_type="cash")
    FOUND["funds"] = breeze.get_funds()
    FOUND["margin"] = breeze.get_margin("NSE")


def trade(breeze, origin):
    """Place, read, change, cancel, and look at what was dealt."""
    market = breeze.place_order("RELIND", "NSE", "cash", "buy", "market", "", "40", "", "day")
    FOUND["market"] = market
    limit = breeze.place_order("RELIND", "NSE", "cash", "buy", "limit", "", "10", "1300", "day", user_remark="mine")
    FOUND["limit"], number = limit, limit["Success"]["order_id"]
    FOUND["detail"] = breeze.get_order_detail("NSE", number)
    FOUND["modified"] = breeze.modify_order(number, "NSE", "limit", "0", "20", "1301", "day", "0", "")
    FOUND["after_modify"] = breeze.get_order_detail("NSE", number)
    FOUND["cancelled"] = breeze.cancel_order("NSE", number)
    FOUND["modify_cancelled"] = breeze.modify_order(number, "NSE", "limit", "0", "20", "1301", "day", "0", "")
    FOUND["margin_order"] = breeze.place_order("RELIND", "NSE", "margin", "buy", "limit", "", "10", "1300", "day")
    FOUND["empty_order"] = breeze.place_order("", "NSE", "cash", "", "limit", "", "", "", "day")
    control(origin, "clock", advance=60)
    FOUND["list"] = breeze.get_order_list("NSE", *DAY)
    FOUND["trades"] = breeze.get_trade_list(*DAY, "NSE")
    FOUND["deals"] = breeze.get_trade_detail("NSE", market["Success"]["order_id"])
    FOUND["positions"] = breeze.get_portfolio_positions()
    FOUND["demat"] = breeze.get_demat_holdings()
    FOUND["preview"] = breeze.preview_order("RELIND", "NSE", "cash", "limit", "440", "buy", "1")
    control(origin, "faults", name="html_502_after_accept", times=1)
    FOUND["html"] = said(breeze.place_order, "RELIND", "NSE", "cash", "buy", "limit", "", "1", "1299", "day")
    FOUND["list_after_html"] = breeze.get_order_list("NSE", *DAY)


def stream(breeze, origin):
    """Listen to ticks, depth, bars and orders, and be hung up on."""
    heard = []
    breeze.on_ticks = heard.append
    FOUND["not_connected"] = breeze.subscribe_feeds(stock_token="4.1!2885")
    breeze.ws_connect()
    FOUND["subscribed"] = [
        breeze.subscribe_feeds(get_order_notification=True),
        breeze.subscribe_feeds(exchange_code="NSE", stock_code="RELIND", product_type="cash"),
        breeze.subscribe_feeds(stock_token="4.1!2885", interval="1minute"),
        breeze.subscribe_feeds(exchange_code="NSE", stock_code="NOSUCH", product_type="cash"),
    ]
    time.sleep(0.3)
    control(origin, "clock", advance=185)
    breeze.place_order("RELIND", "NSE", "cash", "buy", "limit", "", "1", "1298", "day")
    wait(lambda: len({kind(each) for each in heard}) == 4)
    FOUND["heard"] = {kind(each): each for each in heard}
    hang_up(breeze, origin, heard)


def hang_up(breeze, origin, heard):
    """Part in words only, be hung up on, come back, and be turned away."""
    breeze.sio_rate_refresh_handler.on_disconnect()
    time.sleep(0.2)
    before = len(heard)
    control(origin, "clock", advance=30)
    wait(lambda: len(heard) > before)
    FOUND["ticks_after_words"] = len(heard) > before
    control(origin, "faults", name="stream_disconnect")
    wait(lambda: not breeze.sio_rate_refresh_handler.sio.connected)
    time.sleep(0.2)
    before = len(heard)
    control(origin, "clock", advance=30)
    time.sleep(0.5)
    FOUND["ticks_after_disconnect"] = len(heard) - before
    breeze.ws_connect()
    FOUND["again"] = breeze.subscribe_feeds(exchange_code="NSE", stock_code="RELIND", product_type="cash")
    time.sleep(0.3)
    control(origin, "clock", advance=30)
    wait(lambda: len(heard) > before)
    FOUND["ticks_again"] = len(heard) > before
    control(origin, "session", replace=True)
    breeze.sio_rate_refresh_handler = None
    FOUND["refused"] = said(breeze.ws_connect)


def kind(message):
    """Return what a message is about."""
    return message.get("quotes") or message.get("interval") or ("order" if "orderReference" in message else "?")


def main(origin, scratch):
    """Live through it all."""
    os.chdir(scratch)
    with redirect_stdout(sys.stderr):
        sdk = load(origin)
        breeze = log_in(sdk)
        look(breeze)
        trade(breeze, origin)
        stream(breeze, origin)
    sys.stdout.write(json.dumps(FOUND))
    sys.stdout.flush()
    os._exit(0)  # the SDK's sockets have threads that never end


if __name__ == "__main__":
    main(*sys.argv[1:])
