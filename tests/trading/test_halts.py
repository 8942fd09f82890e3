"""The kill switch and the breaker: one person stops the desk, the stop outlives everything, and a reason ends it."""

import io
import json
import threading

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from sensequant.lib.errors import BadInput, NotAllowed
from tests.trading import rows
from trading.models import Halt
from trading.services import halts

pytestmark = pytest.mark.django_db


def kill(reason="prices look wrong", by="omar", **more):
    return halts.engage(halts.KILL, reason, at=rows.at(0), by=by, **more)


def release(by="asha", kind=halts.KILL, reason="checked with the exchange"):
    return halts.release(kind, reason, at=rows.at(9), by=by)


def live(**changes):
    """A run whose orders would cost money."""
    return rows.run(**{"mode": "live", "label": "", **changes})


def test_one_person_stops_the_desk():
    found = kill()
    assert halts.engaged() == halts.engaged(halts.KILL) == [found]
    assert (found.action, found.engaged_by, found.reason) == ("stop-entries", "omar", "prices look wrong")


def test_stopping_it_again_is_one_halt_and_may_only_ask_for_more():
    first = kill()
    second = kill("leave, too", by="asha", square_off=True)
    third = kill("again")
    assert first.pk == second.pk == third.pk
    assert (third.action, third.reason, third.engaged_by) == ("square-off", "prices look wrong", "omar")


@pytest.mark.parametrize("reason", ["", "   ", "\n\t", "\x00\x07"])
def test_neither_stopping_nor_going_on_goes_without_a_reason(reason):
    with pytest.raises(BadInput, match="no reason was given"):
        kill(reason)
    assert not Halt.objects.exists()
    kill()
    with pytest.raises(BadInput, match="no reason was given"):
        release(reason=reason)
    assert halts.engaged()


def test_a_reason_is_kept_as_one_short_line_of_what_can_be_read():
    assert kill("  fat\x00 finger\n in   TCS ").reason == "fat finger in TCS"
    release()
    assert len(kill("x" * 900).reason) == 300


def test_a_released_switch_is_history_and_the_next_stop_is_another_halt():
    first = kill()
    over = release()
    assert (over.pk, over.released_by, over.release_reason) == (first.pk, "asha", "checked with the exchange")
    assert halts.engaged() == []
    assert kill().pk != first.pk


def test_what_is_not_engaged_cannot_be_released():
    with pytest.raises(NotAllowed, match="the kill switch is not engaged"):
        release()
    kill()
    with pytest.raises(NotAllowed, match="the breaker is not engaged"):
        release(kind=halts.BREAKER)


def test_kill_switch_and_breaker_are_two_halts():
    kill()
    halts.engage(halts.BREAKER, "the day's loss", at=rows.at(1), by=halts.SYSTEM)
    release()
    assert [each.kind for each in halts.engaged()] == [halts.BREAKER]
    release("omar", halts.BREAKER)  # the desk engaged it, so anybody may
    assert halts.engaged() == []


@pytest.mark.parametrize("state", ["starting", "running", "suspended", "failed"])
def test_where_money_is_real_somebody_else_lets_it_go_on(state):
    live(state=state)
    kill(by="asha")
    with pytest.raises(NotAllowed, match="asha engaged the kill switch and cannot release it"):
        release("asha")
    assert halts.engaged()
    release("omar")
    assert halts.engaged() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "replay"},
        {"mode": "dry-run"},
        {"label": halts.SIMULATED},
        {"state": "finished"},
        {"state": "stopped"},
        {"current": False},
    ],
)
def test_where_no_money_is_real_one_person_is_enough(changes):
    live(**changes)
    kill(by="asha")
    release("asha")
    assert halts.engaged() == []


def test_the_database_itself_knows_one_open_halt_of_a_kind():
    kill()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.halt()
    rows.halt(kind="breaker")


@pytest.mark.parametrize("lacking", ["released_by", "release_reason"])
def test_the_database_itself_wants_a_name_and_a_reason_for_going_on(lacking):
    given = {"released_by": "asha", "release_reason": "checked", "released_at": rows.at(9), lacking: ""}
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.halt(**given)


@pytest.mark.django_db(transaction=True)
def test_however_many_stop_it_at_once_it_is_one_halt():
    found, gate = [], threading.Barrier(4)

    def stop(name):
        try:
            gate.wait(5)
            found.append(kill(by=name).pk)
        finally:
            connection.close()

    people = [threading.Thread(target=stop, args=(name,)) for name in ("omar", "asha", "ravi", "vera")]
    for each in people:
        each.start()
    for each in people:
        each.join(20)
    assert len(found) == 4
    assert len(set(found)) == Halt.objects.count() == 1


# --- The command ---
def said(*words):
    out = io.StringIO()
    call_command("kill_switch", *words, stdout=out)
    return out.getvalue()


def failed(capsys, *words):
    """Return exit code and message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        said(*words)
    return ended.value.code, capsys.readouterr().err.strip()


def test_the_switch_is_thrown_and_released_from_a_terminal():
    assert said("status") == "the kill switch is off\n"
    told = said("on", "--reason", "prices look wrong", "--by", "omar")
    assert "the kill switch is ON since" in told
    assert "by omar: prices look wrong" in told
    assert Halt.objects.get().action == "stop-entries"
    assert said("off", "--reason", "checked", "--by", "asha") == "the kill switch is off\n"
    assert (Halt.objects.get().released_by, Halt.objects.get().release_reason) == ("asha", "checked")


def test_a_script_reads_how_the_switch_stands():
    assert json.loads(said("status", "--json")) == {"engaged": False}
    said("on", "--square-off", "--reason", "leave everything", "--by", "omar")
    found = json.loads(said("status", "--json"))
    at = Halt.objects.get().engaged_at
    assert found == {
        "engaged": True, "by": "omar", "at": at.isoformat(), "reason": "leave everything", "action": "square-off",
    }  # fmt: skip


def test_who_says_no_name_is_the_user_of_the_shell(monkeypatch):
    monkeypatch.setenv("LOGNAME", "priya")
    said("on", "--reason", "x")
    assert Halt.objects.get().engaged_by == "priya"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["on"], 2, "no reason was given"),
        (["on", "--reason", "  "], 2, "no reason was given"),
        (["off", "--square-off", "--reason", "x"], 2, "--square-off does not go with off"),
        (["off", "--reason", "x"], 1, "the kill switch is not engaged"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(capsys, words, code, told):
    ended, message = failed(capsys, *words)
    assert ended == code
    assert told in message
    assert "\n" not in message
    assert not Halt.objects.exists()


def test_where_money_is_real_a_terminal_needs_a_second_person_too(capsys):
    live()
    said("on", "--reason", "x", "--by", "asha")
    code, message = failed(capsys, "off", "--reason", "x", "--by", "asha")
    assert (code, "ask a second person" in message) == (1, True)
    said("off", "--reason", "x", "--by", "omar")
    assert halts.engaged() == []
