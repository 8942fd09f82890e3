"""How the desk stands with its risk, as one document for the page and the REST API: limits, halts, what blocks what.

What moves with every price comes from the newest snapshot; the rest from the numbers the run last recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sensequant.lib import formats
from sensequant.lib.errors import SenseQuantError
from trading.core import risk
from trading.core.errors import Invalid
from trading.core.rules import Limits
from trading.core.state import (
    BREAKER,
    COOL_UNTIL,
    DAY_START,
    EQUITY,
    EXPOSURE,
    HALT_AT,
    OPEN,
    RESERVED,
    STREAK,
    TRADES_DAY,
    WAITING,
    new_account,
)
from trading.models.control import Halt
from trading.models.engine import EngineRun
from trading.models.positions import Position
from trading.selectors import control, live
from trading.selectors.live import Newest
from trading.services import budgets, conditions, halts, release_gate, runner, runs
from trading.services.recording import moment

NEAR = 0.8  # of a limit: from here on it is worth saying
PAISA = Decimal("0.01")
LEVELS = {"off": "no limit", "ok": "well below", "warn": "near", "bad": "reached"}


GAUGES: Mapping[str, tuple[str, str, str]] = MappingProxyType({  # parameter → title, how it is written, what it means
    "max_exposure": ("Exposure", "inr",
                     "Σ shares × newest price of all positions, and what waiting entries may come to."),
    "max_symbol_exposure": ("Largest position", "inr", "Shares × newest price of the position that is worth most."),
    "max_positions": ("Positions", "qty", "Positions open at once, waiting entries included."),
    "max_trades_day": ("Entries today", "qty", "Entries of this session; at the limit there are no more."),
    "daily_loss": ("Loss today, ₹", "inr",
                   "Equity at the session’s start − equity now, open positions too; at the limit entries stop."),
    "daily_loss_pct": ("Loss today, %", "number", "The same ÷ the equity the session began with."),
    "loss_streak": ("Losses in a row", "qty", "Trades lost one after another; at the limit a cool-down begins."),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit and what of it is used; ``limit`` is None where it is switched off, ``used`` where it is not known."""

    name: str  # as the parameter is called
    title: str
    unit: str
    how: str  # see sensequant.lib.formats
    used: Decimal | None
    limit: Decimal | None
    blocks: int = 0  # the objection an entry meets at the limit
    note: str = ""

    @property
    def help(self) -> str:
        """Return what the limit means."""
        return GAUGES[self.name][2]

    @property
    def share(self) -> float | None:
        """Return the used part of the limit, 1 at the limit; None where one of the two is not known."""
        return float(self.used / self.limit) if self.limit and self.used is not None else None

    @property
    def level(self) -> str:
        """Return off, ok, warn (near its limit) or bad (at it)."""
        if self.share is None:
            return "off"
        return "bad" if self.share >= 1.0 else "warn" if self.share >= NEAR else "ok"

    @property
    def told(self) -> str:
        """Return the level in words."""
        return LEVELS[self.level]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one run stands: its limits, its breaker, and what speaks against entries in every symbol and in each."""

    run: EngineRun
    gauges: list[Gauge]
    breaker_open: bool
    latched: bool
    cooling_until: dt.datetime | None
    everywhere: list[str]
    symbols: list[dict[str, Any]] = field(default_factory=list)
    published_at: dt.datetime | None = None  # of the snapshot behind the figures; None: they are as last recorded
    trouble: str = ""  # why its limits cannot be told


def status(*, at: dt.datetime) -> dict[str, Any]:
    """Return halts, every living run's standing, the call budgets at ``at``, and the open differences."""
    engaged = {each.kind: each for each in halts.engaged()}
    newest = live.newest("live")
    differences = list(control.differences(open_now=True))
    return {
        "kill": engaged.get(halts.KILL),
        "breaker": engaged.get(halts.BREAKER),
        "release": engaged.get(halts.RELEASE),
        "real_money": halts.real_money(),
        "standings": [_standing(run, _about(run, newest), list(engaged.values())) for run in control.runs()],
        "budgets": budgets.gauges(at=at),
        "differences": differences,
    }


def _about(run: EngineRun, newest: Newest | None) -> Newest | None:
    return newest if newest is not None and newest.body.get("run") == run.pk else None


def _standing(run: EngineRun, newest: Newest | None, engaged: list[Halt]) -> Standing:
    body = newest.body if newest else {}
    limits, trouble = _limits(run)
    account, counts = _numbers(run)
    worth = _worth(run, body)
    cools = moment(counts[COOL_UNTIL])
    now = formats.moment(body.get("market_time")) or run.cursor
    cooling = cools if now is not None and cools > now else None
    gauges = _gauges(limits, account, counts, body, worth, cooling)
    # A latched breaker is its halt: the numbers were recorded before a person released it.
    opened = any(each.kind == halts.BREAKER for each in engaged) if limits.latched else counts[BREAKER] == 1
    return Standing(
        run, gauges, opened, limits.latched == 1, cooling,
        _everywhere(run, gauges, opened=opened, cooling=cooling is not None, engaged=engaged),
        _symbols(body, worth, limits), newest.updated_at if newest else None, trouble,
    )  # fmt: skip


def _limits(run: EngineRun) -> tuple[Limits, str]:
    """Return a run's limits; none, and why, when its plan cannot be read any more."""
    try:
        wanted, order = runner.plan_of(run)
        return runs.setup_of(order, wanted).limits, ""
    except (SenseQuantError, Invalid, LookupError, TypeError) as error:
        return Limits(), f"the limits of run {run.pk} cannot be told: {error}"


def _numbers(run: EngineRun) -> tuple[list[float], list[int]]:
    """Return the account's floats and whole numbers as last recorded, those of a new account before that."""
    account, counts = new_account(float(run.capital))
    floats, ints = run.numbers.get("A", []), run.numbers.get("N", [])
    account[: len(floats)] = [float(x) for x in floats]  # PostgreSQL hands 1e16 back as an int
    counts[: len(ints)] = ints  # an older run knew fewer slots
    return account, counts


def _worth(run: EngineRun, body: dict[str, Any]) -> dict[str, Decimal]:
    """Return rupees held, symbol by symbol: at the newest price, without a snapshot at the entry's."""
    found: dict[str, Decimal] = {}
    if body:
        rows = [(row["symbol"], row["quantity"], formats.decimal(row["last"])) for row in body.get("positions") or []]
    else:
        rows = [(row.symbol, row.quantity, row.entry_price) for row in Position.objects.filter(run=run)]
    for symbol, quantity, price in rows:
        found[symbol] = found.get(symbol, Decimal(0)) + abs(quantity) * (price or Decimal(0))
    return found


def _gauges(
    limits: Limits, account: list[float], counts: list[int], body: dict[str, Any], worth: dict[str, Decimal],
    cooling: dt.datetime | None,
) -> list[Gauge]:  # fmt: skip
    money = body.get("pnl") or {}
    exposure = (formats.decimal(money.get("exposure")) or _rupees(account[EXPOSURE])) + _rupees(account[RESERVED])
    held = int(money.get("open") or 0) if money else counts[OPEN]
    loss = _loss(money, account)
    largest = max(worth, key=lambda symbol: worth[symbol], default="")
    opens = account[HALT_AT]
    level = f"the breaker opens at an equity of {formats.inr(_rupees(opens)).text}" if opens > 0.0 else ""
    rest = f"cools down until {formats.show(cooling, 'stamp').text}" if cooling else f"then {limits.cool_down} min"
    return [
        _gauge("max_exposure", exposure, limits, risk.OVER_EXPOSURE, "waiting entries included"),
        _gauge("max_symbol_exposure", worth.get(largest, Decimal(0)), limits, 0, largest),
        _gauge("max_positions", Decimal(held + counts[WAITING]), limits, risk.TOO_MANY_POSITIONS,
               f"{held} open, {counts[WAITING]} waiting"),
        _gauge("max_trades_day", Decimal(counts[TRADES_DAY]), limits, risk.TOO_MANY_TRADES),
        _gauge("daily_loss", loss, limits, 0, level),
        _gauge("daily_loss_pct", _percent(loss, account[DAY_START]), limits, 0),
        _gauge("loss_streak", Decimal(counts[STREAK]), limits, 0, rest if limits.loss_streak else ""),
    ]  # fmt: skip


UNITS = {"inr": "₹", "number": "%"}


def _gauge(name: str, used: Decimal, limits: Limits, blocks: int, note: str = "") -> Gauge:
    title, how, _ = GAUGES[name]
    limit = getattr(limits, name)
    return Gauge(name, title, UNITS.get(how, ""), how, used, Decimal(str(limit)) if limit else None, blocks, note)


def _rupees(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(PAISA)


def _loss(money: dict[str, Any], account: list[float]) -> Decimal:
    """Return what the session has lost so far, open positions included; 0 when it stands in profit."""
    day = formats.decimal(money.get("day"))
    return max(Decimal(0), -(_rupees(account[EQUITY] - account[DAY_START]) if day is None else day))


def _percent(loss: Decimal, start: float) -> Decimal:
    return (loss * 100 / Decimal(repr(start))).quantize(PAISA) if start > 0 else Decimal(0)


def _everywhere(
    run: EngineRun, gauges: list[Gauge], *, opened: bool, cooling: bool, engaged: list[Halt]
) -> list[str]:  # fmt: skip
    """Return what speaks against every entry of a run, in the words signals are declined with."""
    kinds = {each.kind for each in engaged}
    refused = conditions.holds(release_gate.REFUSED, run.name)
    mask = risk.KILLED if halts.KILL in kinds else 0
    mask |= risk.NOT_RELEASED if halts.RELEASE in kinds or refused else 0
    mask |= risk.BREAKER_OPEN if opened else 0
    mask |= risk.PAUSED_BY_OPERATOR if run.entries_paused else 0
    mask |= risk.COOLING if cooling else 0
    for each in gauges:
        mask |= each.blocks if each.level == "bad" else 0
    return risk.reasons(mask)


def _symbols(body: dict[str, Any], worth: dict[str, Decimal], limits: Limits) -> list[dict[str, Any]]:
    """Return for each watched symbol what is held of it and what blocks it; ``blocked`` None where nobody told."""
    rows = []
    for row in body.get("watch") or []:
        told = row.get("blocked")
        stopped = [f"its lane has stopped: {row['halted']}"] if row.get("halted") else []
        held = worth.get(row["symbol"], Decimal(0))
        most = Decimal(str(limits.max_symbol_exposure))
        rows.append({
            "symbol": row["symbol"], "age": row.get("age"), "held": held, "share": float(held / most) if most else None,
            "blocked": [*stopped, *told] if told is not None else stopped or None,
        })  # fmt: skip
    return rows
