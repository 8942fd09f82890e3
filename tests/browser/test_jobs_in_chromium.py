"""The pages' main jobs done with the keyboard alone: nothing is clicked, every field is reached by Tab."""

import pytest
from playwright.sync_api import expect

from models_ml import tasks as learning
from models_ml.models import OptimizationRun
from sensequant.lib.clock import now
from tests.browser.conftest import PASSWORD
from tests.trading import rows
from tests.trading.test_data_page import asked
from trading import tasks as trading
from trading.models import ApiToken, BacktestRun, FetchRun
from trading.services import fetch_orders

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


def tab_to(page, wanted):
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"no Tab leads to {wanted} on {page.url}")


def typed(page, wanted, text):
    """Go to a field and write over what stands in it."""
    tab_to(page, wanted)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


@pytest.fixture
def nobody_works(monkeypatch):
    """What is asked for waits in its row, so that there is time to cancel it."""
    for task in (learning.run_optimization, trading.run_backtest):
        monkeypatch.setattr(task, "delay_on_commit", lambda **told: None)


def test_a_token_is_made_and_seen_once(page, desk):
    page.goto("/tokens")
    typed(page, "#token-name", "notebook")
    typed(page, "#token-password", PASSWORD)
    page.keyboard.press("Enter")
    key = page.locator("#new-key").input_value()
    assert key.startswith("sq_")
    assert key not in page.request.get("/tokens").text()
    assert ApiToken.objects.get().name == "notebook"


def test_a_backtest_is_started_and_cancelled(page, desk, nobody_works):
    page.goto("/backtests/")
    if not page.locator("#ask[open]").count():
        tab_to(page, "#ask > summary")
        page.keyboard.press("Enter")
    typed(page, "#id_symbols", "DEMOBANK")
    page.keyboard.press("Enter")
    page.wait_for_url("**/backtests/*/")
    tab_to(page, 'form[action$="/cancel"] button')
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("ancelled")
    assert BacktestRun.objects.get().status == "cancelled"


def test_a_finished_backtest_is_read_and_compared(page, desk):
    first, second = rows.backtest(), rows.backtest()
    page.goto(f"/backtests/{first.pk}/")
    expect(page.locator("main")).to_contain_text("Measures")
    tab_to(page, ".measures .help > summary")
    page.keyboard.press("Enter")
    expect(page.locator(".measures .help[open] p").first).to_be_visible()
    typed(page, 'input[name="with"]', str(second.pk))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/backtests/{first.pk}/compare?with={second.pk}")
    expect(page.locator("main")).to_contain_text(f"{second.pk}")


def test_an_optimisation_is_started_and_cancelled(page, desk, nobody_works):
    page.goto("/research/optimizations")
    if not page.locator("#ask[open]").count():
        tab_to(page, "#ask > summary")
        page.keyboard.press("Enter")
    typed(page, "#id_symbols", "DEMOBANK")
    page.keyboard.press("Enter")
    page.wait_for_url("**/research/optimizations/*/")
    expect(page.locator("main")).to_contain_text("Waiting for a free worker")
    tab_to(page, 'form[action$="/cancel"] button')
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("ancelled")
    assert OptimizationRun.objects.get().status == "cancelled"


def test_a_fetching_is_cancelled(page, desk, monkeypatch):
    monkeypatch.setattr(fetch_orders.sessions, "keys", lambda *, at: ("keys", 1))
    fetch_orders.request(asked(), at=now(), by="asha")
    page.goto("/data")
    tab_to(page, 'form[action$="/cancel"] button')
    page.keyboard.press("Enter")
    expect(page.locator(".run-progress")).to_have_count(0)
    assert FetchRun.objects.get().state == "stopped"
