"""A small desk's rows for stories: one run with a little history, one backtest, three people."""

import datetime as dt
from decimal import Decimal

from django.contrib.auth.models import Group, User

from sensequant.lib.clock import IST, now
from trading.core.rights import OPERATORS
from trading.models import (
    BacktestRun,
    BacktestTrade,
    EngineRun,
    EquityPoint,
    Fill,
    Instrument,
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


def at(minutes):
    return OPEN + minutes * MINUTE


def people():
    """Return a viewer, an operator and a staff member."""
    group, _ = Group.objects.get_or_create(name=OPERATORS)
    vera = User.objects.create_user("vera")
    omar = User.objects.create_user("omar")
    omar.groups.add(group)
    asha = User.objects.create_user("asha", is_staff=True, is_superuser=True)
    return {"viewer": vera, "operator": omar, "staff": asha}


def run():
    """Return a running replay of the demo market, an hour into its last day."""
    return EngineRun.objects.create(
        name="demo", mode="replay", label="DEMO", source="demo", interval="5minute", strategy="intraday",
        plan=PLAN.as_json(), capital=Decimal(1_000_000), state="running", cursor=at(60), started_at=OPEN,
        heartbeat_at=now(),
    )  # fmt: skip


def history(of):
    """Give ``of`` five signals, orders and trades, a minute apart, and what goes with them."""
    Instrument.objects.create(symbol="DEMOBANK", name="Demo National Bank", segment="equity_fno", is_demo=True)
    Instrument.objects.create(symbol="RELIANCE", name="Reliance Industries", isin="INE002A01018")
    for n in range(5):
        _minute(of, n)
    common = {"run": of, "symbol": "DEMOBANK", "strategy": "intraday"}
    Position.objects.create(**common, side="LONG", quantity=10, entry_price="780.5", stop="764.9", opened_at=at(20))
    body = {"run": of.pk, "mode": "replay", "label": "DEMO", "pnl": {"day": "12.50"}, "positions": []}
    Snapshot.objects.create(topic="live", epoch="e1", version=7, body=body, updated_at=now())


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
