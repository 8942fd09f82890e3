"""The whole cast: what many stories need."""

from __future__ import annotations

import datetime as dt

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

from sensequant.lib.clock import IST
from tests import services


def pytest_collection_modifyitems(items):
    """Skip what cannot run here and say why; where services are required, let it fail instead."""
    for item in items:
        for name in ("redis", "browser"):
            if item.get_closest_marker(name) and (why := services.missing(name)) and not services.REQUIRED:
                item.add_marker(pytest.mark.skip(reason=why))
        if services.ON_POSTGRES and item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="about SQLite itself"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """Leave no connection behind: sockets read the database in a thread that outlives their tests."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    connections.close_all()


@pytest.fixture
def noon() -> dt.datetime:
    """A Monday's noon in Mumbai, in the middle of a regular session."""
    return dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)


@pytest.fixture
def redis_url() -> str:
    """The Redis of the tests (mark such a test ``redis``)."""
    return services.REDIS


@pytest.fixture
def chromium() -> str:
    """The installed browser (mark such a test ``browser``)."""
    return services.chromium()
