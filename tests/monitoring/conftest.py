"""The clock of these stories is driven by hand, so no other clock is compared with it."""

import pytest

from trading.services import predictions, vitals


@pytest.fixture(autouse=True)
def no_anchors():
    """Forget where the prediction chains of other stories stood: their rows are gone."""
    predictions.anchors_path().unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def one_clock(request, monkeypatch):
    if not request.node.get_closest_marker("real_clocks"):
        monkeypatch.setattr(vitals, "clock_skew", lambda *, at, since: {})
