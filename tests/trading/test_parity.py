"""The engine and the backtester are one: everything that happens is compared to the last bit."""

import datetime as dt
import json

import pytest

from tests.trading.bar_files import write
from tests.trading.desks import LIVELY, NOON, TODAY, WEEK, begun, command, driven, lanes, plan
from trading.core.calendar import IST
from trading.core.gathering import days_of
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.core.state import DAY_END, TRADED
from trading.services import backtests, parity, runs
from trading.services.daily_tape import gathered
from trading.services.desks import Half
from trading.services.tapes import Tape

KEYS = {"identical", "bars", "trades", "signals", "orders", "fills", "charges", "net_pnl", "first_difference"}
CHARGES = schedule("i-secure", "cash", dt.date(2020, 1, 1), TODAY)
MONTH = dt.date(2026, 10, 5), dt.date(2026, 11, 6)
YEARS = dt.date(2019, 1, 1), dt.date(2022, 12, 30)


def compared(name="intraday", over=None, minutes=5, **params):
    over = over or lanes(span=MONTH)
    setup = make_setup(name, minutes, {}, params)
    return parity.compare(name, setup, over, capital=1e6, charges=CHARGES, compiled=False)


@pytest.fixture
def tampered(monkeypatch):
    """An engine whose setup is not quite the one that was asked for."""

    def tamper(group, **changes):
        class Crooked(parity.Engine):
            def __init__(self, name, setup, *rest, **more):
                part = getattr(setup, group)._replace(**changes)
                super().__init__(name, setup._replace(**{group: part}), *rest, **more)

        monkeypatch.setattr(parity, "Engine", Crooked)

    return tamper


# identical


@pytest.mark.parametrize(
    "params",
    [
        LIVELY,
        {**LIVELY, "allow_short": 0},
        {**LIVELY, "participation": 0.002, "notional": 300_000},
        {**LIVELY, "sizing": "kelly", "max_positions": 2},
        {**LIVELY, "sizing": "volatility", "daily_loss": 2_000},
        {**LIVELY, "slippage": 25, "stop_loss": 0.004, "take_profit": 0.006, "arm_on_fill_bar": 0},
        {**LIVELY, "flat": 0.0005},
    ],
    ids=["shorts", "long only", "partial fills", "kelly", "breaker", "tight stops", "flat cost"],
)
def test_intraday_is_identical(params):
    found = compared(**params)
    assert found["identical"], found["first_difference"]
    assert found["trades"] >= 20


def test_intraday_is_identical_on_minute_bars():
    over = lanes(span=WEEK, minutes=1)
    found = compared(over=over, minutes=1, **LIVELY)
    assert (found["identical"], found["bars"]) == (True, 5 * (360 + 375 + 375))
    assert found["trades"] >= 20


@pytest.mark.parametrize("shorts", [0, 1])
def test_swing_is_identical_over_years_with_charges_that_change(shorts):
    found = compared("swing", lanes(span=YEARS, minutes=1440), 1440, allow_short=shorts, max_exposure=500_000)
    assert found["identical"], found["first_difference"]
    assert found["trades"] >= 20


def test_crossover_is_identical():
    found = compared("crossover", fast=5, slow=20, rsi_cap=80, rsi=14)
    assert found["identical"], found["first_difference"]
    assert found["trades"] >= 20


QUICK = {"ema": 10, "rsi": 3, "allow_short": 1}


def two(span, **shared):
    """Return intraday and swing over the demo market on one account, with what both are asked for."""
    minutes = lanes(("DEMOINFRA", "DEMOLABS"), span=span)
    return [
        Half("intraday", make_setup("intraday", 5, {}, {**LIVELY, **shared}), minutes),
        Half("swing", make_setup("swing", 1440, {}, {**QUICK, "max_exposure": 500_000, **shared}),
             [days_of(each) for each in minutes]),
    ]  # fmt: skip


@pytest.mark.parametrize("shared", [{}, {"max_positions": 1, "daily_loss": 2_000}])
def test_both_on_one_account_are_identical_and_differ_from_each_alone(shared):
    halves = two((dt.date(2026, 8, 17), dt.date(2026, 10, 30)), **shared)
    found = parity.compare_halves(halves, capital=1e6, charges=CHARGES, compiled=False)
    assert found["identical"], found["first_difference"]
    happened = parity.replay_halves(halves, capital=1e6, charges=CHARGES)
    count = len(halves[0].lanes)
    whose = [each.lane >= count for each in happened if each.kind == TRADED]
    assert (any(whose), all(whose)) == (True, False)
    days = [each.values["session"] for each in happened if each.kind == DAY_END]
    assert len(days) == len(set(days)) == len({int(x) for x in halves[0].lanes[0].places.session})
    if shared.get("max_positions"):
        alone = [
            parity.compare(x.name, x.setup, x.lanes, capital=1e6, charges=CHARGES, compiled=False)["trades"]
            for x in halves
        ]
        assert found["trades"] < sum(alone)


def test_a_day_gathered_from_minutes_is_what_the_live_tape_gathers():
    for lane in lanes(span=WEEK):
        day = days_of(lane)
        theirs = [gathered(Tape([lane]).bars_of(0, each), each * 86_400 - 19_800) for each in Tape([lane]).days]
        ours = [bar for each in Tape([day]).days for bar in Tape([day]).bars_of(0, each)]
        assert [bar[:5] + bar[6:10] for bar in ours] == [bar[:5] + bar[6:10] for bar in theirs]


def test_news_that_gates_and_boosts_is_identical():
    over = lanes(("DEMOBANK", "DEMOFIN", "DEMOSTEEL", "DEMOINFRA"), span=MONTH)
    assert any((lane.sentiment == lane.sentiment).any() for lane in over)
    calm, gated = compared(over=over, **LIVELY), compared(over=over, gate=0.05, boost_above=0.06, boost=2, **LIVELY)
    assert calm["identical"]
    assert gated["identical"]
    assert calm["net_pnl"] != gated["net_pnl"]


def test_lanes_that_begin_late_or_end_early_are_identical():
    first, second, third = lanes(span=MONTH)
    late = lanes(["DEMOINFRA"], span=(dt.date(2026, 10, 20), MONTH[1]))[0]
    early = lanes(["DEMOLABS"], span=(MONTH[0], dt.date(2026, 10, 15)))[0]
    found = compared(over=[first, late, early], **LIVELY)
    assert found["identical"], found["first_difference"]
    assert found["bars"] < len(first.bars) + len(second.bars) + len(third.bars)


@pytest.mark.django_db
def test_what_the_engine_stored_is_what_the_backtester_stored():
    run = driven(span=MONTH)
    asked = plan(span=MONTH)
    test = backtests.execute(backtests.keep(asked.wanted, asked.order, by="asha", at=NOON).pk, at=NOON)
    names = ("symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason",
             "gross_pnl", "charges", "net_pnl")  # fmt: skip
    ours = list(run.trades.order_by("exit_time", "symbol").values_list(*names))
    assert len(ours) >= 20
    assert ours == list(test.trades.order_by("exit_time", "symbol").values_list(*names))
    assert test.metrics["trades"] == len(ours)


@pytest.mark.django_db
def test_both_leave_the_same_trades_in_the_engine_and_the_backtester_though_the_engine_was_stopped_between():
    params = {**{f"intraday.{k}": v for k, v in LIVELY.items() if k not in runs.SHARED},
              **{f"swing.{k}": v for k, v in QUICK.items()}, "max_exposure": 500_000}  # fmt: skip
    told = {
        "strategy": "both",
        "symbols": ["DEMOINFRA"],
        "span": (dt.date(2026, 9, 1), dt.date(2026, 10, 30)),
        **params,
    }
    asked = plan(**told)
    test = backtests.execute(backtests.keep(asked.wanted, asked.order, by="asha", at=NOON).pk, at=NOON)
    run = begun(**told)
    for looks in (900, 1_100, 10**9):  # told to stop, and taken up again
        run = driven(run, looks)
    assert run.state == "finished"
    names = ("symbol", "strategy", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
             "exit_reason", "gross_pnl", "charges", "net_pnl")  # fmt: skip
    order = ("exit_time", "symbol", "strategy")
    ours = list(run.trades.order_by(*order).values_list(*names))
    assert {each[1] for each in ours} == {"intraday", "swing"}
    assert ours == list(test.trades.order_by(*order).values_list(*names))


# different


def test_another_slippage_is_found_at_the_first_fill(tampered):
    tampered("venue", slippage=3.0)
    found = compared(**LIVELY)
    assert not found["identical"]
    first = found["first_difference"]
    assert first["engine"]["kind"] == first["backtest"]["kind"] == "fill"
    assert first["engine"]["price"] != first["backtest"]["price"]
    assert first["engine"]["symbol"] == first["backtest"]["symbol"]
    assert first["engine"]["ts"] == first["backtest"]["ts"]


def test_a_limit_that_is_not_kept_is_found_at_the_signal_that_broke_it(tampered):
    tampered("limits", max_positions=0)
    found = compared(**{**LIVELY, "max_positions": 1})
    first = found["first_difference"]
    assert first["engine"]["kind"] == first["backtest"]["kind"] == "signal"
    assert (first["engine"]["objections"], first["backtest"]["objections"]) == (0.0, 16.0)


def test_a_missing_happening_is_a_difference(tampered):
    ours = parity.replay("intraday", make_setup("intraday", 5, {}, LIVELY), lanes(), capital=1e6, charges=CHARGES)
    names = ["DEMOBANK", "DEMOINFRA", "DEMOLABS"]
    assert parity.difference(ours, ours, names) is None
    short = parity.difference(ours[:-1], ours, names)
    assert (short["number"], short["engine"]) == (len(ours) - 1, None)
    assert short["backtest"]["symbol"] is None  # the end of a day is nobody's
    assert parity.difference(ours, ours[:5], names)["backtest"] is None


def test_the_last_bit_counts():
    ours = parity.replay("intraday", make_setup("intraday", 5, {}, LIVELY), lanes(), capital=1e6, charges=CHARGES)
    at = next(k for k, x in enumerate(ours) if "price" in x.values)
    price = ours[at].values["price"]
    other = ours[at]._replace(values={**ours[at].values, "price": price * (1 + 2**-52)})
    assert parity.difference(ours, [*ours[:at], other, *ours[at + 1 :]], ["A", "B", "C"])["number"] == at


# the command


ASKED = ("--start-date", WEEK[0], "--end-date", WEEK[1], "--interval", "5minute", "--strategy", "intraday")
WORDS = [f"{key}={value}" for key, value in LIVELY.items()]


@pytest.mark.django_db
def test_the_command_answers_in_the_promised_shape():
    code, out, _ = command(
        "parity", "--symbols", "DEMOBANK", "DEMOLABS", "--data-source", "demo", *ASKED, "--params", *WORDS, "--json"
    )
    found = json.loads(out)
    assert (code, set(found)) == (0, KEYS)
    assert (found["identical"], found["first_difference"], found["bars"]) == (True, None, 5 * (72 + 75))
    assert found["trades"] > 0


@pytest.mark.django_db
def test_the_command_in_words_ends_with_the_verdict():
    code, out, _ = command("parity", "--symbols", "DEMOBANK", "--data-source", "demo", *ASKED, "--plain")
    assert code == 0
    assert out.strip().endswith("identical")


@pytest.mark.django_db
def test_the_command_reads_files_and_agrees_with_the_market_they_were_written_from(tmp_path):
    for lane in lanes():
        rows = zip(*(column.tolist() for column in lane.bars.columns()), strict=True)
        told = [
            f"{dt.datetime.fromtimestamp(ts, IST):%Y-%m-%d %H:%M:%S},{','.join(map(str, rest))}" for ts, *rest in rows
        ]
        text = "\n".join(["timestamp,open,high,low,close,volume", *told, ""])
        write(tmp_path / lane.spec.symbol / "5minute" / "2026.csv", text)
    calm = [*WORDS, "gate=-1", "boost_above=1"]  # files carry no news
    told = [
        json.loads(command("parity", "--symbols", "DEMOINFRA,DEMOLABS", *where, *ASKED, "--params", *calm, "--json")[1])
        for where in (("--csv", tmp_path), ("--data-source", "demo"))
    ]
    assert told[0]["identical"]
    assert told[0]["trades"] > 0
    assert [found["bars"] for found in told] == [750, 750]


@pytest.mark.django_db
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_difference_is_exit_code_one_with_the_first_one_named(tampered, words):
    tampered("venue", slippage=3.0)
    code, out, _ = command(
        "parity", "--symbols", "DEMOBANK", "DEMOINFRA", "--data-source", "demo", *ASKED, "--params", *WORDS, *words
    )
    assert code == 1
    if words:
        found = json.loads(out)
        assert (found["identical"], set(found)) == (False, KEYS)
        assert found["first_difference"]["engine"]["kind"] == "fill"
    else:
        assert "DIFFERENT from happening" in out
