"""The Telemetry page and its half of the API: the record, traced backtests, folders, and what is wrong with them."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.test import Client

from sensequant.lib.clock import IST, now
from tests.trading import rows
from tests.trading.pages import a_run
from tests.trading.traced import SOME, recorded, trace
from trading.adapters.tracefiles import TraceWriter
from trading.models import BacktestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    client = Client()
    client.force_login(rows.people()["viewer"])
    return client


def page(asha, **query):
    answer = asha.get("/telemetry", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def api(asha, path="", **query):
    answer = asha.get(f"/api/v1/accuracy{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def put(folder, traces=SOME):
    with TraceWriter(folder) as writer:
        for each in traces:
            writer.write(each)
    return writer.files


def test_a_desk_without_predictions_says_how_they_come(asha):
    assert "No prediction has been scored yet" in page(asha)
    assert api(asha)["total_trades"] == 0
    assert [each["name"] for each in api(asha, "/sources")] == ["record"]


def test_the_record_is_shown_with_cards_matrices_curves_and_calibration(asha):
    recorded(a_run(), SOME)
    text = page(asha)
    for words in ("Intraday", "Swing", "10 trades", "20 trades", "○ HISTORICAL", "Cumulative return", "predicted LONG",
                  "Last 100 trades against all", "rules-1", "The record is as it was written"):  # fmt: skip
        assert words in text, words
    assert text.count("<polyline") == 3
    assert 'aria-label="intraday: ' in text
    found = api(asha)
    assert (found["total_trades"], found["live"]) == (30, False)
    assert found["by_strategy"]["swing"]["total_trades"] == 20
    assert api(asha, strategy="swing")["confusion_matrix"] == found["by_strategy"]["swing"]["confusion_matrix"]


def test_what_was_just_closed_is_live(asha):
    at = now().timestamp() - 3600 - 60  # closed a minute ago
    recorded(a_run(), [trace(at=int(at))])
    assert "● LIVE" in page(asha)
    assert api(asha)["live"]


def test_degradation_is_told(asha):
    start = int(dt.datetime(2026, 11, 2, 9, 15, tzinfo=IST).timestamp())
    traces = [trace(1.0 + k % 2, at=start + 60 * k) for k in range(100)]
    traces += [trace(-1.0, at=start + 86_400 + 60 * k) for k in range(100)]
    recorded(a_run(), traces)
    text = page(asha)
    assert "Degrading: Win rate drop: 0.00% (rolling) vs 50.00% (all-time)" in text
    assert "▲ degrading" in text
    assert api(asha)["rolling"]["is_degrading"]


def test_a_record_that_was_changed_is_told_on_the_page_and_by_the_api(asha, unguarded):
    run = a_run()
    recorded(run, SOME[:4])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_predictionrecord SET symbol = 'OTHER' WHERE number = 2")
    assert f"The record of run {run.pk} breaks at 2: it was changed after it was written" in page(asha)
    found = api(asha, "/check")
    assert (found["sound"], found["breaks"][0]["number"]) == (False, 2)
    assert api(asha, "/check", run=run.pk)["records"] == 8


def test_outcomes_are_listed_page_by_page(asha):
    recorded(a_run(), SOME[:4])
    first = api(asha, "/outcomes", limit=3)
    assert [json.loads(each["payload"])["trace"]["symbol"] for each in first["items"]] == ["RELIANCE"] * 3
    second = asha.get(first["next"]).json()
    assert (len(second["items"]), second["next"]) == (1, None)


def test_a_traced_backtest_and_a_folder_are_sources_too(asha, tmp_path):
    files = put(tmp_path / "elsewhere", SOME[:5])
    run = rows.backtest()
    BacktestRun.objects.filter(pk=run.pk).update(telemetry={"traces": 5, "files": [str(path) for path in files]})
    put(tmp_path / "data" / "analytics" / "live", SOME[:7])
    names = [each["name"] for each in api(asha, "/sources")]
    assert names == ["record", f"backtest-{run.pk}", "folder-live"]
    assert api(asha, source=names[1])["total_trades"] == 5
    assert api(asha, source="folder-live")["read"]["traces"] == 7
    assert "Intraday" in page(asha, source="folder-live")


def test_bad_rows_are_named_on_the_page_and_nothing_in_them_is_markup(asha, tmp_path):
    (path,) = put(tmp_path / "data" / "analytics" / "x", SOME[1:2])
    path.write_text(path.read_text() + "<script>alert(1)</script>" + ",x" * 11 + "\r\n")
    text = page(asha, source="folder-x")
    assert "1 rows could not be read" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("source", ["folder-..", "folder-../..", "folder-nowhere", "backtest-4711", "backtest-²", "x"])
def test_what_is_no_source_is_not_found(asha, source):
    assert asha.get("/telemetry", {"source": source}).status_code == 404
    assert asha.get("/api/v1/accuracy", {"source": source}).status_code in (404, 422, 400)


def test_one_must_be_logged_in(client):
    assert client.get("/telemetry").status_code == 302
    assert client.get("/api/v1/accuracy").status_code == 401
