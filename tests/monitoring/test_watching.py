"""What an operator lives through: it fires, is quiet when asked to, comes back when it must, and ends for everybody."""

import datetime as dt
import json
import time

import pytest
from django.db import connection

from models_ml.models import TeacherRun
from monitoring.core.matching import Matcher
from monitoring.models import AuditEntry, Episode, Notification, Report
from monitoring.services import auditing, facts, rulebook, silences
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed
from tests.monitoring.world import at, breaks, condition, episode, look, reasons, unknown_order
from tests.trading import rows
from trading.models import ActiveModel, Halt
from trading.services import vitals

pytestmark = pytest.mark.django_db
HOUR = 3_600
RULE = "release_watch_failed"


def ack(name=RULE, seconds=10, reason="looking into it", ttl=None):
    return silences.acknowledge(name, reason, by="asha", at=at(seconds), ttl=ttl)


def hush(seconds=0, minutes=30, rule="*", **told):
    until = at(seconds + minutes * 60)
    return silences.silence(Matcher(rule, **told), "deployment", until=until, by="omar", at=at(seconds))


def test_what_holds_fires_is_told_once_and_ends_for_those_who_were_told():
    breaks()
    assert [row.rule for row in look().fired] == [RULE]
    assert look(5).fired == []
    breaks(10, value=0.0)
    assert [row.rule for row in look(10).resolved] == [RULE]
    assert reasons() == ["first", "resolved"]
    assert episode().message == "The watch over release release 7 found: Sharpe fell"


def test_it_is_said_again_only_after_the_time_for_repeating():
    breaks()
    look()
    look(3 * HOUR)
    look(4 * HOUR + 1)
    assert reasons() == ["first", "still firing"]


def test_a_new_episode_within_the_window_is_not_told_but_recorded_and_told_once_the_window_is_over():
    for second, value in ((0, 1.0), (10, 0.0), (20, 1.0)):
        breaks(second, value=value)
        look(second)
    assert reasons() == ["first", "resolved"]
    assert Episode.objects.filter(rule=RULE).count() == 2
    look(HOUR)
    assert reasons() == ["first", "resolved", "first"]
    assert Notification.objects.filter(channel="log", number=1).first().body["kept_quiet"] >= 1


def test_a_rule_that_is_never_suppressed_is_told_in_every_episode():
    facts.report("chain_breaks", 1.0, at=at(), group="of releases", told="entry 3")
    look()
    Report.objects.all().delete()
    look(5)
    facts.report("chain_breaks", 1.0, at=at(10), group="of releases", told="entry 3")
    look(10)
    assert reasons("audit_chain_broken") == ["first", "resolved", "first"]


# acknowledged


def test_an_acknowledged_alert_is_quiet_and_comes_back_at_once_when_the_time_is_over_saying_why():
    breaks()
    look()
    ack(ttl=dt.timedelta(hours=5))
    look(4 * HOUR + 60)
    assert reasons() == ["first"]
    look(5 * HOUR + 20)
    assert reasons() == ["first", "acknowledgement ended: asha's, 'looking into it', ran out"]
    assert episode().acked_at is None


def test_taking_an_acknowledgement_back_tells_at_the_next_look():
    breaks()
    look()
    ack()
    silences.clear(RULE, by="omar", at=at(20))
    look(25)
    assert reasons()[-1] == "acknowledgement ended: omar took back asha's"


def test_an_acknowledgement_ends_when_it_gets_worse():
    condition("slow", level="warn")
    look()
    look(6)
    ack("desk_trouble", 7)
    condition("slow", level="bad")
    look(12)
    found = episode("desk_trouble")
    assert (found.severity, found.acked_at) == ("CRITICAL", None)
    assert reasons("desk_trouble") == ["first", "severity raised"]


def test_an_acknowledgement_belongs_to_its_episode():
    breaks()
    look()
    ack()
    breaks(20, value=0.0)
    look(20)
    breaks(HOUR)
    look(HOUR)
    assert reasons() == ["first", "resolved", "first"]


@pytest.mark.parametrize(
    ("told", "match"),
    [({"reason": " "}, "a reason is missing"), ({"ttl": dt.timedelta(days=9)}, "is not between"),
     ({"ttl": dt.timedelta(0)}, "is not between"),
     ({"name": "no_such_rule"}, "'no_such_rule' is not known: use one of")],
)  # fmt: skip
def test_what_an_acknowledgement_needs(told, match):
    breaks()
    look()
    with pytest.raises(ValueError if "name" in told else BadInput, match=match):
        ack(**told)


def test_what_does_not_fire_cannot_be_acknowledged():
    with pytest.raises(NotAllowed, match="no alert of daily_loss_high fires now"):
        ack("daily_loss_high")


# silenced


def test_a_silence_keeps_quiet_what_it_matches_and_its_end_is_told_at_once():
    hush(minutes=30)
    breaks()
    look()
    assert reasons() == []
    assert episode().silenced_by is not None
    look(30 * 60 + 1)
    assert reasons() == ["silence ended: omar's (deployment) ran out"]


def test_ending_a_silence_by_hand_is_told_as_well():
    quiet = hush()
    breaks()
    look()
    silences.end(quiet.pk, by="asha", at=at(60))
    look(65)
    assert reasons() == ["silence ended: omar's (deployment) was ended by asha"]


def test_a_silence_that_has_nothing_more_to_keep_quiet_ends_by_itself():
    quiet = hush(minutes=600, rule=RULE)
    breaks()
    look()
    breaks(10, value=0.0)
    look(10)
    look(20 * 60)
    assert silences.in_force(at=at(20 * 60)) == [quiet]
    look(31 * 60)
    quiet.refresh_from_db()
    assert (quiet.ended_by, quiet.ended_why) == ("monitoring", "it has kept nothing quiet for 0:30:00")


def test_what_ends_while_silenced_is_told_to_those_who_saw_it_fire():
    breaks()
    look()
    hush(10)
    look(15)
    breaks(20, value=0.0)
    look(20)
    assert reasons() == ["first", "resolved"]


def test_what_nobody_was_told_of_is_not_told_to_be_over():
    hush()
    breaks()
    look()
    breaks(10, value=0.0)
    look(10)
    assert reasons() == []
    assert list(episode().entries.order_by("id").values_list("what", flat=True)) == ["firing", "resolved"]


def test_no_silence_reaches_a_rule_about_money_at_risk():
    hush()
    facts.report("chain_breaks", 1.0, at=at(), group="of releases", told="entry 3")
    look()
    assert reasons("audit_chain_broken") == ["first"]


@pytest.mark.parametrize("minutes", [24 * 60 + 1, 0, -5])
def test_a_silence_lasts_a_day_at_most(minutes):
    with pytest.raises(BadInput, match="is not within the next 24 hours"):
        hush(minutes=minutes)


def test_a_silence_of_warnings_lets_what_is_critical_through():
    hush(most="WARNING")
    breaks()
    look()
    assert reasons() == ["first"]


# pending, flapping, no data


def test_a_blip_shorter_than_the_pending_time_is_nobodys_business():
    condition("slow")
    look()
    condition("slow", over=True)
    look(3)
    assert reasons() == []
    assert [row.status for row in Episode.objects.all()] == ["resolved"]


def test_what_comes_and_goes_all_the_time_becomes_one_alert_that_says_so():
    for second in range(0, 300, 10):
        breaks(second, value=float(second % 20 == 0))
        look(second)
    found = episode()
    assert found.flapping
    assert found.status == "firing"
    assert Episode.objects.filter(rule=RULE).count() == 4
    assert reasons() == ["first", "resolved"]


def test_a_measure_that_cannot_be_read_waits_and_then_is_an_alert_of_its_own(monkeypatch):
    def broken(view):
        raise RuntimeError("no such table")

    monkeypatch.setattr(facts, "MEASURES", {**facts.MEASURES, "release_watch": broken})
    assert look().errors == ["release_watch: RuntimeError: no such table"]
    look(60)
    assert reasons() == []
    look(121)
    assert reasons() == ["first"]
    assert episode().message == "release_watch cannot be read: RuntimeError: no such table"


def test_an_engine_that_should_beat_and_never_has_gives_no_data_and_that_is_an_alert_after_a_while():
    run = rows.run(name="live", mode="dry-run", state="starting", heartbeat_at=None)
    look()
    assert reasons("heartbeat_lapsed") == []
    look(121)
    found = episode("heartbeat_lapsed")
    assert (found.no_data, found.message) == (True, "heartbeat_age of live gives no data")
    assert reasons("heartbeat_lapsed") == ["first"]
    type(run).objects.filter(pk=run.pk).update(heartbeat_at=at(125))
    look(126)
    assert reasons("heartbeat_lapsed") == ["first", "resolved"]


def test_only_what_is_read_can_be_reported():
    with pytest.raises(BadInput, match="'disk_used_share' cannot be reported"):
        facts.report("disk_used_share", 1.0, at=at())


# causes and actions


def test_a_cause_keeps_its_consequences_quiet_and_they_are_told_when_it_is_over_and_they_are_not():
    condition("feed-stale", subject="INFY")
    condition("session-lost", level="bad")
    for second in range(0, 60, 5):
        look(second)
    found = episode("feed_stale")
    assert (found.status, found.inhibited_by) == ("firing", "breeze_connectivity_lost:breeze")
    assert reasons("feed_stale") == []
    assert reasons("breeze_connectivity_lost") == ["first"]
    condition("session-lost", over=True)
    look(60)
    look(85)
    assert reasons("feed_stale") == ["first"]


def test_rules_of_the_session_sleep_outside_it():
    condition("feed-stale", subject="INFY")
    night = 10 * HOUR
    look(night)
    look(night + 60)
    assert episode("feed_stale") is None


def test_an_order_without_an_answer_stops_entries_after_ten_seconds():
    unknown_order()
    look()
    assert not Halt.objects.exists()
    look(10)
    halt = Halt.objects.get()
    assert (halt.kind, halt.engaged_by) == ("kill", "monitoring")
    assert "has had no clean answer" in halt.reason
    look(15)
    assert episode("order_unknown").acted_at == at(10)


def test_one_rule_that_fails_takes_no_other_with_it(monkeypatch):
    breaks()
    monkeypatch.setattr(facts, "gauges", lambda view: 1 / 0)
    seen = look()
    assert [row.rule for row in seen.fired] == [RULE]
    assert seen.errors == ["metrics: division by zero"]


# rules as an operator sets them


def test_an_operator_sets_a_rule_differently_for_a_reason():
    rulebook.put("release_watch_failed", {"threshold": 3.0}, reason="too early", by="asha", at=at())
    breaks(value=2.0)
    look()
    assert episode() is None


@pytest.mark.parametrize(
    ("key", "values", "reason", "match"),
    [("order_unknown", {"enabled": False}, "why not", "cannot be switched off"),
     ("disk_low", {"hold_for": -1}, "why not", "times are not negative"),
     ("disk_low", {"colour": 1}, "why not", "'colour' is no setting"),
     ("disk_low", {"hold_for": 1}, "", "a reason is missing")],
)  # fmt: skip
def test_what_cannot_be_set(key, values, reason, match):
    with pytest.raises(BadInput, match=match):
        rulebook.put(key, values, reason=reason, by="asha", at=at())


# the trail


def test_the_trail_tells_everything_and_shows_where_it_was_changed(unguarded):
    breaks()
    look()
    ack()
    assert list(AuditEntry.objects.order_by("id").values_list("what", flat=True)) == ["firing", "told", "acknowledged"]
    assert auditing.breaks() == []
    middle = AuditEntry.objects.order_by("id")[1]
    AuditEntry.objects.filter(pk=middle.pk).update(by="nobody")
    assert [each[1:3] for each in auditing.breaks()] == [(middle.pk, "it was changed after it was written")]
    look(20 * 60)
    look(20 * 60 + 5)
    assert "it was changed after it was written" in episode("audit_chain_broken").message


@pytest.mark.parametrize("value", [1e16, -0.0, float("nan"), 0.1 + 0.2, 1e-300, 3.0])
def test_every_number_comes_back_as_it_was_chained(value):
    auditing.append("x", by="asha", at=at(), value=value, more=[value, {"deep": value}])
    assert auditing.breaks() == []


def test_a_removed_entry_is_missed(unguarded):
    for second in range(3):
        auditing.append("x", by="asha", at=at(second))
    AuditEntry.objects.order_by("id")[1].delete()
    ((number, what),) = [(each.number, each.what) for each in auditing.breaks()]
    assert (number, what) == (AuditEntry.objects.order_by("id")[1].pk, "deleted")


def test_a_tail_that_was_cut_off_is_missed_by_what_was_kept_elsewhere(unguarded):
    auditing.append("x", by="asha", at=at())
    kept = auditing.append("y", by="asha", at=at(1))
    anchors = dict([auditing.head()])
    assert auditing.breaks(anchors) == []
    kept.delete()
    assert auditing.breaks() == []
    assert [each.what for each in auditing.breaks(anchors)] == ["truncated"]


# what learning and predictions leave behind


def test_old_models_are_told_of_with_the_documents_threshold():
    TeacherRun.objects.create(
        symbols=["INFY"],
        status="success",
        start="2026-11-01",
        end="2026-11-20",
        created_at=at(),
        finished_at=at(-26 * HOUR),
    )
    ActiveModel.objects.create(
        role="champion", version="s1", folder="x", digest="d", evidence="e", since=at(-20 * HOUR), by="asha", reason="x"
    )
    look()
    assert episode("stale_teacher_artifacts").message == "The newest teacher is 26.0 hours old"
    assert episode("stale_student_model") is None
    look(5 * HOUR)
    assert episode("stale_student_model").message == "The student in use is 25.0 hours old"


def test_what_became_of_acknowledgements_is_in_the_documents_file(django_capture_on_commit_callbacks):
    breaks()
    look()
    with django_capture_on_commit_callbacks(execute=True):
        ack()
        silences.clear(RULE, by="omar", at=at(20))
    lines = (paths.resolve("logs/alerts") / "acknowledgements.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines[-2:]]
    assert [(each["event"], each["operator"]) for each in told] == [
        ("acknowledged", "asha"), ("acknowledgement cleared", "omar"),
    ]  # fmt: skip


@pytest.mark.real_clocks
def test_a_clock_that_is_off_is_told_where_another_can_be_asked():
    found = vitals.clock_skew(at=now() - dt.timedelta(seconds=7), since=time.monotonic())
    if connection.vendor == "postgresql":
        assert found["the database"] == pytest.approx(-7.0, abs=1.0)
    else:
        assert found == {}
