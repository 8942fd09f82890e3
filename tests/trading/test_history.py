"""A chart of a run shows the bars up to where the run stands, and never one it has not seen."""

import datetime as dt

import numpy as np
import pytest

from sensequant.lib.errors import NotFound
from tests.trading.bar_files import minutes, write
from tests.trading.desks import NOON, TODAY, WEEK, begun, driven, one_lane, plan
from trading.adapters.barcache import BarCache
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.chunks import expected
from trading.models import EngineRun
from trading.services import history, markets, runner, runs, stream_bars

pytestmark = pytest.mark.django_db


def bars(run, symbol="DEMOBANK", **told):
    return history.bars(run.pk, symbol, at=NOON, **told)


@pytest.fixture
def midway():
    return driven(begun(), looks=200)


def test_a_run_that_has_not_begun_has_no_bars():
    assert len(bars(begun())) == 0


def test_the_last_bar_is_the_last_one_the_run_took(midway):
    found = bars(midway, "DEMOLABS", limit=5000)
    assert found.ts[-1] == int(midway.cursor.timestamp())
    known = one_lane("DEMOLABS", *WEEK).bars
    assert (found.close == known.close[: len(found)]).all()


def test_a_limit_gives_the_newest_and_before_pages_back(midway):
    whole = bars(midway, limit=5000)
    page = bars(midway, limit=40)
    assert page.ts.tolist() == whole.ts[-40:].tolist()
    older = bars(midway, limit=40, before=int(page.ts[0]))
    assert older.ts.tolist() == whole.ts[-80:-40].tolist()


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_that_is_none_still_gives_one_bar(midway, limit):
    assert len(bars(midway, limit=limit)) == 1


def test_paging_before_the_first_bar_gives_nothing(midway):
    first = bars(midway, limit=5000).ts[0]
    assert len(bars(midway, before=int(first))) == 0


def test_a_page_can_not_look_into_the_future(midway):
    far = int(dt.datetime(2030, 1, 1, tzinfo=dt.UTC).timestamp())
    assert bars(midway, before=far).ts[-1] == int(midway.cursor.timestamp())


def test_an_unknown_run_or_symbol_is_not_found(midway):
    with pytest.raises(NotFound, match="no engine run"):
        history.bars(4711, "DEMOBANK", at=NOON)
    with pytest.raises(NotFound, match="does not trade DEMOOIL"):
        bars(midway, "DEMOOIL")


def test_bars_of_files_are_read_from_the_files(tmp_path):
    write(tmp_path / "ACME_5m.csv", minutes(*WEEK, 5))
    wanted = markets.want(str(tmp_path), ["ACME"], "5minute", *WEEK, today=TODAY)
    run = runner.begin(runner.Plan("files", "replay", wanted, runs.order("intraday", {}, 1e6)), at=NOON)
    run = driven(run, looks=100)
    found = bars(run, "ACME")
    assert len(found) == 100
    assert found.ts[-1] == int(run.cursor.timestamp())


def test_a_chart_of_a_broker_s_bars_shows_what_is_kept_and_what_the_stream_brought_and_asks_nobody(tmp_path):
    first, last = WEEK[0], dt.date(2026, 11, 5)
    kept = expected(NSE.sessions(first, last), 5)
    prices = [np.full(kept.size, price) for price in (100.0, 101.0, 99.0, 100.5, 10.0)]
    BarCache(tmp_path, "ACME", "5minute").write(Bars(kept, *prices), first, last, at=NOON)
    wanted = markets.want(f"hybrid:{tmp_path}", ["ACME"], "5minute", *WEEK, today=TODAY)
    run = runner.begin(runner.Plan("live", "dry-run", wanted, runs.order("intraday", {}, 1e6)), at=NOON)
    streamed = [int(each.open.timestamp()) for each in NSE.sessions(WEEK[1], WEEK[1])]
    stream_bars.save("5minute", [("ACME", stream_bars.kept(ts, (102, 103, 101, 102), 7.0, "ticks")) for ts in streamed])
    run.cursor = dt.datetime.fromtimestamp(streamed[0], dt.UTC)
    run.save()
    found = bars(run, "ACME", limit=5000)
    assert found.ts.tolist() == [*kept.tolist(), *streamed]
    assert found.close[-1] == 102
    (tmp_path / "ACME" / "5minute" / "2026-11-02_to_2026-11-05.csv").unlink()
    assert bars(run, "ACME").ts.tolist() == streamed


def test_of_a_long_demo_run_only_the_recent_bars_are_made():
    run = runner.begin(plan(name="long", span=(dt.date(2026, 1, 1), WEEK[1])), at=NOON)
    EngineRun.objects.filter(pk=run.pk).update(cursor=dt.datetime(2026, 11, 6, 9, tzinfo=dt.UTC))
    first = history.bars(run.pk, "DEMOBANK", limit=5000, at=NOON).ts[0]
    assert dt.datetime.fromtimestamp(int(first), dt.UTC).date() >= dt.date(2026, 10, 17)
