"""What a check of the watch reads: accuracy, losses, orders, engines, latency, drift and the files themselves.

A measure that has no object – no student, no order at a broker – is not read, and holds nothing up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.conf import settings

from models_ml.selectors import models as learned
from monitoring.core.degradation import HEIGHTENED, KINDS, Found
from monitoring.services import degradation, facts
from releases.core.watch import LIMITS, MEASURES, Reading
from releases.models import Watch
from trading.core.strategies import strategy
from trading.selectors import releases as pointers
from trading.selectors import watched
from trading.services import release_gate, release_state, vitals


def integrity() -> Reading:
    """Return whether what is in force is still what was released."""
    row = pointers.pointer()
    against = release_gate.verified(row) if row is not None else ["no release is in force"]
    return Reading("integrity", float(len(against)), 1, LIMITS["integrity"], told="; ".join(against))


def every(watch: Watch, *, at: dt.datetime) -> list[Reading]:
    """Return every reading of a session."""
    return [integrity(), *_accuracy(watch, at), *_desk(watch, at), *_orders(watch), *_latency(at), *_drift(watch)]


def _accuracy(watch: Watch, at: dt.datetime) -> Iterator[Reading]:
    """Read the heightened windows; one with too few trades grows until the deployment."""
    since = dict.fromkeys(KINDS, watch.started_at)
    wide = {each.name: each for each in degradation.compared(since, since, HEIGHTENED, at=at)}
    traded = {strategy(name).KIND for name in release_state.strategies()}
    traded |= {strategy(name).KIND for name in watched.strategies()}
    for each in degradation.look(at=at):
        if each.kind in traded:
            yield _fall(each if each.known else wide[each.name])


def _fall(each: Found) -> Reading:
    samples = each.trades if each.known else min(each.trades, MEASURES[each.name].needed - 1)
    return Reading(each.name, each.drop if each.known else None, samples, each.limit, sure=each.beyond_luck)


def _desk(watch: Watch, at: dt.datetime) -> Iterator[Reading]:
    runs = [run for run in vitals.runs(at=at) if run.mode != "replay"] or vitals.runs(at=at)
    shares = [run.daily_loss_pct / (run.daily_loss_limit_pct or settings.DESK.max_daily_loss_pct) for run in runs]
    yield Reading("daily_loss_share", max(shares, default=None), len(shares), LIMITS["daily_loss_share"])
    failed = watched.failed_engines(since=watch.started_at)
    yield Reading("engine_failures", float(len(failed)), 1, LIMITS["engine_failures"], told="; ".join(failed)[:300])


def _orders(watch: Watch) -> Iterator[Reading]:
    """Read orders at a broker; on paper none is refused and none is unknown."""
    sent, rejected = watched.orders(since=watch.started_at)
    if sent:
        yield Reading("reject_rate", rejected / sent, sent, LIMITS["reject_rate"])
        unknown = vitals.unknown_orders()
        yield Reading("unknown_orders", float(len(unknown)), 1, LIMITS["unknown_orders"])


def _latency(at: dt.datetime) -> Iterator[Reading]:
    found = facts.MEASURES["latency_avg_ms"](facts.View(at))
    limit = settings.DESK.monitoring_performance_alert_threshold_ms
    for name, each in found.items():
        yield Reading("latency_ms", each.value, int(each.context["count"]), limit, told=f"{name} {each.value:.0f} ms")


def _drift(watch: Watch) -> Iterator[Reading]:
    student = release_state.student()
    if student is None:
        return
    for told in learned.watched():
        drift = told.get("drift")
        if told.get("role") == "champion" and drift and drift.get("threshold"):
            yield Reading(
                "drift", drift["psi"], 1, drift["threshold"], told=f"PSI of {drift['feature']} {drift['psi']}"
            )
