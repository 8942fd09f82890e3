"""The API keeps its own schema: whatever is sent, nothing breaks and every answer is as promised."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.trading.api.conftest import bearer

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
load_all_checks()
# A schema cannot say which symbols, runs and days there are, so values that fit it may still be refused.
UNSAYABLE = [positive_data_acceptance]


@pytest.fixture
def headers(history, backtest, token, monkeypatch):
    monkeypatch.setattr("trading.api.auth.A_MINUTE", 10**9)
    ends = (request_started, request_finished)
    for each in ends:
        each.disconnect(close_old_connections)  # the test's transaction outlives a request
    yield bearer(token("staff", "admin"))
    for each in ends:
        each.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_promise(case, headers):
    case.call_and_validate(headers=headers, excluded_checks=UNSAYABLE)
