"""The audits in a real browser: the list and a whole audit fit every screen and every eye."""

import pytest

from releases.services import audits
from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT, violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def audit(desk, settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    return audits.run(skip_validation=True, by="asha", at=now())


def test_they_fit_every_screen_and_axe_finds_nothing(page, audit, address):
    for path in ("/audits", f"/audits/{audit.audit_id}/"):
        for width in (320, 390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(path)
            assert page.evaluate(TOO_WIDE) == [], (path, width)
        for look, (cookies, rules) in LOOKS.items():
            page.context.add_cookies([{"name": name, "value": v, "url": address} for name, v in cookies.items()])
            page.goto(path)
            assert violations(page, rules) == [], (path, look)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / "audit.png", full_page=True)
    with page.expect_download() as saved:
        page.get_by_role("link", name="metrics.json").click()
    assert saved.value.suggested_filename == f"{audit.audit_id}_metrics.json"
