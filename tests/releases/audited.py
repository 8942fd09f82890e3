"""A desk with everything an audit asks for: an optimisation, a promoted student, trades in and before the windows."""

import datetime as dt
import json

from django.contrib.auth.models import Group, User

from models_ml.services import checklists, optimizations, promotions, signing
from monitoring.models import Episode, Look
from sensequant.lib.clock import IST
from tests.models_ml.searches import LIVELY as PARAMS
from tests.models_ml.searches import how, kept
from tests.trading.desks import LIVELY, NOON, TODAY
from tests.trading.pupils import pupil
from trading.adapters import student_files
from trading.adapters.sealed_folders import text_of
from trading.models import EngineRun, PredictionRecord
from trading.services import markets, runs, strategies

SPAN = dt.date(2026, 9, 28), dt.date(2026, 11, 6)
PAPERS = {
    "evaluation_metrics.json": text_of({"precision_macro": 0.51, "recall_macro": 0.47, "accuracy": 0.49}),
    "training_report.json": text_of({"slices": {"fit": {"rows": 2450}}}),
}


def optimised(folder):
    """An optimisation whose best configuration is the baseline's own, which is active."""
    row = strategies.propose("intraday", PARAMS, by="quentin", at=NOON)
    strategies.activate(row.pk, by="hari", at=NOON)
    run = kept(folder, grid={"parameters": {"sma": [20], "rsi": [14]}})
    return optimizations.execute(run.pk, how())


def judged(folder):
    """The student in ``folder``, validated on bars later than those it learned from."""
    wanted = markets.want("demo", ("DEMOBANK",), "5minute", *SPAN, today=TODAY)
    return promotions.assess(folder, wanted, runs.order("intraday", LIVELY, 1e6), by="tara", at=NOON)


def promoted(folder):
    """A student that three people signed for and that took its place."""
    student_files.save(folder, pupil(), PAPERS, {"trained_until": "2026-09-25"})
    row = judged(folder)
    for role in checklists.ROLES:
        user = User.objects.create_user(role.replace(" ", ""))
        user.groups.add(Group.objects.get_or_create(name=role)[0])
        seen = signing.evidence_of(row)
        signing.sign(row.pk, role, user, decision="approve", note="read it", seen=seen, at=NOON)
    return promotions.promote(row.pk, by="hari", at=NOON)


def trace(strategy, at, returns, right=True):
    return {
        "timestamp": (at - dt.timedelta(hours=1)).astimezone(IST).isoformat(), "symbol": "DEMOBANK",
        "strategy": strategy, "predicted_direction": "LONG", "actual_direction": "LONG" if right else "SHORT",
        "predicted_confidence": 0.7, "entry_price": 100.0, "exit_price": 100.0 + returns,
        "holding_period_minutes": 60.0, "realized_return_pct": returns, "features": "{}", "metadata": "{}",
    }  # fmt: skip


def traded(strategy, days, wins, count=30, mode="dry-run", at=NOON):
    """Trades that were closed so many days before ``at``, an hour apart; of every ten so many won."""
    run = EngineRun.objects.create(
        name=f"{strategy}-{mode}-{days}", mode=mode, source="demo", interval="5minute", strategy=strategy, plan={},
        capital=1_000_000, started_at=at, state="stopped",
    )  # fmt: skip
    for k in range(count):
        closed = at - dt.timedelta(days=days, hours=k)
        won = k % 10 < wins
        told = {"prediction": 1, "trace": trace(strategy, closed, 1.0 if won else -0.5, right=won)}
        PredictionRecord.objects.create(
            run=run, number=k + 1, kind="outcome", at=closed, symbol="DEMOBANK", strategy=strategy, order=k + 1,
            payload=json.dumps(told), digest="d" * 64,
        )  # fmt: skip
    return run


def watched(alerts=1, at=NOON, **told):
    """Somebody looks, and some alerts have fired and are over."""
    Look.objects.update_or_create(name="monitor", defaults={"at": at})
    for k in range(alerts):
        moment = at - dt.timedelta(days=5, minutes=k)
        usual = {"status": "resolved", "severity": "WARNING", "resolved_at": moment, **told}
        Episode.objects.create(
            rule="daily_loss_high", group=f"run {k}", since=moment, held_at=moment, fired_at=moment, **usual
        )


def whole(folder):
    """Everything there is to audit, all of it in order."""
    run = optimised(folder / "optimization")
    student = promoted(folder / "student")
    for strategy, within, before in (("intraday", 3, 40), ("swing", 30, 120)):
        traded(strategy, within, 6)
        traded(strategy, before, 6)
    watched()
    return run, student
