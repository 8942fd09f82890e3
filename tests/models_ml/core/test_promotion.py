"""A clone is not promoted, a better model is, and one that is too good to be true is not."""

import math

import numpy as np
import pytest

from models_ml.core.paired import compare, newey_west, sharpe, student_quantile
from models_ml.core.promotion import (
    PROMOTE,
    REJECT,
    Rule,
    Skill,
    auc,
    deltas,
    leaks,
    results,
    skill,
    verdict,
)

RULE = Rule(0.02, 0.02, 0.05, require_all=True)
SOUND = Skill(1_000, 300, 0.53, 0.55, 0.52)


def market(rng, days=90, edge=0.0, memory=0.3):
    """Return daily returns of a candidate and a baseline that share most of their luck and remember yesterday."""
    shared, mine, theirs = (rng.normal(size=days) for _ in range(3))
    for series in (shared, mine, theirs):
        for k in range(1, days):
            series[k] = memory * series[k - 1] + math.sqrt(1 - memory**2) * series[k]
    scale = 0.006
    return scale * (0.1 + 0.8 * shared + 0.6 * mine + edge), scale * (0.1 + 0.8 * shared + 0.6 * theirs)


def judged(candidate, baseline, seed, found=SOUND, rule=RULE, precision=0.03, trades=200):
    """Return the verdict on two series of days; precision and hit ratio are as lucky as the returns are."""
    metrics = {"precision_long": 0.55, "hit_ratio": 0.55, "sharpe_ratio": sharpe(candidate)}
    other = {"precision_long": 0.55 - precision, "hit_ratio": 0.55 - precision, "sharpe_ratio": sharpe(baseline)}
    met = results(deltas(metrics, other), rule)
    return verdict(
        met,
        compare(candidate, baseline, seed=seed, draws=400),
        found,
        {**metrics, "trades": trades},
        suspected=leaks(found),
    )


def test_of_200_clones_at_most_one_in_twenty_is_promoted():
    rng = np.random.default_rng(7)
    passed = sum(judged(*market(rng), seed=k)[0] == PROMOTE for k in range(200))
    uplift_alone = sum(sharpe(a) - sharpe(b) >= 0.05 for a, b in (market(rng) for _ in range(200)))
    assert passed <= 10
    assert uplift_alone > 60, "the document's rule alone promotes many of them"


def test_a_better_model_is_promoted():
    rng = np.random.default_rng(11)
    passed = sum(judged(*market(rng, days=250, edge=0.3), seed=k)[0] == PROMOTE for k in range(20))
    assert passed >= 16


def test_the_same_model_twice_is_no_better_than_itself():
    same = np.random.default_rng(1).normal(size=120)
    assert not compare(same, same, seed=1).significant
    assert judged(same, same, 1)[0] == REJECT


def test_too_few_days_prove_nothing():
    better = np.full(19, 0.01) + np.random.default_rng(1).normal(0, 1e-4, 19)
    assert judged(better, np.zeros(19), 1) == (REJECT, "19 days are too few to tell skill from luck.")


def test_to_abstain_or_to_lose_less_is_no_skill():
    rng = np.random.default_rng(4)
    losing = -0.004 + rng.normal(0.0, 0.002, 120)
    idle, lesser = np.zeros(120), losing + 0.003
    assert compare(idle, losing, seed=1).significant
    word, why = judged(idle, losing, 1, trades=3)
    assert (word, "not to trade is no skill" in why) == (REJECT, True)
    word, why = judged(lesser, losing, 1)
    assert (word, "loses money itself" in why) == (REJECT, True)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (SOUND._replace(auc=0.57), "AUC 0.570"),
        (SOUND._replace(precision=0.61), "points over the base rate"),
    ],
)
def test_what_is_too_good_to_be_true_blocks_even_the_best(found, word):
    candidate, baseline = market(np.random.default_rng(3), days=250, edge=1.0)
    assert judged(candidate, baseline, 1)[0] == PROMOTE
    word_of, why = judged(candidate, baseline, 1, found)
    assert word_of == REJECT
    assert "suspected leak" in why
    assert word in why


def test_few_decisions_and_seen_bars_block_too():
    candidate, baseline = market(np.random.default_rng(3), days=250, edge=1.0)
    assert "only 99 decisions" in judged(candidate, baseline, 1, SOUND._replace(decisions=99))[1]
    met = results({f"{x}_uplift": 1.0 for x in ("precision", "hit_ratio", "sharpe")}, RULE)
    own = {"trades": 200.0, "sharpe_ratio": 1.0}
    told = verdict(met, compare(candidate, baseline, seed=1), SOUND, own, in_sample="trained until 2024-06-30")
    assert told[0] == REJECT
    assert "not out of sample" in told[1]


def test_the_documents_rule_asks_for_all_or_for_any():
    uplifts = deltas(
        {"precision_long": 0.712, "hit_ratio": 0.668, "sharpe_ratio": 1.85},
        {"precision_long": 0.685, "hit_ratio": 0.632, "sharpe_ratio": 1.72},
    )
    assert results(uplifts, RULE) == {
        "precision_pass": True, "hit_ratio_pass": True, "sharpe_pass": True, "all_criteria_pass": True,
    }  # fmt: skip
    worse = {**uplifts, "sharpe_uplift": 0.0}
    assert not results(worse, RULE)["all_criteria_pass"]
    assert results(worse, RULE._replace(require_all=False))["all_criteria_pass"]


def test_a_metric_that_is_missing_or_no_number_is_not_good_enough():
    uplifts = deltas({"precision_long": 0.7, "hit_ratio": math.nan}, {"precision_long": 0.6, "hit_ratio": 0.1})
    met = results(uplifts, RULE)
    assert met == {
        "precision_pass": True, "hit_ratio_pass": False, "sharpe_pass": False, "all_criteria_pass": False,
    }  # fmt: skip


def test_auc_counts_pairs():
    rng = np.random.default_rng(5)
    chances, paid = np.round(rng.random(80), 1), (rng.random(80) < 0.4).astype(float)
    good, bad = chances[paid == 1], chances[paid == 0]
    pairs = [(a > b) + 0.5 * (a == b) for a in good for b in bad]
    assert auc(chances, paid) == pytest.approx(np.mean(pairs))
    assert math.isnan(auc(chances, np.ones(80)))
    assert leaks(skill(np.zeros(0), np.zeros(0), 0.6)) == []


def test_the_error_of_a_mean_grows_with_memory_and_is_the_usual_one_without():
    rng = np.random.default_rng(2)
    calm = rng.normal(size=4_000)
    usual = calm.std() / math.sqrt(4_000)
    assert newey_west(calm) == pytest.approx(usual, rel=0.1)
    slow = np.convolve(calm, np.ones(5) / 5, "valid")
    assert newey_west(slow) > 1.7 * slow.std() / math.sqrt(slow.size)


@pytest.mark.parametrize(("freedom", "known"), [(8, 2.306), (19, 2.093), (89, 1.987)])
def test_students_quantile_is_the_tables(freedom, known):
    assert student_quantile(0.975, freedom) == pytest.approx(known, abs=0.01)
