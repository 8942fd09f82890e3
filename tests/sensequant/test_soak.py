"""What a soak must show is judged from rows, logs and samples: a story of a few lines each."""

from itertools import pairwise

import pytest

from sensequant.lib.errors import BadInput
from sensequant.soak import judging, plan
from sensequant.soak.judging import HOUR, Sample, Told, Verdict


def test_the_same_seed_makes_the_same_falls_and_never_two_at_once():
    wish = plan.Wish(hours=4, seed=3)
    falls = plan.falls(wish)
    assert falls == plan.falls(wish) != plan.falls(plan.Wish(hours=4, seed=4))
    assert all(b.at - a.at >= plan.APART[0] for a, b in pairwise(falls))
    assert falls[-1].at < wish.seconds - plan.QUIET_END


@pytest.mark.parametrize("wrong", [{"hours": 0.1}, {"speed": 0.5}, {"symbols": 501}])
def test_a_soak_that_cannot_be_is_refused_by_name(wrong):
    with pytest.raises(BadInput, match="--" + next(iter(wrong))):
        plan.Wish(**wrong)


def test_a_lost_order_and_a_doubled_one_are_named():
    verdict = Verdict()
    judging.judge_rows(verdict, "orders", [("A", 1), ("B", 2), ("B", 2)], [("A", 1), ("B", 2), ("C", 3)])
    assert len(verdict.faults) == 1
    assert "1 lost, 1 that should not be there" in verdict.faults[0]
    assert "('C', 3)" in verdict.faults[0]


def test_rows_in_another_order_are_a_fault_and_equal_rows_are_none():
    verdict = Verdict()
    judging.judge_rows(verdict, "fills", [1, 2], [1, 2])
    assert not verdict.faults
    judging.judge_rows(verdict, "fills", [2, 1], [1, 2])
    assert "another order" in verdict.faults[0]


def test_a_soak_in_which_hardly_anything_is_traded_shows_nothing():
    quiet, busy = Verdict(), Verdict()
    for verdict, trades in ((quiet, 24), (busy, 25)):
        judging.judge_rows(verdict, "trades", range(trades), range(trades))
        judging.judge_trade(verdict, share_hours=100)
    assert "only 24 trades, fewer than 25" in quiet.faults[0]
    assert not busy.faults


def test_a_bar_nobody_decided_is_named_by_share_and_day():
    verdict = Verdict()
    judging.judge_bars(verdict, {"A": {"2026-11-02": 375}}, {"A": {"2026-11-02": 374}})
    assert "A 2026-11-02: 374 of 375" in verdict.faults[0]


def test_an_alert_that_never_fired_and_a_message_nobody_heard_are_faults_and_one_heard_twice_is_a_number():
    verdict = Verdict()
    told = [Told("k1", "sent", 2), Told("k2", "sent", 0), Told("k3", "waiting", 0)]
    judging.judge_alerts(verdict, {"P1", "P2"}, {"P1"}, told, strays=1)
    assert len(verdict.faults) == 4
    assert verdict.figures["alerts"]["doubles"] == 1


def test_memory_that_grows_is_a_fault_and_memory_that_stays_is_none():
    def life(grows):
        return [Sample(k * 60.0, 1, 120.0 + grows * k / 60) for k in range(4 * 60)]

    flat, growing = Verdict(), Verdict()
    judging.judge_memory(flat, life(0.1), 4)
    judging.judge_memory(growing, life(5.0), 4)
    assert not flat.faults
    assert "memory changed by" in growing.faults[0]
    assert growing.figures["memory"]["growth_mb_an_hour"] == pytest.approx(5.0)
    assert HOUR == 3600.0


def test_tracebacks_are_counted_by_how_they_end_and_a_chain_counts_once():
    one = "Traceback (most recent call last):\n  File 'a', line 1\nValueError: 17 is no number\n"
    chained = (
        "Traceback (most recent call last):\n  File 'a', line 1\nKeyError: 'x'\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n  File 'b', line 1\nRuntimeError: lost\n"
    )
    found = {each.error: each.count for each in judging.traces("web", one + one.replace("17", "18") + chained)}
    assert found == {"ValueError: N is no number": 2, "RuntimeError: lost": 1}
