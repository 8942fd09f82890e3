"""How far bars are fetched, over the API: the records as they are believed, and every fetching."""

import pytest

from sensequant.lib.clock import now
from tests.trading.test_barcache import FRIDAY, MONDAY, NOON, bars
from trading.adapters.barcache import BarCache
from trading.models import FetchRun, FetchState
from trading.services import fetch_states
from trading.services.fetch_states import State


@pytest.fixture
def fetched(db, tmp_path):
    for symbol in ("RELIANCE", "TCS"):
        cache = BarCache(tmp_path, symbol, "5minute")
        cache.write(bars(MONDAY, FRIDAY), MONDAY, FRIDAY, at=NOON)
        fetch_states.advance(State(symbol, "5minute", gaps={"2024-01-08": 3}), cache, at=NOON)


RESULT = {
    "symbol": "RELIANCE", "interval": "5minute", "code": "RELIND", "state": "done", "sessions": 5, "there": 0,
    "requested": 375, "fetched": 375, "kept": 375, "quarantined": 0, "requests": 1, "files": ["a.csv"], "missing": 3,
    "gaps": [], "gaps_told": "1 hole", "warnings": [], "error": "", "done": [["2024-01-08", "2024-01-12"]],
}  # fmt: skip


def test_every_series_says_how_far_it_is_fetched(viewer, fetched):
    first, second = viewer.get("/api/v1/state").json()["items"]
    assert (first["symbol"], second["symbol"]) == ("RELIANCE", "TCS")
    assert first == {
        "symbol": "RELIANCE", "interval": "5minute", "last_fetch_date": "2024-01-12",
        "last_bar": "2024-01-12T15:25:00+05:30", "rows": 375, "ranges": [["2024-01-08", "2024-01-12"]], "missing": 3,
        "gaps": {"2024-01-08": 3}, "believed": True, "updated_at": "2026-11-23T12:00:00+05:30",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "count"),
    [("symbol=TCS", 1), ("symbol=INFY", 0), ("interval=5m", 2), ("interval=1day", 0), ("limit=1", 1)],
)
def test_series_can_be_narrowed_and_paged(viewer, fetched, query, count):
    answer = viewer.get(f"/api/v1/state?{query}").json()
    assert len(answer["items"]) == count
    assert (answer["next"] is not None) == (query == "limit=1")


def test_a_damaged_record_is_shown_as_such(viewer, fetched):
    FetchState.objects.filter(symbol="TCS").update(body='{"ranges": "many"}')
    damaged = viewer.get("/api/v1/state?symbol=TCS").json()["items"][0]
    assert (damaged["believed"], damaged["rows"], damaged["last_fetch_date"]) == (False, 0, None)


def test_fetchings_are_listed_newest_first_with_what_became_of_each_series(viewer, db):
    FetchRun.objects.create(asked={}, state="done", started_at=now())
    FetchRun.objects.create(
        asked={"incremental": True}, state="partial", started_at=NOON, error="no session", results={"RELIANCE": RESULT}
    )
    newest, oldest = viewer.get("/api/v1/state/runs").json()["items"]
    assert (newest["state"], newest["incremental"], newest["error"], oldest["series"]) == (
        "partial", True, "no session", [],
    )  # fmt: skip
    assert newest["series"] == [{key: value for key, value in RESULT.items() if key not in ("gaps", "done")}]
    assert len(viewer.get("/api/v1/state/runs?state=done").json()["items"]) == 1
    assert viewer.get(f"/api/v1/state/runs/{newest['id']}").json() == newest
    assert viewer.get("/api/v1/state/runs/999").status_code == 404
    assert viewer.get("/api/v1/state/runs?state=lost").status_code == 400
