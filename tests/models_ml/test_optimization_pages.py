"""Optimisations from the browser and from scripts: asked for, watched, cancelled, read."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from models_ml import tasks
from models_ml.models import OptimizationRun
from models_ml.services import optimizations
from tests.models_ml.searches import how, kept
from trading.core.rights import OPERATORS

pytestmark = pytest.mark.django_db
GOOD = {
    "symbols": "demobank", "strategy": "intraday", "interval": "5minute", "start": "2026-09-01", "end": "2026-10-30",
    "source": "demo", "directory": "", "capital": "1000000", "objective": "composite", "search": "grid",
    "max_configs": "4", "min_trades": "1", "grid": '{"sma": [10, 20]}', "p.intraday.adx_min": "0",
}  # fmt: skip
BODY = {
    "symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "start": "2026-09-01", "end": "2026-10-30",
    "parameters": {"sma": [10, 20], "rsi_low": {"low": 30, "high": 50, "step": 10}},
}  # fmt: skip


@pytest.fixture
def queued(monkeypatch):
    """What was handed to the worker."""
    handed = []
    monkeypatch.setattr(tasks.run_optimization, "delay_on_commit", lambda **told: handed.append(told))
    return handed


@pytest.fixture
def trader(client):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


@pytest.fixture
def reader(client):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    return client


def text(answer):
    return answer.content.decode()


def test_a_form_without_javascript_starts_an_optimisation_and_goes_to_its_page(trader, queued):
    answer = trader.post("/research/optimizations", GOOD)
    run = OptimizationRun.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/research/optimizations/{run.pk}/")
    assert queued == [{"run_id": run.pk}]
    assert (run.symbols, run.spec["max_configs"], run.created_by) == (["DEMOBANK"], 4, "asha")
    page = text(trader.get(answer.url))
    assert "Waiting for a free worker" in page
    assert "Cancel</button>" in page
    assert trader.post(f"/research/optimizations/{run.pk}/cancel").status_code == 302
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_without_a_broker_between_processes_there_is_no_fleet_to_choose(trader, queued):
    assert "Who tries them" not in text(trader.get("/research/optimizations?strategy=intraday"))
    answer = trader.post("/api/v1/optimizations", {**BODY, "workers": "fleet"}, content_type="application/json")
    assert (answer.status_code, answer.json()["fix"]) == (400, "set REDIS_URL, or cores")
    answer = trader.post("/api/v1/optimizations", BODY, content_type="application/json")
    assert (answer.status_code, answer.json()["workers"]) == (201, "cores")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("grid", "{", "not JSON"), ("grid", "[1]", "write an object"), ("grid", '{"smaa": [1]}', "smaa"),
        ("symbols", "nobody", "NOBODY"), ("max_configs", "0", "greater than or equal to 1"),
        ("end", "2026-08-01", "before"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_beside_the_form_and_nothing_is_kept(trader, queued, field, value, told):
    answer = trader.post("/research/optimizations", {**GOOD, field: value})
    assert answer.status_code == 422
    assert told in text(answer)
    assert not OptimizationRun.objects.exists()
    assert queued == []


def test_a_finished_one_shows_its_verdict_its_ranking_and_what_matters(reader, tmp_path):
    run = optimizations.execute(kept(tmp_path).pk, how())
    page = text(reader.get(f"/research/optimizations/{run.pk}/"))
    assert f"Verdict: {run.result['honesty']['verdict']}" in page
    for word in ("Deflated Sharpe", "Overfitting, PBO", "Reality check p", "Ranking", "What matters", "sma by rsi_low"):
        assert word in page or word.replace("sma by rsi_low", "rsi_low by sma") in page
    assert page.index(run.trials.get(rank=1).config_id) < page.index(run.trials.get(rank=6).config_id)
    assert "Cancel</button>" not in page
    listed = text(reader.get("/research/optimizations"))
    assert run.result["honesty"]["verdict"] in listed
    assert "New optimisation" not in listed


def test_who_may_not_trade_starts_and_cancels_nothing(reader, queued, tmp_path):
    run = kept(tmp_path)
    assert reader.post("/research/optimizations", GOOD).status_code == 403
    assert reader.post(f"/research/optimizations/{run.pk}/cancel").status_code == 403
    assert reader.get("/research/optimizations/4711/").status_code == 404
    run.refresh_from_db()
    assert run.status == "queued"


def test_a_script_starts_one_watches_it_and_reads_its_configurations(trader, queued):
    head = {"headers": {"X-CSRFToken": "x"}}
    trader.handler.enforce_csrf_checks = False
    started = trader.post("/api/v1/optimizations", json.dumps(BODY), content_type="application/json", **head)
    assert started.status_code == 201, text(started)
    number = started.json()["id"]
    assert queued == [{"run_id": number}]
    optimizations.execute(number, how())
    told = trader.get(f"/api/v1/optimizations/{number}").json()
    assert (told["status"], told["tried"], told["total"]) == ("done", 6, 6)
    assert told["verdict"] == told["result"]["honesty"]["verdict"]
    rows = trader.get(f"/api/v1/optimizations/{number}/trials").json()["items"]
    assert sorted(row["rank"] for row in rows) == [1, 2, 3, 4, 5, 6]
    assert trader.post(f"/api/v1/optimizations/{number}/cancel", **head).status_code == 409
    listed = trader.get("/api/v1/optimizations?status=done").json()["items"]
    assert [row["id"] for row in listed] == [number]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"parameters": {"smaa": [1]}}, "smaa"), ({"objective": "luck"}, "luck"),
        ({"directory": "/etc"}, "admin"), ({"strategy": "none"}, "strategy"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_is_refused_by_its_value(trader, queued, changed, told):
    body = json.dumps({**BODY, **changed})
    answer = trader.post("/api/v1/optimizations", body, content_type="application/json")
    assert answer.status_code in (400, 403)
    assert told in text(answer)
    assert not OptimizationRun.objects.exists()


def test_the_admin_shows_both_ledgers_deletes_nothing_and_cancels(admin_client, tmp_path):
    run = optimizations.execute(kept(tmp_path / "a", grid={"parameters": {"sma": [5, 10]}}).pk, how())
    waiting = kept(tmp_path / "b")
    for row in (run, run.trials.get(rank=1)):
        name = row._meta.model_name
        assert admin_client.get(reverse(f"admin:models_ml_{name}_changelist")).status_code == 200
        assert admin_client.get(reverse(f"admin:models_ml_{name}_change", args=[row.pk])).status_code == 200
        assert admin_client.post(reverse(f"admin:models_ml_{name}_delete", args=[row.pk])).status_code == 403
    told = {"action": "cancel", "_selected_action": [waiting.pk]}
    admin_client.post(reverse("admin:models_ml_optimizationrun_changelist"), told)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
