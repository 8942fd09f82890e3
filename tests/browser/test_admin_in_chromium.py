"""Django's admin in the desk's dress: good in the dark, in the light and on a phone, under the desk's policy."""

import pytest
from playwright.sync_api import expect

from monitoring.models import Episode
from monitoring.services import facts, watching
from sensequant.config import ROOT
from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT
from tests.browser.test_live_in_chromium import EVERYTHING, TOO_WIDE
from tests.trading.pages import a_trade
from trading.models import Order
from trading.services import strategies

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]
# "preload" would put Django's imported style sheets into the page as <style>, which the policy forbids
RUN_AXE = (
    "rules => axe.run({runOnly: rules, preload: false})"
    ".then(found => found.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
)
PAGES = {
    "index": "/admin/",
    "changelist": "/admin/trading/order/",
    "record": "/admin/trading/order/{order}/change/",
    "form": "/admin/trading/calendaroverride/add/",
    "task": "/admin/django_celery_beat/periodictask/add/",
}


def wrong(page, name):
    """Look at an admin page in the dark, in the light and on a phone; keep its pictures, return what is wrong."""
    found = []
    for look, width in (("dark", 390), ("dark", 1440), ("light", 1440)):
        page.evaluate("document.body.classList.remove('theme-system', 'theme-dark', 'theme-light')")
        page.evaluate("(look) => document.body.classList.add(look)", f"theme-{look}")
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(250)  # Django's links fade into their colour
        page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
        told = page.evaluate(RUN_AXE, EVERYTHING if look == "dark" else ["color-contrast"]) + page.evaluate(TOO_WIDE)
        found += [(name, look, width, each) for each in told]
        page.screenshot(path=OUTPUT / f"admin-{name}-{look}-{width}.png")
    return found


def test_the_admin_reads_well_everywhere(page, desk):
    OUTPUT.mkdir(exist_ok=True)
    a_trade(desk.run)
    row = strategies.propose("intraday", {"sma": 30}, by="asha", at=now())
    found = []
    for name, address in PAGES.items():
        page.goto(address.format(order=Order.objects.first().pk))
        expect(page.locator("#strip")).to_contain_text("ENGINE")
        expect(page.locator(".frame .mode")).to_be_visible()
        found += wrong(page, name)
    page.goto("/admin/trading/strategyconfig/")
    page.locator(f'input[name="_selected_action"][value="{row.pk}"]').focus()
    page.keyboard.press("Space")
    page.select_option('select[name="action"]', "activate")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Your password, again")
    assert found + wrong(page, "confirm") == []


def test_an_alert_is_acknowledged_with_its_reason_and_the_theme_is_the_desk_s(page, desk):
    facts.report("chain_breaks", 1.0, at=now(), group="of releases", told="entry 3 was changed")
    watching.look(at=now())
    page.goto("/admin/monitoring/episode/")
    page.locator('input[name="_selected_action"]').first.press("Space")
    page.select_option('select[name="action"]', "acknowledge_for_an_hour")
    page.fill('.actions input[name="why"]', "looking into it")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("1 acknowledged")
    assert Episode.objects.get(ack_reason="looking into it").acked_by == "asha"
    page.get_by_role("button", name="Light").press("Enter")
    expect(page.locator("body.theme-light")).to_be_visible()
    page.get_by_role("link", name="Back to the desk").press("Enter")
    page.wait_for_selector("html[data-theme=light]")
