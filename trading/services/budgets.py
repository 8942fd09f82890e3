"""The desk's call budget at the broker: rows shared by every process, so that all of them together keep the limits.

A call takes from the rows ``day`` and ``minute``, an order request from ``orders`` too, all or none, in one short
transaction that begins by locking the row ``day``: whoever comes second sees what the first one took.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, Unavailable
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.errors import BudgetSpent
from trading.core.buckets import ENTRY, EXIT, HISTORY, JITTER, Bucket, Level, bucket, full, passable, refill, take
from trading.models import CallBudget

ALL = DAY, MINUTE, ORDERS = "day", "minute", "orders"
NEEDS: Final = {HISTORY: (DAY, MINUTE), "call": (DAY, MINUTE), "order": (DAY, MINUTE, ORDERS)}
# A little more than a minute and a second: calls may be closer together when they arrive than when they left.
WINDOWS: Final = {MINUTE: 62.0, ORDERS: 1.1}
AT_ONCE: Final = {MINUTE: 2 / 7, ORDERS: 0.6}  # 20 ordinary calls and 2 entries in one burst, as the settings come
log = get_logger("budget")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls a minute and a day, order requests a second, and the share of each kept for exits."""

    minute: int
    day: int
    orders: int
    reserved: float

    @classmethod
    def of_settings(cls) -> Limits:
        """Return what the settings allow."""
        desk = settings.DESK
        return cls(
            desk.breeze_calls_per_minute,
            desk.breeze_calls_per_day,
            desk.breeze_orders_per_second,
            desk.breeze_reserved_share,
        )

    def bucket(self, name: str) -> Bucket:
        """Return the bucket ``minute`` or ``orders``."""
        limit = self.minute if name == MINUTE else self.orders
        return bucket(limit, WINDOWS[name], reserved=self.reserved, at_once=AT_ONCE[name])


class DeskBudget:
    """The budget in the database. ``clock`` gives the present moment (aware): the wall clock, by which brokers count.

    Never used inside a transaction: a call that was made stays made when the transaction is undone.
    """

    def __init__(self, clock: Callable[[], dt.datetime], limits: Limits | None = None) -> None:
        self.clock = clock
        self.limits = limits or Limits.of_settings()
        self._spare: dict[str, Level] = {}
        self._turn = threading.Lock()

    def spend(self, kind: str, *, exit: bool = False) -> None:
        """Take one ``kind`` ("call", "order", or "history") or raise BudgetSpent at once; never wait.

        An exit may use what is reserved; a call for history leaves something to those who trade.

        When the rows cannot be read, an exit is let through within the reserved share, counted in memory, and
        everything else raises Unavailable.
        """
        if kind not in NEEDS:
            raise BadInput(f"there is no budget of {kind!r}: use one of {', '.join(NEEDS)}")
        at, who = self.clock(), EXIT if exit else (HISTORY if kind == HISTORY else ENTRY)
        try:
            denied = self._take(NEEDS[kind], at, who=who)
        except DatabaseError as error:
            connection.close_if_unusable_or_obsolete()  # the next call may find the database again
            if not exit:
                raise Unavailable(f"the call budget cannot be read: {error}", fix="look at the database") from error
            log.exception("the call budget cannot be read; an exit uses the reserve")
            denied = self._take_spare(NEEDS[kind][1:], at)
        if denied:
            raise self._spent(denied, who)

    def _take(self, names: Sequence[str], at: dt.datetime, *, who: str) -> dict[str, float]:
        """Take one of each row, or none and return how many seconds each that denied asks to wait."""
        with transaction.atomic(durable=True):
            rows = _locked(self.limits, at)
            taken, denied = {}, {}
            for name in names:
                taken[name], wait = self._after(rows[name], at, who)
                if wait:
                    denied[name] = wait
            for name in denied:
                row = _on_day(rows[name], at)
                CallBudget.objects.filter(name=name).update(day=row.day, used=row.used, denied=row.denied + 1)
            if not denied:
                for row in taken.values():
                    row.save(update_fields=["tokens", "refilled_at", "day", "used", "denied"])
        return denied

    def _after(self, row: CallBudget, at: dt.datetime, who: str) -> tuple[CallBudget, float]:
        row = _on_day(row, at)
        now = _steady(at.timestamp(), row.refilled_at)
        if row.name == DAY:
            if row.used >= passable(self.limits.day, reserved=self.limits.reserved, who=who):
                return row, _until_midnight(at)
            row.tokens, row.refilled_at, wait = float(self.limits.day - row.used - 1), now, 0.0
        else:
            level, wait = take(self.limits.bucket(row.name), Level(row.tokens, row.refilled_at), now, who=who)
            row.tokens, row.refilled_at = level.tokens, level.at
        row.used += 0 if wait else 1
        return row, wait

    def _take_spare(self, names: Sequence[str], at: dt.datetime) -> dict[str, float]:
        with self._turn:
            denied = {}
            for name in names:
                shape = self.limits.bucket(name)
                level = self._spare.get(name) or Level(shape.kept, at.timestamp())
                self._spare[name], wait = take(shape, level, at.timestamp(), who=EXIT)
                if wait:
                    denied[name] = wait
        return denied

    def _spent(self, denied: dict[str, float], who: str) -> BudgetSpent:
        name = max(denied, key=lambda each: denied[each])
        limit = {DAY: self.limits.day, MINUTE: self.limits.minute, ORDERS: self.limits.orders}[name]
        what = {DAY: "calls a day", MINUTE: "calls a minute", ORDERS: "order requests a second"}[name]
        share = "" if who == EXIT else f", {self.limits.reserved:.0%} of them kept for exits,"
        log.info("a call was denied", bucket=name, who=who, retry_after=round(denied[name], 2))
        return BudgetSpent(
            f"the budget of {limit:,} {what}{share} is spent",
            retry_after=denied[name],
            fix=f"wait {denied[name]:.1f} s" if name != DAY else "wait for midnight IST, or ask for less",
        )


def gauges(*, at: dt.datetime, limits: Limits | None = None) -> dict[str, dict[str, int]]:
    """Return for minute, day and orders how many calls may be made now (``left``), of how many at most at once
    (``most``), the ``limit`` of the window, what is ``reserved`` for exits, and how many were ``used`` and ``denied``
    on the IST day of ``at``.
    """
    allowed = limits or Limits.of_settings()
    rows = {row.name: row for row in CallBudget.objects.filter(name__in=ALL)}
    return {name: _gauge(allowed, rows.get(name) or _fresh(name, allowed, at), at) for name in (MINUTE, DAY, ORDERS)}


def _gauge(limits: Limits, row: CallBudget, at: dt.datetime) -> dict[str, int]:
    row = _on_day(row, at)
    counted = {"used": row.used, "denied": row.denied}
    if row.name == DAY:
        left, kept = max(0, limits.day - row.used), limits.day - passable(limits.day, reserved=limits.reserved)
        return {"left": left, "most": limits.day, "limit": limits.day, "reserved": kept, **counted}
    shape = limits.bucket(row.name)
    tokens = refill(shape, Level(row.tokens, row.refilled_at), at.timestamp()).tokens
    reserved = math.ceil(shape.kept)
    return {
        "left": int(tokens), "most": int(shape.capacity), "limit": shape.limit, "reserved": reserved, **counted,
    }  # fmt: skip


def _locked(limits: Limits, at: dt.datetime) -> dict[str, CallBudget]:
    """Return the rows, made when there are none, held by this transaction until it ends."""
    rows: dict[str, CallBudget] = {}
    while len(rows) < len(ALL):
        if CallBudget.objects.filter(name=DAY).update(denied=F("denied")):
            rows = {row.name: row for row in CallBudget.objects.filter(name__in=ALL)}
        if len(rows) < len(ALL):
            CallBudget.objects.bulk_create([_fresh(name, limits, at) for name in ALL], ignore_conflicts=True)
    return rows


def _fresh(name: str, limits: Limits, at: dt.datetime) -> CallBudget:
    now = at.timestamp()
    tokens = float(limits.day) if name == DAY else full(limits.bucket(name), now).tokens
    return CallBudget(name=name, tokens=tokens, refilled_at=now, day=at.astimezone(IST).date())


def _on_day(row: CallBudget, at: dt.datetime) -> CallBudget:
    """Return the row with its counts on the IST day of ``at``: a new day begins at nothing."""
    day = dt.datetime.fromtimestamp(_steady(at.timestamp(), row.refilled_at), IST).date()
    if row.day != day:
        row.day, row.used, row.denied = day, 0, 0
    return row


def _steady(now: float, before: float) -> float:
    """Return ``now``, unless another thread's clock reading just before was a little later."""
    return before if 0 < before - now <= JITTER else now


def _until_midnight(at: dt.datetime) -> float:
    local = at.astimezone(IST)
    tomorrow = (local + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - local).total_seconds()
