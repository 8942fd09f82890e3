"""The API keeps its own schema: whatever is sent by whomever, nothing breaks and every answer is as promised.

``CONTRACT_EXAMPLES`` asks for more than the few examples of each operation that every run affords.
"""

import os
from itertools import count

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.trading.api.conftest import bearer

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
load_all_checks()
# A schema cannot say which symbols, runs and days there are, so values that fit it may still be refused.
UNSAYABLE = [positive_data_acceptance]
TURN = count()


@pytest.fixture
def callers(history, backtest, token, people, monkeypatch):
    """Return the headers of everybody who may come: keys of each scope, and each role by its session."""
    monkeypatch.setattr("trading.api.auth.A_MINUTE", 10**9)
    ends = (request_started, request_finished)
    for each in ends:
        each.disconnect(close_old_connections)  # the test's transaction outlives a request
    for name, office in (("quant", "Quant Lead"), ("risk", "Risk Manager")):
        people[name] = User.objects.create_user(name)
        people[name].groups.add(Group.objects.get_or_create(name=office)[0])
    found = [bearer(token("staff", scope)) for scope in ("admin", "trade", "read")]
    found += [session(people[name]) for name in ("staff", "operator", "quant", "risk", "viewer")]
    yield found
    for each in ends:
        each.connect(close_old_connections)


def session(user):
    """Return the headers of a browser somebody logged in with."""
    client = Client()
    client.force_login(user)
    request = RequestFactory().get("/")
    csrf = get_token(request)
    cookie = f"sessionid={client.cookies['sessionid'].value}; csrftoken={request.META['CSRF_COOKIE']}"
    return {"Cookie": cookie, "X-CSRFToken": csrf}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_promise_to_everybody(case, callers):
    turn = callers[next(TURN) % len(callers)]
    case.call_and_validate(headers=turn, excluded_checks=UNSAYABLE)
