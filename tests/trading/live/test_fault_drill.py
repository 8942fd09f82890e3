"""The fault drill: a dozen of its scenarios as they are, and its invariants, which must see what is wrong."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sensequant.config import ROOT
from sensequant.lib import crash
from sensequant.lib.errors import NotFound
from tests import services
from trading.services.drills import catalogue, checks, drill
from trading.services.drills.ledger import Asked, Ledger, OurFill, OurOrder, TheirOrder, TheirTrade

BOUGHT = (("", "new"), ("new", "sending"), ("sending", "working"), ("working", "filled"))
SOUND = Ledger(
    their_orders=(TheirOrder("N1", "ALPHA", "BUY", 10, 502.5, 10, "Executed"),),
    their_trades=(TheirTrade("100", "N1", "ALPHA", "BUY", 10),),
    asked=(Asked("place", 5.0, 1),),
    orders=(OurOrder(1, 1, "ALPHA", "BUY", "entry", 10, 10, 500.0, "filled", "N1", 1, 50.0, BOUGHT),),
    fills=(OurFill("100", 1, "ALPHA", "BUY", 10, 500.1),),
    held={"ALPHA": 10}, engine={"ALPHA": 10}, exposures=(5_001.0,), limit=60_000.0,
)  # fmt: skip
ENTRY = SOUND.orders[0]


def kinds(ledger):
    return {breach.kind for breach in checks.broken(ledger)}


def told(ledger):
    return " ".join(str(breach) for breach in checks.broken(ledger))


def test_a_sound_ledger_breaks_nothing():
    assert checks.broken(SOUND) == []
    assert checks.broken(Ledger()) == []


def test_an_order_sent_twice_is_seen_even_if_the_broker_took_it_once():
    assert kinds(replace(SOUND, asked=(*SOUND.asked, Asked("place", 6.0, 1)))) == {"duplicate_orders"}


def test_a_second_order_of_the_same_intent_is_a_duplicate():
    twin = TheirOrder("N2", "ALPHA", "BUY", 10, 502.5, 0, "Ordered")
    assert "duplicate_orders" in kinds(replace(SOUND, their_orders=(*SOUND.their_orders, twin)))


def test_an_order_of_ours_without_a_row_is_a_position_we_do_not_know_of():
    other = TheirOrder("N2", "BRAVO", "BUY", 3, 502.5, 0, "Ordered")
    assert kinds(replace(SOUND, their_orders=(*SOUND.their_orders, other))) == {"unknown_positions"}


def test_a_row_that_names_an_order_the_broker_lacks_is_seen():
    assert "the broker does not have" in told(replace(SOUND, their_orders=()))


def test_a_trade_without_a_fill_is_a_lost_fill_and_a_position_that_differs():
    more = (*SOUND.their_trades, TheirTrade("101", "N1", "ALPHA", "BUY", 2))
    assert kinds(replace(SOUND, their_trades=more)) == {"lost_fills", "unknown_positions"}


def test_a_fill_that_never_was_is_seen_and_so_is_one_booked_twice():
    invented = OurFill("999", 1, "ALPHA", "BUY", 10, 500.1)
    assert "which never was" in told(replace(SOUND, fills=(*SOUND.fills, invented)))
    assert "booked twice" in told(replace(SOUND, fills=SOUND.fills * 2))
    assert "lost_fills" in kinds(replace(SOUND, fills=(replace(SOUND.fills[0], quantity=9),)))


def test_a_row_whose_count_differs_from_its_fills_is_seen():
    assert "says 9 filled" in told(replace(SOUND, orders=(replace(ENTRY, filled=9),)))


@pytest.mark.parametrize("view", ["held", "engine"])
def test_a_position_only_one_view_knows_is_seen(view):
    assert kinds(replace(SOUND, **{view: {}})) == {"unknown_positions"}
    assert kinds(replace(SOUND, **{view: {"ALPHA": 10, "BRAVO": 1}})) == {"unknown_positions"}


@pytest.mark.parametrize("status", ["new", "sending", "unknown"])
def test_an_intent_left_open_is_seen(status):
    row = OurOrder(2, 2, "BRAVO", "BUY", "entry", 5, 0, 500.0, status, "", 0, 0.0, (("", "new"),))
    assert "open_intents" in kinds(replace(SOUND, orders=(ENTRY, row)))


def test_an_order_the_broker_has_finished_may_not_be_working():
    assert "open_intents" in kinds(replace(SOUND, orders=(replace(ENTRY, status="partial"),)))


def test_an_order_taken_for_not_placed_may_have_no_order_at_the_broker():
    assert "it is order N1" in told(replace(SOUND, orders=(replace(ENTRY, status="not_placed"),)))
    assert "with 10 filled" in told(replace(SOUND, orders=(replace(ENTRY, status="rejected"),)))


@pytest.mark.parametrize(
    "events",
    [
        BOUGHT[1:],
        (*BOUGHT[:2], BOUGHT[3]),
        (BOUGHT[0], ("new", "working"), BOUGHT[3]),
        BOUGHT[:3],
        (*BOUGHT, ("filled", "working")),
    ],
    ids=["no beginning", "a gap", "a step the table forbids", "an end elsewhere", "backwards"],
)
def test_a_path_the_table_does_not_know_is_seen(events):
    assert kinds(replace(SOUND, orders=(replace(ENTRY, events=events),))) == {"broken"}


def test_more_exposure_than_the_limit_is_seen_at_any_moment_even_if_it_was_sold_again():
    fills = (
        OurFill("100", 1, "ALPHA", "BUY", 10, 500.1),
        OurFill("101", 2, "BRAVO", "BUY", 120, 500.0),
        OurFill("102", 3, "BRAVO", "SELL", 120, 500.0),
    )
    assert "the exposure reached" in " ".join(map(str, checks.exposure_kept(replace(SOUND, fills=fills))))
    assert list(checks.exposure_kept(replace(SOUND, fills=(*fills[:1], *fills[2:])))) == []
    assert list(checks.exposure_kept(replace(SOUND, exposures=(70_000.0,)))) != []


def test_an_entry_sent_after_the_kill_switch_is_seen_and_an_exit_is_not():
    assert "after the kill switch" in told(replace(SOUND, halted=49.0))
    assert checks.broken(replace(SOUND, halted=51.0)) == []
    leaving = replace(ENTRY, purpose="exit")
    assert list(checks.nothing_after_the_switch(replace(SOUND, halted=49.0, orders=(leaving,)))) == []


def test_orders_placed_by_hand_must_be_told_of_and_left_alone():
    by_hand = TheirOrder("X1", "BRAVO", "BUY", 7, 495.0, 0, "Ordered", external=True)
    known = replace(SOUND, their_orders=(*SOUND.their_orders, by_hand), told=frozenset({"X1"}))
    assert checks.broken(known) == []
    assert "never told of" in told(replace(known, told=frozenset()))
    assert "placed by hand" in told(replace(known, asked=(*known.asked, Asked("cancel", 7.0, 0, "X1"))))
    assert "taken for ours" in told(replace(known, orders=(ENTRY, replace(ENTRY, pk=2, broker_order_id="X1"))))
    assert "our own order N1" in told(replace(SOUND, told=frozenset({"N1"})))


def test_an_order_sent_under_an_older_lease_than_one_before_it_is_seen():
    newer = replace(ENTRY, pk=2, fence=2)
    late = replace(SOUND, orders=(ENTRY, newer), asked=(Asked("place", 5.0, 2), Asked("place", 6.0, 1)))
    assert "under lease 1, after one under 2" in " ".join(map(str, checks.fences_rise(late)))


def test_every_crash_point_and_every_named_fault_has_its_scenario():
    for point in crash.OF_ORDERS:
        for name in (f"crash-{point}-entry", f"crash-{point}-exit", f"frozen-{point}"):
            assert catalogue.plan(name, 3).crashes[0].startswith(f"{point}:")
    with pytest.raises(NotFound, match="no scenario"):
        catalogue.plan("crash-nowhere", 1)


def test_a_seed_gives_the_same_plan_again_and_another_one_another():
    assert catalogue.plan("killed-often", 5) == catalogue.plan("killed-often", 5)
    assert catalogue.plan("killed-often", 5) != catalogue.plan("killed-often", 6)


def test_what_a_database_cannot_do_is_not_played_on_it():
    sqlite, postgres = catalogue.names(postgres=False, redis=False), catalogue.names(postgres=True, redis=True)
    assert "database-locked" in sqlite
    assert not {"database-cut", "redis-dies"} & set(sqlite)
    assert {"database-cut", "redis-dies"} < set(postgres)


def test_the_figures_count_what_was_broken_and_what_was_dropped():
    sound = {
        "name": "a",
        "seed": 1,
        "breaches": [],
        "kinds": {},
        "signals": 8,
        "dropped": 2,
        "kills": 1,
        "recovery": 2.5,
    }
    bad = {"name": "b", "seed": 2, "breaches": ["lost_fills: x"], "kinds": {"lost_fills": 1}}
    found = drill.figures([sound, bad])
    assert (found["scenarios"], found["lost_fills"], found["duplicate_orders"]) == (2, 1, 0)
    assert (found["dropped_signals"], found["recovery_seconds_max"]) == (0.25, 2.5)
    assert [each["seed"] for each in found["failed"]] == [2]


SHORT = (
    "crash-claimed-entry", "crash-after-send-exit", "crash-fill-written-entry", "crash-acknowledged-entry",
    "frozen-acknowledged", "timeout-after-accept", "book-empty", "session-replaced", "kill-switch", "clock-fast",
    "fill-after-cancel", "killed-thrice",
)  # fmt: skip
ANSWERS = {"scenarios", "kills", "duplicate_orders", "lost_fills", "unknown_positions", "open_intents",
           "dropped_signals", "recovery_seconds_max"}  # fmt: skip


def play(tmp_path, *arguments):
    env = {
        "PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(tmp_path), "ENV_FILE": os.devnull,
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE")},
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "manage.py", "fault_drill", *arguments], cwd=ROOT, env=env, capture_output=True, text=True,
        timeout=180, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_drill_in_short_form_keeps_every_promise(tmp_path):
    where = ("--database", services.POSTGRES) if services.ON_POSTGRES else ()
    done = play(
        tmp_path, "--scenarios", str(len(SHORT)), "--only", *SHORT, "--seed", "11", "--jobs", "4", "--json", *where
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found.keys() >= ANSWERS
    assert found["scenarios"] == len(SHORT)
    assert found["kills"] >= 6
    assert found["freezes"] >= 1
    for promise in ("duplicate_orders", "lost_fills", "unknown_positions", "open_intents", "other_breaches"):
        assert found[promise] == 0, found["failed"]
    assert found["orders"] > 40


@pytest.mark.slow
def test_a_connection_that_is_cut_between_claim_and_acknowledgement_loses_nothing(tmp_path):
    if why := services.missing("postgres"):
        pytest.skip(why)
    done = play(tmp_path, "--scenarios", "1", "--only", "database-cut", "--json", "--database", services.POSTGRES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["cuts"] >= 1


def test_the_names_of_all_scenarios_can_be_asked_for(tmp_path):
    done = play(tmp_path, "--list")
    assert done.stdout.split() == list(catalogue.SCENARIOS)
    refused = play(tmp_path, "--only", "nonsense")
    assert (refused.returncode, "no scenario 'nonsense'" in refused.stderr) == (2, True)
    assert play(tmp_path, "--scenarios", "0").returncode == 2
