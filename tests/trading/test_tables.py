"""Orders, positions, signals and the journal: filter, sort, page, export, and say so when there is nothing."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sensequant.lib.tables import safe
from tests.trading.pages import a_position, a_run, a_signal, a_trade, an_order, published
from trading.views import tables


@pytest.fixture
def reader(db, client):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    return client


def text(answer):
    return answer.content.decode()


def exported(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("name", tables.TABLES)
def test_strangers_see_no_table(db, client, name):
    assert client.get(f"/{name}/").status_code == 302


@pytest.mark.parametrize("name", tables.TABLES)
def test_an_empty_table_says_what_will_stand_there(reader, name):
    first, _, rest = tables.TABLES[name].empty.partition(". ")
    assert f"{tables.BEGIN} {rest}" in text(reader.get(f"/{name}/"))
    a_run()
    assert f"{first}. {rest}" in text(reader.get(f"/{name}/"))


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_costs_as_many_queries_for_fifty_rows_as_for_one(reader, name):
    run = a_run()
    published(run)
    make = {"orders": an_order, "positions": a_position, "signals": a_signal, "journal": a_trade}[name]

    def cost():
        with CaptureQueriesContext(connection) as seen:
            assert reader.get(f"/{name}/").status_code == 200
        return len(seen)

    make(run, 1) if name != "positions" else make(run)
    cost()  # before the market opens, the first page of ten seconds goes through the morning's list
    one = cost()
    for n in range(2, 50):
        make(run, n) if name != "positions" else make(run, symbol=f"DEMO{n}")
    assert cost() == one


def test_an_order_shows_what_it_was_filled_at_and_what_that_cost(reader):
    an_order(a_run())
    page = text(reader.get("/orders/"))
    assert "903.40" in page
    assert "31.50" in page
    assert "✔ filled" in page


def test_orders_narrow_by_what_is_asked(reader):
    run = a_run()
    an_order(run, 1)
    an_order(run, 2, symbol="DEMOOIL", side="SELL", status="rejected", filled=0)
    for asked, numbers in (
        ("?symbol=demooil", ["2"]),
        ("?side=BUY", ["1"]),
        ("?status=rejected", ["2"]),
        ("?day=2026-11-20", ["2", "1"]),
        ("?day=2026-11-19", []),
        ("?strategy=swing", []),
        ("?run=all", ["2", "1"]),
        ("?run=999", []),
    ):
        rows = exported(reader.get(f"/orders/{asked}&export=csv"))
        assert [row["number"] for row in rows] == numbers, asked


def test_without_a_run_named_the_current_one_is_shown(reader):
    old = a_run(current=False, state="finished")
    an_order(old, 1, key="old")
    new = a_run()
    an_order(new, 7)
    assert [row["number"] for row in exported(reader.get("/orders/?export=csv"))] == ["7"]
    assert [row["number"] for row in exported(reader.get(f"/orders/?run={old.pk}&export=csv"))] == ["1"]


def test_what_is_not_understood_is_said_and_the_rest_still_works(reader):
    an_order(a_run())
    page = text(reader.get("/orders/?day=yesterday&run=first"))
    assert "is not a date" in page
    assert "is not the number of a run" in page
    assert "903.40" in page


def test_a_column_sorts_both_ways_and_an_unknown_one_is_ignored(reader):
    run = a_run()
    for minute, net in ((1, "5"), (2, "-7"), (3, "2")):
        a_trade(run, minute, net)
    order = lambda sort: [float(row["net_pnl"]) for row in exported(reader.get(f"/journal/?sort={sort}&export=csv"))]  # noqa: E731
    assert order("-net_pnl") == [5, 2, -7]
    assert order("net_pnl") == [-7, 2, 5]
    assert order("password") == [2, -7, 5]
    assert 'aria-sort="descending"' in text(reader.get("/journal/?sort=-net_pnl"))


def test_many_rows_come_in_pages(reader, monkeypatch):
    monkeypatch.setattr(tables, "PAGE", 10)
    run = a_run()
    for n in range(25):
        a_signal(run, n)
    first = text(reader.get("/signals/?symbol=DEMOBANK"))
    assert "1–10 of 25" in first
    assert "page=2" in first
    assert "symbol=DEMOBANK" in first
    assert "21–25 of 25" in text(reader.get("/signals/?page=99"))


def test_signals_are_told_apart_by_whether_they_were_acted_on(reader):
    run = a_run()
    a_signal(run, 1)
    a_signal(run, 2, objections=["exposure cap reached", "too late in the session"])
    assert "✖ exposure cap reached · too late in the session" in text(reader.get("/signals/?status=declined"))
    assert [row["objections"] for row in exported(reader.get("/signals/?status=acted&export=csv"))] == [""]


def test_the_journal_sums_what_it_shows(reader):
    run = a_run()
    a_trade(run, 1, "500.00")
    a_trade(run, 2, "-468.00")
    page = text(reader.get("/journal/"))
    assert "▲ +₹32.00" in page
    assert "50%" in page
    assert "−₹468.00" not in text(reader.get("/journal/?status=won"))


@pytest.mark.parametrize("name", ["orders", "positions", "signals", "journal"])
def test_a_status_no_row_has_is_no_fault_of_the_desk(reader, name):
    assert reader.get(f"/{name}/?status=nonsense").status_code == 200


def test_positions_carry_the_engines_newest_price(reader):
    run = a_run()
    a_position(run)
    a_position(run, symbol="DEMOBANK")
    published(run)
    page = text(reader.get("/positions/"))
    assert "▲ +2.00" in page
    assert "1,079.18" in page
    older = a_run(name="other")
    a_position(older)
    assert "▲ +2.00" not in text(reader.get(f"/positions/?run={older.pk}"))


def test_one_order_shows_its_life_its_fills_and_its_signal(reader):
    run = a_run()
    a_signal(run, 0)
    order = an_order(run, 1)
    page = text(reader.get(f"/orders/{order.pk}/"))
    for said in ("working", "✔ filled", "903.40", "31.50", "LONG", "71%"):
        assert said in page
    assert reader.get("/orders/999999/").status_code == 404


@pytest.mark.parametrize("text_", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\tx", "\rx"])
def test_a_spreadsheet_never_takes_text_for_a_formula(text_):
    assert safe(text_) == f"'{text_}"


def test_numbers_and_moments_stay_what_they_are():
    run_free = [safe(-468.5), safe(None), safe(["a", "b"])]
    assert run_free == ["-468.5", "", "a; b"]


def test_a_formula_in_a_reason_is_exported_as_text(reader):
    a_signal(a_run(), reason="=HYPERLINK(1)")
    assert exported(reader.get("/signals/?export=csv"))[0]["reason"] == "'=HYPERLINK(1)"
