"""Which bars a simulator plays, on which days, and on what price grid."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound
from tests.simulators import bar_folder
from tests.trading.bar_files import minutes, write
from tests.trading.simulator.opened import gentle
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.models.instruments import Instrument
from trading.services import recordings
from trading.services.recordings import Asked

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 26, 8, 0, tzinfo=IST)
FRIDAY, MONDAY, WEDNESDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 23), dt.date(2026, 11, 25)


def load(folder="", *symbols, **more):
    return recordings.load(Asked(str(folder), symbols, **more), at=AT)


def test_a_folder_plays_from_its_first_day_in_its_finest_interval(tmp_path):
    bar_folder(tmp_path, start=FRIDAY, end=MONDAY)
    bar_folder(tmp_path, ["RELIANCE"], start=FRIDAY, end=MONDAY, interval="5minute")
    found = load(tmp_path)
    assert ([spec.symbol for spec in found.specs], found.minutes) == (["RELIANCE", "TCS"], 1)
    assert list(found.dates) == [FRIDAY]
    assert list(load(tmp_path, days=9).dates) == [FRIDAY, MONDAY]
    assert list(load(tmp_path, date=MONDAY).dates) == [MONDAY]
    assert load(tmp_path, "reliance", interval="5minute").minutes == 5
    assert len(load(tmp_path, "tcs").bars["TCS"]) == 750


def test_what_the_desk_knows_of_a_share_counts(tmp_path):
    bar_folder(tmp_path)
    Instrument.objects.create(symbol="TCS", segment="equity_fno", tick="0.10", lot=5)
    reliance, tcs = load(tmp_path).specs
    assert (reliance.segment, reliance.lot) == ("equity", 1)
    assert (tcs.segment, tcs.lot, tcs.tick) == ("equity_fno", 5, 0.1)


def test_the_demo_market_plays_the_last_session_before_today():
    found = load("", "DEMOBANK")
    assert list(found.dates) == [WEDNESDAY]
    [spec] = found.specs
    assert (spec.tick, spec.segment) == (0.05, "equity_fno")
    assert list(load("", "DEMOBANK", date=MONDAY, days=2).dates) == [MONDAY, WEDNESDAY]
    older = found.older("DEMOBANK", 1440, dt.date(2006, 1, 1), dt.date(2007, 1, 31))
    assert len(older) > 15
    assert len(found.older("DEMOBANK", 30, FRIDAY, FRIDAY)) == 12
    assert len(found.older("DEMOBANK", 1, WEDNESDAY, FRIDAY)) == 0


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        (Asked("/nowhere"), BadInput, "is no folder"),
        (Asked("", ("RELIANCE",)), Invalid, "not a demo instrument"),
        (Asked("", ("DEMOBANK",), date=dt.date(2026, 11, 24)), NotFound, "closed on 2026-11-24"),
        (Asked("{folder}", ("INFY",)), NotFound, "INFY"),
        (Asked("{folder}", date=FRIDAY), NotFound, "2026-11-23 is the next day with bars"),
    ],
)
def test_what_cannot_be_played_is_named(tmp_path, asked, error, told):
    bar_folder(tmp_path)
    with pytest.raises(error, match=told):
        recordings.load(replace(asked, folder=asked.folder.replace("{folder}", str(tmp_path))), at=AT)


def test_an_empty_folder_and_a_broken_file_are_named(tmp_path):
    with pytest.raises(NotFound, match="has no 1minute bars"):
        load(tmp_path)
    rows = minutes(MONDAY, MONDAY)
    rows[5] = rows[5].scaled(-1)
    write(tmp_path / "RELIANCE_1m.csv", rows)
    with pytest.raises(BadInput, match="--sound-rows"):
        load(tmp_path)
    assert len(load(tmp_path, sound_rows=True).bars["RELIANCE"]) == 374


@pytest.mark.parametrize(
    ("level", "day", "grid", "tick"),
    [
        (1_400.0, MONDAY, 0.1, 0.1), (1_400.0, MONDAY, 0.05, 0.05), (138.0, MONDAY, 0.05, 0.01),
        (138.0, dt.date(2023, 11, 20), 0.05, 0.05), (6_000.0, MONDAY, 0.5, 0.5), (1_400.0, MONDAY, 0.01, 0.01),
    ],
)  # fmt: skip
def test_the_grid_is_the_exchanges_unless_the_prices_need_a_finer_one(level, day, grid, tick):
    bars = gentle(day, day, level=level)
    bars.close[:] = np.round(np.rint(bars.close / grid) * grid + (0.01 if grid == 0.01 else 0.0), 2)
    assert recordings.tick_on(bars, day, NSE) == tick
