"""What an engine with a broker did, remembered: as for paper, but orders begin NEW and end by the broker's word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from sensequant.lib import crash
from sensequant.lib.errors import NotAllowed
from trading.core.orders import OPEN, Status, may_become
from trading.core.state import FILLED, Happening
from trading.models.broker import Lease
from trading.models.engine import EngineRun
from trading.models.orders import Fill, Order, OrderEvent
from trading.services import halts
from trading.services.engine import Engine, Step
from trading.services.leases import Held
from trading.services.recording import Recorder, moment, money


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ended at the broker, and why, in words."""

    status: Status
    note: str = ""


class LiveRecorder(Recorder):
    """Writes the happenings of one run with a broker.

    ``trade_id`` names the deal whose booking is being recorded, ``ending`` says how the order ended that is given up;
    without one the desk wants an order no longer whose end only the broker can tell.
    With a ``lease`` nothing is written once another process has it. ``broken``: a happening could not be recorded, so
    what the engine has in mind is not what stands in the rows; nothing more is written, the run must be restored.
    """

    def __init__(self, run: EngineRun, engine: Engine) -> None:
        """Remember for ``run`` what ``engine`` does."""
        super().__init__(run, engine)
        self.orders = {order.number: order for order in Order.objects.filter(run=run, status__in=[*OPEN])}
        self.lease: Held | None = None
        self.broken = False
        self.trade_id: str = ""
        self.ending: Ending | None = None
        self.unwanted: list[int] = []  # numbers of entries the desk waits for no longer; the broker must be asked
        self.instant = False
        self.fresh: list[Order] = []  # committed and not yet sent
        self.booked: list[Fill] = []  # deals the journal has not told yet

    def record(self, step: Step) -> None:
        """Remember a moment, or nothing of it; NotAllowed under a lease that was lost, or after one that failed."""
        try:
            super().record(step)
        except BaseException:
            self.broken = True
            raise
        if any(each.kind == FILLED for each in step.happenings):
            crash.point("fill-committed")

    def _save_numbers(self) -> None:
        with transaction.atomic():
            self.fence()
            super()._save_numbers()

    def claim(self, order: Order, limit: Decimal, tick: Decimal, *, at: dt.datetime) -> bool:
        """Mark an order as being sent, in one transaction with a look at the lease and at what stops entries.

        False for an entry while something does; NotAllowed when the lease is gone.
        """
        lease = self.lease
        with transaction.atomic():
            self.fence()
            if lease is not None and not lease.good:
                raise NotAllowed(f"{lease.name} was not renewed in time", fix="this engine stops; another goes on")
            if order.purpose == "entry" and halts.no_entries():
                return False
            token = lease.token if lease else None
            self.move(order, Status.SENDING, at=at, sent_at=at, limit_price=limit, tick=tick, fence=token)
        return True

    def fence(self) -> None:
        """Raise NotAllowed when the lease is not ours any more; until the transaction ends nobody can take it."""
        if self.broken:
            raise NotAllowed("a happening could not be recorded", fix="this engine stops; the next one goes on")
        held = self.lease
        if held is None:
            return
        rows = Lease.objects.select_for_update().filter(name=held.name, holder=held.holder, token=held.token)
        if not rows.values_list("pk", flat=True).first():
            raise NotAllowed(f"{held.name} is no longer ours", fix="this engine stops; the other goes on")

    def instantly(self, ts: int, happenings: Sequence[Happening]) -> None:
        """Remember what happened between two bars; ``ts`` is the start of the last bar taken."""
        self.instant = True
        try:
            self.record(Step(ts, list(happenings)))
        finally:
            self.instant = False

    def ordered(self, each: Happening, step: Step) -> None:
        """Keep an order that is to be sent, under the key of its decision."""
        super().ordered(each, step)
        self.fresh.append(self.orders[int(each.values["order"])])

    def first_status(self) -> Status:
        """Return how an order begins: nothing was sent yet."""
        return Status.NEW

    def filled(self, each: Happening, step: Step) -> None:
        """Keep a deal once, under the exchange's number."""
        v, order = each.values, self.orders[int(each.values["order"])]
        quantity = int(v["quantity"])
        fill = Fill.objects.create(
            order=order, number=order.fills.count() + 1, at=moment(each.ts), quantity=quantity,
            price=money(v["price"]), charges=money(v["charge"]), broker_trade_id=self.trade_id,
        )  # fmt: skip
        self.booked.append(fill)
        crash.point("fill-written")
        Order.objects.filter(pk=order.pk).update(filled=F("filled") + quantity)
        order.refresh_from_db()
        if order.filled == order.quantity and may_become(Status(order.status), Status.FILLED):
            self.move(order, Status.FILLED, at=moment(each.ts))
        elif order.status == Status.WORKING:
            self.move(order, Status.PARTIAL, at=moment(each.ts))

    def expired(self, each: Happening, step: Step) -> None:
        """Keep how an order ended whose rest will not be filled; one that may still be filled goes on being watched."""
        order = self.orders[int(each.values["order"])]
        if self.ending is None:
            self.unwanted.append(order.number)
        elif order.status != self.ending.status:
            self.move(order, self.ending.status, at=moment(each.ts), note=self.ending.note)

    def move(self, order: Order, new: Status, *, at: dt.datetime, note: str = "", **changes: object) -> None:
        """Move an order on by compare-and-swap, and its event row with it; NotAllowed when the table forbids it."""
        old = Status(order.status)
        with transaction.atomic():
            self.fence()
            won = may_become(old, new) and Order.objects.filter(pk=order.pk, status=old).update(status=new, **changes)
            if not won:
                raise NotAllowed(f"order {order.number} of run {self.run.pk} is {old} and cannot become {new}")
            OrderEvent.objects.create(order=order, old=old, new=new, at=at, note=note[:300])
        order.refresh_from_db()

    def _decided(self, each: Happening) -> dt.datetime:
        return moment(each.ts) if self.instant else super()._decided(each)
