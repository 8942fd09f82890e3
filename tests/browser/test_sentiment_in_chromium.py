"""The Sentiment page in a real browser: keys reach it, the filter narrows it, and it fits every screen."""

import pytest

from tests.browser.conftest import violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE
from tests.trading import rows
from trading.models import NewsCall, NewsItem
from trading.services import conditions

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]
LONG = "Acme Widgets International Holdings wins an order so large that its headline fills more than a single line "


@pytest.fixture
def news(desk):
    """Headlines of two symbols, a failure, and what is wrong now."""
    rows.news()
    first = NewsItem.objects.get()
    for k, symbol in enumerate(("ACME", "TCS")):
        first.pk, first.symbol, first.title, first.text_hash = None, symbol, f"{LONG} {symbol}", f"long{k}"
        first.url = "https://news.example/a"
        first.save()
    NewsCall.objects.create(
        at=rows.at(6), provider="twitter", symbol="TCS", outcome="failed", error="twitter: HTTP 503"
    )
    conditions.hold("sentiment-down", level="warn", message="no provider of news answers", fix="look", at=rows.at(6))


def test_two_keys_lead_to_it_and_the_filter_narrows_without_a_new_page(page, news):
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/sentiment")
    assert page.locator("h1").inner_text() == "Sentiment"
    assert page.locator("#result tbody tr").count() == 3
    page.evaluate("window.same = true")
    page.fill("#f-symbol", "tcs")
    page.keyboard.press("Tab")
    page.wait_for_url("**/sentiment?symbol=tcs*")
    page.wait_for_function("document.querySelectorAll('#result tbody tr').length === 1")
    assert page.evaluate("window.same")


def test_it_never_scrolls_sideways(page, news):
    for width in (320, 390, 760, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto("/sentiment")
        assert page.evaluate(TOO_WIDE) == [], width


def test_axe_finds_nothing_in_any_look(page, news, address):
    for look, (cookies, rules) in LOOKS.items():
        page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        page.goto("/sentiment")
        assert violations(page, rules) == [], look
