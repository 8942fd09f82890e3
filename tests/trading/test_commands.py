"""Cancel all and square off: asked for once however often it is sent, done by the engine, told leg by leg."""

import datetime as dt
import uuid

import pytest
from django.test import Client

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading import rows
from tests.trading.desks import NOON, WEEK, begun
from tests.trading.pages import a_position, a_run, an_order
from tests.trading.test_runner import steer
from trading.models import Command, Order, Position
from trading.services import commands

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)  # the driven clock is not there yet, so nothing lapses
KEY = str(uuid.UUID(int=7))


def test_an_engine_squares_off_once_and_every_leg_is_told():
    run = begun(span=(WEEK[0], WEEK[0] + dt.timedelta(days=1)))

    def leave(pk, by, at):
        for _ in range(2):
            commands.ask(pk, commands.LEAVE, KEY, at=LATER, by=by)

    steer(run, leave=(lambda row, clock: Position.objects.filter(run=row).exists(), leave))
    command = Command.objects.get()
    assert (command.state, command.asked_by) == ("taken", "asha")
    assert [leg["kind"] for leg in command.legs if leg["kind"] == "position"]
    told = commands.outcome(command, at=NOON)
    assert told["over"]
    assert {leg["told"] for leg in told["legs"] if leg["kind"] == "position"} == {"left"}
    assert Order.objects.filter(run=run, purpose="exit", reason="operator").exists()


def test_an_engine_takes_waiting_entries_back_and_keeps_what_it_holds():
    run = begun(span=(WEEK[0], WEEK[0] + dt.timedelta(days=1)))

    def cancel(pk, by, at):
        commands.ask(pk, commands.CANCEL, KEY, at=LATER, by=by)

    waits = {"purpose": "entry", "status": "working"}
    steer(run, cancel=(lambda row, clock: Order.objects.filter(run=row, **waits).exists(), cancel))
    command = Command.objects.get()
    leg = commands.outcome(command, at=NOON)["legs"][0]
    assert (leg["kind"], leg["status"], leg["over"]) == ("entry", "expired", True)


def test_what_no_engine_takes_within_a_minute_is_never_done():
    run, done = a_run(), []
    command = commands.ask(run.pk, commands.LEAVE, KEY, at=NOON, by="asha")
    late = NOON + dt.timedelta(seconds=61)
    assert commands.outcome(command, at=late)["text"].startswith("not done")
    commands.obey(run, {commands.LEAVE: lambda: done.append(1)}, at=late)
    command.refresh_from_db()
    assert (command.state, done) == ("lapsed", [])


def test_a_leg_is_open_until_the_position_is_gone():
    run = a_run()
    an_order(run, 1, status="working", filled=0)
    held = a_position(run)
    command = commands.ask(run.pk, commands.LEAVE, KEY, at=NOON, by="asha")
    commands.obey(run, {commands.LEAVE: lambda: None}, at=NOON)
    command.refresh_from_db()
    told = commands.outcome(command, at=NOON)
    assert [(leg["symbol"], leg["told"]) for leg in told["legs"]] == [("DEMOBANK", "working"), ("DEMOOIL", "held")]
    assert told["text"] == "2 of 2 under way"
    Order.objects.update(status="cancelled")
    held.delete()
    assert commands.outcome(command, at=NOON)["text"] == "done"


def test_words_that_are_not_understood_are_refused():
    run = a_run(state="suspended")
    with pytest.raises(BadInput, match="nothing an engine does"):
        commands.ask(run.pk, "dance", KEY, at=NOON, by="asha")
    with pytest.raises(BadInput, match="not the key"):
        commands.ask(run.pk, commands.LEAVE, "x", at=NOON, by="asha")
    with pytest.raises(NotFound):
        commands.ask(run.pk + 1, commands.LEAVE, KEY, at=NOON, by="asha")
    with pytest.raises(NotAllowed, match="nobody would do it"):
        commands.ask(run.pk, commands.LEAVE, KEY, at=NOON, by="asha")


def test_the_form_sent_twice_asks_once_and_only_traders_may():
    run, people = a_run(), rows.people()
    form = {"run": run.pk, "verb": commands.LEAVE, "key": KEY}
    viewer, operator = Client(), Client()
    viewer.force_login(people["viewer"])
    operator.force_login(people["operator"])
    assert viewer.post("/engine/command", form).status_code == 403
    assert not Command.objects.exists()
    operator.post("/engine/command", form)
    operator.post("/engine/command", form)
    command = Command.objects.get()
    assert now() - command.asked_at < dt.timedelta(minutes=1)
    page = viewer.get(f"/engine/commands/{command.pk}").content.decode()
    assert "requested; the engine has not taken it yet" in page
    assert viewer.get("/engine/commands/999").status_code == 404
