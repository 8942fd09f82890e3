"""The odd broker for every story of the wire."""

from __future__ import annotations

import pytest

from tests.trading.breeze.oddbroker import OddBroker


@pytest.fixture
def broker():
    odd = OddBroker()
    yield odd
    odd.close()
