"""The reports of a day and a week: what was earned, why, and what went wrong meanwhile."""

import datetime as dt

import pytest
from django.test import Client

from tests.trading import rows
from tests.trading.pages import NOON, a_run, a_signal, a_trade, an_order
from trading.services import halts, summaries

pytestmark = pytest.mark.django_db


@pytest.fixture
def looker():
    client = Client()
    client.force_login(rows.people()["viewer"])
    return client


@pytest.fixture
def run():
    run = a_run()
    an_order(run)
    an_order(run, 2, status="rejected", filled=0)
    a_trade(run, 5, net="-468.00")
    a_trade(run, 9, net="1234567.00", symbol="DEMOOIL", exit_reason="target")
    a_trade(run, 24 * 60, net="10.00")  # the next day
    a_signal(run)
    a_signal(run, 1, objections=["the desk is full", "exposure cap reached"])
    return run


def test_a_day_is_summed_by_symbol_way_out_and_objection(run):
    found = summaries.summary(run, NOON.date(), NOON.date())
    assert (found.totals.trades, found.totals.won, found.totals.net) == (2, 1, 1_234_099)
    assert [(row["key"], row["trades"], row["win_rate"]) for row in found.symbols] == [
        ("DEMOBANK", 1, 0.0), ("DEMOOIL", 1, 1.0),
    ]  # fmt: skip
    assert {row["why"]: row["signals"] for row in found.objections} == {
        "acted on": 1, "the desk is full": 1, "exposure cap reached": 1,
    }  # fmt: skip
    assert [(row["status"], row["orders"]) for row in found.orders] == [("filled", 1), ("rejected", 1)]


def test_the_page_gives_the_day_the_week_and_their_tables(looker, run):
    halts.engage(halts.KILL, "prices look wrong", at=NOON, by="asha")
    page = looker.get("/reports").content.decode()  # the day at which the run stands
    assert "▲ +₹12,34,099.00" in page
    assert "kill at 20 Nov 2026 12:00 by asha: prices look wrong" in " ".join(page.split())
    week = looker.get("/reports?day=2026-11-20&span=week").content.decode()
    assert "16 Nov 2026 – 22 Nov 2026" in " ".join(week.split())
    assert "By day" in week
    answer = looker.get("/reports?day=2026-11-20&tables=csv&table=1").content.decode().splitlines()
    assert answer[1].startswith("DEMOBANK,1,0%,-400.00,68.00,-468.00")


def test_an_empty_desk_says_what_to_do_next(looker):
    assert "make run" in looker.get("/reports").content.decode()
    assert summaries.week_of(dt.date(2026, 11, 22)) == (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
