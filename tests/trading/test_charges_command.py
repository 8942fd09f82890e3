"""``manage.py charges`` answers with the worked examples, and refuses what it cannot use in one line."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

A = ["--buy", "1500", "--sell", "1560", "--quantity", "100", "--plan", "prime-2999", "--date", "2026-11-20"]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("charges", *arguments, stdout=out)
    return out.getvalue()


def answer(*arguments: str) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))


def test_a_delivery_is_itemised_with_its_profit():
    data = answer(*A, "--delivery")
    assert (data["total"], data["gross"], data["net"]) == (905.18, 6000.0, 5094.82)
    assert (data["brokerage"], data["stt"], data["dp"]) == (459.0, 306.0, 23.6)
    assert data["legs"]["buy"]["total"] == 443.62
    assert data["legs"]["sell"]["total"] == 461.56
    assert (data["breakeven_price"], data["breakeven_per_share"]) == (1508.91, 8.91)


def test_the_margin_product_is_intraday_and_said_to_be_paper_only():
    trade = ["--buy", "1400", "--sell", "1410", "--quantity", "200", "--plan", "prime-2999", "--product", "margin"]
    data = answer(*trade, "--date", "2026-11-20")
    assert (data["kind"], data["on_breeze"]) == ("intraday", False)
    assert (data["total"], data["net"], data["breakeven_bp"]) == (199.9, 1800.1, 7.1)
    assert "not available on Breeze" in run(*trade, "--date", "2026-11-20")


def test_the_table_shows_both_legs_the_total_and_the_break_even():
    table = run(*A)
    assert "ICICI Prime 2,999, cash delivery, 2026-11-20" in table
    assert "443.62" in table
    assert "461.56" in table
    assert "0.00307 % of 306,000.00" in table
    assert "5,094.82" in table
    assert "1,508.91" in table


def test_one_leg_is_charged_alone():
    bought = answer("--buy", "1500", "--quantity", "100", "--plan", "prime-2999", "--date", "2026-11-20")
    assert bought["total"] == 443.62
    assert bought["breakeven_price"] == 1508.91
    sold = answer("--sell", "1410", "--quantity", "200", "--intraday", "--date", "2026-11-20")
    assert sold["total"] == 81.55
    assert "net" not in sold


def test_the_plans_open_questions_can_be_answered():
    trade = ["--buy", "100", "--quantity", "10", "--date", "2026-11-20"]
    assert answer(*trade)["brokerage"] == 25.0
    assert answer(*trade, "--minimum-brokerage", "0")["brokerage"] == 5.5
    legs = answer(*A, "--intraday", "--second-leg", "free")["legs"]
    assert legs["sell"]["brokerage"] == 0


def test_a_sale_on_a_later_day_uses_that_days_rates():
    legs = answer(*A[:-1], "2012-06-29", "--sell-date", "2012-07-02")["legs"]
    assert (legs["buy"]["stt"], legs["sell"]["stt"]) == (188.0, 156.0)


def test_without_a_date_the_day_is_today_in_india(monkeypatch):
    late = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # half past one in the morning in Mumbai
    monkeypatch.setattr("trading.management.commands.charges.now", lambda: late)
    assert answer("--buy", "100", "--quantity", "1")["date"] == "2026-11-21"


def test_the_plans_are_listed():
    plans = answer("--list-plans")["plans"]
    assert [plan["plan"] for plan in plans][:3] == ["prime-9999", "prime-4999", "prime-2999"]
    assert "i-secure" in run("--list-plans")
    assert "not available on Breeze" in run("--list-plans")


def test_the_rates_of_a_day_are_listed_with_their_sources():
    table = run("--list-rates", "--date", "2012-01-02")
    assert "10.3 %" in table
    assert "APPROXIMATION" in table
    assert answer("--list-rates", "--date", "2026-11-20")["rates"][0]["rate"] == "0.1 %"


def test_days_after_the_last_review_are_marked():
    assert "rates last reviewed on" in run(*A[:-1], "2030-01-02")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quantity", "1"], "no price given"),
        (["--buy", "1"], "no quantity given"),
        (["--buy", "abc", "--quantity", "1"], "--buy 'abc' is not a number"),
        (["--buy", "-5", "--quantity", "1"], "--buy -5 is not a number of rupees above 0"),
        (["--buy", "nan", "--quantity", "1"], "--buy nan"),
        (["--buy", "1e999999", "--quantity", "1"], "--buy 1e999999"),
        (["--buy", "0.001", "--quantity", "1"], "price 0.001"),
        (["--buy", "1", "--quantity", "1.5"], "--quantity '1.5'"),
        (["--buy", "1", "--quantity", "9" * 5000], "is not a positive whole number"),
        (["--buy", "1000000", "--quantity", "100000000"], "over the limit of Rs 1,000 crore"),
        (["--buy", "1", "--quantity", "1", "--plan", "gold"], "unknown plan 'gold': choose one of"),
        (["--buy", "1", "--quantity", "1", "--product", "mis"], "unknown product 'mis': choose one of cash, margin"),
        (["--buy", "1", "--quantity", "1", "--exchange", "BSE"], "unknown exchange 'BSE'"),
        (["--buy", "1", "--quantity", "1", "--date", "2026-02-30"], "--date '2026-02-30' is not a date"),
        (["--buy", "1", "--quantity", "1", "--date", "2007-12-31"], "the schedule starts on 2008-01-01"),
        (["--buy", "1", "--quantity", "1", "--second-leg", "half"], "use free or charged"),
        ([*A, "--delivery", "--intraday"], "exclude each other"),
        ([*A, "--sell-date", "2026-11-19"], "is before --date"),
        ([*A, "--intraday", "--sell-date", "2026-11-23"], "is not the same day"),
    ],
)
def test_a_bad_value_is_one_clear_line_and_exit_code_two(arguments, said):
    err = io.StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("charges", *arguments, stdout=io.StringIO(), stderr=err)
    assert stop.value.code == 2
    lines = err.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]
