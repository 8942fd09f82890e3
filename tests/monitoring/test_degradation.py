"""Trades that got worse are told of in the windows in force: wide as a rule, narrow while a release is watched."""

import datetime as dt
import json
import math

import pytest

from monitoring.core.degradation import HEIGHTENED, NORMAL, Part, found
from monitoring.services import degradation
from tests.monitoring.world import NOON, episode, look
from tests.trading.rows import run as a_run
from trading.models import PredictionRecord, ReleasePointer

OLD = {"intraday": Part(400, 0.60, 0.6, 1.5, -0.02)}


def traded(run, count, wins, *, at, start=0):
    """Record the outcomes of ``count`` LONG trades closed at ``at``, of which ``wins`` won."""
    for number in range(start, start + count):
        won = number - start < wins
        fields = {
            "timestamp": "2026-11-20 10:00:00", "symbol": "TCS", "strategy": "intraday", "predicted_direction": "LONG",
            "actual_direction": "LONG" if won else "SHORT", "predicted_confidence": 0.7, "entry_price": 100.0,
            "exit_price": 101.0 if won else 99.0, "holding_period_minutes": 5.0,
            "realized_return_pct": 1.0 if won else -1.0, "features": {}, "metadata": {},
        }  # fmt: skip
        PredictionRecord.objects.create(
            run=run, number=number + 1, kind="outcome", at=at, symbol="TCS", strategy="intraday", order=number + 1,
            payload=json.dumps({"trace": fields}), digest=f"{number:064d}",
        )  # fmt: skip


def pointed(*, deployed_at, mode="heightened"):
    return ReleasePointer.objects.create(
        release_id="release_20261122_190000", seq=1, highest_seq=1, folder="release/deployed/x", mode=mode,
        manifest_sha256="a" * 64, key_id="k", deployed_at=deployed_at, deployed_by="esha",
    )  # fmt: skip


def test_a_drop_between_the_two_limits_is_degradation_only_while_a_release_is_watched():
    window = {"intraday": Part(40, 0.53, 0.6, 1.5, -0.02)}
    by_mode = {terms.mode: found(window, OLD, terms)[0] for terms in (NORMAL, HEIGHTENED)}
    assert by_mode["normal"].share < 1.0 < by_mode["heightened"].share
    assert (by_mode["normal"].limit, by_mode["heightened"].limit) == (0.10, 0.05)
    assert not by_mode["heightened"].beyond_luck  # 40 trades cannot tell 53 % from 60 %
    assert found({"intraday": Part(400, 0.45, 0.6, 1.5, -0.02)}, OLD, HEIGHTENED)[0].beyond_luck


@pytest.mark.parametrize(("window", "old"), [(Part(19, 0.1), OLD["intraday"]), (Part(40, 0.1), Part(29, 0.6))])
def test_too_few_trades_on_either_side_say_nothing(window, old):
    assert math.isnan(found({"intraday": window}, {"intraday": old}, NORMAL)[0].drop)


@pytest.mark.django_db
def test_the_rule_reads_the_mode_off_the_release_pointer():
    run = a_run(name="engine", mode="dry-run")
    traded(run, 40, 24, at=NOON - dt.timedelta(days=10))
    traded(run, 30, 16, at=NOON - dt.timedelta(hours=2), start=40)
    assert degradation.terms() is NORMAL
    look()
    assert episode("accuracy_degraded") is None
    row = pointed(deployed_at=NOON - dt.timedelta(hours=3))
    look(5)
    found = episode("accuracy_degraded")
    assert (found.status, found.group) == ("firing", "intraday_hit_ratio_drop")
    assert "0.067 (0.05 is allowed)" in found.message
    assert "heightened" in found.message
    ReleasePointer.objects.filter(pk=row.pk).update(mode="normal")
    look(10)
    assert episode("accuracy_degraded").value < 1.0


@pytest.mark.django_db
def test_what_was_traded_before_a_release_is_not_held_against_it():
    run = a_run(name="engine", mode="dry-run")
    traded(run, 40, 24, at=NOON - dt.timedelta(days=10))
    traded(run, 30, 0, at=NOON - dt.timedelta(hours=2), start=40)
    pointed(deployed_at=NOON - dt.timedelta(hours=1))
    assert all(math.isnan(each.drop) for each in degradation.look(at=NOON)), "its bad morning was another release's"
    traded(run, 30, 0, at=NOON - dt.timedelta(minutes=20), start=70)
    drop = degradation.look(at=NOON)[0]
    assert (drop.name, drop.trades, drop.before) == ("intraday_hit_ratio_drop", 30, 24 / 70)
