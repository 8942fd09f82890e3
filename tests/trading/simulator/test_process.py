"""The simulator as a process: started, killed, asked to end, and started with words it does not understand."""

import datetime as dt
import json
import time

import pytest
from django.core.management import call_command

from tests.simulators import free_port, simulator
from tests.trading.simulator.conftest import MANY
from tests.trading.simulator.wire import BUY, Client, listening
from trading.adapters.simulator import server

STANDING = ("--date", "2026-11-23", "--at", "10:00", *MANY)


def test_a_killed_simulator_goes_on_with_the_same_book_and_its_clock_ran_on(folder, tmp_path):
    with simulator(*STANDING, "--speed", "60", "--state", tmp_path, csv=folder) as venue:
        venue.session(replace=True)
        client = Client(venue)
        resting, cancelled = client.place(price="1250.00"), client.place(price="1251.00")
        client.call("DELETE", "order", order_id=cancelled, exchange_code="NSE")
        filling = client.place(price="1500.00", quantity="600")
        with listening(client, "4.1!2885"):
            time.sleep(0.2)
            before, then = venue.orders(), venue.now()
            venue.kill()
        time.sleep(0.5)
        venue.restart()
        assert venue.now() - then > dt.timedelta(seconds=30)
        after = venue.orders()
        known = {row["id"]: row for row in after["orders"]}
        assert set(known) == {resting, cancelled, filling}
        assert after["trades"][: len(before["trades"])] == before["trades"]
        assert known[filling]["filled"] == sum(row["quantity"] for row in after["trades"])
        assert (known[resting]["status"], known[cancelled]["status"]) == ("Ordered", "Cancelled")
        assert client.order(resting)["status"] == "Ordered", "the session is the same too"


def test_a_scenario_plays_its_faults_and_a_signal_ends_it_well(folder, tmp_path):
    steps = [
        {"after": 0, "control": {"order": {"symbol": "TCS", "side": "buy", "quantity": 2, "price": 3000}}},
        {"at": "10:05", "fault": "html_503", "verb": "funds", "times": 1},
        {"at": "10:06", "control": {"market": {"symbol": "TCS", "price": -1}}},
    ]
    (tmp_path / "scenario.json").write_text(json.dumps(steps))
    with simulator(*STANDING, "--speed", "0", "--scenario", tmp_path / "scenario.json", csv=folder) as venue:
        client = Client(venue)
        until(lambda: venue.orders()["orders"])
        assert [row["symbol"] for row in venue.orders()["orders"]] == ["TCS"]
        assert client.call("GET", "funds")[0] == 200
        venue.clock(at="10:05")
        until(lambda: venue.ask("GET", "/control/faults")["active"])
        assert client.call("GET", "funds")[0] == 503
        venue.clock(at="10:06")
        until(lambda: "price -1" in venue.said())
        venue.fault("timeout_before_accept", seconds=100)
        with pytest.raises(TimeoutError):
            client.call("POST", "order", timeout=0.2, **BUY)
        start = time.monotonic()
        assert venue.end() == 0
        assert time.monotonic() - start < 5
        said = venue.said()
    assert f"simulated Breeze at {venue.url}: api_key simulator-key" in said
    assert "could not be taken: price -1" in said
    assert said.count("\n") == 2


def until(done, seconds=5.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_the_demo_market_is_served_with_its_older_bars_at_many_ticks_a_second():
    arguments = ("--date", "2026-11-23", "--symbols", "DEMOBANK", "--at", "10:00", "--ticks-per-second", "20")
    with simulator(*arguments, "--master-rows", "5687") as venue:
        client = Client(venue)
        venue.hold("DEMOBANK", 1)
        [row] = client.call("GET", "dematholdings")[1]["Success"]
        code, token = row["stock_code"], venue.token("DEMOBANK")
        days = client.history("2026-01-01T00:00:00", "2026-11-23T23:00:00", interval="1day", code=code)[1]["Success"]
        stamps = [day["datetime"] for day in days]
        assert len(stamps) > 200
        assert stamps == sorted(set(stamps))
        old = client.history("2026-06-01T09:15:00", "2026-06-01T09:20:00", code=code)[1]["Success"]
        assert len(old) == 6
        halves = client.history("2026-06-01T09:15:00", "2026-06-01T15:30:00", code=code, interval="30minute")
        assert len(halves[1]["Success"]) == 13
        with listening(client, f"4.1!{token}") as listener:
            listener.wait(1)
            start = time.monotonic()
            listener.wait(31)
            assert 1.0 < time.monotonic() - start < 12.0


SCENARIOS = {
    "not json": "is not JSON",
    "{}": "is not a list",
    '[{"fault": "slow"}]': "step 1: it needs one of at and after",
    '[{"after": 1, "fault": "slow"}, {"after": 1, "fault": "nonsense"}]': "step 2: fault 'nonsense' is not known",
    '[{"at": "noon", "fault": "slow"}]': "step 1: ",
    '[{"after": 0, "control": {"explode": {}}}]': "control takes one of",
}


def refused(capsys, *arguments):
    """Run the command with arguments it refuses; return what it says."""
    with pytest.raises(SystemExit) as ended:
        call_command("breeze_simulator", *map(str, arguments))
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("text", SCENARIOS)
def test_a_bad_scenario_is_one_line(text, tmp_path, capsys):
    (tmp_path / "scenario.json").write_text(text)
    said = refused(capsys, "--port", 0, "--scenario", tmp_path / "scenario.json")
    assert SCENARIOS[text] in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--csv", "/nowhere"], "--csv /nowhere is no folder"),
        (["--speed", "-1"], "--speed -1.0 is not between"),
        (["--ticks-per-bar", "3"], "--ticks-per-bar 3 is not between"),
        (["--at", "noon"], "--at 'noon' is not a time of day"),
        (["--date", "2026-11-22"], "the exchange is closed on 2026-11-22"),
        (["--symbols", "RELIANCE"], "is not a demo instrument"),
        (["--interval", "2minute"], "interval '2minute' is not known"),
        (["--scenario", "/nowhere.json"], "/nowhere.json: No such file"),
    ],
)
def test_a_bad_argument_is_one_line(arguments, told, capsys):
    assert told in refused(capsys, "--port", 0, *arguments)


@pytest.mark.django_db
def test_bars_that_are_not_there_are_named(folder, capsys):
    assert "there are no bars of 2026-11-22" in refused(capsys, "--csv", folder, "--date", "2026-11-22")
    assert "INFY" in refused(capsys, "--csv", folder, "--symbols", "INFY")


def test_a_taken_port_is_one_line():
    port = free_port()
    taken = server.door(port)
    taken.listen()
    with pytest.raises(Exception, match=f"port {port} on 127.0.0.1 cannot be used"):
        server.door(port)
    taken.close()
