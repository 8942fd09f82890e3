"""One simulator for a whole file of tests: its clock stands still unless a test winds it."""

import datetime as dt

import pytest

from tests.simulators import bar_folder, simulator
from tests.trading.simulator.wire import Client

MANY = ("--calls-per-minute", "100000", "--calls-per-day", "100000", "--orders-per-second", "1000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two shares over six days of November 2026, in minutes."""
    return bar_folder(
        tmp_path_factory.mktemp("bars"), start=dt.date(2026, 11, 18), end=dt.date(2026, 11, 25), volume=1_000
    )


@pytest.fixture(scope="module")
def running(folder):
    """The simulator: it stands at 10:00 of 23 November."""
    with simulator("--date", "2026-11-23", "--days", "3", "--at", "10:00", "--speed", "0", *MANY, csv=folder) as venue:
        yield venue


@pytest.fixture
def venue(running):
    """The same without a fault of another test."""
    running.clear()
    running.clock(advance=60)
    yield running
    running.clear()


@pytest.fixture
def client(venue):
    """Somebody who is logged in."""
    return Client(venue)
