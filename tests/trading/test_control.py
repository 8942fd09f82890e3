"""What an operator may tell a running engine, and what is refused with a word of advice."""

import pytest

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading.desks import begun
from trading.models import EngineRun
from trading.services import control

pytestmark = pytest.mark.django_db
COMMANDS = (control.pause_entries, control.resume_entries, control.hold, control.play, control.stop)


@pytest.fixture
def run():
    return begun(speed=60.0)


def known(run, name):
    return getattr(EngineRun.objects.get(pk=run.pk), name)


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        (control.pause_entries, "entries_paused", True),
        (control.hold, "held", True),
        (control.stop, "stop_requested", True),
    ],
)
def test_a_switch_is_thrown_and_thrown_back(run, command, name, value):
    told = command(run.pk, by="asha", at=now())
    assert getattr(told, name) is known(run, name) is value
    assert command(run.pk, by="asha", at=now()).pk == run.pk  # once more changes nothing


def test_resuming_and_playing_take_the_switches_back(run):
    control.pause_entries(run.pk, by="asha", at=now())
    assert control.resume_entries(run.pk, by="omar", at=now()).entries_paused is False
    control.hold(run.pk, by="asha", at=now())
    assert control.play(run.pk, by="omar", at=now()).held is False


@pytest.mark.parametrize("speed", [0, 0.5, 1, 60, 36_000])
def test_the_speed_goes_from_as_fast_as_it_goes_to_ten_hours_a_second(run, speed):
    assert control.set_speed(run.pk, speed, by="asha", at=now()).speed == speed


@pytest.mark.parametrize("speed", [-1, -0.001, 36_000.5, float("nan"), float("inf")])
def test_a_speed_out_of_bounds_is_refused_and_the_old_one_kept(run, speed):
    with pytest.raises(BadInput, match=r"out of bounds .*use 0"):
        control.set_speed(run.pk, speed, by="asha", at=now())
    assert known(run, "speed") == 60.0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_does_not_exist_is_not_found(command):
    with pytest.raises(NotFound, match="no engine run 4711"):
        command(4711, by="asha", at=now())


@pytest.mark.parametrize("state", ["finished", "failed"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_is_over_takes_no_more_commands(run, state, command):
    EngineRun.objects.filter(pk=run.pk).update(state=state)
    with pytest.raises(NotAllowed, match=f"has {state}"):
        command(run.pk, by="asha", at=now())
    with pytest.raises(NotAllowed):
        control.set_speed(run.pk, 1.0, by="asha", at=now())
    assert known(run, "speed") == 60.0


def test_a_stopped_run_can_be_played_on_and_nothing_else(run):
    EngineRun.objects.filter(pk=run.pk).update(state="stopped", stop_requested=True, held=True)
    for command in (control.pause_entries, control.hold, control.stop):
        with pytest.raises(NotAllowed, match="has stopped"):
            command(run.pk, by="asha", at=now())
    told = control.play(run.pk, by="asha", at=now())
    assert (told.stop_requested, told.held) == (False, False)


@pytest.mark.parametrize("state", ["starting", "running", "suspended"])
def test_a_run_that_lives_or_waits_can_be_told(run, state):
    EngineRun.objects.filter(pk=run.pk).update(state=state)
    assert control.pause_entries(run.pk, by="asha", at=now()).entries_paused


def test_who_told_it_is_in_the_log(run, caplog):
    with caplog.at_level("INFO"):
        control.hold(run.pk, by="asha", at=now())
    (line,) = [record for record in caplog.records if record.message == "operator command"]
    assert line.context == {"run": run.pk, "by": "asha", "held": True}
