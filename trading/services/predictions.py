"""The record of predictions: written before their outcome is known, scored after, and checked link by link.

Each engine run is a chain of its own. Where its newest link stands is also written to a file as every session begins
and as the run ends; a chain that was rewritten as a whole disagrees with that file, or with a copy kept elsewhere.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from sensequant.lib import lines, outage, paths
from sensequant.lib.logs import get_logger
from trading.core import chain, traces
from trading.core.chain import Break, Link
from trading.core.strategies import strategy
from trading.core.traces import FIELDS, Made, Told, Trace
from trading.models.engine import EngineRun
from trading.models.orders import Fill, Order, Signal
from trading.models.positions import Trade
from trading.models.telemetry import PredictionRecord
from trading.services.engine import Engine

log = get_logger("predictions")
SIDES = {"LONG": 1, "SHORT": -1}
WHOLE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\+00")
DIGESTED = ("run_id", "number", "kind", "at", "symbol", "strategy", "order", "payload", "previous")


def anchors_path() -> Path:
    """Return the file that says where chains stood."""
    return paths.resolve("data/state/prediction_anchors.jsonl")


class Ledger:
    """One run's chain. Whatever goes wrong here is kept in ``trouble`` and costs the engine nothing else."""

    def __init__(self, run: EngineRun, engine: Engine) -> None:
        """Go on where the run's chain ends."""
        self.run, self.trouble = run, ""
        self.told = {
            x.name: Told(x.name, strategy(x.name).KIND, run.mode, traces.version(x.name, x.setup), str(run.pk))
            for x in engine.seats
        }
        last = PredictionRecord.objects.filter(run=run).order_by("-number").first()
        self.number, self.head = (last.number, last.digest) if last else (0, "")

    def predict(self, order: Order, signal: Signal) -> None:
        """Append what was predicted as ``order``, an entry, was decided."""
        told = self.told[order.strategy]
        payload = {
            "direction": signal.direction, "confidence": round(signal.confidence, 6), "price": float(signal.price),
            "sentiment": signal.sentiment, "features": signal.features, "reason": signal.reason,
            "model_version": signal.model_version or told.version, "model_confidence": signal.model_confidence,
            "threshold_pct": traces.threshold(told.strategy, told.kind),
        }  # fmt: skip
        self._safely(lambda: self._append("prediction", order, order.created_at, payload))

    def score(self, trade: Trade) -> Trace | None:
        """Append what came of the prediction behind ``trade`` and return its trace; None when there was none."""
        found: Trace | None = self._safely(lambda: self._score(trade))
        return found

    def _score(self, trade: Trade) -> Trace | None:
        about = PredictionRecord.objects.filter(run=self.run, kind="prediction", order__in=trade.orders)
        scored = PredictionRecord.objects.filter(run=self.run, kind="outcome", order__in=trade.orders)
        mine = (
            about.filter(symbol=trade.symbol, strategy=trade.strategy)
            .exclude(order__in=scored.values("order"))
            .order_by("number")
            .first()
        )
        if mine is None:
            return None
        said = json.loads(mine.payload)
        entry = Order.objects.get(run=self.run, number=mine.order)
        fees = sum(float(fill.charges) for fill in Fill.objects.filter(order=entry))
        told = self.told[trade.strategy]._replace(student=said["model_version"])
        found = traces.trace(_made(trade, said, fees), trade.symbol, told, json.dumps(said["features"]))
        parts = {"features": said["features"], "metadata": json.loads(found.metadata)}
        payload = {"prediction": mine.number, "trace": {**dict(zip(FIELDS, found, strict=True)), **parts}}
        self._append("outcome", entry, trade.exit_time, payload)
        return found

    def _append(self, kind: str, order: Order, at: Any, payload: dict[str, Any]) -> None:
        number, previous = self.number + 1, self.head
        text = chain.canonical(payload)
        row = PredictionRecord(
            run=self.run, number=number, kind=kind, at=at, symbol=order.symbol, strategy=order.strategy,
            order=order.number, payload=text, previous=previous,
        )  # fmt: skip
        row.digest = chain.digest(as_digested(row))
        row.save()
        self.number, self.head = number, row.digest

    def _safely(self, do: Callable[[], Any]) -> Any:
        try:
            with transaction.atomic():
                return do()
        except Exception as error:
            if outage.is_away(error):  # what the trade itself is written with is lost, too: it is done again
                raise
            self.trouble = f"a prediction of run {self.run.pk} could not be recorded: {error}"[:300]
            log.exception("prediction not recorded", run=self.run.pk)
            return None

    def anchor(self) -> None:
        """Write where the chain stands into the file of anchors."""
        if not self.number:
            return
        line = json.dumps({"run": self.run.pk, "number": self.number, "digest": self.head})
        try:
            lines.append(anchors_path(), line)
        except OSError as error:
            self.trouble = f"{anchors_path()} cannot be written: {error.strerror or error}"[:300]
            log.exception("chain not anchored", run=self.run.pk)
        log.info("predictions anchored", run=self.run.pk, number=self.number, digest=self.head)


def _made(trade: Trade, said: dict[str, Any], fees: float) -> Made:
    news, asked = said["sentiment"], said["model_confidence"]
    return Made(
        SIDES[trade.side], said["confidence"], math.nan if news is None else news, said["price"],
        float(trade.entry_price), float(trade.exit_price), int(trade.entry_time.timestamp()),
        int(trade.exit_time.timestamp()), trade.quantity, fees, float(trade.charges), float(trade.gross_pnl),
        float(trade.net_pnl), trade.exit_reason, math.nan if asked is None else asked,
    )  # fmt: skip


def as_digested(row: PredictionRecord) -> str:
    """Return what is digested of a record: everything it says, its predecessor's digest included."""
    told = (_iso(row.at) if name == "at" else getattr(row, name) for name in DIGESTED)
    return _text(tuple(told))


def _text(told: tuple[Any, ...]) -> str:
    """Return what ``DIGESTED`` names as JSON of a list, put together by hand: a page reads tens of thousands.

    The moment is ISO 8601 in UTC.
    """
    run, number, kind, when, symbol, strategy, order, payload, before = told
    words = f'{quoted(kind)}, "{when}", {quoted(symbol)}, {quoted(strategy)}'
    return f'["run {run}", {number}, {words}, {order}, {quoted(payload)}, {quoted(before)}]'


def check(run_id: int | None = None) -> dict[str, Any]:
    """Return how many chains and records there are, where each chain stands, and every place where one breaks."""
    kept, heads, breaks, records = anchors(), [], [], 0
    rows = PredictionRecord.objects.all() if run_id is None else PredictionRecord.objects.filter(run_id=run_id)
    known = set(rows.order_by().values_list("run_id", flat=True).distinct())
    wanted = known | set(kept) if run_id is None else known | ({run_id} & set(kept))
    for run in sorted(wanted):
        walk = chain.Walk(f"run {run}", anchors=kept.get(run, {}))
        for link in links(rows.filter(run_id=run).order_by("number")):
            walk.step(link)
        breaks += walk.breaks()
        if walk.count:
            records += walk.number
            heads.append({"run": run, "number": walk.number, "digest": walk.head})
    return {"chains": len(heads), "records": records, "sound": not breaks, "heads": heads,
            "breaks": [_said(each) for each in breaks]}  # fmt: skip


def links(rows: Any, most: int | None = None) -> Iterator[Link]:
    """Yield each record (the first ``most``) as a link; its moment comes as text, read five times as fast."""
    written = rows.annotate(written=Cast("at", TextField()))
    names = ["written" if name == "at" else name for name in DIGESTED]
    for run, number, kind, at, *rest, before, carried in written.values_list(*names, "digest")[:most].iterator():
        yield Link(number, before, _text((run, number, kind, _moment(at), *rest, before)), carried)


def _moment(text: str) -> str:
    """Return a moment as a database writes it as ISO 8601 in UTC."""
    if WHOLE.fullmatch(text):  # PostgreSQL's whole seconds, asked in UTC: nearly all there are
        return f"{text[:10]}T{text[11:19]}+00:00"
    at = dt.datetime.fromisoformat(text)
    return _iso(at if at.tzinfo else at.replace(tzinfo=dt.UTC))  # SQLite keeps UTC without saying so


def _iso(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _said(found: Break) -> dict[str, Any]:
    return {"chain": found.chain, "number": found.number, "why": found.why}


def anchors() -> dict[int, dict[int, str]]:
    """Return the anchored digests by run and number; a line that cannot be read is passed over."""
    found: dict[int, dict[int, str]] = {}
    try:
        lines = anchors_path().read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            said = json.loads(line)
            found.setdefault(int(said["run"]), {})[int(said["number"])] = str(said["digest"])
        except (ValueError, KeyError, TypeError):
            log.warning("anchor cannot be read", line=line[:120])
    return found
