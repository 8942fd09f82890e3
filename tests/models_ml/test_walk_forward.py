"""Walk-forward: searched window by window, traded unseen, stitched; broken off, cancelled, asked for at every door."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from models_ml import tasks
from models_ml.models import OptimizationRun, Trial
from models_ml.selectors import optimizations as selected
from models_ml.services import optimization_checks, optimizations, reports, walking
from sensequant.lib import formats
from sensequant.lib.errors import BadInput, Failed, NotAllowed
from tests.models_ml.searches import LIVELY, NOON, how, kept
from tests.trading.desks import command
from trading.core import rolls
from trading.core.errors import Invalid
from trading.core.rights import OPERATORS

pytestmark = pytest.mark.django_db
TOLD = {"grid": {"parameters": {"sma": [5, 20]}}, "walk_forward": "20:7", "telemetry_sample_rate": 0.0}
TIMES = ("created_at", "finished_at", "seen_at", "owner", "output_dir", "test_touched_at", "id", "parent_id", "run_id")


@pytest.fixture(scope="module")
def done(django_db_setup, django_db_blocker, tmp_path_factory):
    """A finished walk-forward of three windows, made once for all who only look."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield optimizations.execute(kept(tmp_path_factory.mktemp("walk") / "w", **TOLD).pk, how())
        transaction.set_rollback(True)


def without_names(value):
    """What was found, without the numbers rows happen to have."""
    if isinstance(value, dict):
        return {key: without_names(each) for key, each in value.items() if key not in TIMES}
    return [without_names(each) for each in value] if isinstance(value, list) else value


def test_every_window_is_searched_on_its_own_days_and_the_days_after_choose_nothing(done):
    walk = done.result["walk_forward"]
    searches = list(selected.windows(done))
    assert [each["run_id"] for each in walk["windows"]] == [each.pk for each in searches]
    assert len(searches) == 3
    for row, search in zip(walk["windows"], searches, strict=True):
        best = search.trials.get(rank=1)
        assert (str(search.start), str(search.end)) == (row["train"]["first"], row["train"]["last"])
        assert row["test"]["first"] > row["train"]["last"]
        assert (search.test, search.test_touched_at, set(search.parts)) == ({}, None, {"train", "validation"})
        assert (row["config_id"], row["parameters"]) == (best.config_id, best.params)
    for one, two in zip(walk["windows"], walk["windows"][1:], strict=False):
        assert one["test"]["last"] < two["test"]["first"]


def test_the_stretches_are_one_account_whose_equity_its_trades_explain(done):
    walk = optimizations.answer(done)["walk_forward"]
    final = walk["equity"][-1][1]
    assert final == pytest.approx(float(done.capital) + sum(t["net_pnl"] for t in walk["trades"]), abs=0.02)
    assert walk["metrics"]["total_pnl"] == pytest.approx(final - float(done.capital), abs=0.02)
    assert len(walk["equity"]) == sum(each["test"]["sessions"] for each in walk["windows"]) == walk["metrics"]["days"]
    days = {day for day, _ in walk["equity"]}
    for trade in walk["trades"]:
        window = walk["windows"][trade["window"] - 1]["test"]
        assert window["first"] <= trade["entry_time"][:10] <= trade["exit_time"][:10] <= window["last"]
        assert trade["exit_time"][:10] in days
    growth = np.prod([1.0 + each["out_of_sample"]["total_return"] for each in walk["windows"]])
    assert growth - 1.0 == pytest.approx(walk["metrics"]["total_return"], abs=1e-9)


def test_a_windows_unseen_days_are_traded_with_what_its_search_chose(done):
    windows = done.result["walk_forward"]["windows"]
    plan = walking.windows(done, _lanes(done))
    again = walking.trade(done, plan, [each["parameters"] for each in windows])
    other = walking.trade(done, plan, [{"sma": 5}, {"sma": 5}, {"sma": 5}])
    assert again.equity == done.test["equity"]
    assert [each["parameters"] for each in windows] == [{"sma": 5}] * 3 or other.equity != again.equity


def test_a_market_too_large_for_memory_passes_in_stretches_and_ends_the_same(done, monkeypatch):
    made = []
    monkeypatch.setattr(rolls, "MANY", 100)
    monkeypatch.setattr(rolls, "rest", lambda bars: made.append(len(bars)))
    chosen = [each["parameters"] for each in done.result["walk_forward"]["windows"]]
    again = walking.trade(done, walking.windows(done, _lanes(done)), chosen)
    assert made  # the bars were given back as they had passed
    assert (again.equity, again.trades) == (done.test["equity"], done.test["trades"])


def _lanes(run):
    from models_ml.services import trials
    from trading.services import markets

    return markets.lanes(trials.wanted_of(run), at=NOON)


def test_honesty_counts_every_configuration_of_every_window(done):
    honest = done.result["honesty"]
    assert honest["trials_this_run"] == 6 == Trial.objects.filter(run__parent=done, role="config").count()
    assert honest["trials"] >= 6
    assert honest["test_looks"] == 1
    assert set(honest) >= {"deflated_sharpe", "pbo", "reality_check_p", "verdict", "reasons", "efficiency"}
    walk = done.result["walk_forward"]
    if walk["in_sample_annual_return"] > 0:
        found = walk["annual_return"] / walk["in_sample_annual_return"]
        assert walk["efficiency"] == pytest.approx(found, rel=1e-3)
    earned = [each["out_of_sample"]["total_return"] > 0 for each in walk["windows"]]
    assert walk["profitable_windows"] == pytest.approx(sum(earned) / 3, abs=1e-6)
    assert [len(each["values"]) for each in walk["drift"]] == [3]


def test_broken_off_in_the_middle_it_goes_on_to_the_very_same(done, tmp_path):
    run = kept(tmp_path / "w", **TOLD)

    def break_off(count, total):
        if count == 3:  # one window is done, the next is half done
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizations.execute(run.pk, how(progress=break_off))
    run.refresh_from_db()
    assert (run.status, run.test_touched_at, [each.status for each in selected.windows(run)]) == (
        "failed", None, ["done", "failed"],
    )  # fmt: skip
    first = selected.windows(run)[0].pk
    again = optimizations.execute(run.pk, how(), resume=True)
    assert again.status == "done"
    assert selected.windows(run)[0].pk == first
    assert without_names(again.result["walk_forward"]) == without_names(done.result["walk_forward"])
    assert without_names(again.test) == without_names(done.test)
    for name in ("walk_forward_trades.csv", "window_02/ranked_results.csv"):
        assert (tmp_path / "w" / name).read_bytes() == (Path(done.output_dir) / name).read_bytes()
    optimizations.execute(run.pk, how(), resume=True)
    assert run.windows.count() == 3


def test_cancelled_it_stops_with_its_window_looks_at_nothing_and_can_go_on(tmp_path):
    run = kept(tmp_path / "w", **TOLD)

    def cancel(count, total):
        if count == 3:
            window = run.windows.get(status="running")
            with pytest.raises(NotAllowed, match=f"window of {run.pk}"):
                optimizations.cancel(window.pk, by="asha")
            optimizations.cancel(run.pk, by="asha")

    ended = optimizations.execute(run.pk, how(progress=cancel))
    assert (ended.status, ended.test, ended.test_touched_at) == ("cancelled", {}, None)
    assert [each.status for each in selected.windows(run)] == ["done", "cancelled"]
    assert optimizations.execute(run.pk, how(), resume=True).status == "done"


def test_a_window_that_cannot_be_searched_is_named(tmp_path, monkeypatch):
    run = kept(tmp_path / "w", **TOLD)
    monkeypatch.setattr(optimizations.judging, "rank", lambda run: [])
    with pytest.raises(Failed, match=f"window 1 of {run.pk}: no configuration could be run"):
        optimizations.execute(run.pk, how())


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"walk_forward": "20:0"}, "TEST of 0"), ({"walk_forward": "200:20"}, "needs 221 sessions"),
        ({"walk_forward": "10:5"}, "too few for a split"), ({"walk_forward": 60}, "walk_forward 60"),
    ],
)  # fmt: skip
def test_what_cannot_be_walked_is_refused_before_anything_is_kept(tmp_path, told, error):
    with pytest.raises((Invalid, BadInput), match=error):
        kept(tmp_path, **{**TOLD, **told})
    assert not OptimizationRun.objects.filter(output_dir=str(tmp_path)).exists()


def test_neither_a_walk_forward_nor_its_windows_are_the_optimisation_an_audit_looks_at(done):
    newest = optimization_checks.newest("intraday")
    assert newest is None or (newest.pk != done.pk and newest.parent_id is None)


@pytest.mark.parametrize("form", ["html", "markdown", "pdf"])
def test_the_exported_report_tells_of_windows_and_the_stitched_curve(done, tmp_path, form):
    path = reports.export("optimization", str(done.pk), form, output=str(tmp_path), at=NOON)
    if form == "pdf":
        assert path.stat().st_size > 10_000
        return
    text = path.read_text()
    for word in ("walk-forward efficiency", "Equity on the unseen days", "Does the choice drift?", "traded", "Verdict"):
        assert word in text
    assert done.result["walk_forward"]["windows"][0]["test"]["first"] in text


def run_cells(path, monkeypatch):
    """Run a notebook's code in this process and return what it knows at its end."""
    matplotlib.use("Agg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    space = {}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], str(path), "exec"), space)  # noqa: S102 - our own notebook
    matplotlib.pyplot.close("all")
    return space


def test_the_notebook_reads_the_files_and_says_what_to_do_without_them(done, tmp_path, monkeypatch, capsys):
    path = reports.export("optimization", str(done.pk), "ipynb", output=str(tmp_path), at=NOON)
    for name in ("SENSEQUANT_URL", "SENSEQUANT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = run_cells(path, monkeypatch)
    assert found["walk"]["equity"] == done.test["equity"]
    assert f"{len(found['windows'])} windows" in capsys.readouterr().out
    path.write_text(path.read_text().replace(done.output_dir, str(tmp_path / "nowhere")))
    with pytest.raises(SystemExit, match="point PATH at the run's folder"):
        run_cells(path, monkeypatch)


def test_the_notebook_asks_a_desk_it_is_told_of(done, trader, tmp_path, monkeypatch):
    path = reports.export("optimization", str(done.pk), "ipynb", output=str(tmp_path), at=NOON)
    path.write_text(path.read_text().replace(done.output_dir, str(tmp_path / "nowhere")))
    heard = []

    def desk(wanted, timeout):
        heard.append((wanted.full_url, wanted.get_header("Authorization")))
        return io.BytesIO(trader.get(wanted.selector).content)

    monkeypatch.setattr("urllib.request.urlopen", desk)
    monkeypatch.setenv("SENSEQUANT_URL", "http://desk.example")
    monkeypatch.setenv("SENSEQUANT_TOKEN", "a-key")
    found = run_cells(path, monkeypatch)
    assert heard == [(f"http://desk.example/api/v1/optimizations/{done.pk}", "Bearer a-key")]
    assert [w["number"] for w in found["windows"]] == [w["number"] for w in done.result["walk_forward"]["windows"]]
    assert len(found["net"]) == len(done.test["trades"])


def test_the_files_say_what_the_rows_say(done):
    folder = Path(done.output_dir)
    walk = json.loads((folder / "walk_forward.json").read_text())
    assert walk == json.loads(json.dumps(optimizations.answer(done)["walk_forward"]))
    with (folder / "walk_forward_trades.csv").open() as file:
        assert [float(row["net_pnl"]) for row in csv.DictReader(file)] == [t["net_pnl"] for t in walk["trades"]]
    assert json.loads((folder / "optimization_summary.json").read_text())["walk_forward"] == "20:7:7"
    assert (folder / "walk_forward_report.md").read_text().startswith("# Walk-forward")
    (folder / "walk_forward.json").write_text("{")
    with pytest.raises(BadInput, match=r"walk_forward\.json cannot be read"):
        reports.export("optimization", str(folder), "markdown", at=NOON)
    (folder / "walk_forward.json").write_text(json.dumps(walk))


SPAN = ("--data-source", "demo", "--symbols", "DEMOBANK", "--start-date", "2026-09-01", "--end-date", "2026-10-30")
WORDS = (*SPAN, "--strategy", "intraday", "--interval", "5minute", "--params", "adx_min=0", "volume_min=0",
         "--telemetry-sample-rate", 0, "--workers", 1)  # fmt: skip


def test_the_command_answers_with_the_windows_and_refuses_in_one_line(tmp_path):
    (tmp_path / "grid.json").write_text(json.dumps(TOLD["grid"]))
    words = (*WORDS, "--config", tmp_path / "grid.json", "--output-dir", tmp_path / "out")
    code, out, err = command("optimize", *words, "--walk-forward", "20d:10d", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert set(told["walk_forward"]) >= {"windows", "efficiency", "profitable_windows", "drift", "equity", "trades"}
    assert (told["configs_tried"], len(told["walk_forward"]["windows"])) == (4, 2)
    code, out, _ = command("optimize", "--run", told["run_id"], *words, "--resume")
    assert (code, "walk-forward efficiency" in out, "stitched: return" in out) == (0, True, True)
    for more, said in (
        (("--walk-forward", "20:0"), "TEST of 0"), (("--walk-forward", "900:20"), "needs 921 sessions"),
        (("--walk-forward", "20:10", "--validate-only"), "cannot be combined"),
    ):  # fmt: skip
        code, out, err = command("optimize", *words, *more)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


@pytest.fixture
def trader(client, monkeypatch):
    """Somebody who may trade, with nothing handed to a worker."""
    monkeypatch.setattr(tasks.run_optimization, "delay_on_commit", lambda **told: None)
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


FORM = {
    "symbols": "demobank", "strategy": "intraday", "interval": "5minute", "start": "2026-09-01", "end": "2026-10-30",
    "source": "demo", "directory": "", "capital": "1000000", "objective": "composite", "search": "grid",
    "max_configs": "4", "min_trades": "1", "grid": '{"sma": [5, 20]}', "walk_forward": "20:7",
}  # fmt: skip


def test_the_page_starts_one_and_shows_windows_that_lead_to_their_searches(trader, done):
    assert "TEST of 0" in trader.post("/research/optimizations", {**FORM, "walk_forward": "20:0"}).content.decode()
    answer = trader.post("/research/optimizations", FORM)
    run = OptimizationRun.objects.latest("id")
    assert (answer.status_code, run.spec["walk_forward"]) == (302, "20:7:7")
    assert "No window has begun yet" in trader.get(answer.url).content.decode()
    page = trader.get(f"/research/optimizations/{done.pk}/").content.decode()
    for word in ("The unseen days, stitched", "Windows that earned", "Does the choice drift?", "walk-forward 20:7:7"):
        assert word in page
    assert formats.grouped(formats.decimal(done.test["best"]["total_pnl"])) in page
    window = done.windows.first()
    assert f'href="/research/optimizations/{window.pk}/"' in page
    inner = trader.get(f"/research/optimizations/{window.pk}/").content.decode()
    assert f'href="/research/optimizations/{done.pk}/"' in inner
    listed = trader.get("/research/optimizations").content.decode()
    assert f'href="/research/optimizations/{done.pk}/"' in listed
    assert f'href="/research/optimizations/{window.pk}/"' not in listed


def test_a_script_starts_one_and_reads_windows_curve_and_trades(trader, done):
    body = {
        "symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "start": "2026-09-01",
        "end": "2026-10-30", "parameters": {"sma": [5, 20]}, "params": LIVELY, "walk_forward": "20:7",
    }  # fmt: skip
    trader.handler.enforce_csrf_checks = False
    started = trader.post("/api/v1/optimizations", json.dumps(body), content_type="application/json")
    assert (started.status_code, started.json()["walk_forward"]) == (201, "20:7:7")
    refused = trader.post(
        "/api/v1/optimizations", json.dumps({**body, "walk_forward": "20:0"}), content_type="application/json"
    )
    assert refused.status_code == 400
    assert "TEST of 0" in refused.content.decode()
    told = trader.get(f"/api/v1/optimizations/{done.pk}").json()
    assert (told["tried"], told["total"], told["parent"]) == (6, 6, None)
    assert len(told["result"]["walk_forward"]["windows"]) == 3
    assert set(told["test"]) >= {"best", "equity", "trades", "baseline"}
    windows = trader.get(f"/api/v1/optimizations?parent={done.pk}").json()["items"]
    assert [each["parent"] for each in windows] == [done.pk] * 3
    listed = trader.get("/api/v1/optimizations").json()["items"]
    assert {each["parent"] for each in listed} == {None}


def test_more_days_do_not_change_the_windows_that_were_there(done, tmp_path):
    """The first windows of a walk-forward that ends later are the same: nothing after them was used."""
    later = kept(tmp_path / "w", **TOLD, end=done.end + dt.timedelta(days=7))
    told = optimizations.execute(later.pk, how()).result["walk_forward"]["windows"]
    before = done.result["walk_forward"]["windows"]
    keys = ("train", "config_id", "parameters", "score", "in_sample", "validation")
    assert [{key: each[key] for key in keys} for each in told[:3]] == [{k: w[k] for k in keys} for w in before]
    assert without_names(told[:2])[1]["out_of_sample"] == without_names(before[:2])[1]["out_of_sample"]
