"""Who attacks, and how it is seen that nothing went through unnoticed."""

import pytest
from django.test import Client

from sensequant.lib.security.models import SecurityEvent
from tests.trading import rows


@pytest.fixture
def people(db):
    return rows.people()


@pytest.fixture
def as_():
    """Return a browser somebody is logged in with; it checks CSRF tokens as a real one's requests are checked."""

    def client(user=None, *, csrf=False, **more):
        made = Client(enforce_csrf_checks=csrf, **more)
        if user is not None:
            made.force_login(user)
        return made

    return client


@pytest.fixture
def kept(caplog):
    """Say whether a refusal stands in the log and in a row, and of whom."""

    def found(kind, **told):
        said = any(record.message == kind and record.name == "security" for record in caplog.records)
        return said and SecurityEvent.objects.filter(kind=kind, **told).exists()

    return found
