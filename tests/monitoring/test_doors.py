"""The same alert at every door: terminal, page, REST, admin, Prometheus."""

import dataclasses
import json

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.models import AuditEntry, Episode, RuleSetting, Silence
from monitoring.services import facts, rollups, rulebook, silences, watching
from sensequant.lib.clock import now
from tests.trading import rows
from tests.trading.desks import command

pytestmark = pytest.mark.django_db
RULE = "release_watch_failed"


@pytest.fixture
def fires():
    """An alert that fires now."""
    facts.report("release_watch", 1.0, at=now(), group="7", told="Sharpe fell")
    watching.look(at=now())
    return Episode.objects.get(rule=RULE)


@pytest.fixture
def people():
    return rows.people()


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(people):
    return logged_in(people["operator"])


@pytest.fixture
def staff(people):
    return logged_in(people["staff"])


def monitor(*words):
    """Return exit code, what was printed (read when it is JSON), and the error."""
    code, out, err = command("monitor", *words)
    return code, json.loads(out) if "--json" in words and out.strip() else out, err


# terminal


def test_an_alert_is_listed_acknowledged_and_cleared_at_the_terminal(fires):
    code, found, _ = monitor("alerts", "list", "--severity", "critical", "--hours", "48", "--json")
    assert (code, [each["rule"] for each in found]) == (0, [RULE])
    _, found, _ = monitor("alerts", "ack", RULE, "--reason", "Investigating", "--by", "asha", "--json")
    assert (found[0]["acknowledged"], found[0]["acked_by"]) == (True, "asha")
    assert "acknowledged by asha" in monitor("alerts", "list")[1]
    assert monitor("alerts", "clear", RULE)[0] == 0
    assert monitor("alerts", "ack", "--all", "--reason", "Planned maintenance")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [(("alerts", "ack", "no_such_rule", "--reason", "x"), 2, "'no_such_rule' is not known: use one of"),
     (("alerts", "simulate", "no_such_rule"), 2, "'no_such_rule' is not known: use one of"),
     (("alerts", "silence", "no_such_rule", "--reason", "x"), 2, "'no_such_rule' is not known"),
     (("alerts", "ack", "daily_loss_high", "--reason", "x"), 1, "no alert of daily_loss_high fires now"),
     (("alerts", "ack", RULE), 2, "a reason is missing"),
     (("alerts", "ack", RULE, "--all", "--reason", "x"), 2, "a rule and --all"),
     (("alerts", "silence", "disk_*", "--minutes", "2000", "--reason", "x"), 2, "is not within the next 24 hours"),
     (("alerts", "unsilence", "99"), 2, "there is no silence 99"),
     (("alerts", "list", "--severity", "BAD"), 2, "severity 'BAD' is not known: use one of INFO, WARNING, CRITICAL"),
     (("metrics", "show", "--metric", "nope"), 2, "metric 'nope' is not known"),
     (("archive", "--restore", "2020-01-01"), 2, "there is no archive of 2020-01-01")],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_a_code(fires, words, code, told):
    found, _, err = monitor(*words)
    assert found == code
    assert told in err
    assert err.count("\n") == 1


def test_the_status_gives_a_reason_for_every_lost_point(fires):
    _, found, _ = monitor("status", "--json")
    assert found["score"] == 100 - sum(each["points"] for each in found["lost"])
    assert {"points": 30, "why": f"CRITICAL {RULE}:7"} in found["lost"]
    monitor("alerts", "ack", RULE, "--reason", "on it")
    _, found, _ = monitor("status", "--json")
    assert {"points": 15, "why": f"CRITICAL {RULE}:7 (acknowledged)"} in found["lost"]
    assert "−15  CRITICAL" in monitor("status", "--verbose")[1]


def test_health_fails_while_nobody_watches():
    code, found, _ = monitor("health", "--json")
    assert code == 1
    assert found["parts"]["database"] == "ok"
    assert found["parts"]["monitor"].startswith("nobody looks")


def test_a_simulation_says_what_would_happen_and_changes_nothing():
    code, found, _ = monitor("alerts", "simulate", "circuit_breaker_triggered", "--json")
    assert (code, found["action"], found["channels"]) == (0, "stop-entries", ["log"])
    assert "daily-loss breaker" in found["message"]["message"]
    assert not Episode.objects.exists()


def test_every_rule_can_be_simulated_and_reads_a_measure_that_exists():
    for each in rulebook.in_force():
        assert each.rule.measure in facts.MEASURES
        code, found, err = monitor("alerts", "simulate", each.rule.key, "--json")
        assert code == 0, err
        assert "{" not in found["message"]["message"]
        assert each.rule.runbook


def test_watching_prints_what_happens_as_it_happens(fires, monkeypatch):
    def meanwhile(_):
        if not Episode.objects.get(pk=fires.pk).acked_at:
            silences.acknowledge(RULE, "on it", by="asha", at=now())

    monkeypatch.setattr("monitoring.management.commands.monitor.time.sleep", meanwhile)
    code, out, _ = command("monitor", "watch", "--seconds", "0.5", "--severity", "critical")
    assert code == 0
    assert out.count("\n") == 1
    assert f"acknowledged by asha ✖ CRITICAL {RULE}:7" in out


def test_metrics_are_shown_summarised_and_exported(fires):
    rows.run(name="live", mode="dry-run")
    watching.look(at=now())
    rollups.roll()
    _, found, _ = monitor("metrics", "show", "--interval", "1h", "--json")
    assert {"pnl_daily", "position_count", "daily_loss_pct"} <= {each["metric"] for each in found}
    _, out, _ = monitor("metrics", "export", "--format", "csv", "--hours", "24")
    assert out.splitlines()[0] == "metric,at,min,max,avg,count,sum,last,p50,p95,p99"
    assert json.loads(monitor("metrics", "export", "--format", "json")[1])[0]["count"] >= 1
    assert "pnl_daily" in monitor("metrics", "summary")[1]


# page


def test_the_page_shows_what_fires_and_an_operator_acknowledges_it(fires, operator):
    page = operator.get("/alerts").content.decode()
    assert "The watch over release 7 found: Sharpe fell" in page
    answer = operator.post("/alerts/acknowledge", {"name": fires.name, "reason": "on it", "minutes": "30"}, follow=True)
    assert "Acknowledged by omar" in answer.content.decode()
    operator.post("/alerts/clear", {"name": fires.name})
    fires.refresh_from_db()
    assert fires.acked_at is None


def test_a_silence_is_made_and_ended_on_the_page(operator):
    operator.post("/alerts/silence", {"rule": "disk_*", "minutes": "30", "reason": "moving files", "most": "WARNING"})
    row = Silence.objects.get()
    assert (row.rule, row.most, row.by) == ("disk_*", "WARNING", "omar")
    operator.post(f"/alerts/silences/{row.pk}/end")
    row.refresh_from_db()
    assert row.ended_by == "omar"


@pytest.mark.parametrize(
    ("what", "said"),
    [({"minutes": "²"}, "&#x27;²&#x27; is not a number of minutes"),
     ({"minutes": "soon"}, "&#x27;soon&#x27; is not a number of minutes"), ({"minutes": ""}, "how long is not said"),
     ({"reason": ""}, "a reason is missing"), ({"most": "BAD"}, "is not known: use one of"),
     ({"rule": "<script>"}, "is not a pattern")],
)  # fmt: skip
def test_a_silence_that_makes_no_sense_is_refused_in_words(operator, what, said):
    sent = {"rule": "disk_*", "minutes": "30", "reason": "moving files", "most": "WARNING", **what}
    assert said in operator.post("/alerts/silence", sent, follow=True).content.decode()
    assert not Silence.objects.exists()


def test_who_may_not_trade_may_look_and_nothing_else(fires, people):
    viewer = logged_in(people["viewer"])
    assert "Acknowledge" not in viewer.get("/alerts").content.decode()
    assert viewer.post("/alerts/acknowledge", {"name": fires.name, "reason": "x"}).status_code == 403
    assert Client().get("/alerts").status_code == 302


def test_the_metrics_have_a_page(operator):
    assert operator.get("/alerts/metrics?interval=6h").status_code == 200


# REST


def call(client, method, path, body=None):
    answer = client.generic(method, f"/api/v1{path}", json.dumps(body or {}), content_type="application/json")
    return answer.status_code, answer.json()


def test_a_script_can_do_what_the_page_can(fires, operator, staff):
    _, found = call(operator, "GET", "/alerts?open=true")
    assert [each["rule"] for each in found["items"]] == [RULE]
    assert call(operator, "POST", f"/alerts/rules/{RULE}/acknowledge", {"reason": "on it", "minutes": 5})[0] == 200
    assert call(operator, "POST", f"/alerts/rules/{RULE}/clear")[0] == 200
    status, made = call(operator, "POST", "/alerts/silences", {"rule": "disk_*", "minutes": 5, "reason": "moving"})
    assert status == 200
    assert call(operator, "POST", f"/alerts/silences/{made['id']}/end")[0] == 200
    assert call(operator, "GET", "/alerts/silences")[1]["items"][0]["ended_by"] == "omar"
    assert call(operator, "GET", f"/alerts/rules/{RULE}/simulate")[1]["rule"] == RULE
    assert (
        call(staff, "POST", "/alerts/rules/disk_low", {"threshold": 0.8, "reason": "small disk"})[1]["threshold"] == 0.8
    )
    assert call(operator, "POST", "/alerts/rules/disk_low", {"threshold": 0.8, "reason": "x"})[0] == 403
    told = [each["what"] for each in call(operator, "GET", "/alerts/trail")[1]["items"]]
    assert told[:2] == ["rule changed", "silence ended"]


def test_an_unknown_rule_and_a_bad_time_are_problems_that_name_the_value(operator):
    status, told = call(operator, "POST", "/alerts/rules/nope/acknowledge", {"reason": "x"})
    assert (status, "'nope' is not known" in told["detail"]) == (400, True)
    assert call(operator, "POST", "/alerts/silences", {"rule": "x", "minutes": 5_000, "reason": "x"})[0] == 400


def test_status_health_and_metrics_are_there_for_scripts(fires, operator):
    assert call(operator, "GET", "/monitoring/status")[1]["alerts"]["CRITICAL"] == 1
    assert call(operator, "GET", "/monitoring/health")[1]["parts"]["database"] == "ok"
    assert call(operator, "GET", "/monitoring/metrics?hours=1&seconds=3600")[0] == 200


# admin and Prometheus


def test_the_admin_acknowledges_and_changes_rules_with_a_reason(fires, staff):
    address = reverse("admin:monitoring_episode_changelist")
    chosen = {"action": "acknowledge_for_an_hour", "_selected_action": [fires.pk]}
    assert "no reason was given" in staff.post(address, chosen, follow=True).content.decode()
    fires.refresh_from_db()
    assert fires.acked_by == ""
    staff.post(address, {**chosen, "why": "the disk is being changed"})
    fires.refresh_from_db()
    assert (fires.acked_by, fires.ack_reason) == ("asha", "the disk is being changed")
    form = {"rule": "disk_low", "enabled": "on", "threshold": "0.8", "why": "small disk"}
    staff.post(reverse("admin:monitoring_rulesetting_add"), form)
    assert RuleSetting.objects.get().threshold == 0.8
    assert AuditEntry.objects.filter(what="rule changed", by="asha").exists()


@pytest.mark.parametrize(
    "model",
    [
        "episode",
        "silence",
        "auditentry",
        "rulesetting",
        "notification",
        "channel",
        "rollup",
        "sample",
        "report",
        "look",
        "attempt",
    ],
)
def test_every_table_has_its_page_in_the_admin(fires, staff, model):
    assert staff.get(reverse(f"admin:monitoring_{model}_changelist")).status_code == 200


def test_prometheus_reads_the_desk_from_this_machine_and_strangers_do_not(fires, settings):
    text = Client().get("/metrics").content.decode()
    assert f'sensequant_alerts_firing{{rule="{RULE}",severity="CRITICAL"}} 1.0' in text
    assert 'sensequant_outbox_waiting{channel="log"} 1.0' in text
    assert Client().get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 401
    settings.DESK = dataclasses.replace(settings.DESK, trusted_proxies=1)
    assert Client().get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 401
