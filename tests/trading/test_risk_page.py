"""The risk page: what stops the desk stands there in large letters, what would is measured, and nothing acts alone."""

import datetime as dt
import html
import re

import pytest
from django.test import Client

from tests.trading import pages, rows
from trading.core.state import BREAKER, COOL_UNTIL, EXPOSURE, OPEN, RESERVED, STREAK, TRADES_DAY, WAITING, new_account
from trading.models import Difference, EngineRun, Halt
from trading.services import halts, risk_status

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db):
    return rows.people()


def client_of(user, **kwargs):
    made = Client(**kwargs)
    made.force_login(user)
    return made


@pytest.fixture
def vera(people):
    return client_of(people["viewer"])


@pytest.fixture
def omar(people):
    return client_of(people["operator"])


@pytest.fixture
def asha(people):
    return client_of(people["staff"])


def text(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def page(client):
    return text(client.get("/risk"))


def kill(client, reason="prices look wrong", **more):
    return client.post("/risk/kill", {"reason": reason, **more}, follow=True)


def release(client, kind="kill", reason="checked", **kwargs):
    form = {"kind": kind, "reason": reason, "password": rows.PASSWORD}
    return client.post("/risk/release", form, **{"follow": True, **kwargs})


def limited(params=(), account=(), counts=(), **changes):
    """A run with these parameters, whose account and counts stand as told by slot."""
    floats, ints = new_account(1_000_000.0)
    for slot, value in dict(account).items():
        floats[slot] = value
    for slot, value in dict(counts).items():
        ints[slot] = value
    run = pages.a_run(numbers={"A": floats, "N": ints}, **changes)
    run.plan["params"].update(dict(params))
    run.save()
    return run


def gauges(run):
    (standing,) = risk_status.status(at=pages.NOON)["standings"]
    assert standing.run == run
    return {each.name: each for each in standing.gauges}


# --- The kill switch ---
def test_a_stranger_sees_nothing(db, client):
    assert client.get("/risk").headers["Location"] == "/login?next=/risk"


def test_before_the_engine_ever_ran_the_page_stands_and_the_switch_works(omar):
    said = page(omar)
    assert "No engine has run yet" in said
    assert "The kill switch is off, and no breaker is latched." in said
    assert "THE KILL SWITCH IS ON" in text(kill(omar))


def test_an_operator_stops_the_desk_with_one_form(omar):
    answer = kill(omar)
    assert answer.redirect_chain == [("/risk", 303)]
    said = text(answer)
    assert "THE KILL SWITCH IS ON No entry is sent." in said
    assert "by omar : prices look wrong" in said
    assert "The kill switch is on: entries stop, exits go on." in said
    assert Halt.objects.get().action == "stop-entries"


def test_the_reason_is_there_already_so_that_stopping_needs_no_words(omar):
    assert 'value="stopped by hand"' in omar.get("/risk").content.decode()
    assert "no reason was given" in text(kill(omar, " "))
    assert not Halt.objects.exists()


def test_every_position_is_left_when_the_box_is_ticked_or_later(omar):
    kill(omar)
    assert "Leave every position, too" in page(omar)
    said = text(kill(omar, "leave", square_off="on"))
    assert "and every position is left" in said
    assert "Leave every position, too" not in said
    assert Halt.objects.get().action == "square-off"


def test_only_staff_lets_trading_go_on(omar, asha):
    kill(omar)
    assert "Only a staff member lets trading go on." in page(omar)
    assert release(omar, follow=False).status_code == 403
    assert halts.engaged()
    assert "Release the kill switch" in page(asha)
    assert "no reason was given" in text(release(asha, reason=""))
    assert "The kill switch is released." in text(release(asha))
    assert halts.engaged() == []
    assert "the kill switch is not engaged" in text(release(asha))


def test_where_money_is_real_the_page_sends_who_stopped_it_to_somebody_else(asha, people):
    pages.a_run(mode="live", label="")
    kill(asha)
    said = page(asha)
    assert "ask a second staff member" in said
    assert "Why it may go on" not in said
    assert "asha engaged the kill switch and cannot release it" in text(release(asha))
    assert halts.engaged()
    people["viewer"].is_staff = True
    people["viewer"].save()
    release(client_of(people["viewer"]))
    assert halts.engaged() == []


def test_who_may_only_look_sees_everything_and_can_do_nothing(vera, people):
    run = pages.a_run()
    row = rows.difference(run)
    said = vera.get("/risk").content.decode()
    assert "You look on" in said
    assert 'action="/risk/' not in said
    for path in ("/risk/kill", "/risk/release", f"/risk/differences/{row.pk}/accept"):
        assert vera.post(path, {"reason": "x"}).status_code == 403
        assert vera.get(path).status_code == 405
        assert Client().post(path, {"reason": "x"}).status_code == 302
    assert not Halt.objects.exists()
    assert Difference.objects.get().accepted_at is None


def test_forms_are_posts_with_a_token(people):
    strict = client_of(people["staff"], enforce_csrf_checks=True)
    assert strict.post("/risk/kill", {"reason": "x"}).status_code == 403
    token = strict.get("/risk").content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    strict.post("/risk/kill", {"reason": "x", "csrfmiddlewaretoken": token})
    assert halts.engaged()


def test_a_kind_nobody_knows_releases_nothing(omar, asha):
    kill(omar)
    assert "is not known" in text(release(asha, kind="<b>"))
    assert halts.engaged()


def test_what_people_write_stays_text(omar):
    run = pages.a_run()
    rows.difference(run, detail="<script>alert(1)</script>")
    kill(omar, "<script>alert(2)</script>")
    raw = omar.get("/risk").content.decode()
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(2)" in raw


def test_the_page_carries_no_inline_scripts_or_styles(asha):
    pages.published(limited())
    rows.halt()
    raw = asha.get("/risk").content.decode()
    for forbidden in (" style=", "<style", " onclick=", "<script>"):
        assert forbidden not in raw


# --- The breaker ---
def test_a_latched_breaker_is_shown_and_released(asha):
    run = limited({"latched": 1, "daily_loss": 5000})
    assert "closed; once it opens, a staff member has to release it" in page(asha)
    halts.engage(halts.BREAKER, "the day's loss of ₹5,100.00 reached its limit", at=pages.NOON, by="the desk", run=run)
    said = page(asha)
    assert "THE BREAKER IS OPEN" in said
    assert "open until it is released" in said
    assert "the daily-loss breaker is open" in said
    assert "The breaker is released." in text(release(asha, "breaker"))
    assert "THE BREAKER IS OPEN" not in page(asha)


def test_a_breaker_that_is_not_latched_closes_by_itself(asha):
    limited({"daily_loss": 5000}, counts={BREAKER: 1})
    said = page(asha)
    assert "open until the next session begins" in said
    assert "Release the breaker" not in said
    assert "the daily-loss breaker is open" in said


# --- The limits ---
def test_what_is_used_of_every_limit_comes_from_the_snapshot_and_the_run_s_numbers(asha):
    asked = {
        "max_exposure": 500_000, "max_symbol_exposure": 100_000, "max_positions": 8, "max_trades_day": 20,
        "daily_loss": 5000, "daily_loss_pct": 2, "loss_streak": 4,
    }  # fmt: skip
    run = limited(asked, {RESERVED: 100_000.0}, {WAITING: 2, TRADES_DAY: 18, STREAK: 3, OPEN: 5})
    snapshot = pages.body(run)
    pages.published(run, pnl={**snapshot["pnl"], "day": "-4500.00", "exposure": "22024.00", "open": 1})
    found = gauges(run)
    told = {name: (float(each.used), float(each.limit), each.level) for name, each in found.items()}
    assert told == {
        "max_exposure": (122024.00, 500000, "ok"),
        "max_symbol_exposure": (22026.00, 100000, "ok"),
        "max_positions": (3, 8, "ok"),
        "max_trades_day": (18, 20, "warn"),
        "daily_loss": (4500.00, 5000, "warn"),
        "daily_loss_pct": (0.45, 2, "ok"),
        "loss_streak": (3, 4, "ok"),
    }
    assert found["max_symbol_exposure"].note == "DEMOOIL"
    assert "₹4,500.00" in page(asha)


def test_without_a_snapshot_the_recorded_numbers_stand_there(asha):
    run = limited({"max_symbol_exposure": 20_000}, {EXPOSURE: 22_024.0}, {OPEN: 1})
    pages.a_position(run)
    pages.published(pages.a_run(name="other", current=False))
    found = gauges(run)
    assert (str(found["max_exposure"].used), str(found["max_positions"].used)) == ("22024.00", "1")
    assert (found["max_symbol_exposure"].level, found["max_symbol_exposure"].share) == ("bad", 1.1012)
    assert "as last recorded" in page(asha)


def test_a_limit_that_is_switched_off_says_so(asha):
    run = limited({"max_exposure": 0, "daily_loss": 0, "daily_loss_pct": 0})
    for each in gauges(run).values():
        assert (each.limit, each.share, each.level) == (None, None, "off")
    assert "no limit" in page(asha)


def test_an_account_in_profit_has_used_nothing_of_its_loss(db):
    run = limited({"daily_loss": 5000})
    pages.published(run)
    assert (gauges(run)["daily_loss"].used, gauges(run)["daily_loss"].level) == (0, "ok")


@pytest.mark.parametrize(
    ("counts", "params", "said"),
    [
        ({TRADES_DAY: 20}, {"max_trades_day": 20}, "as many entries as allowed were made today"),
        ({OPEN: 7, WAITING: 1}, {"max_positions": 8}, "as many positions as allowed are open or waiting"),
        ({}, {"max_exposure": 1}, "the desk's exposure limit would be exceeded"),
    ],
)
def test_a_limit_that_is_reached_blocks_every_symbol_in_the_words_signals_are_declined_with(db, counts, params, said):
    run = limited(params, {EXPOSURE: 1.0}, counts)
    (standing,) = risk_status.status(at=pages.NOON)["standings"]
    assert (standing.run, standing.everywhere) == (run, [said])


def test_a_cool_down_is_told_with_its_end_and_is_over_by_then(asha):
    until = int((pages.NOON + dt.timedelta(minutes=30)).timestamp())
    run = limited({"loss_streak": 3, "cool_down": 60}, counts={COOL_UNTIL: until})
    said = page(asha)
    assert "cools down until 20 Nov 2026 12:30" in said
    assert "the desk cools down after losses in a row" in said
    pages.published(run, market_time="2026-11-20T12:30:00+05:30")
    said = page(asha)
    assert "cools down until" not in said
    assert "then 60 min" in said


def test_a_run_whose_plan_cannot_be_read_does_not_take_the_page_down(asha):
    run = pages.a_run(plan={})
    said = page(asha)
    assert f"the limits of run {run.pk} cannot be told" in said
    EngineRun.objects.update(plan={**limited(name="x", current=False).plan, "params": {"sma": 1}})
    assert "sma" in page(asha)


def test_numbers_of_an_older_program_are_read_as_far_as_they_go(db):
    floats, ints = new_account(5.0)
    run = limited({"max_trades_day": 20})
    ints[TRADES_DAY] = 4
    EngineRun.objects.update(numbers={"A": floats, "N": ints[: TRADES_DAY + 1]})
    assert gauges(run)["max_trades_day"].used == 4


def test_every_living_run_has_its_limits_and_without_one_the_newest(asha):
    first, second = limited(name="a"), limited(name="b", mode="dry-run")
    limited(name="c", state="finished")
    said = page(asha)
    assert f"Limits of run {first.pk}: a" in said
    assert f"Limits of run {second.pk}: b" in said
    assert said.count("Limits of run") == 2
    EngineRun.objects.update(state="finished")
    assert page(asha).count("Limits of run") == 1


def test_the_call_budgets_stand_there(asha):
    said = page(asha)
    for word in ("Calls a minute", "Calls a day", "Order requests a second"):
        assert word in said


# --- What blocks what ---
def watched(run, *blocked):
    watch = [dict(each) for each in pages.body(run)["watch"]]
    for row, told in zip(watch, blocked, strict=False):
        row.update(told)
    pages.published(run, watch=watch)


def test_each_symbol_says_what_blocks_it(asha):
    run = limited()
    watched(
        run, {"blocked": ["the symbol's feed is stale", "an order in this symbol is still working"]}, {"blocked": []}
    )
    said = page(asha)
    assert "✖ the symbol's feed is stale · an order in this symbol is still working" in said
    assert "✔ nothing of its own" in said


def test_a_lane_that_has_stopped_says_why(asha):
    watched(limited(), {"halted": "ValueError: boom"}, {"halted": "ValueError: bang", "blocked": ["too late"]})
    said = page(asha)
    assert "✖ its lane has stopped: ValueError: boom" in said
    assert "✖ its lane has stopped: ValueError: bang · too late" in said


def test_what_an_engine_does_not_tell_is_not_made_up(asha):
    pages.published(limited())
    assert "not told" in page(asha)
    assert "nothing of its own" not in page(asha)


def test_paused_entries_and_the_kill_switch_block_every_symbol(asha):
    limited(entries_paused=True)
    rows.halt()
    said = page(asha)
    assert "Every symbol the kill switch is on" in said
    assert "Every symbol an operator paused entries" in said


# --- Differences ---
def accept(client, row, reason="sold by hand", seen="10,8"):
    return client.post(f"/risk/differences/{row.pk}/accept", {"reason": reason, "seen": seen}, follow=True)


def test_a_difference_is_shown_with_both_numbers_and_accepted_in_a_person_s_name(omar):
    row = rows.difference(pages.a_run())
    said = page(omar)
    assert "DEMOBANK: ours 10 , the broker's 8" in said
    assert "sold in another app" in said
    assert "Entries in DEMOBANK wait" in said
    said = text(accept(omar, row))
    assert "Accepted: entries in this symbol go on" in said
    assert "Accepted by omar" in said
    assert "sold by hand" in said
    row.refresh_from_db()
    assert (row.accepted_by, row.reason) == ("omar", "sold by hand")


def test_numbers_that_changed_since_the_page_was_drawn_are_not_accepted(omar):
    row = rows.difference(pages.a_run(), theirs=0)
    assert "meanwhile it is DEMOBANK: ours 10, theirs 0" in text(accept(omar, row))
    row.refresh_from_db()
    assert row.accepted_at is None


@pytest.mark.parametrize("seen", ["", "10", "a,b", "--1,8", "10,8,0", "9999999999,8"])
def test_a_form_that_makes_no_sense_accepts_nothing(omar, seen):
    row = rows.difference(pages.a_run())
    assert "the form was not complete" in text(accept(omar, row, seen=seen))
    row.refresh_from_db()
    assert row.accepted_at is None


def test_what_is_refused_is_told(omar):
    row = rows.difference(pages.a_run())
    assert "no reason was given" in text(accept(omar, row, reason=""))
    accept(omar, row)
    assert "omar has accepted" in text(accept(omar, row))
    row.pk = 999
    assert "there is no difference 999" in text(accept(omar, row))


def test_what_is_over_is_history(asha):
    run, old = pages.a_run(), pages.a_run(name="old", current=False)
    rows.difference(run, gone_at=rows.at(40), accepted_by="asha", accepted_at=rows.at(30), reason="sold by hand")
    rows.difference(old, symbol="DEMOOIL")
    rows.halt(released_by="asha", released_at=rows.at(50), release_reason="checked with the exchange")
    said = page(asha)
    assert "Nowhere, as of the newest reading." in said
    assert "its run was replaced" in said
    assert "checked with the exchange" in said
    assert "Entries in" not in said


# --- On the Live page ---
def test_the_live_page_stops_the_desk_and_comes_back(omar):
    pages.published(pages.a_run())
    raw = omar.get("/").content.decode()
    assert 'id="kill-menu"' in raw
    assert 'href="/risk#kill"' in raw
    answer = omar.post("/risk/kill", {"reason": "stopped by hand", "next": "/"}, follow=True)
    assert answer.redirect_chain == [("/", 303)]
    said = text(answer)
    assert "KILL SWITCH ON" in said
    assert "The kill switch is on: entries stop, exits go on." in said
    assert 'id="kill-menu"' not in answer.content.decode()


def test_the_live_page_stops_the_desk_before_the_engine_has_run(omar):
    assert 'id="kill-menu"' in omar.get("/").content.decode()


def test_who_only_looks_finds_the_way_to_the_switch_s_state_and_no_button(vera):
    pages.published(pages.a_run())
    raw = vera.get("/").content.decode()
    assert 'href="/risk#kill"' in raw
    assert 'id="kill-menu"' not in raw
    rows.halt()
    assert "KILL SWITCH ON" in text(vera.get("/"))


def test_the_rail_leads_to_the_page_by_click_and_by_keys(omar):
    raw = " ".join(omar.get("/risk").content.decode().split())
    assert '<a href="/risk" data-go="r" aria-current="page">Risk' in raw
