"""The cast of the API's stories, and how they are called."""

import json

import pytest
from django.core.cache import cache
from django.test import Client

from sensequant.lib.clock import now
from tests.trading import rows
from trading.services import tokens


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def people(db):
    return rows.people()


def logged_in(user, **kwargs):
    client = Client(**kwargs)
    client.force_login(user)
    return client


@pytest.fixture
def viewer(people):
    return logged_in(people["viewer"])


@pytest.fixture
def operator(people):
    return logged_in(people["operator"])


@pytest.fixture
def staff(people):
    return logged_in(people["staff"])


@pytest.fixture
def token(people):
    """Make a key for one of the people."""

    def make(who="staff", scope="read", days=1, **more):
        return tokens.issue(username=people[who].username, scope=scope, days=days, by="test", at=now(), **more)[1]

    return make


@pytest.fixture
def run(db):
    return rows.run()


@pytest.fixture
def history(run):
    rows.history(run)
    return run


@pytest.fixture
def backtest(db):
    return rows.backtest()


def send(client, path, body=None, **headers):
    """POST JSON."""
    data = "" if body is None else json.dumps(body)
    return client.post(path, data, content_type="application/json", headers=headers)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}
