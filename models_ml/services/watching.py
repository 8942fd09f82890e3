"""How the students in place are doing: outcomes of what they were asked, drift of what they saw, and rules that end it.

The champion is switched off by rule and a Condition says so; a challenger that has shown itself better is named, and
people decide.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from models_ml.core import watch as rules
from models_ml.core.drift import Drift
from models_ml.core.drift import judge as drift_of
from models_ml.core.labels import Barriers, label
from models_ml.core.sequential import ENOUGH, Evidence, better, sessions_needed, weekly
from models_ml.core.watch import Decisions
from models_ml.models import Evening, Promotion
from sensequant.lib.clock import IST
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core.rules import Setup
from trading.selectors import learning
from trading.selectors.learning import Said
from trading.services import conditions, markets, runner, runs, students

WINDOW = 5  # sessions whose inputs are compared with all before
FEWEST_ROWS = 30
FARTHEST = 50.0  # where a setup has no stop or target, the barrier lies out of reach
DRIFTING = "student-drift"
log = get_logger("students")


def watch(day: dt.date, *, at: dt.datetime) -> list[dict[str, Any]]:
    """Return what is found of each student in place up to the evening of ``day``, having acted upon it."""
    settle(day, at=at)
    head = students.champion()
    end = learning.day_span(day, day)[1]
    told, known = [], {}
    for row in [*([head] if head else []), *students.challengers()]:
        said = learning.said(row, until=end)
        known[row.pk] = _decisions(said)
        told.append(_one(row, said, known[row.pk], day))
    if head is not None:
        _act(told[0], head, at)
        for row, each in zip(students.challengers(), told[1:], strict=True):
            each["against_champion"] = _against(row, known[row.pk], known[head.pk], at)
    return told


def settle(day: dt.date, *, at: dt.datetime) -> int:
    """Keep the outcome of every decision up to ``day`` that is known by now; return how many were new."""
    new = 0
    end = learning.day_span(day, day)[1]
    for number, rows in learning.unsettled(until=end).items():
        run = learning.run_of(number)
        wanted, order = runner.plan_of(run)
        setup = runs.setup_of(order, wanted)
        by_symbol: dict[str, list[Said]] = defaultdict(list)
        for each in rows:
            by_symbol[each.symbol].append(each)
        for symbol, said in by_symbol.items():
            try:
                new += students.keep_outcomes(_outcomes(symbol, said, wanted, order, setup, at))
            except SenseQuantError as error:
                log.warning("no outcome of what was decided", symbol=symbol, run=number, error=str(error))
    return new


def _outcomes(
    symbol: str, said: Sequence[Said], wanted: markets.Wanted, order: runs.Ordered, setup: Setup, at: dt.datetime
) -> dict[int, float]:  # fmt: skip
    """Return the net return of each decision by the number of its row, where it is known."""
    days = [dt.datetime.fromtimestamp(each.ts, IST).date() for each in said]
    last = max(days) + dt.timedelta(days=20)  # a swing trade ends days later
    one = markets.want(
        wanted.source, [symbol], wanted.interval, min(days), min(last, at.astimezone(IST).date()),
        today=at.astimezone(IST).date(), sound_rows=wanted.sound_rows,
    )  # fmt: skip
    lane = markets.lanes(one, at=at)[0]
    found = label(lane, wanted.minutes, barriers_of(setup), runs.charges_of(order, one, [lane]), np.zeros(0))
    place = {int(ts): i for i, ts in enumerate(lane.bars.ts)}
    told = {}
    for each in said:
        i = place.get(each.ts)
        if i is not None and math.isfinite(net := float(found.net[i, 0 if each.side > 0 else 1])):
            told[each.number] = net
    return told


def barriers_of(setup: Setup) -> Barriers:
    """Return the desk's own stop, target, holding time and size as what an outcome means."""
    r = setup.rules
    return Barriers(
        target=r.take_profit or FARTHEST, stop=r.stop_loss or FARTHEST, by_atr=0,
        horizon=1_000 if r.intraday or not r.max_hold else max(1, r.max_hold), intraday=r.intraday,
        entry_cutoff=0, square_off=r.square_off, shorts=1, value=setup.sizing.notional,
        slippage=setup.venue.slippage, hurdle=0.0,
    )  # fmt: skip


def _decisions(said: Sequence[Said]) -> Decisions:
    rows = [each for each in said if each.outcome is not None]
    session = [(each.ts + 19_800) // 86_400 for each in rows]
    chance = np.array([each.chance for each in rows], np.float64)
    least = np.array([each.threshold for each in rows], np.float64)
    net = np.array([each.outcome for each in rows], np.float64)
    return Decisions(np.array(session, np.int64), chance, chance >= least, net)


def _one(row: Any, said: Sequence[Said], known: Decisions, day: dt.date) -> dict[str, Any]:
    found, drift = rules.judge(known), _drift(row, said, day)
    evenings = _evenings(row.version, day) + 1 if drift is not None and drift.alarm else 0
    why = rules.reasons(found, drift, evenings, _promised(row.version))
    return {
        "model": row.pk, "version": row.version, "role": row.role, "decisions": found.decisions, "acted": found.acted,
        "precision": _number(found.precision), "precision_low": found.low, "precision_high": found.high,
        "worse_than_rules": _evidence(found.worse), "overconfident": _evidence(found.overconfident),
        "brier": _number(found.calibration.brier), "ece": _number(found.calibration.ece),
        "calibration_gap": _number(found.calibration.gap), "drift": _told(drift), "drift_evenings": evenings,
        "reasons": list(why),
    }  # fmt: skip


def _number(x: float) -> float | None:
    return round(x, 6) if math.isfinite(x) else None


def _evidence(found: Evidence) -> dict[str, Any]:
    return {
        "weeks": found.blocks, "value": round(found.value, 4), "highest": round(found.highest, 4), "needed": ENOUGH,
        "low": _number(found.low), "high": _number(found.high),
    }  # fmt: skip


def _told(drift: Drift | None) -> dict[str, Any] | None:
    if drift is None:
        return None
    return {
        "psi": _number(drift.psi), "threshold": _number(drift.threshold), "feature": drift.feature,
        "alarm": drift.alarm, "by_feature": {name: _number(x) for name, x in drift.by_feature.items()},
    }  # fmt: skip


def _drift(row: Any, said: Sequence[Said], day: dt.date) -> Drift | None:
    """Return the drift of the last sessions' inputs against all before; None where there is too little of either."""
    first = sorted({(each.ts + 19_800) // 86_400 for each in said})[-WINDOW:]
    if not first:
        return None
    rows = [[math.nan if x is None else float(x) for x in each.inputs] for each in said]
    old = np.array([r for r, each in zip(rows, said, strict=True) if (each.ts + 19_800) // 86_400 < first[0]])
    new = np.array([r for r, each in zip(rows, said, strict=True) if (each.ts + 19_800) // 86_400 >= first[0]])
    if len(old) < FEWEST_ROWS or len(new) < FEWEST_ROWS:
        return None
    return drift_of(_names(row, new.shape[1]), old, new)


def _names(row: Any, count: int) -> tuple[str, ...]:
    try:
        return students.seated(row).scorer.names
    except SenseQuantError:
        return tuple(f"input {k}" for k in range(count))


def _evenings(version: str, day: dt.date) -> int:
    """Return for how many evenings in a row before ``day`` the student's inputs had moved."""
    before = Evening.objects.filter(date__lt=day, finished_at__isnull=False).order_by("-date").first()
    mine = [each for each in (before.students if before else []) if each.get("version") == version]
    return int(mine[0].get("drift_evenings", 0)) if mine else 0


def _promised(version: str) -> float | None:
    """Return the precision that trading had without the student when it was promoted, if that is known."""
    row = Promotion.objects.filter(version=version, state="promoted").order_by("-id").first()
    value = row.checklist["baseline_metrics"].get("precision_long") if row else None
    return None if value is None else float(value)


def _act(told: dict[str, Any], head: Any, at: dt.datetime) -> None:
    """Switch the champion off where a rule says so, and say when its inputs have moved."""
    drift = told["drift"]
    conditions.keep(
        bool(drift and drift["alarm"]), DRIFTING, level="warn", at=at,
        message=f"{head.version}: PSI of {drift['feature']} is {drift['psi']}, {drift['threshold']} in its own history"
        if drift else "", fix="it is switched off after three evenings; look at /models",
    )  # fmt: skip
    if told["reasons"] and head.disabled_at is None:
        students.disable("; ".join(told["reasons"]), by="rule", at=at)


def _against(row: Any, one: Decisions, other: Decisions, at: dt.datetime) -> dict[str, Any]:
    """Return how a challenger does against the champion on the decisions both were asked about."""
    shared = np.intersect1d(one.session, other.session)
    mine, theirs = _of(one, shared), _of(other, shared)
    gains = rules.versus(mine, theirs)
    found = better(weekly(gains))
    spread = float(gains.std(ddof=1)) if gains.size > 1 else 0.0
    effect = float(gains.mean()) / spread if spread > 0.0 else 0.0
    conditions.keep(
        found.enough, students.BETTER, level="info", subject=row.version, at=at,
        message=f"{row.version} earned more than the champion, evidence {found.highest:.0f} to 1",
        fix="judge it with manage.py promote_student_models --candidate and have it signed",
    )  # fmt: skip
    return {
        **_evidence(found), "sessions": int(gains.size), "mean": _number(float(gains.mean())) if gains.size else None,
        "sessions_needed": _number(sessions_needed(effect)), "better": found.enough,
    }  # fmt: skip


def _of(known: Decisions, sessions: Any) -> Decisions:
    inside = np.isin(known.session, sessions)
    return Decisions(known.session[inside], known.chance[inside], known.acted[inside], known.net[inside])


__all__ = ["barriers_of", "settle", "watch"]
