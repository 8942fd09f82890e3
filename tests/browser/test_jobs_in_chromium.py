"""The pages' main jobs done with the keyboard alone: nothing is clicked, every field is reached by Tab."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from models_ml import tasks as learning
from models_ml.models import OptimizationRun
from sensequant.lib.clock import now
from tests.browser.conftest import PASSWORD, tab_to, typed
from tests.trading import rows
from tests.trading.pages import a_trade
from tests.trading.served import Served
from tests.trading.test_data_page import asked
from trading import tasks as trading
from trading.models import ApiToken, BacktestRun, FetchRun
from trading.services import fetch_orders, fetching

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def nobody_works(monkeypatch):
    """What is asked for waits in its row, so that there is time to cancel it."""
    for task in (learning.run_optimization, trading.run_backtest, trading.fetch_history):
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


def test_a_fetching_is_started_and_seen_to_its_end(page, desk, nobody_works, settings, tmp_path, monkeypatch):
    settings.SENSEQUANT_HOME = tmp_path
    monkeypatch.setattr(fetch_orders.sessions, "keys", lambda *, at: ("keys", 1))
    page.goto("/data")
    typed(page, "#d-symbols", "TCS")
    for wanted, day in (("#d-start", "01082024"), ("#d-end", "01122024")):
        tab_to(page, wanted)
        page.keyboard.type(day)
    tab_to(page, 'form[action="/data/fetch"] button')
    page.keyboard.press("Enter")
    expect(page.locator(".run-progress")).to_contain_text("0%")
    broker = Served()
    for _ in fetching.Fetching(FetchRun.objects.get(), broker.line(), clock=now).steps():
        assert broker.asked[-1][0] == "TCS"
    expect(page.locator(".run-progress")).to_have_count(0)
    expect(page.get_by_role("table", name="Fetched series")).to_contain_text("TCS")


def test_the_journal_is_narrowed_and_taken_home(page, desk):
    a_trade(desk.run)
    page.goto("/journal/")
    page.keyboard.press("/")
    page.keyboard.type("nosuch")
    page.keyboard.press("Enter")
    page.wait_for_url("**symbol=nosuch*")
    expect(page.locator("#result table")).to_contain_text("No closed trade matches")
    typed(page, "#f-symbol", "DEMOBANK")
    page.keyboard.press("Enter")
    expect(page.locator("#result table")).to_contain_text("DEMOBANK")
    expect(page.locator("#count")).to_have_text("1")
    a_trade(desk.run, symbol="DEMOOIL")
    tab_to(page, ".page-head a[download]")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "journal.csv"
    assert [line.split(",")[1] for line in Path(saved.value.path()).read_text().split()[1:]] == ["DEMOBANK"]
