"""Releases in a real browser: they fit every screen and every eye, and are signed there, with and without scripts."""

import pytest
from django.contrib.auth.models import Group, User
from django_otp.oath import totp
from playwright.sync_api import expect

from releases.core.roles import ROLES
from releases.services import candidates, lifecycle, people_keys
from releases.services.collecting import Wanted
from sensequant.lib.clock import now
from sensequant.lib.security import factors
from sensequant.lib.security.models import Authenticator
from tests.browser.conftest import OUTPUT, PASSWORD, typed, violations
from tests.browser.test_live_in_chromium import LOOKS, TOO_WIDE
from tests.releases import deployed
from tests.releases.world import audit

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def row(desk, settings, tmp_path, monkeypatch):
    settings.SENSEQUANT_HOME = tmp_path
    monkeypatch.setattr(people_keys, "COST", 16)
    User.objects.get(username="asha").groups.add(Group.objects.get(name=ROLES[0]))
    audit(now())
    made = candidates.make(Wanted(summary="wider stops", student="none"), User.objects.create_user("tara"), at=now())
    return candidates.judge(made.release_id, "audit_20261123_113000", by="tara", at=now())


def sign(page, row):
    page.goto(f"/releases/{row.release_id}/")
    page.get_by_label("What you looked at").fill("the flags and the measures")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name=f"Approve as {ROLES[0]}").click()
    assert page.get_by_text("Your word is kept.").is_visible()
    assert lifecycle.find(row.release_id).state == "signing"


def sign_by_keyboard(page, row):
    asha = User.objects.get(username="asha")
    factors.begin(asha)
    codes = factors.finish(asha, f"{totp(Authenticator.objects.get(user=asha).secret):06}")
    page.goto(f"/releases/{row.release_id}/")
    typed(page, 'form.decide input[name="note"]', "the flags and the measures")
    typed(page, 'form.decide input[name="password"]', PASSWORD)
    typed(page, 'form.decide input[name="code"]', codes[0])
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Your word is kept.")
    word = row.sign_offs.get()
    assert (word.role, word.decision, word.note) == (ROLES[0], "approve", "the flags and the measures")


def test_they_fit_every_screen_axe_finds_nothing_and_a_person_signs(row, page, address):
    for path in ("/releases", f"/releases/{row.release_id}/"):
        for width in (320, 390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(path)
            assert page.evaluate(TOO_WIDE) == [], (path, width)
        for look, (cookies, rules) in LOOKS.items():
            page.context.add_cookies([{"name": name, "value": v, "url": address} for name, v in cookies.items()])
            page.goto(path)
            assert violations(page, rules) == [], (path, look)
    sign_by_keyboard(page, row)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / "release.png", full_page=True)


def test_a_release_in_force_and_one_that_was_left_fit_every_screen(desk, settings, tmp_path, monkeypatch, page):
    settings.SENSEQUANT_HOME = tmp_path
    monkeypatch.setattr(people_keys, "COST", 16)
    who = deployed.cast()
    old, new = deployed.two(who)
    fits(page, new, "deploy of release_")
    deployed.back(who, new)
    for release in (old, new):
        fits(page, release, "rollback of release_")


def fits(page, release, words):
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"/releases/{release.release_id}/")
        assert page.evaluate(TOO_WIDE) == [], (release, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (release, width)
    assert words in page.get_by_role("region", name="Deployments and rollbacks").inner_text()


def test_a_person_signs_without_scripts(row, bare):
    sign(bare, row)
