"""A student learns from earlier rows, is calibrated on its own, and meets its test rows once."""

import itertools

import numpy as np
import pytest

from models_ml.core import evaluation, gates
from models_ml.core.calibration import softmax
from models_ml.core.frozen import sealed
from models_ml.core.gates import Baseline
from models_ml.core.slices import Shares
from models_ml.services import fitting, learning, teaching
from models_ml.services.fitting import Grown, Set
from models_ml.services.learning import MODEL_TYPES, Ask, Earlier
from tests.models_ml.invented import CODE, dataset
from trading.adapters.student_files import packed
from trading.core.errors import Invalid
from trading.core.scoring import Scorer

SMALL = Grown(rounds=20, leaves=7, least=20)
NULLS = range(11, 17)


def lesson_of(data, grown=SMALL):
    return teaching.teach(data, holdout=0.25, folds=3, embargo=3_600, grown=grown, seed=1).lesson


def asking(kind="logistic", **more):
    return Ask(**{
        "model_type": kind, "shares": Shares(test=0.25), "embargo": 3_600, "tune": False, "folds": 3, "seed": 1, **more
    })  # fmt: skip


@pytest.fixture(scope="module")
def lesson():
    return lesson_of(dataset(edge=0.3, days=40, seed=4))


@pytest.fixture(scope="module")
def learned(lesson):
    return {kind: learning.learn(lesson, CODE, asking(kind)) for kind in MODEL_TYPES}


def changed(lesson, rows, **arrays):
    found = {name: getattr(lesson, name).copy() for name in arrays}
    for name, value in arrays.items():
        found[name][rows] = value
    return type(lesson)(**{name: found.get(name, getattr(lesson, name)) for name in lesson.__slots__})


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_the_same_lesson_gives_the_same_student_to_the_last_byte(lesson, learned, kind):
    again = learning.learn(lesson, CODE, asking(kind))
    assert packed(again.scorer) == packed(learned[kind].scorer)
    assert (again.evaluation, again.report) == (learned[kind].evaluation, learned[kind].report)


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_poisoned_test_rows_change_no_weight_no_scaling_no_temperature_and_no_threshold(lesson, learned, kind):
    late = np.flatnonzero(lesson.ts >= learned[kind].report["slices"]["test"]["start"])
    poisoned = changed(
        lesson, late, x=1000.0 * lesson.x[late], y=-lesson.y[late], net=-lesson.net[late], chances=1 / 3, weight=9.0
    )  # fmt: skip
    other = learning.learn(poisoned, CODE, asking(kind, tune=kind == "logistic"))
    same = learning.learn(lesson, CODE, asking(kind, tune=kind == "logistic"))
    assert packed(other.scorer) == packed(same.scorer)
    assert other.report == same.report


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_what_calibrates_does_not_fit_and_what_fits_does_not_calibrate(lesson, learned, kind):
    parts = learned[kind].report["slices"]
    held = np.flatnonzero((lesson.ts >= parts["calibrate"]["start"]) & (lesson.ts < parts["test"]["start"]))
    other = learning.learn(changed(lesson, held, y=-lesson.y[held], net=-lesson.net[held]), CODE, asking(kind))
    assert other.scorer.model.as_json() == learned[kind].scorer.model.as_json()
    assert other.scorer.temperature != learned[kind].scorer.temperature
    order = ["fit", "early", "calibrate", "test"] if kind == "lightgbm" else ["fit", "calibrate", "test"]
    for first, then in itertools.pairwise(order):
        assert parts[first]["known"] < parts[then]["start"] - 3_600


def test_trees_stop_early_where_neither_fit_nor_test_is(lesson, learned):
    parts = learned["lightgbm"].report["slices"]
    assert parts["early"]["rows"] > 0
    assert learned["logistic"].report["slices"]["early"]["rows"] == 0
    for name, changes in (("early", True), ("calibrate", False)):
        later = parts["calibrate"]["start"] if name == "early" else parts["test"]["start"]
        rows = np.flatnonzero((lesson.ts >= parts[name]["start"]) & (lesson.ts < later))
        other = learning.learn(changed(lesson, rows, y=-lesson.y[rows]), CODE, asking("lightgbm"))
        assert (other.scorer.model.as_json() != learned["lightgbm"].scorer.model.as_json()) is changes


def test_the_test_rows_are_scored_once(lesson, monkeypatch):
    asked = []
    plain = Scorer.chances
    monkeypatch.setattr(Scorer, "chances", lambda self, rows: asked.append(len(rows)) or plain(self, rows))
    found = learning.learn(lesson, CODE, asking())
    assert asked == [found.report["slices"]["test"]["rows"]]


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_the_scorer_says_what_the_library_says(lesson, learned, kind):
    scorer = learned[kind].scorer
    rows = lesson.x[:300]
    if kind == "lightgbm":
        odds = scorer.model.odds(rows)  # equal to LightGBM's own: see core/test_forests
    else:
        by = learned[kind].scale
        coef, intercept = fitting.unfolded(scorer.model, by)
        odds = fitting.scaled(rows, by) @ coef.T + intercept
    wanted = softmax(odds / scorer.temperature)
    np.testing.assert_allclose([scorer.score(row.tolist())[:3] for row in rows], wanted, atol=1e-9)


def test_folded_weights_say_what_scikit_learn_says_of_scaled_rows(lesson):
    from sklearn.linear_model import LogisticRegression

    target = fitting.targets(evaluation.classes_of(lesson.y), lesson.chances, 0.5)
    rows = Set(lesson.x[:800], target[:800], lesson.weight[:800])
    by = fitting.scaling(rows.x)
    x, y, weight = fitting.spread(rows, by)
    theirs = LogisticRegression(C=0.5, tol=1e-7, max_iter=2_000).fit(x, y, sample_weight=weight)
    ours = fitting.folded(*fitting.logistic(rows, by, 0.5), by)
    fresh = lesson.x[800:1200]
    np.testing.assert_allclose(softmax(ours.odds(fresh)), theirs.predict_proba(fitting.scaled(fresh, by)), atol=1e-9)


def test_a_planted_edge_is_found_by_every_kind_of_student(learned):
    for kind, found in learned.items():
        assert found.evaluation["directional_auc"] > 0.57, kind
        assert found.evaluation["realised"]["decided"]["uplift"]["value"] > 0.03, kind


def test_an_edge_no_market_has_is_a_suspected_leak(learned):
    told = learned["logistic"].evaluation["leak"]
    assert told["suspected"]
    assert not all(each["pass"] for each in gates.checks(learned["logistic"].evaluation, Baseline(0.0, 0.0)))


def test_an_honest_edge_is_promoted():
    data = dataset(edge=0.12, days=150, symbols=tuple("ABCDEFGH"), seed=5)
    found = learning.learn(lesson_of(data, grown=Grown(rounds=60)), CODE, asking("lightgbm"))
    told = gates.checks(found.evaluation, Baseline(0.60, 0.55))
    assert [each["label"] for each in told if not each["pass"]] == []
    assert 0.53 < found.evaluation["directional_auc"] < gates.LEAK_AUC


def test_on_a_market_without_a_pattern_nothing_is_found_and_nothing_is_promoted():
    areas, gains = [], []
    for seed in NULLS:
        found = learning.learn(lesson_of(dataset(days=30, seed=seed)), CODE, asking("lightgbm"))
        areas.append(found.evaluation["directional_auc"])
        gains.append(found.evaluation["realised"]["decided"]["uplift"]["value"])
        assert not all(each["pass"] for each in gates.checks(found.evaluation, Baseline(0.0, 0.0)))
    for values, nothing in ((areas, 0.5), (gains, 0.0)):
        assert abs(np.mean(values) - nothing) < 3.4 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_a_student_of_shuffled_labels_has_no_skill_though_it_agrees_with_its_teacher():
    data = dataset(edge=0.5, days=40, seed=8)
    order = np.random.default_rng(2).permutation(len(data))
    arrays = data.arrays() | {"y": data.y[order], "net": data.net[order]}
    found = learning.learn(lesson_of(sealed(arrays, data.names, data.manifest)), CODE, asking("lightgbm"))
    assert abs(found.evaluation["directional_auc"] - 0.5) < 0.05
    assert found.evaluation["teacher_agreement"]["accuracy"] > found.evaluation["accuracy"] + 0.1
    assert not all(each["pass"] for each in gates.checks(found.evaluation, Baseline(0.0, 0.0)))


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_chances_of_rare_classes_stay_as_rare_as_they_are(kind):
    data = dataset(edge=0.2, days=40, seed=6)
    quiet = np.random.default_rng(0).random(len(data)) < 0.85
    y = np.where(quiet, 0, data.y)
    lesson = lesson_of(sealed(data.arrays() | {"y": y}, data.names, data.manifest))
    found = learning.learn(lesson, CODE, asking(kind))
    late = lesson.ts >= found.report["slices"]["test"]["start"]
    for place, side in enumerate((1, -1, 0)):
        assert abs(found.scorer.chances(lesson.x[late])[:, place].mean() - (y[late] == side).mean()) < 0.035


def test_rows_that_overlap_weigh_as_much_as_one(lesson):
    target = fitting.targets(evaluation.classes_of(lesson.y), lesson.chances, 0.5)
    rows = Set(lesson.x[:600], target[:600], lesson.weight[:600])
    twice = Set(*(np.repeat(part, 2, axis=0) for part in (rows.x, rows.target, rows.weight / 2)))
    by = fitting.scaling(rows.x)
    once, double = fitting.logistic(rows, by, 1.0), fitting.logistic(twice, by, 1.0)
    np.testing.assert_allclose(once[0], double[0], atol=1e-4)


def test_tuning_looks_at_the_fitting_slice_alone_and_tells_every_trial(lesson):
    found = learning.learn(lesson, CODE, asking("logistic", tune=True))
    trials = found.report["trials"]
    assert len(trials) == len(learning.GRIDS["logistic"])
    best = min(trials, key=lambda each: each["log_loss"])
    assert found.report["choice"] == {"strength": best["strength"]}
    assert all(len(each["folds"]) == 3 for each in trials)


def part(lesson, until):
    keep = np.flatnonzero(lesson.end < until)
    return type(lesson)(lesson.names, *(getattr(lesson, name)[keep] for name in lesson.__slots__ if name != "names"))


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_a_warm_start_goes_on_from_the_earlier_student(lesson, kind):
    middle = int(np.quantile(lesson.ts, 0.55))
    before = learning.learn(part(lesson, middle), CODE, asking(kind))
    earlier = Earlier("student-1", before.scorer.model, before.scale, before.report["slices"]["fit"]["known"])
    warm = learning.learn(lesson, CODE, asking(kind, earlier=earlier))
    assert warm.report["earlier"] == "student-1"
    assert warm.evaluation["directional_auc"] > 0.56
    if kind == "lightgbm":
        trees = before.scorer.model.trees
        assert warm.scorer.model.trees[: len(trees)] == trees
    if kind == "logistic":
        cold = learning.learn(lesson, CODE, asking(kind))
        np.testing.assert_allclose(warm.scorer.chances(lesson.x[:50]), cold.scorer.chances(lesson.x[:50]), atol=1e-4)
    if kind == "sgd":
        assert warm.scale is before.scale
        assert warm.report["slices"]["fit"]["start"] > before.report["slices"]["fit"]["start"]


def test_an_earlier_student_that_knows_the_test_is_refused(lesson, learned):
    model = learned["sgd"]
    late = Earlier("student-9", model.scorer.model, model.scale, int(lesson.end.max()))
    with pytest.raises(Invalid, match="student-9 was fitted on rows of the time"):
        learning.learn(lesson, CODE, asking("sgd", earlier=late))
    same = Earlier("student-9", model.scorer.model, model.scale, model.report["slices"]["fit"]["known"])
    with pytest.raises(Invalid, match="0 rows are new to student-9"):
        learning.learn(lesson, CODE, asking("sgd", earlier=same))


def test_soft_targets_are_the_teachers_only_where_it_had_not_seen_the_row():
    soft = np.array([[0.6, 0.3, 0.1], [np.nan] * 3])
    found = fitting.targets(np.array([1, 2]), soft, 0.5)
    np.testing.assert_allclose(found[0], 0.99 * (0.5 * np.array([0, 1, 0]) + 0.5 * soft[0]) + 0.01 / 3)
    np.testing.assert_allclose(found[1], 0.99 * np.array([0, 0, 1]) + 0.01 / 3)


def test_words_that_cannot_be_are_told(lesson):
    with pytest.raises(Invalid, match="unknown model type 'forest'"):
        learning.learn(lesson, CODE, asking("forest"))
    with pytest.raises(Invalid, match="sessions are too few"):
        learning.learn(part(lesson, int(np.quantile(lesson.ts, 0.05))), CODE, asking())
    few = np.arange(0, lesson.ts.size, 20)
    thin = type(lesson)(lesson.names, *(getattr(lesson, name)[few] for name in lesson.__slots__ if name != "names"))
    with pytest.raises(Invalid, match="rows to calibrate on are too few"):
        learning.learn(thin, CODE, asking())
