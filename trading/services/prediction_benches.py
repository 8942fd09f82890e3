"""A chain of many predictions and their outcomes, for measuring what is read from it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

from trading.core import chain
from trading.core.traces import FIELDS, stamp
from trading.models.engine import EngineRun
from trading.models.telemetry import PredictionRecord
from trading.services.predictions import as_digested

BEGIN: Final = dt.datetime(2025, 12, 1, 4, 0, tzinfo=dt.UTC)
SYMBOLS: Final = 50


def fill(count: int) -> None:
    """Append ``count`` predictions with their outcomes to the chain of the newest run, each link with its digest."""
    run, head = EngineRun.objects.latest("id"), ""
    found: list[PredictionRecord] = []
    for k in range(count):
        at, move = BEGIN + dt.timedelta(minutes=50 * k), round(math.sin(k) * 2, 6)
        said = "LONG" if k % 2 else "SHORT"
        was = "LONG" if move > 0.3 else "SHORT" if move < -0.3 else "NOOP"
        row = (stamp(int(at.timestamp())), f"SYM{1 + k % SYMBOLS:03}", "swing" if k % 5 == 0 else "intraday", said, was,
               round(0.5 + k % 50 / 100, 2), 100.0, 100.0 + move, 60.0, move if k % 2 else -move, {"rsi": 55.0},
               {"exit_reason": "target", "mode": "dry-run", "model_version": "rules-1"})  # fmt: skip
        trace: dict[str, Any] = dict(zip(FIELDS, row, strict=True))
        told = {"direction": said, "confidence": trace["predicted_confidence"]}
        for kind, payload in (("prediction", told), ("outcome", {"prediction": 2 * k + 1, "trace": trace})):
            each = PredictionRecord(
                run=run, number=len(found) + 1, kind=kind, at=at + dt.timedelta(hours=kind == "outcome"), order=k + 1,
                symbol=trace["symbol"], strategy=trace["strategy"], payload=chain.canonical(payload), previous=head,
            )  # fmt: skip
            each.digest = head = chain.digest(as_digested(each))
            found.append(each)
    PredictionRecord.objects.bulk_create(found, batch_size=1_000)
