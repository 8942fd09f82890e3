"""``manage.py measure_honesty`` counts verdicts on markets whose truth is known."""

import json

import pytest

from tests.trading.desks import command


def test_shares_of_verdicts_add_up_and_noise_is_not_believed():
    code, out, _ = command("measure_honesty", "--markets", 4, "--days", 252, "--configs", 20, "--json")
    told = json.loads(out)
    assert code == 0
    assert all(sum(shares.values()) == pytest.approx(1.0) for shares in told["verdicts"].values())
    assert told["verdicts"]["noise"]["evidence"] == 0.0


@pytest.mark.parametrize(("flag", "value"), [("--days", 10), ("--alike", 1.5), ("--configs", 1), ("--planted", 99)])
def test_a_market_that_cannot_be_is_refused(flag, value):
    code, _, err = command("measure_honesty", flag, value)
    assert code == 2
    assert str(value) in err
