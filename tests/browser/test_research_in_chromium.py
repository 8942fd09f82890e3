"""Walk-forwards, trainings and models in a real browser: they fit every screen, are read by keys, and downloaded."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from models_ml.models import Evening
from models_ml.services import optimizations
from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT, tab_to, violations
from tests.browser.test_live_in_chromium import EVERYTHING, LOOKS, TOO_WIDE
from tests.models_ml.runs import a_batch, a_teacher
from tests.models_ml.searches import how, kept
from tests.models_ml.test_training_pages import a_run
from tests.trading.pupils import installed
from trading.services import strategies

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
    page.goto("/research/optimizations")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/research/optimizations/{walk.pk}/")


@pytest.fixture
def learned(desk, tmp_path):
    """A batch with a teacher, a validation, a student in place, and an evening that proposes something."""
    a_teacher()
    a_batch(summary={"completed": 1, "failed": 0, "avg_precision": 0.61})
    a_run(status="completed")
    installed(tmp_path / "student", now())
    proposal = strategies.propose("intraday", {"rsi_low": 42}, note="evening", by="eod_learning", at=now())
    rule = {"rule": "threshold", "parameter": "rsi_low", "before": 40, "after": 42, "evidence": "lost", "changed": True}
    Evening.objects.create(
        date="2026-11-06", strategy="intraday", outcome="proposed", proposal=proposal, changes=[rule], started_at=now(),
    )  # fmt: skip


def test_lists_of_trainings_and_models_fit_every_screen_and_are_downloaded(page, learned):
    for path, table, name, said in (
        ("/research/training", "Batches", "research-training-batches.csv", "batch_20251012_190000"),
        ("/models", "Evenings", "models-evenings.csv", "rsi_low 40 → 42, lost"),
    ):
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(path)
            assert page.evaluate(TOO_WIDE) == [], (path, width)
            page.screenshot(path=OUTPUT / f"{name[:-4]}-{width}.png", full_page=True)
        assert violations(page, EVERYTHING) == [], path
        tab_to(page, f'a[aria-label="{table} as CSV"]')
        with page.expect_download() as saved:
            page.keyboard.press("Enter")
        assert saved.value.suggested_filename == name
        assert said in Path(saved.value.path()).read_text()
