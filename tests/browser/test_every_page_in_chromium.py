"""One person walks through the pages by keyboard: each reads well in the dark, in the light and on a phone."""

import json

import pytest
from django.contrib.auth.models import User
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from playwright.sync_api import expect

from tests.browser.conftest import OUTPUT, violations
from tests.browser.test_live_in_chromium import EVERYTHING, PLACES, TOO_WIDE, live
from tests.trading.pages import a_position, a_signal, a_trade

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]
BY_KEYS = {  # the key after g, where it leads, and what proves that the page does its job
    "h": ("/health", "Database"),
    "c": ("/pre-open", "Kill switch and breaker"),
    "d": ("/data", "Fetched series"),
    "t": ("/reports", "By symbol"),
    "q": ("/parity", "a day as the desk traded it"),
    "i": ("/runbooks", "order_unknown"),
    "a": ("/alerts", "Firing now"),
    "p": ("/positions/", "protected"),
}
BY_LINKS = {
    "/tour": "Begin",
    "/glossary": "Sharpe",
    "/runbooks/order_unknown": "It is over when",
    "/tokens": "Tokens",
    "/account": "asha",
    "/api/guide": "curl",
    "/alerts/metrics": "Metrics",
    "/broker": "Broker",
    "/ledger": "Ledger",
    "/research/training": "Training",
    "/research/optimizations": "Optimis",
}
ELSEWHERE = {
    *PLACES,
    "/audits",
    "/releases",
    "/sentiment",
    "/telemetry",
}  # pages that other stories of this folder visit


def reads_well(page, name):
    """Look at the page in the dark, in the light and on a phone; keep its pictures."""
    told = violations(page, EVERYTHING)
    assert told == [], f"{name} dark: {json.dumps(told, indent=1)}"
    page.screenshot(path=OUTPUT / f"every-{name}-dark.png")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    told = violations(page, ["color-contrast"])
    assert told == [], f"{name} light: {json.dumps(told, indent=1)}"
    page.screenshot(path=OUTPUT / f"every-{name}-light.png")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(TOO_WIDE) == [], name
    page.screenshot(path=OUTPUT / f"every-{name}-phone.png")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_every_page_is_reached_by_keys_and_reads_well_everywhere(page, desk):
    OUTPUT.mkdir(exist_ok=True)
    a_trade(desk.run)
    a_signal(desk.run)
    a_position(desk.run)
    live(page)
    for key, (address, proof) in BY_KEYS.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{address}")
        expect(page.locator("main")).to_contain_text(proof)
        expect(page.locator("#strip")).to_contain_text("ENGINE")
        reads_well(page, address.strip("/"))
    for address, proof in BY_LINKS.items():
        page.goto(address)
        expect(page.locator("main")).to_contain_text(proof)
        reads_well(page, address.strip("/").replace("/", "-"))


def test_no_page_is_without_its_visit(desk, client):
    client.force_login(User.objects.get(username="asha"))
    visited = {address for address, _ in BY_KEYS.values()} | set(BY_LINKS) | ELSEWHERE
    pages = [f"/{way}" for way in plain(get_resolver().url_patterns) if not way.startswith(("admin/", "api/v1/"))]
    assert len(pages) > 30
    assert [each for each in pages if is_a_page(client.get(each)) and each not in visited] == []


def plain(patterns, before=""):
    """Return every address that has no argument."""
    for each in patterns:
        way = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from plain(each.url_patterns, way)
        elif "<" not in way and isinstance(each.pattern, RoutePattern):
            yield way


def is_a_page(answer):
    """Say whether an answer is a whole page of the desk."""
    return answer.status_code == 200 and not answer.streaming and b'<main id="main"' in answer.content


def test_a_table_is_downloaded_and_the_palette_leads_anywhere(page, desk):
    a_trade(desk.run)
    page.goto("/reports?day=2026-11-20")
    with page.expect_download() as told:
        page.get_by_role("link", name="By symbol as CSV").click()
    assert told.value.suggested_filename == "reports-by-symbol.csv"
    page.keyboard.press("Control+k")
    page.keyboard.type("runb")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/circuit_breaker_triggered")
