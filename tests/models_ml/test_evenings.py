"""After the session: what the rules find is tried on a week apart, proposed, and trades only once a person says so."""

import dataclasses
import datetime as dt
import json

import pytest

from models_ml.core import review as rules
from models_ml.core.review import Deal
from models_ml.models import Evening
from models_ml.services import evenings, retraining, watching
from sensequant.lib.errors import BadInput, NotAllowed
from tests.trading.desks import NOON, command, driven
from tests.trading.pupils import installed, pupil
from trading.models import Condition, EngineRun, ModelScore, StrategyConfig
from trading.services import leases, runner, runs, scoring, strategies, students

DAY = dt.date(2026, 11, 6)
SPAN = dt.date(2026, 10, 28), DAY
PAIR = ("DEMOBANK", "DEMOLABS")
PARAMS = {"rsi_low": 40.0, "boost_above": 0.5, "mode": 1, "notional": 50_000.0}
GOOD, BAD = {"sharpe": 0.78, "win_rate": 0.5}, {"sharpe": 0.1, "win_rate": 0.6}


def deals(count, net, *, rsi=45.0, best=0.0, sentiment=0.0, side=1):
    return [Deal(side, net, best, 3600.0, rsi + 0.01 * k, sentiment) for k in range(count)]


# the rules


def test_entries_near_the_threshold_that_paid_loosen_it_and_those_that_lost_tighten_it():
    good = deals(10, 0.01, best=0.025, rsi=41.0) + deals(20, -0.01, rsi=60.0)
    bad = deals(10, -0.01, rsi=41.0) + deals(20, 0.01, rsi=60.0)
    assert rules.threshold(good, PARAMS, "rsi_low").after == 38.0
    found = rules.threshold(bad, PARAMS, "rsi_low")
    assert (found.after, found.trades) == (42.0, 10)
    assert "-1.00 % each" in found.evidence


def test_shorts_are_judged_from_the_other_end_of_rsi():
    lost = deals(10, -0.01, rsi=59.0, side=-1) + deals(20, 0.01, rsi=30.0, side=-1)
    assert rules.threshold(lost, PARAMS, "rsi_low").after == 42.0


def test_good_news_followed_by_losses_tighten_the_gate():
    assert rules.sentiment_gate(deals(9, -0.01, sentiment=0.7), PARAMS).after == 0.6
    assert not rules.sentiment_gate(deals(9, 0.01, sentiment=0.7), PARAMS).real
    assert not rules.sentiment_gate(deals(9, -0.01, sentiment=0.4), PARAMS).real


def test_the_size_follows_what_all_trades_made():
    assert rules.position_size(deals(20, 0.01), PARAMS).after == 55_000.0
    assert rules.position_size(deals(20, -0.01), PARAMS).after == 45_000.0
    assert not rules.position_size(deals(10, 0.01) + deals(10, -0.0095), PARAMS).real
    assert not rules.position_size(deals(20, 0.01), {**PARAMS, "mode": 0}).real


def test_too_few_trades_change_nothing_and_say_so():
    for change in rules.review("intraday", deals(5, -0.05, sentiment=0.9), PARAMS):
        assert not change.real
        assert "needed" in change.evidence


def test_the_review_speaks_the_documents_words():
    found = rules.review("intraday", deals(30, 0.01, best=0.03, rsi=41.0), PARAMS)
    assert rules.as_document(found, PARAMS) == {
        "rsi_buy": 38.0, "sentiment_gate": 0.5, "position_size_multiplier": 1.1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("week", "word"),
    [
        ({"sharpe": 0.3, "win_rate": 0.45}, ""), ({"sharpe": 0.29, "win_rate": 0.9}, "Sharpe 0.29"),
        ({"sharpe": 2.0, "win_rate": 0.44}, "win rate 0.44"), ({"sharpe": None, "win_rate": 0.9}, "unknown"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_the_rollback_rule(week, word):
    assert word in rules.holds(week)
    assert bool(rules.holds(week)) == bool(word)


# the evening


@pytest.fixture
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def losing(db, home):
    """A run that loses, so that the rules have something to say."""
    return driven(symbols=PAIR, span=SPAN, slippage=40)


@pytest.fixture
def week(monkeypatch):
    """Let the held-out week say what a story needs; what it says of real bars has a test of its own."""

    def says(told):
        monkeypatch.setattr(evenings, "_held_out", lambda *_: {"before": told, "changed": told})

    return says


def test_a_proposal_waits_for_approval_and_trades_only_then(losing, week, caplog):
    week(GOOD)
    found = evenings.learn(DAY, at=NOON, train=False)
    assert found.outcome == "proposed"
    assert found.params_changed["notional"] == 45_000.0
    assert found.proposal.status == "draft"
    assert found.proposal.created_by == "eod_learning"
    assert "notional 50000 → 45000" in found.proposal.note
    assert "notional" not in runs.order("intraday", {}, 1e6).params
    strategies.activate(found.proposal_id, by="asha", at=NOON)
    assert runs.order("intraday", {}, 1e6).params["notional"] == 45_000.0
    line = next(record for record in caplog.records if record.getMessage() == "student_update")
    assert line.context["event"] == "student_update"
    assert line.context["params_changed"] == found.params_changed
    assert line.context["validation_sharpe"] == 0.78


def test_a_week_that_does_not_hold_rolls_back(losing, week, caplog):
    week(BAD)
    found = evenings.learn(DAY, at=NOON, train=False)
    assert (found.outcome, found.proposal) == ("rolled-back", None)
    assert "Sharpe 0.10 is below 0.3" in found.why
    assert not StrategyConfig.objects.exists()
    line = next(record for record in caplog.records if record.getMessage() == "student_update")
    assert line.context["params_changed"] == {}


def test_the_evening_is_done_once(losing, week):
    week(GOOD)
    first = evenings.learn(DAY, at=NOON, train=False)
    again = evenings.learn(DAY, at=NOON + dt.timedelta(hours=1), train=False)
    assert (again.pk, again.finished_at) == (first.pk, NOON)
    assert StrategyConfig.objects.count() == 1


def test_an_evening_that_failed_is_done_again(losing, week, monkeypatch):
    week(GOOD)
    monkeypatch.setattr(watching, "watch", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        evenings.learn(DAY, at=NOON, train=False)
    assert Evening.objects.get().outcome == "failed"
    assert not StrategyConfig.objects.exists()
    monkeypatch.undo()
    assert evenings.learn(DAY, at=NOON, train=False).outcome in ("proposed", "rolled-back")


def test_the_held_out_week_lies_before_the_trades_that_were_looked_at_and_is_the_backtesters(losing):
    found = evenings.learn(DAY, at=NOON, train=False)
    assert (found.validation["first"], found.validation["last"]) == ("2026-10-16", "2026-10-23")
    assert found.validation["changed"]["sessions"] == 5
    assert found.validation["before"] != found.validation["changed"]
    assert found.outcome == ("rolled-back" if rules.holds(found.validation["changed"]) else "proposed")


def test_two_processes_do_not_review_the_same_evening(losing, week):
    week(GOOD)
    held = leases.take(f"evening:{DAY}", "elsewhere:1:2:x", ttl=60)
    with pytest.raises(NotAllowed, match="elsewhere"):
        evenings.learn(DAY, at=NOON, train=False)
    leases.release(held)
    assert evenings.learn(DAY, at=NOON, train=False).outcome == "proposed"


def test_a_day_without_trades_changes_nothing(db, home):
    found = evenings.learn(DAY, at=NOON, train=False)
    assert (found.outcome, found.why) == ("unchanged", f"nothing was closed on {DAY}")


@pytest.mark.parametrize(("day", "word"), [(dt.date(2026, 11, 7), "no session"), (dt.date(2026, 11, 23), "not over")])
def test_a_day_that_cannot_be_reviewed_is_refused(db, day, word):
    with pytest.raises(BadInput, match=word):
        evenings.learn(day, at=NOON, train=False)


def test_the_command_tells_it_in_json_and_refuses_in_one_line(losing):
    code, out, _ = command("eod_learning", "--date", DAY, "--json", "--no-retrain")
    found = json.loads(out)
    assert (code, found["event"]) == (0, "student_update")
    assert {"params_changed", "validation_sharpe", "changes", "outcome"} <= set(found)
    assert (losing.pk, json.loads((evenings.paths.home() / "data/models/student.json").read_text())["date"]) == (
        losing.pk, "2026-11-06",
    )  # fmt: skip
    code, _, err = command("eod_learning", "--date", "2026-11-07")
    assert (code, err.count("\n")) == (2, 1)
    code, out, _ = command("eod_learning", "--date", DAY, "--no-retrain")
    assert "2026-11-06 intraday" in out


# the students


@pytest.fixture
def scored(db, home, settings):
    settings.DESK = dataclasses.replace(settings.DESK, student_model_enabled=True)
    champion = installed(home / "a", NOON)
    challenger = installed(home / "b", NOON, pupil(middle=40.0), role="challenger")
    return champion, challenger, driven(symbols=PAIR, span=SPAN)


def test_every_decision_gets_the_outcome_a_trade_would_have_had(scored):
    settled = watching.settle(DAY, at=NOON)
    assert settled > 0.9 * ModelScore.objects.count()  # the others could not have been left in their session
    assert watching.settle(DAY, at=NOON) == 0
    run = EngineRun.objects.get()
    nets = dict(ModelScore.objects.filter(model=scored[0]).values_list("symbol", "outcome"))
    assert nets
    stopped = run.trades.filter(exit_reason="stop_loss").first() or run.trades.filter(exit_reason="square_off").first()
    decided = ModelScore.objects.filter(
        model=scored[0], symbol=stopped.symbol, at__lt=stopped.entry_time, direction=stopped.side
    ).order_by("-at")[0]  # fmt: skip
    made = float(stopped.net_pnl / (stopped.entry_price * stopped.quantity))
    assert decided.outcome == pytest.approx(made, abs=1e-3)


def test_both_students_are_watched_and_two_weeks_do_not_make_a_better_one(scored):
    champion, challenger = watching.watch(DAY, at=NOON)
    assert champion["decisions"] == challenger["decisions"] > 50
    assert 0.0 <= champion["precision_low"] <= champion["precision"] <= champion["precision_high"] <= 1.0
    assert not challenger["against_champion"]["better"]
    assert not Condition.objects.filter(code="challenger-better").exists()


def test_a_champion_whose_promises_are_not_kept_is_switched_off_and_said(scored):
    watching.settle(DAY, at=NOON)
    ModelScore.objects.update(outcome=-0.01, chance=0.9)
    found = watching.watch(DAY, at=NOON)[0]
    assert "promise" in found["reasons"][0]
    assert students.champion().disabled_at == NOON
    assert Condition.objects.get(code="student-disabled", until=None)
    assert students.wanted(NOON)[0].role == "challenger"


def test_a_challenger_that_earned_more_for_months_is_named_and_decides_nothing(scored):
    champion, challenger, run = scored
    rows = []
    for k in range(260):
        at = dt.datetime(2025, 6, 2, 5, 0, tzinfo=dt.UTC) + dt.timedelta(days=k)
        net = 0.004 * (1 if k % 3 else -1) + 0.001 * (k % 5)
        for model, chance in ((champion, 0.5), (challenger, 0.7)):
            rows.append(ModelScore(run=run, model=model, at=at, symbol="DEMOBANK", strategy="intraday", inputs=[],
                                   direction="LONG", chance=chance, threshold=0.6, outcome=net))  # fmt: skip
    ModelScore.objects.all().delete()
    ModelScore.objects.bulk_create(rows)
    found = watching.watch(DAY, at=NOON)[1]
    assert found["against_champion"]["better"]
    assert Condition.objects.get(code="challenger-better", until=None).subject == challenger.version
    assert students.champion().pk == champion.pk
    students.dismiss(challenger.pk, by="asha", reason="judged", at=NOON)
    assert not Condition.objects.filter(code="challenger-better", until=None).exists()


def test_moved_inputs_warn_at_once_and_end_it_on_the_third_evening(scored):
    champion, _, run = scored
    rows = []
    for k in range(4_000):
        at = dt.datetime(2026, 1, 5, 4, 0, tzinfo=dt.UTC) + dt.timedelta(minutes=15 * k)
        rows.append(ModelScore(run=run, model=champion, at=at, symbol="DEMOBANK", strategy="intraday",
                               direction="LONG", chance=0.5, threshold=0.6, outcome=0.01 * (-1) ** k,
                               inputs=[(k * 7919 % 100) / 100, 0.2, 0.3]))  # fmt: skip
    ModelScore.objects.all().delete()
    days = [dt.date(2026, 11, d) for d in (4, 5, 6)]
    late = [dt.datetime(2026, 11, day, 4, 0, tzinfo=dt.UTC) for day in (2, 3, 4)]
    rows += [
        ModelScore(run=run, model=champion, at=at + dt.timedelta(minutes=k), symbol="DEMOBANK", strategy="intraday",
                   direction="LONG", chance=0.5, threshold=0.6, outcome=0.01 * (-1) ** k, inputs=[5.0, 0.2, 0.3])
        for at in late for k in range(20)
    ]  # fmt: skip
    ModelScore.objects.bulk_create(rows)
    for n, day in enumerate(days, start=1):
        found = evenings.learn(day, at=NOON, train=False).students[0]
        assert (found["drift"]["alarm"], found["drift"]["feature"], found["drift_evenings"]) == (True, "rsi", n)
        assert Condition.objects.filter(code="student-drift", until=None).exists()
        assert bool(students.champion().disabled_at) == (n == 3)


# retraining


def test_a_student_is_trained_when_it_is_due_and_scores_in_shadow(db, home, settings, monkeypatch):
    settings.DESK = dataclasses.replace(settings.DESK, student_model_enabled=True)
    monkeypatch.setattr(retraining, "FIRST", dt.timedelta(days=45))
    run = driven(symbols=("DEMOBANK", "DEMOLABS"), span=(dt.date(2026, 11, 5), DAY))
    found = evenings.learn(DAY, at=NOON).retraining
    assert (found["due"], found["status"], found["end"]) == (True, "success", "2026-11-06"), found
    assert [row.version for row in students.challengers()] == [found["version"]]
    seats = students.wanted(NOON)
    assert "2026-10-15" < seats[0].trained_until <= "2026-11-06"
    council = scoring.Council(seats, "intraday", runs.setup_of(*reversed(runner.plan_of(run))))
    assert council.refused == {}, "it learned from what this run's engine sees"
    assert retraining.due("intraday", DAY + dt.timedelta(days=6)) == (False, dt.date(2026, 9, 22))
    assert retraining.due("intraday", DAY + dt.timedelta(days=7)) == (True, dt.date(2026, 9, 22))


def test_a_training_that_fails_is_told_and_the_evening_goes_on(losing, week, monkeypatch):
    week(GOOD)
    monkeypatch.setattr(retraining, "FIRST", dt.timedelta(days=2))
    found = evenings.learn(DAY, at=NOON)
    assert (found.outcome, found.retraining["status"]) == ("proposed", "failed")
    assert found.retraining["why"]
    assert retraining.due("intraday", DAY + dt.timedelta(days=1))[0]
