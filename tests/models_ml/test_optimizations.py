"""Optimisations: searched, ranked, judged, taken up again after being broken off, and the test days seen once."""

import csv
import datetime as dt
import json
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
from django.db import transaction

from models_ml.core.objectives import composite
from models_ml.models import OptimizationRun, Trial
from models_ml.services import judging, optimizations, trials
from sensequant.lib.errors import BadInput, Failed, NotAllowed, NotFound
from tests.models_ml.searches import END, GRID, LIVELY, NOON, START, asked, how, kept, ranking
from trading.core.errors import Invalid
from trading.services import backtests

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def done(django_db_setup, django_db_blocker, tmp_path_factory):
    """A finished search of six configurations, made once for all who only look."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield optimizations.execute(kept(tmp_path_factory.mktemp("search")).pk, how())
        transaction.set_rollback(True)


def test_every_configuration_is_tried_once_and_the_best_score_comes_first(done):
    answer = optimizations.answer(done)
    assert (done.status, answer["configs_tried"], len(answer["ranked"])) == ("done", 6, 6)
    scores = [each["score"] for each in answer["ranked"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["best"] == answer["ranked"][0]
    assert {tuple(each["parameters"].items()) for each in answer["ranked"]} == {
        (("sma", sma), ("rsi_low", low)) for sma in (5, 10, 20) for low in (30, 50)
    }
    for each in answer["ranked"]:
        assert each["score"] == pytest.approx(composite({**each["metrics"], **each["accuracy_metrics"]}))
        assert set(each["validation"]) >= {"sharpe_ratio", "trades"}
    assert answer["honesty"]["trials"] >= 6
    assert set(answer["honesty"]) >= {"deflated_sharpe", "pbo", "verdict", "reasons", "reality_check_p"}
    assert answer["honesty"]["verdict"] in ("evidence", "not enough evidence", "REJECT")


def test_a_configurations_measures_are_those_of_a_backtest_of_its_training_days(done):
    best = done.trials.get(rank=1)
    first, last, sessions = done.parts["train"]
    run = backtests.request(
        symbols=["DEMOBANK"], strategy="intraday", interval="5minute", start=START, end=dt.date.fromordinal(last),
        params={**LIVELY, **best.params}, capital=done.capital, by="asha", at=NOON,
    )  # fmt: skip
    told = backtests.execute(run.pk, at=NOON).metrics
    assert (first, sessions) == (START.toordinal(), told["days"])
    for name in ("sharpe_ratio", "sortino_ratio", "win_rate", "hit_ratio", "profit_factor", "total_pnl", "trades"):
        assert best.metrics[name] == pytest.approx(told[name], rel=1e-7), name
    assert best.metrics["total_return"] == pytest.approx(told["total_return"], abs=1e-9)


def test_the_test_days_are_looked_at_once(done):
    seen, when = dict(done.test), done.test_touched_at
    again = judging.touch_test(done, done.trials.get(rank=6), None, [], at=NOON + dt.timedelta(days=1))
    done.refresh_from_db()
    assert again == seen == done.test
    assert done.test_touched_at == when
    assert seen["config_id"] == done.trials.get(rank=1).config_id
    assert set(seen) == {"config_id", "touched_at", "best", "baseline"}


def test_workers_are_not_even_given_the_bars_of_the_test_days(done):
    here = trials.ground(done)
    assert int(here.panel.session.max()) == done.parts["validation"][1] < done.parts["test"][0]


def test_every_file_of_the_document_is_there_and_says_the_same(done):
    folder = Path(done.output_dir)
    configs = json.loads((folder / "configs.json").read_text())
    assert [each["rank"] for each in configs] == list(range(1, 7))
    assert set(configs[0]) >= {"config_id", "rank", "score", "parameters", "metrics", "accuracy_metrics"}
    before = json.loads((folder / "baseline_metrics.json").read_text())
    assert set(before) >= {"sharpe_ratio", "total_return", "precision_long", "hit_ratio"}
    with (folder / "ranked_results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["config_id"] for row in rows] == [each["config_id"] for each in configs]
    assert set(rows[0]) >= {"config_id", "score", "sharpe_ratio", "sma", "rsi_low"}
    summary = json.loads((folder / "optimization_summary.json").read_text())
    assert (summary["total_configs"], summary["strategy"], summary["symbols"]) == (6, "intraday", ["DEMOBANK"])
    report = (folder / "accuracy_report.md").read_text()
    for heading in ("Executive Summary", "Baseline Metrics", "Top 5", "Deployment Recommendations", "Rollback Plan"):
        assert heading in report
    assert done.result["honesty"]["verdict"] in report


def test_a_search_that_was_broken_off_goes_on_to_the_same_ranking(done, tmp_path):
    run = kept(tmp_path)
    tried = []

    def break_off(count, total):
        tried.append(count)
        if count == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizations.execute(run.pk, how(progress=break_off))
    run.refresh_from_db()
    assert (run.status, run.trials.filter(role="config", status="done").count()) == ("failed", 4)
    assert run.test_touched_at is None
    kept_rows = dict(run.trials.filter(status="done").values_list("number", "pk"))
    again = optimizations.execute(run.pk, how(), resume=True)
    assert again.status == "done"
    assert ranking(again) == ranking(done)
    assert kept_rows.items() <= dict(again.trials.values_list("number", "pk")).items()


def test_a_redelivered_configuration_changes_nothing(tmp_path):
    run = optimizations.execute(kept(tmp_path, grid={"parameters": {"sma": [5, 10]}}).pk, how())
    before = list(Trial.objects.filter(run=run).values())
    OptimizationRun.objects.filter(pk=run.pk).update(status="running")
    for row in before:
        trials.evaluate(row["id"])
    assert list(Trial.objects.filter(run=run).values()) == before


def test_a_run_whose_process_died_is_taken_over_when_its_message_comes_again(done, tmp_path):
    run = kept(tmp_path)
    nobody = subprocess.Popen(["true"])
    nobody.wait()
    OptimizationRun.objects.filter(pk=run.pk).update(status="running", owner=f"{socket.gethostname()}:{nobody.pid}")
    assert ranking(optimizations.execute(run.pk, how())) == ranking(done)
    for status in ("failed", "cancelled"):  # that it is over somebody has seen: only a person begins it again
        OptimizationRun.objects.filter(pk=run.pk).update(status=status)
        with pytest.raises(NotAllowed, match=f"is {status}"):
            optimizations.execute(run.pk, how())


def test_a_cancelled_run_stops_keeps_what_was_tried_and_touches_no_test_day(tmp_path):
    run = kept(tmp_path)

    def cancel(count, total):
        if count == 3:
            optimizations.cancel(run.pk, by="asha")

    ended = optimizations.execute(run.pk, how(progress=cancel))
    assert (ended.status, ended.test_touched_at) == ("cancelled", None)
    assert ended.trials.filter(role="config", status="done").count() == 3
    with pytest.raises(NotAllowed, match="cancelled"):
        optimizations.cancel(run.pk, by="asha")
    assert optimizations.execute(run.pk, how(), resume=True).status == "done"


def test_an_adaptive_search_proposes_the_same_whoever_asks_again(tmp_path):
    told = {
        "search": "adaptive",
        "max_configs": 24,
        "grid": {"parameters": {"sma": {"low": 5, "high": 60}, "rsi_low": [30, 40, 50]}},
    }
    first = optimizations.execute(kept(tmp_path / "a", **told).pk, how())

    def break_off(count, total):
        if count == 21:
            raise KeyboardInterrupt

    second = kept(tmp_path / "b", **told)
    with pytest.raises(KeyboardInterrupt):
        optimizations.execute(second.pk, how(progress=break_off))
    second = optimizations.execute(second.pk, how(), resume=True)
    assert len(ranking(first)) == 24
    assert ranking(second) == ranking(first)


def test_earlier_tries_on_the_same_days_count_and_the_same_configuration_counts_once(done, tmp_path):
    more = optimizations.execute(kept(tmp_path, grid={"parameters": {"sma": [5, 7, 8], "rsi_low": [30]}}).pk, how())
    honesty = more.result["honesty"]
    assert (honesty["trials_this_run"], honesty["trials_before"], honesty["trials"]) == (3, 5, 8)
    assert honesty["test_looks"] == 2
    other = kept(tmp_path, symbols=("DEMOOIL",))
    assert judging.ever_tried(other) == 0


def test_a_run_of_a_living_process_is_not_taken_over(tmp_path):
    run = kept(tmp_path)
    OptimizationRun.objects.filter(pk=run.pk).update(status="running", owner="elsewhere:1", seen_at=NOON)
    with pytest.raises(NotAllowed, match="elsewhere"):
        optimizations.execute(run.pk, how(), resume=True)
    OptimizationRun.objects.filter(pk=run.pk).update(seen_at=NOON - dt.timedelta(minutes=5))
    assert optimizations.execute(run.pk, how(), resume=True).status == "done"


def test_bars_that_changed_in_between_end_the_run(tmp_path):
    run = kept(tmp_path)
    OptimizationRun.objects.filter(pk=run.pk).update(market="0" * 64)
    with pytest.raises(Failed, match="bars have changed"):
        optimizations.execute(run.pk, how())
    run.refresh_from_db()
    assert run.status == "failed"
    assert "bars have changed" in run.error


def test_constraints_put_what_misses_them_behind_all_others(tmp_path):
    run = optimizations.execute(kept(tmp_path, min_trades=10_000).pk, how())
    assert not run.trials.filter(feasible=True).exists()
    assert run.result["honesty"]["verdict"] == "REJECT"
    assert "no configuration meets the constraints" in run.result["honesty"]["reasons"]
    assert "Recommendation: REJECT" in (tmp_path / "deployment_plan.md").read_text()


def test_daily_returns_are_kept_whole(done):
    trial = done.trials.get(rank=1)
    found = trials.returns_of(trial)
    assert found.size == done.parts["train"][2] + done.parts["validation"][2]
    train = found[: done.parts["train"][2]]
    assert float(np.prod(1.0 + train) - 1.0) == pytest.approx(trial.metrics["total_return"], abs=1e-9)


def test_a_preview_keeps_nothing():
    before = OptimizationRun.objects.count()
    told = optimizations.preview(asked(), at=NOON)
    assert (told["valid"], told["configs"], OptimizationRun.objects.count()) == (True, 6, before)
    assert told["parts"]["test"]["last"] == END.isoformat()


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"search": "magic"}, "magic"), ({"objective": "luck"}, "luck"), ({"max_configs": 0}, "max_configs 0"),
        ({"split": "50/50"}, "split"), ({"split": "a/b/c"}, "split"), ({"purge": -1}, "purge"),
        ({"max_drawdown": 1.5}, "1.5"), ({"grid": {**GRID, "strategy": "swing"}}, "swing"),
        ({"grid": {**GRID, "constraints": {"luck": 1}}}, "luck"), ({"telemetry_sample_rate": 2.0}, "2.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_its_value(told, match):
    with pytest.raises((BadInput, Invalid), match=match):
        asked(**told)


def test_a_number_nobody_has_is_not_found():
    with pytest.raises(NotFound, match="987654"):
        optimizations.find(987654)
