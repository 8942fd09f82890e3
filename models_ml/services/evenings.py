"""The evening after a session (§6): review its trades, hold the result against a week apart, propose or leave it.

Nothing here changes what trades: a proposal is a draft version of the strategy that a person activates.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction

from models_ml.core import review as rules
from models_ml.core.paired import sharpe
from models_ml.core.review import Change, Deal
from models_ml.models import Evening
from models_ml.services import retraining, watching
from models_ml.services.court import daily
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core.panel import LaneBars, panel
from trading.core.setups import flat
from trading.core.simulation import simulate
from trading.core.state import TRADED, Happening
from trading.selectors import learning
from trading.selectors.learning import Closed
from trading.services import calendar as calendars
from trading.services import leases, markets, runner, runs, strategies

REVIEWED = 10  # sessions whose trades are looked at, the evening's own the last of them
HELD_OUT = 5  # sessions before them, on which what was found is tried
LONGEST = 3_600.0  # seconds an evening may take before another process may begin it again
WARM_UP = 5  # sessions before those, for the indicators
BY = "eod_learning"
log = get_logger("TeacherStudent")


def learn(day: dt.date, *, at: dt.datetime, run: int | None = None, train: bool = True) -> Evening:
    """Return the evening of ``day``, done once: asking again gives what was found then.

    ``train``: retrain where it is due. BadInput when the day is no session or not over
    yet, NotAllowed while another process is at it. What fails is kept on the
    row, and raised.
    """
    _check(day, at)
    lease = leases.take(f"evening:{day}", leases.myself(), ttl=LONGEST)
    try:
        return _learn(day, at, run, train)
    finally:
        leases.release(lease)


def _learn(day: dt.date, at: dt.datetime, run: int | None, train: bool) -> Evening:
    found = learning.run_that_traded(day, run)
    name = found.strategy if found is not None else _configured()
    with transaction.atomic():
        evening, fresh = Evening.objects.get_or_create(date=day, strategy=name, defaults={"started_at": at})
        if not fresh and evening.outcome not in ("failed", "running"):
            return evening
    try:
        evening.students = watching.watch(day, at=at)
        if train:
            evening.retraining = retraining.retrain(found, day, at=at)
        with transaction.atomic():  # a proposal and the evening it came from, or neither
            told = _reviewed(found, day, at) if found is not None else _nothing(day)
            _keep(evening, told, at)
    except Exception as error:
        Evening.objects.filter(pk=evening.pk).update(outcome="failed", why=str(error)[:400], finished_at=at)
        raise
    _say(evening)
    return evening


def _keep(evening: Evening, told: Mapping[str, Any], at: dt.datetime) -> None:
    for key, value in told.items():
        setattr(evening, key, value)
    evening.finished_at = at
    evening.save()


def _check(day: dt.date, at: dt.datetime) -> None:
    session = calendars.current().session(day)
    if session is None:
        raise BadInput(f"{day} is no session", fix="name a day on which the exchange was open")
    if at < session.close:
        raise BadInput(f"the session of {day} is not over", fix=f"wait until {session.close:%H:%M} IST")


def _configured() -> str:
    return str(settings.DESK.engine_strategy)


def _nothing(day: dt.date) -> dict[str, Any]:
    return {"outcome": "unchanged", "why": f"nothing was closed on {day}", "changes": [], "params_changed": {}}


def _reviewed(run: Any, day: dt.date, at: dt.datetime) -> dict[str, Any]:
    wanted, order = runner.plan_of(run)
    setup = runs.setup_of(order, wanted)
    params = flat(setup)
    first = _before(day, REVIEWED - 1)
    lanes = _lanes(wanted, _before(first, HELD_OUT + WARM_UP), day, at)
    deals = [_deal(each, lanes) for each in learning.closed(run, first, day)]
    changes = [_bounded(order, wanted, each) for each in rules.review(order.strategy, deals, params)]
    changed = {each.parameter: each.after for each in changes if each.real}
    told: dict[str, Any] = {
        "changes": [{**each._asdict(), "changed": each.real} for each in changes],
        "params_changed": changed, "outcome": "unchanged", "why": f"{len(deals)} trades gave no reason to change",
        "validation": {},
    }  # fmt: skip
    if not changed:
        return told
    week = (_before(first, HELD_OUT), _before(first, 1))
    told["validation"] = _held_out(order, wanted, lanes, changed, week)
    if against := rules.holds(told["validation"]["changed"]):
        return {**told, "outcome": "rolled-back", "why": f"{against}: the parameters stay as they were"}
    proposal = strategies.propose(
        order.strategy, {**strategies.active_params(order.strategy), **changed}, note=_note(day, changes), by=BY, at=at
    )
    return {**told, "outcome": "proposed", "why": f"{proposal} waits for approval", "proposal_id": proposal.pk}


def _before(day: dt.date, sessions: int) -> dt.date:
    calendar = calendars.current()
    for _ in range(sessions):
        day = calendar.previous_session(day)
    return day


def _lanes(wanted: markets.Wanted, first: dt.date, last: dt.date, at: dt.datetime) -> dict[str, LaneBars]:
    """Return the bars of the whole time by symbol; a symbol without any is left out and said."""
    found = {}
    for symbol in wanted.symbols:
        try:
            one = markets.want(
                wanted.source, [symbol], wanted.interval, first, last, today=last, sound_rows=wanted.sound_rows
            )
            found[symbol] = markets.lanes(one, at=at)[0]
        except SenseQuantError as error:
            log.warning("no bars to review with", symbol=symbol, error=str(error))
    return found


def _deal(trade: Closed, lanes: Mapping[str, LaneBars]) -> Deal:
    value = trade.entry_price * trade.quantity
    news = trade.sentiment if trade.sentiment is not None else math.nan
    rsi = trade.features.get("rsi")
    return Deal(
        trade.side, trade.net / value, _best(trade, lanes.get(trade.symbol)), trade.exit_ts - trade.entry_ts,
        math.nan if rsi is None else float(rsi), news,
    )  # fmt: skip


def _best(trade: Closed, lane: LaneBars | None) -> float:
    """Return the furthest the price went the trade's way within four hours of its entry, as a fraction."""
    if lane is None:
        return math.nan
    ts = lane.bars.ts
    a, b = np.searchsorted(ts, [trade.entry_ts, trade.entry_ts + rules.QUICK])
    if a == b:
        return math.nan
    reached = float(lane.bars.high[a:b].max() if trade.side > 0 else lane.bars.low[a:b].min())
    return trade.side * (reached / trade.entry_price - 1.0)


def _bounded(order: runs.Ordered, wanted: markets.Wanted, change: Change) -> Change:
    """Return the change, or none where the strategy's bounds or another parameter forbid it."""
    if not change.real:
        return change
    try:
        runs.setup_of(_with(order, {change.parameter: change.after}), wanted)
    except ValueError as error:
        return change._replace(after=change.before, evidence=f"{change.evidence}; but {error}")
    return change


def _with(order: runs.Ordered, changed: Mapping[str, float]) -> runs.Ordered:
    return runs.Ordered(order.strategy, {**order.params, **changed}, order.capital)


def _held_out(
    order: runs.Ordered, wanted: markets.Wanted, lanes: Mapping[str, LaneBars], changed: Mapping[str, float],
    week: tuple[dt.date, dt.date],
) -> dict[str, Any]:  # fmt: skip
    """Return Sharpe ratio and win rate of the held-out week with the parameters as they are, and changed."""
    rows = list(lanes.values())
    found: dict[str, Any] = {"first": week[0].isoformat(), "last": week[1].isoformat()}
    for name, asked in (("before", order), ("changed", _with(order, changed))):
        setup, charges = runs.setup_of(asked, wanted), runs.charges_of(asked, wanted, rows)
        outcome = simulate(
            order.strategy, setup, panel(rows), capital=order.capital, charges=charges,
            compiled=runs.worth_compiling(order.strategy, sum(len(x.bars) for x in rows)),
        )  # fmt: skip
        found[name] = _measured(outcome.happenings(), order.capital, week)
    return found


def _measured(happened: Sequence[Happening], capital: float, week: tuple[dt.date, dt.date]) -> dict[str, Any]:
    ends = [x for x in happened if "session" in x.values]
    inside = [week[0] <= dt.date.fromordinal(int(x.values["session"])) <= week[1] for x in ends]
    returns = daily(happened, capital)[np.array(inside, bool)] if ends else np.zeros(0)
    begin, end = (moment.timestamp() for moment in learning.day_span(*week))
    nets = [x.values["net"] for x in happened if x.kind == TRADED and begin <= x.ts < end]
    return {
        "sessions": int(returns.size), "trades": len(nets), "net_pnl": round(sum(nets), 2),
        "sharpe": round(sharpe(returns), 4) if returns.size > 1 else None,
        "win_rate": round(sum(1 for x in nets if x > 0.0) / len(nets), 4) if nets else None,
    }  # fmt: skip


def _note(day: dt.date, changes: Sequence[Change]) -> str:
    told = [f"{c.parameter} {c.before:g} → {c.after:g}: {c.evidence}" for c in changes if c.real]
    return f"evening of {day}: " + "; ".join(told)


def _say(evening: Evening) -> None:
    """Log the evening as §6 writes it, and keep the student's parameters as a file."""
    changed = evening.params_changed if evening.outcome == "proposed" else {}
    log.info(
        "student_update", event="student_update", params_changed=changed,
        validation_sharpe=evening.validation.get("changed", {}).get("sharpe"), outcome=evening.outcome,
        date=evening.date.isoformat(), proposal=evening.proposal_id,
    )  # fmt: skip
    place = paths.home() / "data" / "models"
    place.mkdir(parents=True, exist_ok=True)
    told = {
        "date": evening.date.isoformat(), "strategy": evening.strategy, "outcome": evening.outcome,
        "params_changed": changed, "proposal": evening.proposal_id,
    }  # fmt: skip
    paths.write_private(place / "student.json", json.dumps(told, indent=2) + "\n")
