"""The engine and the news: it decides on what was known then, a replay decides the same, and silence is neutral."""

import datetime as dt
import logging
import threading

import pytest

from sensequant.lib.clock import IST
from tests.trading.bar_files import write
from tests.trading.desks import LIVELY, one_lane
from tests.trading.news.conftest import Clock
from tests.trading.news.fakes import Says, registry, word
from trading.adapters.news.errors import Refused
from trading.models import Condition, EngineRun, NewsCall, NewsProvider, SentimentScore
from trading.services import markets, runner, runs
from trading.services.sentiment_board import Board
from trading.services.sentiment_refresh import Refresher

pytestmark = pytest.mark.slow
FIRST, DAY = dt.date(2026, 11, 10), dt.date(2026, 11, 13)
OPEN = dt.datetime(2026, 11, 13, 9, 14, tzinfo=IST)
STEP = 600.0  # seconds of market time between two looks at the market
GOOD, BAD = word(0.9), word(-0.9)


def _stamp(ts):
    return f"{dt.datetime.fromtimestamp(ts, IST):%Y-%m-%d %H:%M:%S}"


class Exchange:
    """A folder whose file of bars grows as the market goes on, of a share no demo knows."""

    def __init__(self, folder):
        self.folder, self.size = folder, 0
        bars = one_lane("DEMOPOWER", FIRST, DAY, 15).bars
        self.rows = [
            (
                ts + 900,
                f"{dt.datetime.fromtimestamp(ts, IST):%Y-%m-%d %H:%M:%S},{o:.2f},{h:.2f},{low:.2f},{c:.2f},{int(v)}",
            )
            for ts, o, h, low, c, v in zip(*(column.tolist() for column in bars.columns()), strict=True)
        ]

    def trade(self, at):
        """Let the bars that are over by ``at`` appear."""
        due = [row for over, row in self.rows if over <= at.timestamp()]
        if len(due) != self.size:
            self.size = len(due)
            write(self.folder / "ACME_15m.csv", "\n".join(["timestamp,open,high,low,close,volume", *due]) + "\n")


@pytest.fixture
def exchange(tmp_path):
    return Exchange(tmp_path)


class Market(threading.Event):
    """A stop whose waiting is the market's time passing; the news are refreshed as it does."""

    def __init__(self, clock, exchange, refresher=None):
        super().__init__()
        self.clock, self.exchange, self.refresher = clock, exchange, refresher

    def wait(self, timeout=None):
        self.clock.pass_(STEP)
        self.exchange.trade(self.clock())
        if self.refresher:
            self.refresher.round()
        if self.clock() > OPEN + dt.timedelta(hours=6, minutes=25):
            self.set()
        return self.is_set()


def plan(exchange, mode, name, first=DAY):
    wanted = markets.want(str(exchange.folder), ["ACME"], "15minute", first, DAY, today=DAY)
    return runner.Plan(name, mode, wanted, runs.order("intraday", LIVELY, 1e6))


def follow(exchange, *said):
    """Return a dry run of the day, the one provider saying what was given, half an hour each."""
    clock, refresher = Clock(OPEN), None
    exchange.trade(OPEN)
    if said:
        made = registry(clock, Says("newsapi", *said), kept=True, ttl=1_800.0, threshold=100)
        refresher = Refresher(made, lambda: ["ACME"], stop=threading.Event(), clock=clock, board=Board())
    run = runner.begin(plan(exchange, "dry-run", "followed"), at=clock(), fresh=True)
    runner.run_to_end(run, stop=Market(clock, exchange, refresher), clock=clock, show=False)
    return EngineRun.objects.get(pk=run.pk)


def replay(exchange):
    run = runner.begin(plan(exchange, "replay", "replayed", first=FIRST), at=OPEN, fresh=True)
    runner.run_to_end(run, stop=threading.Event(), clock=Clock(OPEN + dt.timedelta(days=2)), show=False)
    return EngineRun.objects.get(pk=run.pk)


def signals(run):
    rows = run.signals.filter(at__gte=OPEN).order_by("at")
    return [(each.at, each.direction, each.sentiment, each.objections, each.reason) for each in rows]


@pytest.mark.django_db
def test_a_dry_run_decides_on_the_news_of_its_moment_and_a_replay_decides_the_same(exchange):
    live = signals(follow(exchange, *[GOOD, BAD] * 9))
    assert len(live) >= 4
    assert {sentiment for _, _, sentiment, _, _ in live} == {0.9, -0.9}
    for _, direction, sentiment, objections, reason in live:
        gated = direction == "LONG" and sentiment == -0.9
        assert ("sentiment is below the gate" in objections) == gated
        assert reason.endswith(f"; sentiment {sentiment:+.2f}")
    assert signals(replay(exchange)) == live


@pytest.mark.django_db(transaction=True)
def test_with_every_provider_down_or_silent_the_engine_trades_on_and_says_so_once(exchange, both, outside, caplog):
    outside.always["newsapi"] = outside.always["twitter"] = ("hang",)
    waiting = follow(exchange)  # its own thread sits at both providers meanwhile; the engine does not
    assert outside.seen
    for model in (SentimentScore, NewsCall, NewsProvider, Condition):
        model.objects.all().delete()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        failing = follow(exchange, Refused("newsapi", "HTTP 400"))
    assert signals(failing) == signals(waiting)
    assert {sentiment for _, _, sentiment, _, _ in signals(failing)} == {None}
    assert [row.net_pnl for row in failing.trades.all()] == [row.net_pnl for row in waiting.trades.all()]
    assert failing.trades.count() >= 2
    said = [record.context["code"] for record in caplog.records if record.getMessage() == "condition raised"]
    assert sorted(set(said)) == sorted(said)
    assert set(said) <= {"sentiment-down", "sentiment-failures-high"}
    assert Condition.objects.filter(code="sentiment-down", until=None).exists()
