"""The clock of these stories is driven by hand, so no other clock is compared with it."""

import pytest

from trading.services import vitals


@pytest.fixture(autouse=True)
def one_clock(request, monkeypatch):
    if not request.node.get_closest_marker("real_clocks"):
        monkeypatch.setattr(vitals, "clock_skew", lambda *, at, since: {})
