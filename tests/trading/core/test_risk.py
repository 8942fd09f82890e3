"""Every objection to an entry is named, and the level at which a day's loss stops entries is the nearer of two."""

from __future__ import annotations

import pytest

from trading.core import risk
from trading.core.rules import Limits
from trading.core.state import NEVER, new_account


def test_every_objection_is_a_bit_of_its_own_with_a_sentence():
    everything = 0
    for bit in risk.OBJECTIONS:
        assert bit.bit_count() == 1
        assert everything & bit == 0
        everything |= bit
    assert risk.reasons(everything) == list(risk.OBJECTIONS.values())
    assert risk.reasons(0) == []


def test_an_entry_worth_more_than_is_free_is_objected_to_whatever_its_size_came_from():
    A, N = new_account(1000.0)
    assert risk.reasons(risk.objections(1000.01, 1, A, N, Limits())) == ["not enough free cash"]
    assert risk.objections(1000.0, 1, A, N, Limits()) == 0


@pytest.mark.parametrize(
    ("limits", "level"),
    [
        (Limits(), NEVER), (Limits(daily_loss=300), 9_700), (Limits(daily_loss_pct=5), 9_500),
        (Limits(daily_loss=300, daily_loss_pct=5), 9_700), (Limits(daily_loss=600, daily_loss_pct=5), 9_500),
    ],
)  # fmt: skip
def test_the_breaker_opens_at_the_nearer_of_two_losses(limits, level):
    A, _ = new_account(10_000.0)
    assert risk.halt_level(A, limits) == pytest.approx(level)
