"""What the stories about pages share: a run with a little history, and the snapshot an engine would publish of it."""

import datetime as dt
from decimal import Decimal

from sensequant.lib.clock import IST
from trading.models import EngineRun, Fill, Order, OrderEvent, Position, Signal, Snapshot, Trade
from trading.services import markets, runner, runs

STATES = ("ENGINE", "BROKER", "FEED", "RISK", "DB", "QUEUE", "RATE")
NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=IST)


def a_run(**changes):
    """A demo run that trades two shares."""
    wanted = markets.want(
        "demo", ["DEMOBANK", "DEMOOIL"], "5minute", dt.date(2026, 11, 16), NOON.date(), today=NOON.date()
    )
    plan = runner.Plan("demo", "replay", wanted, runs.order("intraday", {}, None)).as_json()
    usual = {
        "name": "demo", "mode": "replay", "label": "DEMO", "source": "demo", "interval": "5minute",
        "strategy": "intraday", "plan": plan, "capital": 1_000_000, "state": "running", "started_at": NOON,
        "cursor": NOON,
    }  # fmt: skip
    return EngineRun.objects.create(**{**usual, **changes})


def an_order(run, number=1, **changes):
    """A filled purchase, or what ``changes`` make of it, with its life."""
    usual = {
        "key": f"{run.pk}-{number}", "number": number, "symbol": "DEMOBANK", "strategy": "intraday", "side": "BUY",
        "purpose": "entry", "quantity": 40, "filled": 40, "price": "903.20", "status": "filled",
        "created_at": NOON + dt.timedelta(minutes=number),
    }  # fmt: skip
    order = Order.objects.create(run=run, **{**usual, **changes})
    OrderEvent.objects.create(order=order, new="working", at=order.created_at)
    if order.filled:
        OrderEvent.objects.create(order=order, old="working", new="filled", at=order.created_at)
        Fill.objects.create(
            order=order, number=1, at=order.created_at, quantity=order.filled, price="903.40", charges="31.50"
        )
    return order


def a_signal(run, minute=0, **changes):
    """A LONG signal that was acted on."""
    usual = {
        "at": NOON + dt.timedelta(minutes=minute), "symbol": "DEMOBANK", "strategy": "intraday", "direction": "LONG",
        "confidence": 0.71, "price": "903.20", "reason": "close 903.20 retook SMA 902.10", "objections": [],
    }  # fmt: skip
    return Signal.objects.create(run=run, **{**usual, **changes})


def a_trade(run, minute=0, net="-468.00", **changes):
    """A closed trade."""
    usual = {
        "symbol": "DEMOBANK", "strategy": "intraday", "side": "LONG", "quantity": 40, "entry_time": NOON,
        "entry_price": "903.40", "exit_time": NOON + dt.timedelta(minutes=minute), "exit_price": "901.00",
        "exit_reason": "stop_loss", "gross_pnl": "-400.00", "charges": "68.00", "net_pnl": net,
    }  # fmt: skip
    return Trade.objects.create(run=run, **{**usual, **changes})


def a_position(run, **changes):
    """An open position with a stop."""
    usual = {
        "symbol": "DEMOOIL", "strategy": "intraday", "side": "LONG", "quantity": 20, "entry_price": Decimal("1101.20"),
        "stop": "1079.18", "target": "1145.25", "opened_at": NOON,
    }  # fmt: skip
    return Position.objects.create(run=run, **{**usual, **changes})


def body(run, at=None, **changes):
    """The picture of a run as the engine publishes it."""
    return {
        "run": run.pk, "name": run.name, "mode": run.mode, "label": run.label, "state": "running", "speed": 60.0,
        "held": False, "entries_paused": False, "strategy": "intraday", "market_time": "2026-11-20T12:00:00+05:30",
        "session": {
            "date": "2026-11-20", "open": "2026-11-20T09:15:00+05:30", "close": "2026-11-20T15:30:00+05:30",
            "phase": "continuous",
        },
        "as_of": {
            "books": {"at": (at or NOON).isoformat(), "late_after": 5.0},
            "prices": {"at": (at or NOON).isoformat(), "late_after": 25.0},
        },
        "states": [{"key": key, "level": "ok", "text": "well", "since": None} for key in STATES],
        "pnl": {
            "day": "123456.50", "realised": "-468.00", "unrealised": "0.00", "charges": "68.00", "equity": "1123456.50",
            "cash": "1101432.50", "exposure": "22024.00", "exposure_limit": "500000.00", "day_loss_limit": "5000.00",
            "open": 1, "trades": 1, "win_rate": 0.0,
        },
        "positions": [{
            "symbol": "DEMOOIL", "strategy": "intraday", "side": "LONG", "quantity": 20, "entry_price": "1101.20",
            "last": "1101.30", "pnl": "2.00", "pnl_pct": 0.009, "stop": "1079.18", "target": "1145.25",
            "opened_at": "2026-11-20T11:35:00+05:30",
        }],
        "orders": [{
            "number": 1, "at": "2026-11-20T11:35:00+05:30", "symbol": "DEMOOIL", "strategy": "intraday", "side": "BUY",
            "quantity": 20, "filled": 20, "price": "1100.90", "purpose": "entry", "reason": "", "status": "filled",
        }],
        "signals": [{
            "at": "2026-11-20T11:30:00+05:30", "symbol": "DEMOBANK", "strategy": "intraday", "direction": "LONG",
            "confidence": 0.71, "price": "903.20", "reason": "close 903.20 retook SMA 902.10",
            "objections": ["exposure cap 500000 reached"],
        }],
        "trades": [{
            "symbol": "DEMOBANK", "side": "LONG", "quantity": 40, "entry_time": "2026-11-20T10:00:00+05:30",
            "entry_price": "903.40", "exit_time": "2026-11-20T11:00:00+05:30", "exit_price": "901.00",
            "exit_reason": "stop_loss", "charges": "68.00", "net_pnl": "-468.00",
        }],
        "equity": [[1795236300, 1000000.0], [1795239900, 1050000.0], [1795246200, 1123456.5]],
        "watch": [
            {"symbol": "DEMOBANK", "last": "901.80", "change_pct": -0.4, "volume": 20949.0,
             "at": "2026-11-20T11:55:00+05:30",
             "features": {"close": 901.8, "sma": 902.1, "rsi": 48.2, "rsi_before": 50.0}},
            {"symbol": "DEMOOIL", "last": "1101.30", "change_pct": 1.33, "volume": None,
             "at": "2026-11-20T11:55:00+05:30",
             "features": {"close": 1101.3, "sma": None, "rsi": 62.9, "rsi_before": 60.0}},
        ],
        "latency": {"p50_us": 16.0, "p99_us": 128.0, "bars": 12345},
        **changes,
    }  # fmt: skip


def published(run, version=1, epoch="e1", at=None, **changes):
    """Store the picture as the engine would."""
    row, _ = Snapshot.objects.update_or_create(
        topic="live",
        defaults={"epoch": epoch, "version": version, "body": body(run, at, **changes), "updated_at": at or NOON},
    )
    return row
