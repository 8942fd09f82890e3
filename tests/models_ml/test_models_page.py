"""The models page is whole without JavaScript, and lets nobody do more than the service would."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from models_ml.services import evenings, signing
from tests.models_ml.test_promotions import assessed, home, passing, people, says, signed  # noqa: F401 - fixtures
from tests.trading.desks import NOON
from tests.trading.pupils import installed, pupil
from tests.trading.rows import PASSWORD
from trading.models import ActiveModel, StrategyConfig
from trading.services import strategies, students

AGAIN = {"password": PASSWORD}


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def waiting(home, tmp_path, people, passing):  # noqa: F811
    return assessed(tmp_path / "s")


@pytest.fixture
def now_is_noon(monkeypatch):
    monkeypatch.setattr("models_ml.views.models.now", lambda: NOON)


def test_an_empty_desk_says_so(home, people):  # noqa: F811
    text = client_of(people["root"]).get("/models").content.decode()
    for word in ("No student is in place", "No candidate waits", "Nobody scores in shadow", "No evening has been"):
        assert word in text
    assert Client().get("/models").status_code == 302


def test_the_page_shows_place_candidate_challengers_and_past(waiting, tmp_path, people, now_is_noon):  # noqa: F811
    installed(tmp_path / "c", NOON, pupil(middle=51.0), role="challenger")
    installed(tmp_path / "d", NOON, pupil(middle=52.0))
    assessed(tmp_path / "e", pupil(middle=53.0), trained_until="2026-11-01")
    text = client_of(people["ML Lead"]).get("/models").content.decode()
    for word in (waiting.version, students.champion().version, students.challengers()[0].version, "not out of sample",
                 "ML Lead: nobody yet", "What you looked at, as ML Lead"):  # fmt: skip
        assert word in text
    assert "as Quant Lead" not in text


def test_a_person_signs_by_form_and_the_last_one_lets_an_administrator_promote(
    waiting, people, now_is_noon  # noqa: F811
):  # fmt: skip
    signed(waiting, people, but=("ML Lead",))
    form = {
        "role": "ML Lead",
        "decision": "approve",
        "note": "read it",
        "evidence": signing.evidence_of(waiting),
        **AGAIN,
    }
    answer = client_of(people["ML Lead"]).post(reverse("promotion_sign", args=[waiting.pk]), form, follow=True)
    assert "Your word is kept." in answer.content.decode()
    root = client_of(people["root"])
    assert f"Promote {waiting.version}" in root.get("/models").content.decode()
    root.post(reverse("promotion_promote", args=[waiting.pk]), AGAIN)
    assert students.champion().version == waiting.version


def test_what_the_service_refuses_the_page_tells(waiting, people, now_is_noon):  # noqa: F811
    form = {"role": "Quant Lead", "decision": "approve", "note": "x", "evidence": signing.evidence_of(waiting), **AGAIN}
    answer = client_of(people["root"]).post(reverse("promotion_sign", args=[waiting.pk]), form, follow=True)
    assert "not in the group" in answer.content.decode()
    answer = client_of(people["root"]).post(reverse("promotion_promote", args=[waiting.pk]), AGAIN, follow=True)
    assert "has not signed" in answer.content.decode()
    assert client_of(people["ML Lead"]).post(reverse("promotion_promote", args=[waiting.pk])).status_code == 403


def test_switching_off_on_and_back_needs_the_right_role(home, tmp_path, people, now_is_noon):  # noqa: F811
    installed(tmp_path / "a", NOON)
    installed(tmp_path / "b", NOON, pupil(middle=44.0))
    omar = User.objects.create_user("omar")
    omar.groups.add(Group.objects.get_or_create(name="operator")[0])
    assert (
        client_of(User.objects.create_user("vera")).post(reverse("models_disable"), {"reason": "x"}).status_code == 403
    )
    for name in ("models_rollback", "models_enable"):  # who signs for the desk may stop, no more
        assert client_of(people["ML Lead"]).post(reverse(name), {"reason": "x"}).status_code == 403
    client_of(omar).post(reverse("models_disable"), {"reason": "odd"})
    assert students.champion().disabled_reason == "odd"
    assert client_of(omar).post(reverse("models_enable"), {"reason": "x"}).status_code == 403
    client_of(people["root"]).post(reverse("models_enable"), {"reason": "fine"})
    assert students.champion().disabled_at is None
    client_of(omar).post(reverse("models_rollback"), {"reason": "back"})
    assert ActiveModel.objects.filter(role="champion").count() == 3


def test_a_proposal_is_approved_on_the_page(home, people, monkeypatch, now_is_noon):  # noqa: F811
    row = strategies.propose("intraday", {"rsi_low": 42}, note="evening", by="eod_learning", at=NOON)
    evenings.Evening.objects.create(
        date="2026-11-06", strategy="intraday", outcome="proposed", proposal=row, started_at=NOON, finished_at=NOON,
        changes=[{"rule": "threshold", "parameter": "rsi_low", "before": 40, "after": 42, "evidence": "lost",
                  "changed": True}],
    )  # fmt: skip
    assert "Approve intraday v1" in client_of(people["root"]).get("/models").content.decode()
    client_of(people["root"]).post(reverse("models_approve", args=[row.pk]), AGAIN)
    assert StrategyConfig.objects.get().status == "active"


def test_the_api_shows_and_signs_what_the_page_does(waiting, people):  # noqa: F811
    mala = client_of(people["ML Lead"])
    assert mala.get("/api/v1/models").json()["champion"] is None
    found = mala.get(f"/api/v1/models/promotions/{waiting.pk}").json()
    assert found["checklist"]["recommendation"] == "PROMOTE"
    body = {"role": "ML Lead", "decision": "approve", "note": "read it", "evidence": found["evidence"], **AGAIN}
    done = mala.post(f"/api/v1/models/promotions/{waiting.pk}/sign", body, content_type="application/json")
    assert (done.status_code, done.json()["counts"]) == (201, True)
    assert mala.get("/api/v1/models/promotions").json()["items"][0]["state"] == "review"
    assert mala.get("/api/v1/models/evenings").status_code == 200
    assert mala.post("/api/v1/models/rollback", {"reason": "x"}, content_type="application/json").status_code == 403


def test_the_admin_pages_open_and_change_nothing(waiting, people):  # noqa: F811
    root = client_of(people["root"])
    for name in ("promotion", "signoff", "evening"):
        assert root.get(f"/admin/models_ml/{name}/").status_code == 200
        assert root.get(f"/admin/models_ml/{name}/add/").status_code == 403
    assert root.get(f"/admin/models_ml/promotion/{waiting.pk}/change/").status_code == 200
