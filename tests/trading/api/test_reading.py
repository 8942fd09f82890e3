"""Lists page through everything once, narrow to what was asked, and say when nothing changed."""

import datetime as dt

import pytest

from sensequant.lib.clock import now
from tests.trading import masters
from tests.trading.rows import at
from trading.models import Instrument, Order, Snapshot
from trading.services import actions, instruments

LISTS = ["signals", "orders", "trades", "equity"]


def walk(client, path):
    """Return the pages from ``path`` to the end."""
    pages = []
    while path:
        body = client.get(path).json()
        pages.append(body["items"])
        path = body["next"]
    return pages


@pytest.mark.parametrize("noun", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_hold_every_row_once_and_in_order(viewer, history, noun, limit):
    pages = walk(viewer, f"/api/v1/{noun}?limit={limit}&start=2026-11-20")
    whole = viewer.get(f"/api/v1/{noun}").json()["items"]
    assert [row for page in pages for row in page] == whole
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


def test_a_row_that_arrives_while_paging_moves_nothing(viewer, history):
    first = viewer.get("/api/v1/orders?limit=2").json()
    Order.objects.create(
        run=history, key="late", number=9, symbol="DEMOBANK", strategy="intraday", side="SELL", purpose="exit",
        quantity=1, price="1", created_at=at(30),
    )  # fmt: skip
    second = viewer.get(first["next"]).json()
    assert [row["number"] for row in (*first["items"], *second["items"])] == [5, 4, 3, 2]


def test_rows_of_the_same_moment_are_not_lost_between_pages(viewer, history):
    Order.objects.update(created_at=at(1))
    numbers = [row["number"] for page in walk(viewer, "/api/v1/orders?limit=2") for row in page]
    assert numbers == [5, 4, 3, 2, 1]


def test_symbols_come_by_name(viewer, history):
    Instrument.objects.create(symbol="ABB", name="ABB India")
    names = [row["symbol"] for page in walk(viewer, "/api/v1/symbols?limit=1") for row in page]
    assert names == ["ABB", "DEMOBANK", "RELIANCE"]
    found = viewer.get("/api/v1/symbols?search=bank&demo=true&segment=equity_fno").json()["items"]
    assert [row["symbol"] for row in found] == ["DEMOBANK"]
    assert viewer.get("/api/v1/symbols?demo=false&search=demo").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("symbol=DEMOBANK", 5), ("symbol=RELIANCE", 0), ("strategy=intraday", 5), ("strategy=swing", 0),
        ("start=2026-11-20", 5), ("start=2026-11-21", 0), ("end=2026-11-20", 5), ("end=2026-11-19", 0),
        ("start=0001-01-01&end=9999-12-31", 5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("noun", ["signals", "orders", "trades"])
def test_filters_narrow(viewer, history, noun, query, rows):
    assert len(viewer.get(f"/api/v1/{noun}?{query}&run={history.pk}").json()["items"]) == rows


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("signals?acted=true", 2), ("signals?acted=false", 3), ("signals?direction=SHORT", 0),
        ("orders?status=filled&side=BUY&purpose=entry", 5), ("orders?side=SELL", 0), ("trades?side=LONG", 5),
        ("positions?symbol=DEMOBANK", 1), ("positions?start=2026-11-21", 0),
        ("orders/1/events", 2), ("orders/1/fills", 1),
        ("engine/runs?mode=replay&state=running&current=true&strategy=intraday&start=2026-11-20", 1),
        ("engine/runs?current=false", 0), ("backtests?symbol=DEMOBANK&strategy=intraday&status=done", 1),
        ("backtests?symbol=DEMO", 0), ("backtests?end=2026-11-19", 0), ("backtests/1/trades", 1),
    ],
)  # fmt: skip
def test_each_noun_has_filters_of_its_own(viewer, history, backtest, path, rows):
    path = path.replace("orders/1", f"orders/{Order.objects.first().pk}").replace(
        "backtests/1", f"backtests/{backtest.pk}"
    )
    assert len(viewer.get(f"/api/v1/{path}").json()["items"]) == rows


def test_money_is_text_and_times_are_indian(viewer, history):
    trade = viewer.get("/api/v1/trades?limit=1").json()["items"][0]
    assert (trade["net_pnl"], trade["charges"]) == ("38.6000", "6.4000")
    assert trade["exit_time"] == "2026-11-20T09:29:00+05:30"
    assert viewer.get(f"/api/v1/trades/{trade['id']}").json() == trade


def test_a_signal_tells_what_it_saw_and_what_spoke_against_it(viewer, history):
    signal = viewer.get("/api/v1/signals?acted=false&limit=1").json()["items"][0]
    assert signal["objections"] == ["risk limit"]
    assert signal["features"] == {"rsi": 55.0, "adx": None}


def test_candles_end_where_the_run_stands_and_page_back(viewer, run):
    newest = viewer.get("/api/v1/bars/DEMOBANK?limit=3").json()
    times = [bar["time"] for bar in newest["items"]]
    assert times[-1] == at(60).timestamp()
    older = viewer.get(newest["next"]).json()["items"]
    assert [bar["time"] for bar in older][-1] == times[0] - 300
    moment = at(60).isoformat()  # its + is not escaped here, as in a careless script
    assert viewer.get(f"/api/v1/bars/DEMOBANK?limit=1&before={moment}").json()["items"][0]["time"] == times[-1] - 300
    assert viewer.get("/api/v1/bars/DEMOBANK?before=0").json()["next"] is None


def test_a_read_that_has_not_changed_is_an_empty_304(viewer, history):
    first = viewer.get("/api/v1/engine/snapshot")
    assert first["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= {name.strip() for name in first["Vary"].split(",")}
    again = viewer.get("/api/v1/engine/snapshot", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Snapshot.objects.update(version=8)
    assert viewer.get("/api/v1/engine/snapshot", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_registry_states_bounds_units_and_meaning(viewer):
    found = {each["name"]: each for each in viewer.get("/api/v1/strategies").json()}
    assert {"crossover", "intraday", "swing"} <= set(found)
    rsi = next(each for each in found["intraday"]["parameters"] if each["name"] == "rsi")
    assert rsi == {
        "name": "rsi", "group": "params", "kind": "int", "default": 14, "low": 2, "high": 100, "unit": "bars",
        "meaning": "Wilder's relative strength index",
    }  # fmt: skip
    names = [each["name"] for each in found["intraday"]["parameters"]]
    assert len(names) == len(set(names))
    assert viewer.get("/api/v1/strategies/swing").json() == found["swing"]


def test_sessions_of_a_month_and_its_holidays(viewer):
    found = viewer.get("/api/v1/calendar/sessions?start=2026-11-01&end=2026-11-30").json()
    days = [each["date"] for each in found["sessions"]]
    assert "2026-11-20" in days
    assert "2026-11-21" not in days
    assert any(each["kind"] == "muhurat" for each in found["sessions"])
    assert found["closures"]


@pytest.mark.parametrize(
    "query", ["start=2026-11-02&end=2026-11-01", "start=1990-01-01&end=1990-01-31", "start=2000-01-01&end=2026-01-01"]
)
def test_days_the_calendar_cannot_answer_for_are_refused(viewer, query):
    assert viewer.get(f"/api/v1/calendar/sessions?{query}").status_code == 400


def test_today_stands_somewhere(viewer):
    found = viewer.get("/api/v1/calendar/today").json()
    assert found["phase"]
    assert found["previous_session"] < found["date"]


def test_a_trade_is_charged_item_by_item(viewer):
    path = "/api/v1/charges?buy=1500&sell=1560&quantity=100&plan=prime-2999&date=2026-11-20"
    bill = viewer.get(path).json()
    both, legs = bill["both"], (bill["entry"], bill["exit"])
    for item in both:
        assert float(both[item]) == pytest.approx(sum(float(leg[item]) for leg in legs))
    assert float(bill["net"]) == pytest.approx(6000 - float(both["total"]))
    assert bill["kind"] == "delivery"
    assert viewer.get(path + "&product=margin").json()["kind"] == "intraday"
    assert viewer.get(path + "&exit_date=2026-11-23").json()["kind"] == "delivery"


@pytest.mark.parametrize(
    "query",
    ["&exit_date=2026-11-19", "&delivery=false&exit_date=2026-11-23", "&short=true&delivery=true", "&date=1999-01-01"],
)
def test_a_trade_that_cannot_be_is_refused(viewer, query):
    date = "" if "&date" in query else "&date=2026-11-20"
    assert viewer.get(f"/api/v1/charges?buy=1500&sell=1560&quantity=100{date}{query}").status_code == 400


def test_a_short_trade_is_charged_and_breaks_even_below_its_entry(viewer):
    found = viewer.get("/api/v1/charges?buy=1400&sell=1410&quantity=200&short=true&plan=prime-2999").json()
    assert float(found["breakeven_price"]) < 1410


def test_plans_and_rates_name_their_sources(viewer):
    assert all(each["source"] for each in viewer.get("/api/v1/charges/plans").json())
    old = {each["item"]: each["rate"] for each in viewer.get("/api/v1/charges/rates?date=2010-01-04").json()}
    assert old["stt_delivery_buy"] == "0.125 %"


def test_health_says_ok_stale_or_off(viewer, run):
    assert viewer.get("/api/v1/health").json()["status"] == "ok"
    run.heartbeat_at = now() - dt.timedelta(hours=1)
    run.save()
    assert viewer.get("/api/v1/health").json()["status"] == "stale"
    run.state = "stopped"
    run.save()
    assert viewer.get("/api/v1/health").json()["status"] == "off"
    run.delete()
    assert viewer.get("/api/v1/health").json() == {
        "status": "off", "mode": "dry-run", "run": None, "state": None, "heartbeat_at": None, "silent_after": 300,
    }  # fmt: skip


def test_a_symbol_tells_the_names_it_went_by_and_what_its_issuer_did(viewer, history):
    day = dt.timedelta(days=1)
    instruments.load(masters.archive(*masters.SHARES), at=at(0), source="test")
    renamed = ("RELIANCE", "RELNEW", *masters.RELIANCE[2:])
    instruments.load(masters.archive(renamed, *masters.SHARES[1:]), at=at(0) + 3 * day, source="test")
    actions.record(actions.Told("RELIANCE", "bonus", dt.date(2024, 10, 28), "1:1"), at=at(0), by="asha")
    found = viewer.get("/api/v1/symbols/RELIANCE").json()
    assert [(row["isec_code"], row["since"], row["until"]) for row in found["listings"]] == [
        ("RELNEW", "2026-11-23", None), ("RELIND", "2026-11-20", "2026-11-22"),
    ]  # fmt: skip
    assert not found["listings"][0]["trade_to_trade"]
    (action,) = found["actions"]
    assert (action["terms"], action["price_factor"], action["ex_date"]) == ("bonus 1:1", "0.500000000000", "2024-10-28")
    assert (found["tick_close"], found["tick_since"]) == (None, None)
