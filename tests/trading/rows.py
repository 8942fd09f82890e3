"""A small desk's rows for stories: one run with a little history, one backtest, three people."""

import datetime as dt
import uuid
from decimal import Decimal

from django.contrib.auth.models import Group, User

from sensequant.lib.clock import IST, now
from tests.trading.traced import SOME, recorded
from trading.core.rights import OPERATORS
from trading.models import (
    ActiveModel,
    BacktestRun,
    BacktestTrade,
    BrokerMessage,
    BrokerSession,
    CallBudget,
    Command,
    Condition,
    Difference,
    EngineRun,
    EquityPoint,
    FetchRun,
    FetchState,
    Fill,
    Halt,
    Instrument,
    Lease,
    LiveArming,
    Measure,
    ModelScore,
    NewsCall,
    NewsItem,
    NewsProvider,
    Order,
    OrderEvent,
    Position,
    SentimentScore,
    Signal,
    Snapshot,
    SnapshotFetch,
    StreamBar,
    Trade,
)
from trading.services import markets, runs
from trading.services.runner import Plan

OPEN = dt.datetime(2026, 11, 20, 9, 15, tzinfo=IST)
MINUTE = dt.timedelta(minutes=1)
SPAN = dt.date(2026, 11, 18), dt.date(2026, 11, 20)
PLAN = Plan(
    "demo",
    "replay",
    markets.want("demo", ["DEMOBANK", "DEMOTECH"], "5minute", *SPAN, today=dt.date(2026, 11, 20)),
    runs.Ordered("intraday", {}, 1e6),
)


PASSWORD = "monsoon-in-mumbai"  # everybody's


def at(minutes):
    return OPEN + minutes * MINUTE


def people():
    """Return a viewer, an operator and a staff member."""
    group, _ = Group.objects.get_or_create(name=OPERATORS)
    vera = User.objects.create_user("vera", password=PASSWORD)
    omar = User.objects.create_user("omar", password=PASSWORD)
    omar.groups.add(group)
    asha = User.objects.create_user("asha", password=PASSWORD, is_staff=True, is_superuser=True)
    return {"viewer": vera, "operator": omar, "staff": asha}


def run(**changes):
    """Return a running replay of the demo market, an hour into its last day, or what ``changes`` make of it."""
    usual = {
        "name": "demo", "mode": "replay", "label": "DEMO", "source": "demo", "interval": "5minute",
        "strategy": "intraday", "plan": PLAN.as_json(), "capital": Decimal(1_000_000), "state": "running",
        "cursor": at(60), "started_at": OPEN, "heartbeat_at": now(),
    }  # fmt: skip
    return EngineRun.objects.create(**{**usual, **changes})


def history(of):
    """Give ``of`` five signals, orders and trades, a minute apart, and what goes with them."""
    Instrument.objects.create(symbol="DEMOBANK", name="Demo National Bank", segment="equity_fno", is_demo=True)
    Instrument.objects.create(symbol="RELIANCE", name="Reliance Industries", isin="INE002A01018")
    for n in range(5):
        _minute(of, n)
    student(of)
    recorded(of, SOME[:3])
    common = {"run": of, "symbol": "DEMOBANK", "strategy": "intraday"}
    Position.objects.create(**common, side="LONG", quantity=10, entry_price="780.5", stop="764.9", opened_at=at(20))
    Measure.objects.create(metric="perf", at=at(20), low=1, high=2, total=3, count=2, last=1)
    snapshot(of)


def student(of):
    """Put a student in place that scored one decision of ``of``."""
    row = ActiveModel.objects.create(
        role="champion", version="student-1f3a9c", folder="data/models/production/student-1f3a9c", digest="d" * 64,
        evidence="e" * 64, since=OPEN, by="asha", reason="promoted",
    )  # fmt: skip
    ModelScore.objects.create(
        run=of, model=row, at=at(0), symbol="DEMOBANK", strategy="intraday", direction="LONG", chance=0.64,
        threshold=0.6, inputs=[55.0, None],
    )  # fmt: skip


def snapshot(of, **changes):
    """Publish a small picture of ``of``."""
    body = {"run": of.pk, "mode": "replay", "label": "DEMO", "pnl": {"day": "12.50"}, "positions": [], **changes}
    return Snapshot.objects.create(topic="live", epoch="e1", version=7, body=body, updated_at=now())


def _minute(run, n):
    common = {"run": run, "symbol": "DEMOBANK", "strategy": "intraday"}
    Signal.objects.create(
        **common, at=at(n), direction="LONG", confidence=0.7, price="780.25", reason="retook its average",
        objections=[] if n % 2 else ["risk limit"], features={"rsi": 55.0, "adx": None},
    )  # fmt: skip
    order = Order.objects.create(
        **common, key=f"k{n}", number=n + 1, side="BUY", purpose="entry", quantity=10, filled=10, price="780.5",
        status="filled", created_at=at(n),
    )  # fmt: skip
    OrderEvent.objects.create(order=order, old="", new="working", at=at(n))
    OrderEvent.objects.create(order=order, old="working", new="filled", at=at(n + 1), note="10 @ 780.50")
    Fill.objects.create(order=order, number=1, at=at(n + 1), quantity=10, price="780.5", charges="3.21")
    Trade.objects.create(
        **common, side="LONG", quantity=10, entry_time=at(n), entry_price="780.5", exit_time=at(n + 10),
        exit_price="785", exit_reason="target", gross_pnl="45", charges="6.4", net_pnl="38.6", orders=[1, 2],
    )  # fmt: skip
    EquityPoint.objects.create(run=run, at=at(n), equity="1000012.5", cash="992207.5", exposure="7805")


def backtest():
    """Return a finished backtest with one trade."""
    made = BacktestRun.objects.create(
        symbols=["DEMOBANK"], strategy="intraday", interval="5minute", start="2026-11-02", end="2026-11-20",
        source="demo", capital=Decimal(1_000_000), status="done", progress=1.0, bars=1100,
        metrics={"trades": 1, "sharpe_ratio": None}, equity=[["2026-11-02", 1000038.6]], created_at=OPEN,
        finished_at=OPEN,
    )  # fmt: skip
    BacktestTrade.objects.create(
        run=made, number=1, symbol="DEMOBANK", side="LONG", quantity=10, entry_time=at(0), entry_price="780.5",
        exit_time=at(10), exit_price="785", exit_reason="target", gross_pnl="45", charges="6.4", net_pnl="38.6",
    )  # fmt: skip
    return made


def broker(of):
    """Give the desk a broker's side: a session, a budget, a message, an arming, and what is wrong or stopped."""
    later = at(0) + dt.timedelta(hours=8)
    BrokerSession.objects.create(login_user="AB123", sealed="x", obtained_at=at(0), expires_at=later)
    CallBudget.objects.create(name="minute", tokens=20.0, refilled_at=0.0, day=at(0).date())
    Condition.objects.create(
        code="feed-stale", subject="TCS", level="bad", message="no tick", since=at(0), seen_at=at(1)
    )
    BrokerMessage.objects.create(at=at(0), source="rest", verb="place", digest="d", payload={"Status": 200})
    LiveArming.objects.create(armed_by="asha", armed_at=at(0), expires_at=later, plan="i-secure", shown={})
    Lease.objects.create(name="breeze-stream", holder="host:1", expires_at=later)
    halt(of)
    Command.objects.create(key=uuid.uuid4(), run=of, verb="cancel-all", asked_by="omar", asked_at=at(20))
    difference(of)


def halt(of=None, **changes):
    """Return the kill switch, thrown by omar."""
    usual = {"kind": "kill", "reason": "prices look wrong", "engaged_by": "omar", "engaged_at": at(30), "run": of}
    return Halt.objects.create(**{**usual, **changes})


def difference(of, **changes):
    """Return an open difference in DEMOBANK: ours 10, theirs 8."""
    usual = {
        "symbol": "DEMOBANK", "ours": 10, "theirs": 8, "detail": "sold in another app", "found_at": at(20),
        "seen_at": at(21),
    }  # fmt: skip
    return Difference.objects.create(run=of, **{**usual, **changes})


def fetched():
    """Give the desk a series that was fetched, and a bar that was made from ticks."""
    FetchState.objects.create(symbol="TCS", interval="1minute", body="{}", seal="s", updated_at=at(0))
    FetchRun.objects.create(asked={"symbols": ["TCS"]}, state="done", started_at=at(0), finished_at=at(1))
    StreamBar.objects.create(
        symbol="TCS", interval="1minute", start=at(0), open="100", high="101", low="99", close="100.5", origin="ticks"
    )


def news():
    """One row of everything that is kept of the news, about Acme."""
    common = {"symbol": "ACME", "provider": "newsapi", "value": 0.4, "confidence": 0.8}
    NewsItem.objects.create(
        **common, title="Acme profit surges", published_at=OPEN, fetched_at=at(5), text_hash="h", weight=1.0,
        scorer="lexicon-1",
    )  # fmt: skip
    NewsCall.objects.create(**common, at=at(5), outcome="ok", items=1)
    NewsProvider.objects.create(name="newsapi", tokens=99, refilled_at=0)
    SentimentScore.objects.create(symbol="ACME", at=at(5), value=0.4, confidence=0.8, source="newsapi")
    SnapshotFetch.objects.create(
        symbol="ACME", day=OPEN.date(), fetched_at=at(5), complete=False, score=0.4, confidence=0.8, path="x.jsonl"
    )
