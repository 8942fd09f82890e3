"""The alerts in a real browser: keys reach them, an operator acknowledges, and they fit every screen and every eye."""

import pytest
from playwright.sync_api import expect

from monitoring.models import Episode, Silence
from monitoring.services import facts, watching
from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT, tab_to, typed, violations
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


def test_two_keys_lead_to_it_where_an_alert_is_acknowledged_and_others_silenced_without_a_mouse(page, fires):
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts")
    typed(page, "article.alert input[name=reason]", "looking into it")
    page.keyboard.press("Enter")
    expect(page.locator("section[aria-labelledby=firing-title]")).to_contain_text("Acknowledged by asha")
    assert Episode.objects.get(ack_reason="looking into it").acked_by == "asha"
    typed(page, "input[name=rule]", "performance_*")
    typed(page, "form[action$='/silence'] input[name=minutes]", "45")
    typed(page, "form[action$='/silence'] input[name=reason]", "the feed is being moved")
    page.keyboard.press("Enter")
    expect(page.locator("section[aria-labelledby=silences-title]")).to_contain_text("the feed is being moved")
    assert (Silence.objects.get().by, Silence.objects.get().rule) == ("asha", "performance_*")
    tab_to(page, "form[action$='/end'] button")
    page.keyboard.press("Enter")
    expect(page.locator("section[aria-labelledby=silences-title]")).to_contain_text("Nothing is silenced.")


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
