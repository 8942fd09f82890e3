"""Every answer to an order request, kept word for word: told by any thread, written by the engine's."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from queue import Empty, SimpleQueue
from typing import Any

from sensequant.lib import redact
from sensequant.lib.clock import now
from trading.models.broker import BrokerMessage
from trading.models.orders import Order

MOVING = frozenset({"place", "cancel", "modify", "order", "deals", "orders"})


class BrokerLog:
    """What the broker said, until ``flush`` writes it down."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._heard: SimpleQueue[tuple[dt.datetime, str, str, dict[str, Any]]] = SimpleQueue()
        self._last: dict[str, str] = {}

    def hear(self, verb: str, payload: dict[str, Any]) -> None:
        """Take an answer in; may be called by any thread. Questions about the market are not kept."""
        if verb in MOVING:
            self._heard.put((now(), "rest", verb, payload))

    def heard(self, order_id: str, raw: Any) -> None:
        """Take an order notification in."""
        self._heard.put((now(), "stream", "order", {"order_id": order_id, "raw": redact.value(raw)}))

    def flush(self, *, at: dt.datetime) -> int:
        """Write down what was heard and return how much; a reading that says the same again is not kept twice."""
        rows = []
        while True:
            try:
                when, source, verb, payload = self._heard.get_nowait()
            except Empty:
                break
            text = json.dumps(payload.get("answer", payload), sort_keys=True, default=str)
            digest = hashlib.sha256(text.encode()).hexdigest()
            subject = f"{source}:{verb}:{payload.get('path', '')}"
            if verb in ("order", "orders", "deals") and self._last.get(subject) == digest:
                continue
            self._last[subject] = digest
            rows.append(BrokerMessage(at=when, source=source, verb=verb, digest=digest, payload=payload))
        self._match(rows)
        BrokerMessage.objects.bulk_create(rows)
        return len(rows)

    @staticmethod
    def _match(rows: list[BrokerMessage]) -> None:
        """Tell which order a notification is about."""
        numbers = {row.payload["order_id"]: row for row in rows if "order_id" in row.payload}
        for order in Order.objects.filter(broker_order_id__in=numbers).only("pk", "broker_order_id"):
            numbers[str(order.broker_order_id)].order = order
