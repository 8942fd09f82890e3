"""The Telemetry page in a real browser: keys reach it, it fits every screen, and axe finds nothing."""

import pytest

from tests.browser.conftest import violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE
from tests.trading.traced import SOME, recorded

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def traces(desk):
    recorded(desk.run, SOME)


def test_two_keys_lead_to_it_and_it_never_scrolls_sideways(page, traces):
    page.keyboard.press("g")
    page.keyboard.press("y")
    page.wait_for_url("**/telemetry")
    assert page.locator("h1").inner_text() == "Telemetry"
    assert page.locator(".matrix").count() == 2
    for width in (320, 390, 760, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(TOO_WIDE) == [], width


def test_axe_finds_nothing_in_any_look(page, traces, address):
    for look, (cookies, rules) in LOOKS.items():
        page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        page.goto("/telemetry")
        assert violations(page, rules) == [], look
