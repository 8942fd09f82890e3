"""A backtest's life: asked for, run, kept; or refused, failed, cancelled, and each said plainly."""

import datetime as dt
import math
from decimal import Decimal

import pytest

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading.bar_files import minutes, write
from tests.trading.desks import LIVELY, NOON, SYMBOLS, WEEK
from trading.core.errors import Invalid
from trading.core.metrics import Measures
from trading.core.returns import NAMES
from trading.models import BacktestRun, BacktestTrade
from trading.services import backtests, bookmarks, leases

pytestmark = pytest.mark.django_db
MONTH = dt.date(2026, 10, 5), dt.date(2026, 11, 6)
LONG = {"symbols": SYMBOLS, "interval": "1minute", "start": MONTH[0], "end": MONTH[1]}
PROMISED = {
    "trades", "total_pnl", "total_return_pct", "sharpe_ratio", "sortino_ratio", "max_drawdown", "win_rate",
    "hit_ratio", "profit_factor", "avg_hold_minutes", "charges",
}  # fmt: skip


def ask(**told):
    usual = {
        "symbols": ["DEMOBANK", "DEMOINFRA"], "strategy": "intraday", "interval": "5minute", "start": WEEK[0],
        "end": WEEK[1], "params": dict(LIVELY), "capital": Decimal(1_000_000), "by": "asha", "at": NOON,
    }  # fmt: skip
    return backtests.request(**{**usual, **told})


def done(**told):
    return backtests.execute(ask(**told).pk, at=NOON)


# asked for


def test_a_request_waits_with_everything_it_needs_to_be_run_again():
    run = ask(symbols=["demobank ", "DEMOOIL"], params={"sma": "30", "plan": "prime-2999"})
    assert (run.status, run.progress, run.created_by, run.created_at) == ("queued", 0.0, "asha", NOON)
    assert (run.symbols, run.source, run.directory) == (["DEMOBANK", "DEMOOIL"], "demo", "")
    assert run.params == {"sma": "30", "plan": "prime-2999"}
    assert run.finished_at is None


def test_without_a_capital_the_desks_own_is_used(settings):
    assert ask(capital=None).capital == Decimal(settings.DESK.starting_capital_inr)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"symbols": ["RELIANCE"]}, "not a demo instrument"),
        ({"symbols": []}, "no symbol"),
        ({"strategy": "moonshot"}, "unknown strategy 'moonshot'"),
        ({"strategy": "swing", "params": {}}, "needs daily bars"),
        ({"interval": "1day"}, "cannot use daily bars"),
        ({"interval": "2minute"}, "2minute"),
        ({"params": {"sma": 1}}, "sma=1 is out of bounds"),
        ({"params": {"smma": 20}}, "unknown parameter 'smma'"),
        ({"params": {"sma": "soon"}}, "not a number"),
        ({"params": {"rsi_low": 80, "rsi_high": 70}}, "rsi_low=80 must be less"),
        ({"start": WEEK[1], "end": WEEK[0]}, "lies after the end"),
        ({"start": dt.date(2027, 1, 1), "end": dt.date(2027, 2, 1)}, "lies in the future"),
        ({"capital": Decimal(5)}, "capital of 5"),
        ({"directory": "/nowhere/at/all"}, "no folder /nowhere/at/all"),
    ],
)
def test_a_request_that_can_not_be_is_refused_before_anything_is_kept(wrong, words):
    with pytest.raises((BadInput, NotFound, Invalid), match=words):
        ask(**wrong)
    assert not BacktestRun.objects.exists()


# run


def test_a_backtest_is_kept_with_its_result():
    run = done(start=MONTH[0], end=MONTH[1])
    assert (run.status, run.progress, run.error, run.finished_at) == ("done", 1.0, "", NOON)
    assert run.bars > 3000
    trades = list(run.trades.all())
    assert [trade.number for trade in trades] == list(range(1, len(trades) + 1))
    assert run.metrics["trades"] == len(trades) > 10
    assert run.metrics["total_pnl"] == pytest.approx(float(sum(trade.net_pnl for trade in trades)), abs=0.5)
    assert run.metrics["charges"] == pytest.approx(float(sum(trade.charges for trade in trades)), abs=0.01)
    wins = sum(trade.net_pnl > 0 for trade in trades)
    assert run.metrics["win_rate"] == pytest.approx(wins / len(trades))
    assert {trade.side for trade in trades} == {"LONG", "SHORT"}


def test_the_equity_curve_has_a_point_for_every_session():
    run = done()
    assert [day for day, _ in run.equity] == ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"]
    assert run.equity[-1][1] == pytest.approx(1e6 + run.metrics["total_pnl"], abs=0.01)
    assert run.metrics["total_return_pct"] == pytest.approx((run.equity[-1][1] / 1e6 - 1) * 100, abs=1e-4)


def test_measures_are_all_kept_and_what_has_no_meaning_is_null():
    quiet = done(params={"adx_min": 100})
    assert set(quiet.metrics) == {*Measures._fields, *NAMES, "total_return_pct"} >= PROMISED
    assert quiet.metrics["trades"] == 0
    assert quiet.metrics["win_rate"] is None
    assert not [x for x in quiet.metrics.values() if isinstance(x, float) and not math.isfinite(x)]


def test_the_answer_has_the_promised_keys():
    answer = backtests.answer(done())
    assert {"run_id", "bars", "metrics", "trades"} <= set(answer)
    assert set(answer["metrics"]) >= PROMISED
    assert set(answer["trades"][0]) == {
        "symbol", "strategy", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason",
        "charges", "net_pnl", "mae", "mfe",
    }  # fmt: skip
    assert answer["trades"][0]["entry_time"].endswith("+05:30")
    assert isinstance(answer["trades"][0]["net_pnl"], float)


def test_the_same_request_gives_the_same_result():
    first, second = done(), done()
    assert first.metrics == second.metrics
    names = ("symbol", "entry_time", "exit_time", "net_pnl")
    assert list(first.trades.values_list(*names)) == list(second.trades.values_list(*names))


def test_few_trades_and_unknown_volumes_are_pointed_out(tmp_path):
    rows = [type(row)(row.time, row.open, row.high, row.low, row.close, None) for row in minutes(*WEEK, 5)]
    write(tmp_path / "ACME_5m.csv", rows)
    run = done(symbols=["ACME"], directory=str(tmp_path))
    assert run.warnings == [
        "only 0 trades: too few to tell skill from luck",
        "unknown volume in ACME: fills there are not capped by volume",
    ]


def test_a_long_run_tells_how_far_it_is():
    told = []
    run = ask(**LONG)
    backtests.execute(run.pk, at=NOON, progress=told.append)
    assert told == [k / 50 for k in range(1, 51)]  # though it has more happenings than it had room for at first


# once, cancelled, failed


def test_one_whose_process_died_is_taken_over_when_its_message_comes_again():
    whole, died = backtests.execute(ask().pk, at=NOON), ask()
    BacktestRun.objects.filter(pk=died.pk).update(status="running")
    again = backtests.execute(died.pk, at=NOON)
    assert (again.status, again.metrics, again.equity) == ("done", whole.metrics, whole.equity)


def test_one_that_another_machine_is_at_is_left_to_it():
    run = ask()
    BacktestRun.objects.filter(pk=run.pk).update(status="running")
    leases.take(f"backtest:{run.pk}", "elsewhere:1:x", ttl=60)
    with pytest.raises(NotAllowed, match="elsewhere"):
        backtests.execute(run.pk, at=NOON)
    run.refresh_from_db()
    assert run.status == "running"


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_only_a_queued_backtest_is_run(status):
    run = ask()
    BacktestRun.objects.filter(pk=run.pk).update(status=status)
    with pytest.raises(NotAllowed, match=f"is {status}, not queued"):
        backtests.execute(run.pk, at=NOON)
    assert not BacktestTrade.objects.exists()


def test_a_backtest_that_does_not_exist_is_not_found():
    for act in (lambda: backtests.execute(4711, at=NOON), lambda: backtests.cancel(4711, by="asha")):
        with pytest.raises(NotFound, match="no backtest 4711"):
            act()


def test_a_queued_backtest_can_be_cancelled_and_is_then_not_run():
    run = backtests.cancel(ask().pk, by="asha")
    assert run.status == "cancelled"
    with pytest.raises(NotAllowed):
        backtests.execute(run.pk, at=NOON)
    with pytest.raises(NotAllowed, match="cannot be cancelled"):
        backtests.cancel(run.pk, by="asha")


def test_a_running_backtest_stops_soon_after_it_is_cancelled_and_keeps_nothing():
    run, told = ask(**LONG), []

    def watched(share):
        told.append(share)
        if share == 0.2:
            backtests.cancel(run.pk, by="asha")

    after = backtests.execute(run.pk, at=NOON, progress=watched)
    assert (after.status, after.metrics, after.trades.count()) == ("cancelled", {}, 0)
    assert told[-1] == 0.2


@pytest.fixture
def marked(monkeypatch):
    """Every backtest is a long one, and is put aside after each stage."""
    monkeypatch.setattr(backtests, "LONG", 100)
    monkeypatch.setattr("trading.services.bookmarks.EVERY", 0.0)


def told_apart(run):
    """Return everything a backtest came to, but when and under which number."""
    found = {**backtests.answer(run), "equity": run.equity}
    found.pop("run_id")
    return found


@pytest.mark.parametrize("strategy", ["intraday", "both"])
def test_one_that_was_cancelled_or_interrupted_goes_on_where_it_was_and_ends_the_same(strategy, marked):
    params = {"adx_min": 10, "allow_short": 1, "intraday.volume_min": 0} if strategy == "both" else dict(LIVELY)
    asked = {**LONG, "interval": "5minute", "strategy": strategy, "params": params}
    whole = told_apart(done(**asked))
    assert whole["metrics"]["trades"] > 20
    run, told = ask(**asked), []

    def stops(share):
        told.append(share)
        if share == 0.2:
            backtests.cancel(run.pk, by="asha")
        if share == 0.6:
            raise KeyboardInterrupt

    assert backtests.execute(run.pk, at=NOON, progress=stops).status == "cancelled"
    with pytest.raises(KeyboardInterrupt):
        backtests.execute(backtests.resume(run.pk, by="asha").pk, at=NOON, progress=stops)
    run.refresh_from_db()
    assert run.status == "cancelled"
    after = backtests.execute(backtests.resume(run.pk, by="asha").pk, at=NOON, progress=stops)
    assert told == [k / 50 for k in range(1, 51)]  # no stage was run twice
    assert (after.status, told_apart(after)) == ("done", whole)
    assert not bookmarks.place(run.pk).exists()
    with pytest.raises(NotAllowed, match="cannot be resumed"):
        backtests.resume(run.pk, by="asha")


def test_a_torn_or_foreign_mark_is_passed_over(marked):
    whole = told_apart(done())

    def left(**told):
        run = ask(**told)
        with pytest.raises(KeyboardInterrupt):
            backtests.execute(run.pk, at=NOON, progress=stopping)
        return run, bookmarks.place(run.pk)

    foreign = left(params={**LIVELY, "sma": 30})[1].read_bytes()
    for spoilt in (b"torn", foreign):
        run, mark = left()
        mark.write_bytes(spoilt)
        assert told_apart(backtests.execute(backtests.resume(run.pk, by="asha").pk, at=NOON)) == whole


def stopping(share):
    if share > 0.3:
        raise KeyboardInterrupt


def test_only_what_nobody_drives_can_be_resumed(marked):
    run = ask()

    def looks(share):
        with pytest.raises(NotAllowed, match="is held by"):
            backtests.resume(run.pk, by="ravi")
        run.refresh_from_db()
        assert not backtests.is_dead(run)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backtests.execute(run.pk, at=NOON, progress=looks)
    BacktestRun.objects.filter(pk=run.pk).update(status="running")  # as kill -9 leaves it
    run.refresh_from_db()
    assert backtests.is_dead(run)
    assert backtests.resume(run.pk, by="ravi").status == "queued"


def test_what_goes_wrong_is_kept_on_the_row_and_raised(tmp_path):
    file = write(tmp_path / "ACME_5m.csv", minutes(*WEEK, 5))
    run = ask(symbols=["ACME"], directory=str(tmp_path))
    file.write_text("timestamp,open,high\n")
    with pytest.raises(BadInput, match="no column 'low'"):
        backtests.execute(run.pk, at=NOON)
    run.refresh_from_db()
    assert (run.status, run.finished_at) == ("failed", NOON)
    assert "no column 'low'" in run.error


def test_a_fault_of_ours_is_kept_by_its_name(monkeypatch):
    run = ask()
    monkeypatch.setattr(backtests, "simulate_desks", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backtests.execute(run.pk, at=NOON)
    run.refresh_from_db()
    assert run.error == "ZeroDivisionError: division by zero"


def test_a_fault_while_the_result_is_kept_leaves_no_half_of_it(monkeypatch):
    run = ask()
    monkeypatch.setattr(backtests, "_trade", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backtests.execute(run.pk, at=NOON)
    run.refresh_from_db()
    assert (run.status, run.metrics, run.equity) == ("failed", {}, [])
