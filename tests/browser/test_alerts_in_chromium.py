"""The alerts in a real browser: keys reach them, an operator acknowledges, and they fit every screen and every eye."""

import pytest

from monitoring.models import Episode
from monitoring.services import facts, watching
from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT, violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def fires(desk):
    """Two alerts that fire, one of them told."""
    facts.report("release_watch", 1.0, at=now(), group="release-2026-11-25-with-a-long-name", told="Sharpe fell to 0.2")
    facts.report("chain_breaks", 1.0, at=now(), group="of releases", told="entry 3 was changed")
    watching.look(at=now())


def test_two_keys_lead_to_it_and_an_alert_is_acknowledged_without_a_mouse(page, fires):
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts")
    page.locator("article.alert input[name=reason]").first.fill("looking into it")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Acknowledged by")
    assert Episode.objects.filter(ack_reason="looking into it").count() == 1


def test_it_fits_every_screen_and_axe_finds_nothing(page, fires, address):
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto("/alerts")
        assert page.evaluate(TOO_WIDE) == [], width
    for look, (cookies, rules) in LOOKS.items():
        page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        page.goto("/alerts")
        assert violations(page, rules) == [], look
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / "alerts.png", full_page=True)
