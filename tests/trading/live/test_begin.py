"""Who may trade with money: long only, cash, and armed for today; against a simulator the last is not asked."""

import datetime as dt
from dataclasses import replace

import pytest

from sensequant.lib.errors import NotAllowed
from trading.core.errors import Invalid
from trading.models import EngineRun
from trading.services import arming, live_runner, markets, runner, runs

pytestmark = pytest.mark.django_db


class Clock:
    simulated, speed, ended = False, 1.0, False

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


def plan(mode="live", strategy="intraday", **params):
    wanted = markets.Wanted("breeze", ("RELIANCE",), "5minute", dt.date(2026, 11, 23), dt.date(2026, 11, 23))
    return runner.Plan("engine", mode, wanted, runs.Ordered(strategy, params, 1e6))


def test_live_trading_that_is_not_armed_is_refused_and_armed_it_begins(noon, settings):
    settings.DESK = replace(settings.DESK, release_required="never")
    with pytest.raises(NotAllowed, match="not armed for today"):
        live_runner.begin(plan(), clock=Clock(noon))
    assert not EngineRun.objects.exists()
    arming.arm(arming.ACCEPT, at=noon, by="omar")
    run = live_runner.begin(plan(), clock=Clock(noon))
    assert (run.mode, run.plan["params"]["latched"], run.plan["params"]["square_off"]) == ("live", 1, 10)


def test_a_simulator_needs_no_arming(noon):
    clock = Clock(noon)
    clock.simulated = True
    assert live_runner.begin(plan(), clock=clock).mode == "live"


@pytest.mark.parametrize(
    ("params", "told"),
    [({"allow_short": 1}, "cannot carry short positions"), ({"product": "margin"}, "carries no product 'margin'")],
)
def test_what_the_broker_cannot_carry_is_refused_before_anything_is_stored(noon, params, told):
    arming.arm(arming.ACCEPT, at=noon, by="omar")
    with pytest.raises(NotAllowed, match=told):
        live_runner.begin(plan(**params), clock=Clock(noon))
    assert not EngineRun.objects.exists()


def test_a_parameter_that_does_not_exist_is_named(noon):
    with pytest.raises(Invalid, match="unknown parameter 'stoploss'"):
        live_runner.begin(plan(stoploss=1), clock=Clock(noon))


def test_a_live_run_goes_on_from_day_to_day_and_keeps_what_it_holds(noon):
    clock = Clock(noon)
    clock.simulated = True
    first = live_runner.begin(plan(), clock=clock)
    later = plan()
    tomorrow = markets.Wanted("breeze", ("RELIANCE",), "5minute", dt.date(2026, 11, 24), dt.date(2026, 11, 24))
    again = live_runner.begin(
        runner.Plan("engine", "live", tomorrow, later.order, on_stop="leave"), clock=clock
    )  # fmt: skip
    assert again.pk == first.pk
    assert again.plan["on_stop"] == "leave"


def test_money_and_paper_are_never_one_run(noon):
    clock = Clock(noon)
    clock.simulated = True
    first = live_runner.begin(plan(), clock=clock)
    assert live_runner.begin(plan("dry-run"), clock=clock).pk != first.pk


def test_a_run_on_paper_holds_nothing_that_could_send():
    assert live_runner.kind_of(EngineRun(mode="dry-run")) is live_runner.StreamRunner
    assert live_runner.kind_of(EngineRun(mode="live")) is live_runner.LiveRunner
    assert not hasattr(live_runner.StreamRunner, "_broker")
