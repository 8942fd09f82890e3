"""A walk-forward in a real browser: its windows, curve and trades fit every screen and every eye."""

import pytest
from playwright.sync_api import expect

from models_ml.services import optimizations
from tests.browser.conftest import OUTPUT, violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE
from tests.models_ml.searches import how, kept

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def walk(desk, tmp_path):
    told = {"grid": {"parameters": {"sma": [5, 20]}}, "walk_forward": "20:7", "telemetry_sample_rate": 0.0}
    return optimizations.execute(kept(tmp_path / "walk", **told).pk, how())


def test_windows_curve_and_trades_fit_every_screen_and_axe_finds_nothing(page, walk, address):
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for look, (cookies, rules) in LOOKS.items():
        page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(f"/research/optimizations/{walk.pk}/")
            assert page.evaluate(TOO_WIDE) == [], (look, width)
            page.screenshot(path=OUTPUT / f"walk-{look}-{width}.png", full_page=True)
        assert violations(page, rules) == [], look
    for name, many in (("windows-title", 3), ("walk-trades-title", len(walk.test["trades"]))):
        expect(page.locator(f"table[aria-labelledby={name}] tbody tr")).to_have_count(many)
    page.locator("table[aria-labelledby=windows-title] a").first.press("Enter")
    page.wait_for_url(f"**/research/optimizations/{walk.windows.order_by('start').first().pk}/")
    page.get_by_role("link", name=f"walk-forward {walk.pk}").press("Enter")
    page.wait_for_url(f"**/research/optimizations/{walk.pk}/")
