"""A student's word goes through the decision core: engine and backtest agree, and a bad student stops nobody."""

import dataclasses
import datetime as dt
import math

import pytest
from django.db import IntegrityError, transaction

from sensequant.lib.errors import BadInput, NotAllowed
from tests.trading.desks import LIVELY, NOON, After, begun, driven, engine, lanes, moments, plan, play
from tests.trading.pupils import installed, pupil, sealed, seat
from tests.trading.test_parity import CHARGES
from trading.core.scoring import Scored, Scorer
from trading.core.setups import make_setup
from trading.core.state import ORDERED, SIGNAL
from trading.models import ActiveModel, Condition, ModelScore, Signal
from trading.services import backtests, parity, scoring, students
from trading.services.live_engine import LiveEngine
from trading.services.live_recording import LiveRecorder
from trading.services.runner import Runner


@pytest.fixture
def switched_on(settings):
    settings.DESK = dataclasses.replace(settings.DESK, student_model_enabled=True)


def compared(seats, **params):
    setup = make_setup("intraday", 5, {}, {**LIVELY, **params})
    return parity.compare("intraday", setup, lanes(), capital=1e6, charges=CHARGES, compiled=False, seats=seats)


@pytest.mark.parametrize("least", [0.0, 0.5, 0.9])
def test_engine_and_backtest_are_identical_with_a_student(tmp_path, least):
    alone, scored = compared([]), compared([seat(tmp_path)], min_student=least)
    assert scored["identical"], scored["first_difference"]
    assert scored["signals"] > 0
    assert (scored["orders"] == alone["orders"]) == (least == 0.0)


def test_an_entry_the_student_doubts_is_objected_to_and_the_signal_says_how_sure_it_was(tmp_path):
    over = lanes()
    judged = engine(over, min_student=0.7)
    judged.judges = scoring.Council([seat(tmp_path)], "intraday", judged.setup)
    said = [x.values for x in play(judged, moments(over)[1]) if x.kind == SIGNAL and x.values["side"] == 0]
    assert {(v["direction"] * v["student"] < 0.7) == bool(int(v["objections"]) & 8388608) for v in said} == {True}
    assert any(int(v["objections"]) & 8388608 for v in said)
    assert not all(int(v["objections"]) & 8388608 for v in said)


def test_challengers_are_heard_and_change_nothing(tmp_path):
    over = lanes()
    other = dataclasses.replace(seat(tmp_path / "b", pupil(middle=40.0)), role="challenger", row=2)
    runs = []
    for seats in ([seat(tmp_path / "a")], [seat(tmp_path / "a"), other]):
        one = engine(over, min_student=0.6)
        one.judges = scoring.Council(seats, "intraday", one.setup)
        steps = [one.step(ts, rows) for _, ts, rows in moments(over)[1]]
        runs.append(([x for s in steps for x in s.happenings], [x for s in steps for x in s.scores]))
    assert str(runs[0][0]) == str(runs[1][0])
    assert len(runs[1][1]) == 2 * len(runs[0][1]) > 0


def test_a_student_that_fails_is_left_out_and_the_desk_goes_on_without(tmp_path, monkeypatch):
    over = lanes()
    judged, plain = engine(over), engine(over)
    broken = seat(tmp_path)
    judged.judges = scoring.Council([broken], "intraday", judged.setup)
    monkeypatch.setattr(type(broken.scorer), "score", lambda *_: 1 / 0)
    assert str(play(judged, moments(over)[1])) == str(play(plain, moments(over)[1]))
    assert judged.judges.champion is None
    assert not judged.halted


def test_a_student_of_another_strategy_is_not_seated(tmp_path):
    council = scoring.Council([seat(tmp_path)], "crossover", make_setup("crossover", 5, {}))
    assert council.champion is None
    assert "crossover keeps too few features" in next(iter(council.refused.values()))


@pytest.mark.parametrize("params", [{"sma": 30}, {}], ids=["other windows", "other bars"])
def test_a_student_of_features_made_otherwise_is_not_seated(tmp_path, params):
    minutes = 5 if params else 15
    council = scoring.Council([seat(tmp_path)], "intraday", make_setup("intraday", minutes, {}, params))
    assert council.champion is None
    assert "made otherwise" in next(iter(council.refused.values()))


@pytest.mark.django_db
def test_a_replay_keeps_version_and_chance_on_every_signal_and_score(tmp_path, switched_on):
    champion = installed(tmp_path / "a", NOON)
    installed(tmp_path / "b", NOON, pupil(middle=40.0), role="challenger")
    run = driven(min_student=0.6)
    entries = Signal.objects.filter(run=run).exclude(direction="FLAT")
    scored = entries.exclude(model_version="")
    assert scored.count() > 20
    assert set(scored.values_list("model_version", flat=True)) == {champion.version}
    doubted = scored.filter(model_confidence__lt=0.6)
    assert doubted
    assert all("the student model is not sure enough" in each.objections for each in doubted)
    assert ModelScore.objects.filter(model=champion).count() == scored.count()
    assert ModelScore.objects.exclude(model=champion).count() == scored.count()
    assert len(ModelScore.objects.first().inputs) == 3


@pytest.mark.django_db
def test_a_backtest_of_the_same_trades_the_same_and_warns_of_days_the_student_knows(tmp_path, switched_on):
    installed(tmp_path, NOON, trained_until="2026-11-04")
    run, asked = driven(), plan()
    test = backtests.execute(backtests.keep(asked.wanted, asked.order, by="asha", at=NOON).pk, at=NOON)
    names = ("symbol", "entry_time", "exit_time", "net_pnl")
    ours = list(run.trades.order_by("exit_time", "symbol").values_list(*names))
    assert ours == list(test.trades.order_by("exit_time", "symbol").values_list(*names))
    assert test.model_version == students.champion().version
    assert any("no forecast" in each for each in test.warnings)


@pytest.mark.django_db
def test_with_the_switch_off_a_promoted_student_is_not_asked(tmp_path):
    installed(tmp_path, NOON)
    driven()
    assert not ModelScore.objects.exists()
    assert not Condition.objects.exists()


def _flip(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["byte", "gone", "none", "pinned"])
def test_a_missing_or_corrupt_student_never_stops_the_engine_and_is_said(tmp_path, settings, switched_on, harm):
    if harm != "none":
        installed(tmp_path, NOON)
    if harm == "byte":
        _flip(tmp_path / "model.json")
    if harm == "gone":
        (tmp_path / "manifest.json").unlink()
    if harm == "pinned":
        settings.DESK = dataclasses.replace(settings.DESK, student_model_version="student-another")
    run = driven()
    assert run.state == "finished"
    assert run.trades.exists()
    told = Condition.objects.get(code="student-missing", until=None)
    word = {"byte": "model.json", "gone": "no finished artifact", "none": "no student", "pinned": "student-another"}
    assert word[harm] in told.message


@pytest.mark.django_db
def test_a_student_that_is_switched_off_scores_no_more(tmp_path, switched_on):
    installed(tmp_path, NOON)
    students.disable("worse than the rules", by="rule", at=NOON)
    driven()
    assert not ModelScore.objects.exists()
    assert Condition.objects.get(code="student-disabled").until is None
    with pytest.raises(BadInput, match="no reason"):
        students.enable(" ", by="asha", at=NOON)
    students.enable("looked into it", by="asha", at=NOON)
    assert not Condition.objects.filter(code="student-disabled", until=None).exists()
    assert students.wanted(NOON)[0].scorer.version == students.champion().version


@pytest.mark.django_db
def test_a_running_engine_takes_up_a_new_champion_and_drops_a_disabled_one(tmp_path, switched_on):
    installed(tmp_path / "a", NOON)
    run = Runner(begun(), stop=After(), clock=lambda: NOON, show=False)
    first = run.engine.judges.champion.scorer.version
    second = installed(tmp_path / "b", NOON, pupil(middle=40.0)).version
    run._look(at_once=True)
    assert run.engine.judges.champion.scorer.version == second != first
    students.disable("drift", by="rule", at=NOON)
    run._look(at_once=True)
    assert run.engine.judges is None


@pytest.mark.django_db
def test_one_champion_at_a_time_and_none_without_evidence(tmp_path):
    installed(tmp_path / "a", NOON)
    installed(tmp_path / "b", NOON, pupil(middle=40.0))
    assert ActiveModel.objects.filter(role="champion", until=None).count() == 1
    row = ActiveModel.objects.first()
    twin = {"role": "champion", "version": "x", "folder": "x", "digest": "x", "since": NOON, "by": "x", "reason": "x"}
    for evidence in ("", "e"):
        with pytest.raises(IntegrityError), transaction.atomic():
            ActiveModel.objects.create(**twin, evidence=evidence)
    installed(tmp_path / "c", NOON, pupil(middle=50.0), role="challenger")
    with pytest.raises(NotAllowed, match="there already"):
        installed(tmp_path / "c", NOON, pupil(middle=50.0), role="challenger")
    assert row.until is None


@pytest.mark.django_db
def test_a_folder_that_was_sealed_anew_is_not_the_one_that_was_signed(tmp_path):
    row = installed(tmp_path, NOON)
    sealed(tmp_path, pupil(middle=41.0))
    with pytest.raises(BadInput, match="is not what was put in place"):
        students.seated(row)


def test_a_word_that_is_no_chance_counts_as_a_failure(tmp_path, monkeypatch):
    over = lanes()
    judged = engine(over)
    one = seat(tmp_path)
    judged.judges = scoring.Council([one], "intraday", judged.setup)
    said = Scored(math.nan, 0.0, 0.0, 0.0, 0)
    monkeypatch.setattr(type(one.scorer), "score", lambda *_: said)
    found = play(judged, moments(over)[1])
    assert any(x.kind == ORDERED for x in found)


@pytest.mark.django_db
def test_a_champion_that_falls_silent_in_the_middle_is_said(tmp_path, switched_on, monkeypatch):
    row = installed(tmp_path, NOON)
    said = iter([Scored(0.7, 0.2, 0.1, 0.7, 1)] * 5)
    monkeypatch.setattr(Scorer, "score", lambda *_: next(said))
    run = driven()
    assert run.state == "finished"
    assert ModelScore.objects.filter(model=row).count() == 5
    assert Condition.objects.get(code="student-missing", until=None).message.endswith("StopIteration")


@pytest.mark.django_db
def test_a_champion_of_other_features_is_said(tmp_path, switched_on):
    installed(tmp_path, NOON, pupil(digest="d" * 64))
    driven()
    assert "made otherwise" in Condition.objects.get(code="student-missing", until=None).message


@pytest.mark.django_db
def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not_been(tmp_path, switched_on):
    installed(tmp_path, NOON)
    whole, broken = driven(name="whole"), driven(begun(name="broken"), looks=150)
    assert broken.state == "suspended"
    broken = driven(broken)
    names = ("at", "symbol", "direction", "model_version", "model_confidence", "objections")
    ours, theirs = (list(run.signals.order_by("at", "symbol").values_list(*names)) for run in (broken, whole))
    assert len(theirs) > 50
    assert ours == theirs
    assert broken.scores.count() == whole.scores.count()


@pytest.mark.django_db
def test_an_engine_that_sends_orders_is_judged_and_remembers_it_alike(tmp_path, switched_on):
    champion = installed(tmp_path, NOON)
    over, run = lanes(), begun()
    setup = make_setup("intraday", 5, {}, {**LIVELY, "min_student": 0.6})
    live = LiveEngine("intraday", setup, [each.spec for each in over], capital=1e6, charges=CHARGES)
    live.judges = scoring.council_of(live, at=NOON)
    recorder = LiveRecorder(run, live)
    recorder.open_session(0)
    for _, ts, rows in moments(over)[1][:250]:
        recorder.record(live.step(ts, rows))
    entries = run.signals.exclude(direction="FLAT")
    assert set(entries.values_list("model_version", flat=True)) == {champion.version}
    sent = run.orders.filter(purpose="entry")
    assert sent
    for order in sent:
        said = entries.get(symbol=order.symbol, at=order.created_at - dt.timedelta(minutes=5))
        assert said.model_confidence >= 0.6
