"""The picture the pages show: built from the engine and its rows, stored whole, announced with a ping."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections import deque
from typing import Any

from sensequant.lib import broadcast
from sensequant.lib.clock import ist
from trading.core import ageing
from trading.core.calendar import Session
from trading.core.risk import KILLED, reasons
from trading.core.rules import Limits
from trading.core.signals import DIRECTIONS
from trading.core.state import (
    AVG,
    BLOCK,
    BREAKER,
    CASH,
    CHARGES_DAY,
    DAY_START,
    ENTRY_TS,
    EQUITY,
    EXPOSURE,
    LAST,
    OPEN,
    QTY,
    REALISED_DAY,
    SIDE,
    STOP,
    TARGET,
    TRADE_COST,
)
from trading.core.strategies import strategy
from trading.models.broker import Condition
from trading.models.engine import EngineRun
from trading.models.live import Snapshot
from trading.models.orders import Order, Signal
from trading.models.positions import EquityPoint, Trade
from trading.services.engine import Engine
from trading.services.recording import moment
from trading.services.tapes import Playable

TOPIC = "live"
SHOWN = 20
POINTS = 400


def text(value: float) -> str:
    """Return rupees to the paisa, as the pages take them."""
    return f"{value:.2f}"


def iso(at: dt.datetime | None) -> str | None:
    """Return a moment as the exchange's clock writes it."""
    return ist(at).isoformat() if at else None


class Picture:
    """One run's live picture; ``epoch`` tells readers when to begin afresh."""

    def __init__(self, run: EngineRun, engine: Engine, tape: Playable, session: Session | None = None) -> None:
        """Show ``run`` as ``engine`` stands over ``tape``."""
        self.run, self.engine, self.tape, self.session = run, engine, tape, session
        self.epoch, self.version = uuid.uuid4().hex, 0
        self.curve: deque[list[float]] = deque(maxlen=POINTS)
        self.before: dict[int, float] = {}
        self.market_time: dt.datetime | None = run.cursor
        self.tables: dict[str, Any] = {}
        self.today: dict[str, Any] = {}
        self.words: dict[str, tuple[str, str]] = {}  # state words that are not this class's to know: (level, text)
        self.ages: dict[int, float] = {}  # seconds since each lane's newest news, where there is a stream
        self.fresh = True  # a bar was taken since the last picture
        self.priced_at: dt.datetime | None = None  # when the newest bar was first shown

    def open_session(self, session: Session | None, day: int) -> None:
        """Begin a session: a fresh curve, and the closes it is compared with."""
        self.session = session
        self.curve.clear()
        self.today = {}
        self.before = {lane: self.tape.before(lane, day) for lane in range(len(self.engine.specs))}
        for point in EquityPoint.objects.filter(run=self.run, at__gte=session.open).order_by("at") if session else ():
            self.curve.append([int(point.at.timestamp()), float(point.equity)])

    def moved(self, end: int, *, happened: bool) -> None:
        """Take note that the market stands at ``end`` (seconds UTC)."""
        self.market_time = moment(end)
        if not self.curve or end - self.curve[-1][0] >= 60:
            self.curve.append([end, round(self.engine.A[EQUITY], 2)])
        self.fresh = True
        if happened:
            self.happened()

    def happened(self) -> None:
        """Read orders, signals and trades again: some of them are new."""
        self.tables, self.today = {}, {}

    def publish(self, *, at: dt.datetime) -> None:
        """Store the picture under the next version and ping the readers; a lost ping loses nothing."""
        self.version += 1
        Snapshot.objects.update_or_create(
            topic=TOPIC,
            defaults={"epoch": self.epoch, "version": self.version, "body": self.body(at=at), "updated_at": at},
        )
        broadcast.publish(TOPIC, {"version": self.version, "epoch": self.epoch})

    def body(self, *, at: dt.datetime) -> dict[str, Any]:
        """Return the picture as JSON values."""
        run = self.run
        if not self.tables:
            self.tables = tables(run)
        if self.fresh or self.priced_at is None:
            self.fresh, self.priced_at = False, at
        return {
            "run": run.pk, "name": run.name, "mode": run.mode, "label": run.label, "state": run.state,
            "speed": run.speed, "held": run.held, "entries_paused": run.entries_paused, "strategy": run.strategy,
            "market_time": iso(self.market_time), "session": self._session(), "as_of": self._as_of(self.priced_at, at),
            "states": self.states(at=at),
            "pnl": self._pnl(), "positions": self._positions(), "equity": list(self.curve), "watch": self._watch(),
            "conditions": self._conditions(), "latency": {
                "p50_us": self.engine.latency.quantile(0.5), "p99_us": self.engine.latency.quantile(0.99),
                "bars": self.engine.bars,
            },
            **self.tables,
        }  # fmt: skip

    def states(self, *, at: dt.datetime) -> list[dict[str, Any]]:
        """Return the state words the engine can answer for, each with its level: ok, warn, bad or off."""
        engine, run = self.engine, self.run
        moving = run.state == "running" and not run.held
        halted = ", ".join(engine.specs[lane].symbol for lane in engine.halted)
        lost = (engine.A[DAY_START] - engine.A[EQUITY]) / engine.A[DAY_START] * 100.0
        risk = ("bad", "breaker open") if engine.N[BREAKER] else _risk(engine, lost)
        if any(ints[BLOCK] & KILLED for ints in engine.K):
            risk = ("bad", "kill switch on")
        return [
            {"key": key, "level": level, "text": words, "since": iso(at)}
            for key, level, words in (
                ("ENGINE", "bad" if halted else "ok" if moving else "warn",
                 f"stopped: {halted}" if halted else "held" if run.held else run.state),
                ("BROKER", *self.words.get("BROKER", ("ok", "paper"))),
                ("FEED", *self.words.get("FEED", ("ok" if moving else "warn", f"{run.mode} {_speed(run)}"))),
                ("RISK", *risk),
                ("RATE", *self.words.get("RATE", ("off", "no broker calls"))),
            )
        ]  # fmt: skip

    def _as_of(self, priced_at: dt.datetime, at: dt.datetime) -> dict[str, dict[str, Any]]:
        """Return of each part when it was true and the age that is too much; None while nothing newer is expected."""
        run, running = self.run, self.run.state == "running"
        due = ageing.until_next_bar(self.engine.setup.minutes, run.speed if run.mode == "replay" else 1.0)
        prices = ageing.late_after(ageing.PRICES, due) if running and not run.held and self._inside() else None
        return {
            ageing.BOOKS: {"at": iso(at), "late_after": ageing.late_after(ageing.BOOKS) if running else None},
            ageing.PRICES: {"at": iso(priced_at), "late_after": prices},
        }

    def _conditions(self) -> list[dict[str, str]]:
        """Return what is wrong now; paper markets of recorded bars have nothing that can be."""
        if self.run.mode == "replay":
            return []
        rows = Condition.objects.filter(until=None).order_by("-since")[:SHOWN]
        return [
            {"code": c.code, "subject": c.subject, "level": c.level, "message": c.message, "fix": c.fix} for c in rows
        ]

    def _session(self) -> dict[str, Any] | None:
        if self.session is None:
            return None
        return {
            "date": self.session.date.isoformat(), "open": iso(self.session.open), "close": iso(self.session.close),
            "phase": "continuous" if self._inside() else "closed",
        }  # fmt: skip

    def _inside(self) -> bool:
        """Say whether the market's clock stands inside continuous trading."""
        moment, session = self.market_time, self.session
        return session is not None and moment is not None and session.contains(ist(moment))

    def _pnl(self) -> dict[str, Any]:
        account, limits = self.engine.A, self.engine.setup.limits
        unrealised = sum(_gain(*lane) for lane in zip(self.engine.L, self.engine.K, strict=True))
        return {
            "day": text(account[EQUITY] - account[DAY_START]), "realised": text(account[REALISED_DAY]),
            "unrealised": text(unrealised), "charges": text(account[CHARGES_DAY]), "equity": text(account[EQUITY]),
            "cash": text(account[CASH]), "exposure": text(account[EXPOSURE]),
            "exposure_limit": text(limits.max_exposure) if limits.max_exposure else None,
            "day_loss_limit": _loss_limit(limits, account[DAY_START]), "open": self.engine.N[OPEN], **self._today(),
        }  # fmt: skip

    def _today(self) -> dict[str, Any]:
        if self.session is None:
            return {"trades": 0, "win_rate": None}
        if not self.today:
            today = Trade.objects.filter(run=self.run, exit_time__gte=self.session.open)
            nets = list(today.values_list("net_pnl", flat=True))
            rate = sum(net > 0 for net in nets) / len(nets) if nets else None
            self.today = {"trades": len(nets), "win_rate": rate}
        return self.today

    def _positions(self) -> list[dict[str, Any]]:
        rows = []
        engine = self.engine
        for seat, spec, floats, ints in zip(engine.seats, engine.specs, engine.L, engine.K, strict=True):
            if ints[SIDE]:
                gain, stop, target = _gain(floats, ints), floats[STOP], floats[TARGET]
                rows.append({
                    "symbol": spec.symbol, "strategy": seat.name, "side": DIRECTIONS[ints[SIDE]],
                    "quantity": ints[QTY], "entry_price": text(floats[AVG]), "last": text(floats[LAST]),
                    "pnl": text(gain), "pnl_pct": round(gain / (floats[AVG] * ints[QTY]) * 100.0, 3),
                    "stop": text(stop) if stop else None, "target": text(target) if target else None,
                    "opened_at": iso(moment(ints[ENTRY_TS])),
                })  # fmt: skip
        return rows

    def _watch(self) -> list[dict[str, Any]]:
        rows = []
        for lane, spec in enumerate(self.engine.specs):
            bar, row = self.engine.last.get(lane), self.engine.features.get(lane)
            if bar is None or self.engine.seats[lane].name != self.engine.name:  # a symbol is watched once
                continue
            before = self.before.get(lane, math.nan)
            rows.append({
                "symbol": spec.symbol, "last": text(bar.close), "volume": _known(bar.volume),
                "change_pct": round((bar.close / before - 1.0) * 100.0, 3) if before > 0 else None,
                "at": iso(moment(bar.ts)), "sentiment": _known(bar.sentiment), "halted": self.engine.halted.get(lane),
                "age": self.ages.get(lane), "blocked": reasons(self.engine.K[lane][BLOCK]),
                "features": _features(self.engine.name, row),
            })  # fmt: skip
        return rows


def tables(run: EngineRun) -> dict[str, Any]:
    """Return the newest orders, signals and trades of a run."""
    orders = Order.objects.filter(run=run).order_by("-number")[:SHOWN]
    signals = Signal.objects.filter(run=run).order_by("-at", "-id")[:SHOWN]
    trades = Trade.objects.filter(run=run).order_by("-exit_time", "-id")[:SHOWN]
    return {
        "orders": [
            {
                "number": o.number, "at": iso(o.created_at), "symbol": o.symbol, "strategy": o.strategy, "side": o.side,
                "quantity": o.quantity, "filled": o.filled, "price": f"{o.price:.2f}", "purpose": o.purpose,
                "reason": o.reason, "status": o.status,
            }
            for o in orders
        ],
        "signals": [
            {
                "at": iso(s.at), "symbol": s.symbol, "strategy": s.strategy, "direction": s.direction,
                "confidence": round(s.confidence, 3), "price": f"{s.price:.2f}", "reason": s.reason,
                "objections": s.objections,
            }
            for s in signals
        ],
        "trades": [
            {
                "symbol": t.symbol, "side": t.side, "quantity": t.quantity, "entry_time": iso(t.entry_time),
                "entry_price": f"{t.entry_price:.2f}", "exit_time": iso(t.exit_time),
                "exit_price": f"{t.exit_price:.2f}", "exit_reason": t.exit_reason, "charges": f"{t.charges:.2f}",
                "net_pnl": f"{t.net_pnl:.2f}",
            }
            for t in trades
        ],
    }  # fmt: skip


def _gain(floats: list[float], ints: list[int]) -> float:
    return ints[SIDE] * ints[QTY] * (floats[LAST] - floats[AVG]) - floats[TRADE_COST] if ints[SIDE] else 0.0


def _known(x: float) -> float | None:
    return None if x != x else round(x, 4)


def _features(name: str, row: Any) -> dict[str, float | None]:
    return {} if row is None else {key: _known(x) for key, x in strategy(name).described(row).items()}


def _loss_limit(limits: Limits, start: float) -> str | None:
    found = [limits.daily_loss, limits.daily_loss_pct * start / 100.0]
    return text(min(x for x in found if x > 0.0)) if any(x > 0.0 for x in found) else None


def _risk(engine: Engine, lost: float) -> tuple[str, str]:
    limits = engine.setup.limits
    limit = _loss_limit(limits, engine.A[DAY_START])
    used = max(0.0, lost * engine.A[DAY_START] / 100.0) / float(limit) * 100.0 if limit else 0.0
    return ("warn" if used >= 60 else "ok"), f"{used:.0f}% of day loss"


def _speed(run: EngineRun) -> str:
    return "as fast as it goes" if run.speed == 0 else f"{run.speed:g}×"
