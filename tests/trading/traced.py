"""Traces for stories: written by hand, drawn at random, or left by a small backtest."""

import datetime as dt
import json

import numpy as np

from sensequant.lib.clock import IST
from trading.core import chain
from trading.core.trace_table import Builder
from trading.core.traces import FIELDS, LABELS, Trace, stamp
from trading.models import PredictionRecord
from trading.services import predictions

DAY = 1_704_080_700  # 2024-01-01 09:15 IST


def trace(returns=0.8, *, said="LONG", was=None, at=DAY, strategy="swing", confidence=0.85, symbol="RELIANCE", **meta):
    """Return one trace; what happened follows from the return unless told otherwise."""
    move = returns if said == "LONG" else -returns
    limit = 0.3 if strategy == "intraday" else 0.5
    was = was or ("LONG" if move > limit else "SHORT" if move < -limit else "NOOP")
    metadata = json.dumps({"exit_reason": "take_profit", "model_version": "rules-1", "mode": "backtest", **meta})
    return Trace(
        stamp(at), symbol, strategy, said, was, confidence, 2500.0, 2500.0 * (1 + move / 100), 60.0, returns, "{}",
        metadata,
    )  # fmt: skip


def table(traces):
    builder = Builder()
    for each in traces:
        builder.add(each)
    return builder.table()


def random_table(seed, n):
    """Return a table of random classes, confidences and returns."""
    die = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        said, was = die.choice(LABELS, 2)
        made = trace(float(die.normal(0.05, 1.0)), at=DAY + 3600 * k, confidence=float(die.random()))
        rows.append(made._replace(predicted_direction=str(said), actual_direction=str(was)))
    return table(rows)


def fields(each):
    """Return a trace as the JSON object of a JSONL line."""
    found = dict(zip(FIELDS, each, strict=True))
    return {**found, "features": json.loads(each.features), "metadata": json.loads(each.metadata)}


SOME = [trace(0.1 * k - 1, at=DAY + 60 * k, strategy="swing" if k % 3 else "intraday") for k in range(30)]


def recorded(run, traces):
    """Append predictions and their outcomes to the chain of ``run``."""
    before = PredictionRecord.objects.filter(run=run).order_by("number").last()
    number, head = (before.number, before.digest) if before else (0, "")
    for k, each in enumerate(traces, start=1):
        said = {"direction": each.predicted_direction, "confidence": each.predicted_confidence}
        at = dt.datetime.fromisoformat(each.timestamp).replace(tzinfo=IST)
        for kind, payload in (("prediction", said), ("outcome", {"prediction": number + 1, "trace": fields(each)})):
            number += 1
            row = PredictionRecord(
                run=run, number=number, kind=kind, symbol=each.symbol, strategy=each.strategy, order=1000 + k,
                at=at + dt.timedelta(hours=kind == "outcome"), payload=chain.canonical(payload), previous=head,
            )  # fmt: skip
            row.digest = head = chain.digest(predictions.as_digested(row))
            row.save()
