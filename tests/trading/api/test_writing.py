"""What a script may set in motion, and that saying it twice does it once."""

import datetime as dt

import pytest

from sensequant.lib.clock import now
from tests.trading import rows
from tests.trading.api.conftest import bearer, send
from trading import tasks
from trading.models import BacktestRun, StoredAnswer, StrategyConfig
from trading.services import answers

TEST = {"symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5m", "start": "2026-11-02", "end": "2026-11-20"}


@pytest.fixture
def rung(monkeypatch):
    """Numbers of the backtests that were handed to a worker."""
    found = []
    monkeypatch.setattr(tasks.run_backtest, "delay_on_commit", lambda *, run_id: found.append(run_id))
    return found


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [("pause", "entries_paused", True), ("resume", "entries_paused", False), ("hold", "held", True),
     ("play", "held", False), ("stop", "stop_requested", True)],
)  # fmt: skip
def test_the_engine_s_switches(operator, run, action, field, value):
    for where in (f"/api/v1/engine/{action}", f"/api/v1/engine/{action}?run={run.pk}"):
        answer = send(operator, where)
        assert (answer.status_code, answer.json()[field]) == (200, value)
    run.refresh_from_db()
    assert getattr(run, field) is value


def test_the_replay_s_speed(operator, run):
    assert send(operator, "/api/v1/engine/speed", {"speed": 0}).json()["speed"] == 0
    assert send(operator, "/api/v1/engine/speed", {"speed": 36_001}).status_code == 400
    assert send(operator, "/api/v1/engine/speed?run=99", {"speed": 1}).status_code == 404


@pytest.mark.parametrize("said", [0, 1, "yes", "false"])
def test_what_is_not_true_or_false_is_neither(operator, rung, said):
    answer = send(operator, "/api/v1/backtests", {**TEST, "stress": said})
    assert (answer.status_code, rung) == (400, [])
    assert "stress" in answer.content.decode()


@pytest.mark.parametrize("said", [True, False, "30"])
def test_what_is_no_number_is_not_taken_for_one(operator, said):
    answer = send(operator, "/api/v1/alerts/silences", {"minutes": said, "reason": "quiet"})
    assert answer.status_code == 400
    assert "minutes" in answer.content.decode()


def test_a_backtest_is_queued_read_and_cancelled(operator, rung):
    answer = send(operator, "/api/v1/backtests", TEST)
    made = answer.json()
    assert (answer.status_code, made["status"], made["interval"], made["created_by"]) == (
        201,
        "queued",
        "5minute",
        "omar",
    )
    assert rung == [made["id"]]
    read = operator.get(answer["Location"]).json()
    assert read == {**made, "equity": []}
    cancelled = send(operator, f"{answer['Location']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert send(operator, f"{answer['Location']}/cancel").status_code == 409
    resumed = send(operator, f"{answer['Location']}/resume")
    assert (resumed.status_code, resumed.json()["status"], rung) == (200, "queued", [made["id"]] * 2)
    assert send(operator, f"{answer['Location']}/resume").status_code == 409


def test_a_backtest_s_curve_and_trades(viewer, backtest):
    read = viewer.get(f"/api/v1/backtests/{backtest.pk}").json()
    assert read["equity"] == [{"date": "2026-11-02", "equity": "1000038.6"}]
    assert read["metrics"] == {"trades": 1, "sharpe_ratio": None}
    trade = viewer.get(f"/api/v1/backtests/{backtest.pk}/trades").json()["items"][0]
    assert (trade["number"], trade["net_pnl"]) == (1, "38.6000")


@pytest.mark.parametrize(
    "change",
    [
        {"symbols": []}, {"symbols": ["reliance"]}, {"symbols": ["NOSUCH"]}, {"strategy": "luck"}, {"interval": "2m"},
        {"start": "2026-11-21"}, {"start": "2099-01-01", "end": "2099-01-02"}, {"params": {"rsi": 1000}},
        {"params": {"luck": 1}}, {"params": {"rsi": None}}, {"capital": "0"}, {"capital": "NaN"}, {"interval": "1d"},
        {"colour": "red"}, {"source": "bloomberg"},
    ],
)  # fmt: skip
def test_a_backtest_that_cannot_be_is_refused_and_not_kept(operator, rung, change):
    answer = send(operator, "/api/v1/backtests", {**TEST, **change})
    assert answer.status_code in (400, 404), answer.content
    assert answer.json()["detail"]
    assert (rung, BacktestRun.objects.count()) == ([], 0)


def test_files_outside_the_data_folder_are_for_admins(operator, staff, token, rung, tmp_path):
    body = {**TEST, "source": "csv", "directory": str(tmp_path)}
    assert send(operator, "/api/v1/backtests", body).status_code == 403
    assert send(operator, "/api/v1/backtests", {**body, "directory": "../.."}).status_code == 403
    assert send(operator, "/api/v1/backtests", body, **bearer(token("staff", "trade"))).status_code == 403
    assert send(staff, "/api/v1/backtests", body).status_code == 201
    assert send(staff, "/api/v1/backtests", {**body, "directory": "no/such/folder"}).status_code == 404


@pytest.mark.parametrize("kind", ["breeze", "hybrid"])
def test_the_broker_s_bars_can_be_asked_for_under_the_data_folder(operator, rung, kind, settings):
    body = {**TEST, "symbols": ["RELIANCE"], "source": kind}
    answer = send(operator, "/api/v1/backtests", body)
    assert (answer.status_code, answer.json()["source"]) == (201, kind)
    run = BacktestRun.objects.get()
    assert run.directory.endswith(settings.DESK.data_feed_csv_directory)
    assert rung == [run.pk]
    assert send(operator, "/api/v1/backtests", {**body, "directory": "/etc"}).status_code == 403


def test_a_strategy_version_is_proposed_and_activated(staff, viewer):
    first = send(staff, "/api/v1/strategies/configs", {"strategy": "intraday", "params": {"sma": 30}, "note": "slower"})
    second = send(staff, "/api/v1/strategies/configs", {"strategy": "intraday", "params": {"adx_min": 25.5}})
    assert [each.json()["version"] for each in (first, second)] == [1, 2]
    assert first.json()["params"] == {"sma": 30}
    for each in (first, second, second):
        assert send(staff, f"{each['Location']}/activate", {"password": rows.PASSWORD}).json()["status"] == "active"
    assert viewer.get(first["Location"]).json()["status"] == "retired"
    active = viewer.get("/api/v1/strategies/configs?status=active&strategy=intraday").json()["items"]
    assert [each["version"] for each in active] == [2]


@pytest.mark.parametrize(
    "params", [{"sma": 1}, {"sma": 20.5}, {"luck": 1}, {"sma": True}, {"sma": "many"}, {"sma": [1]}]
)
def test_a_version_out_of_bounds_is_not_kept(staff, params):
    answer = send(staff, "/api/v1/strategies/configs", {"strategy": "intraday", "params": params})
    assert answer.status_code == 400
    assert not StrategyConfig.objects.exists()


def test_saying_it_twice_does_it_once(operator, rung):
    first = send(operator, "/api/v1/backtests", TEST, **{"Idempotency-Key": "a-1"})
    again = send(operator, "/api/v1/backtests", TEST, **{"Idempotency-Key": "a-1"})
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert len(rung) == BacktestRun.objects.count() == 1
    assert send(operator, "/api/v1/backtests", TEST, **{"Idempotency-Key": "a-2"}).json()["id"] != first.json()["id"]


def test_a_refusal_is_repeated_as_it_was(operator, run):
    run.state = "finished"
    run.save()
    first = send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": "b"})
    run.state = "running"
    run.save()
    again = send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": "b"})
    assert (first.status_code, again.status_code, again.content) == (409, 409, first.content)
    assert again["Content-Type"] == "application/problem+json"


def test_a_key_belongs_to_one_request_of_one_person(operator, staff, run):
    assert send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": "c"}).status_code == 200
    other = send(operator, "/api/v1/engine/resume", **{"Idempotency-Key": "c"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:sensequant:key_reused")
    assert send(staff, "/api/v1/engine/resume", **{"Idempotency-Key": "c"}).status_code == 200


def test_while_the_first_is_running_the_second_waits(operator, people, run):
    send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": "d"})
    StoredAnswer.objects.update(status=None)
    assert send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": "d"}).status_code == 409


def test_what_the_desk_failed_at_may_be_tried_again(people, run, monkeypatch):
    from django.test import Client

    from trading.services import control

    client = Client(raise_request_exception=False)
    client.force_login(people["operator"])
    with monkeypatch.context() as patch:
        patch.setattr(control, "pause_entries", lambda *_, **__: 1 / 0)
        assert send(client, "/api/v1/engine/pause", **{"Idempotency-Key": "e"}).status_code == 500
    assert send(client, "/api/v1/engine/pause", **{"Idempotency-Key": "e"}).status_code == 200


def test_a_key_is_forgotten_after_a_day(people):
    asked = {"user": people["operator"], "key": "f", "fingerprint": "x"}
    row, _ = answers.begin(**asked, at=now() - dt.timedelta(hours=25))
    answers.finish(row, status=200, headers={}, body="")
    assert answers.begin(**asked, at=now())[1] is True


@pytest.mark.parametrize("key", ["", "x" * 129, "naïve"])
def test_a_key_that_cannot_be_is_refused(operator, run, key):
    assert send(operator, "/api/v1/engine/pause", **{"Idempotency-Key": key}).status_code == 400
