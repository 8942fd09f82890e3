"""Requests to a broker, run beside the engine's loop; what they come to is handed back to it, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from django.db import connections

from sensequant.lib import crash
from trading.adapters.breeze.errors import NotSent
from trading.core.ports import Deal, OrderDesk, Report, Ticket
from trading.services.leases import Held
from trading.services.live_orders import Answer, Live

WORKERS = 4
Handler = Callable[[Answer], None]


class BrokerPool:
    """A few threads that ask; the answers wait until ``handle`` is called, so that one thread alone acts on them.

    Exits and cancels have threads of their own: a broker that lets questions hang holds up no way out.
    """

    def __init__(self) -> None:
        """Start without any request."""
        self.handlers: dict[str, Handler] = {}
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="broker")
        self._exits = ThreadPoolExecutor(WORKERS, thread_name_prefix="broker-exits")

    def request(
        self, verb: str, live: Live | None, work: Callable[[], Any], *, desk: OrderDesk | None = None
    ) -> None:  # fmt: skip
        """Run ``work``, which asks through ``desk``; its result or error goes to the handler of ``verb``."""
        if live is not None:
            live.busy = True
        urgent = verb in ("cancel", "modify") or (live is not None and live.exit and verb in ("place", "quote"))
        pool = self._exits if urgent else self._pool
        pool.submit(self._do, Answer(verb, live, desk=desk), work)

    def handle(self) -> None:
        """Hand every answer that came to its handler."""
        while True:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                return
            if answer.live is not None:
                answer.live.busy = False
            self.handlers[answer.verb](answer)

    def close(self) -> None:
        """Wait for the requests under way; those not begun are dropped."""
        for pool in (self._pool, self._exits):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self._pool, self._exits):
            pool.shutdown(wait=True)

    def _do(self, answer: Answer, work: Callable[[], Any]) -> None:
        try:
            answer.result = work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine's thread decides what it means
            answer.error = error
        finally:
            self._answers.put(answer)  # first: an answer that never comes would leave its order busy for ever
            connections.close_all()  # the budget's, of this thread


def placed(desk: OrderDesk, ticket: Ticket, deadline: float, *, exit: bool) -> str:
    """Send an order and return its number."""
    crash.point("before-send")
    number = desk.place(ticket, deadline=deadline, exit=exit)
    crash.point("after-send")
    return number


def reading(desk: OrderDesk, order_id: str, *, exit: bool) -> tuple[Report, Sequence[Deal]]:
    """Return an order and, when something of it was filled, its deals."""
    report = desk.order(order_id, exit=exit)
    return report, desk.deals(order_id, exit=exit) if report.filled else ()


def under(lease: Held | None, work: Callable[[], Any]) -> Any:
    """Return what ``work`` gives; NotSent when the lease was not renewed in time."""
    if lease is not None and not lease.good:
        raise NotSent(f"{lease.name} was not renewed in time")
    return work()
