"""Several providers' words as one score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.hybrid import HALF_LIFE, Part, aged, average


def part(name="newsapi", value=0.45, confidence=0.8, weight=0.6, at=0.0):
    return Part(name, value, confidence, weight, at)


TWITTER = part("twitter", 0.62, 0.9, 0.4)


def test_two_providers_are_averaged_by_weight_as_the_document_does():
    score = average([part(), TWITTER], 10.0)
    assert score.value == pytest.approx(0.518)
    assert score.confidence == pytest.approx(0.85)
    assert score.source == "hybrid[newsapi,twitter]"
    assert score.metadata["providers"] == ["newsapi", "twitter"]


def test_the_weights_of_those_that_answered_add_up_to_one():
    score = average([TWITTER], 10.0)
    assert (score.value, score.source) == (0.62, "twitter")
    assert score.metadata["weights"] == {"twitter": 1.0}


def test_weights_of_nothing_count_alike():
    score = average([part(weight=0.0), TWITTER._replace(weight=0.0)], 0.0)
    assert score.value == pytest.approx((0.45 + 0.62) / 2)


def test_nobody_s_word_is_no_score():
    assert average([], 0.0) is None


def test_an_old_word_is_believed_less():
    assert aged(part(confidence=0.8), HALF_LIFE).confidence == pytest.approx(0.4)
    assert aged(part(at=100.0), 50.0).confidence == 0.8


parts = st.lists(
    st.builds(
        Part, st.sampled_from(["newsapi", "twitter", "stub"]), st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1),
        st.just(0.0),
    ),
    min_size=1, max_size=3, unique_by=lambda p: p.name,
)  # fmt: skip


@given(parts)
def test_a_score_lies_among_its_parts(found):
    score = average(found, 0.0)
    values = [each.value for each in found]
    assert min(values) - 1e-9 <= score.value <= max(values) + 1e-9
    assert 0.0 <= score.confidence <= 1.0


@given(parts, st.floats(0.1, 1.0))
def test_only_the_proportion_of_the_weights_counts(found, times):
    scaled = [each._replace(weight=each.weight * times) for each in found]
    if sum(each.weight for each in scaled) > 1e-6:
        assert average(scaled, 0.0).value == pytest.approx(average(found, 0.0).value, abs=1e-9)
