"""Looking every evening proves nothing that is not there, and a wandering indicator is no drift."""

import math

import numpy as np
import pytest

from models_ml.core.drift import calibration, judge, psi, threshold
from models_ml.core.sequential import ENOUGH, better, overconfident, sequence, sessions_needed, weekly


def wandering(rng, n, k, phi=0.98):
    """Return n rows of k indicators that remember about fifty bars."""
    found = rng.normal(size=(n, k))
    for i in range(1, n):
        found[i] = phi * found[i - 1] + math.sqrt(1 - phi * phi) * found[i]
    return found


def remembering(rng, n, mean=0.0, phi=0.3):
    found = rng.normal(size=n)
    for i in range(1, n):
        found[i] = phi * found[i - 1] + math.sqrt(1 - phi * phi) * found[i]
    return found + mean


def test_of_200_equal_challengers_watched_for_a_year_at_most_one_in_twenty_looks_better():
    rng = np.random.default_rng(3)
    assert sum(better(weekly(remembering(rng, 250))).enough for _ in range(200)) <= 10


def test_a_better_challenger_is_found_and_a_worse_one_never():
    rng = np.random.default_rng(4)
    assert sum(better(weekly(remembering(rng, 500, 0.4))).enough for _ in range(20)) >= 16
    assert not any(better(weekly(remembering(rng, 500, -0.4))).enough for _ in range(20))


def test_what_was_found_once_stays_found():
    rng = np.random.default_rng(5)
    daily = np.concatenate([remembering(rng, 400, 0.8), remembering(rng, 400, -0.8)])
    found = better(weekly(daily))
    assert found.enough
    assert found.value < found.highest


def test_chances_that_are_kept_raise_no_alarm_and_promises_too_high_do():
    rng = np.random.default_rng(6)
    false = 0
    for _ in range(100):
        chances = rng.uniform(0.4, 0.7, 300)
        false += overconfident(chances, (rng.random(300) < chances).astype(float)).enough
    assert false <= 5
    chances = np.full(300, 0.65)
    assert overconfident(chances, (rng.random(300) < 0.5).astype(float)).enough


def test_the_interval_holds_whenever_one_looks():
    rng = np.random.default_rng(8)
    missed = 0
    for _ in range(100):
        x = rng.normal(0.1, 1.0, 200)
        missed += any(not lo <= 0.1 <= hi for lo, hi in (sequence(x[:n]) for n in range(20, 201, 5)))
    assert missed <= 8
    assert math.isnan(sequence(np.ones(1))[0])


def test_it_is_told_beforehand_how_long_it_takes():
    assert sessions_needed(0.2) == pytest.approx(150, abs=1)
    assert sessions_needed(0.0) == math.inf
    assert ENOUGH == 20


def test_indicators_that_wander_are_no_drift_by_their_own_history_though_psi_alone_would_cry_wolf():
    rng = np.random.default_rng(9)
    wolf = drift = 0
    for _ in range(30):
        rows = wandering(rng, 6_000, 3)
        found = judge(("a", "b", "c"), rows[:-200], rows[-200:])
        wolf += found.psi > 0.25
        drift += found.alarm
    assert wolf >= 25
    assert drift <= 2


def test_inputs_that_moved_are_drift_and_the_feature_is_named():
    rng = np.random.default_rng(10)
    rows = rng.normal(size=(6_000, 3))
    rows[-200:, 1] += 1.5
    found = judge(("a", "b", "c"), rows[:-200], rows[-200:])
    assert found.alarm
    assert found.feature == "b"


def test_a_feature_that_falls_silent_is_drift():
    rows = np.random.default_rng(11).normal(size=(6_000, 2))
    rows[-200:, 0] = np.nan
    assert judge(("a", "b"), rows[:-200], rows[-200:]).alarm


def test_a_short_history_raises_no_alarm():
    rows = np.random.default_rng(12).normal(size=(1_000, 1))
    assert math.isnan(threshold(rows, 200))
    assert not judge(("a",), rows, rows[:200] + 9).alarm
    assert psi(rows[:, 0], rows[:, 0]) == pytest.approx(0.0)


def test_calibration_is_the_gap_between_promise_and_outcome():
    found = calibration(np.array([0.65, 0.65, 0.15, 0.15]), np.array([1.0, 1.0, 0.0, 0.0]))
    assert (found.decisions, round(found.gap, 3), round(found.ece, 3)) == (4, -0.1, 0.25)
    assert math.isnan(calibration(np.zeros(0), np.zeros(0)).brier)
