"""The tokens page and its twin over REST: a key is made by a person who says again who they are, and shown once."""

import re

import pytest
from django.test import Client

from tests.trading import rows
from tests.trading.api.conftest import bearer, send
from trading.models import ApiToken, StoredAnswer
from trading.services import tokens

pytestmark = pytest.mark.django_db
WORD = "monsoon in mumbai"
FORM = {"name": "notebook", "scope": "read", "days": "7", "networks": "10.0.0.0/8, 127.0.0.1", "password": WORD}
BODY = {"scope": "read", "days": 7, "name": "notebook", "password": WORD}


@pytest.fixture
def people():
    found = rows.people()
    for each in found.values():
        each.set_password(WORD)
        each.save()
    return found


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def shown(answer):
    return re.findall(r"sq_[A-Za-z0-9_\-]{43}", answer.content.decode())


def test_a_key_made_on_the_page_works_is_shown_once_and_ends_when_revoked(people):
    vera = logged_in(people["viewer"])
    assert "No key yet" in vera.get("/tokens").content.decode()
    made = vera.post("/tokens", FORM)
    (key,) = shown(made)
    assert (made.status_code, "no-store" in made["Cache-Control"]) == (200, True)
    assert Client().get("/api/v1/orders", headers=bearer(key)).status_code == 200
    page = vera.get("/tokens")
    assert shown(page) == []
    assert "notebook" in page.content.decode()
    assert "10.0.0.0/8, 127.0.0.1/32" in page.content.decode()
    assert vera.post(f"/tokens/{key[:11]}/revoke").status_code == 303
    assert Client().get("/api/v1/orders", headers=bearer(key)).status_code == 401


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "guess"}, "the password is not right"), ({"password": ""}, "your password again"),
        ({"scope": "admin"}, "has not the right"), ({"scope": "god"}, "god"), ({"days": "91"}, "91"),
        ({"days": "soon"}, "soon"), ({"networks": "next-door"}, "next-door"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_is_refused_with_the_form_as_it_was(people, change, said):
    answer = logged_in(people["viewer"]).post("/tokens", {**FORM, **change})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="notebook"' in answer.content.decode()
    assert WORD not in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_person_sees_and_ends_only_their_own_keys_and_staff_everybodys(people):
    (key,) = shown(logged_in(people["operator"]).post("/tokens", FORM))
    vera, asha = logged_in(people["viewer"]), logged_in(people["staff"])
    assert key[:11] not in vera.get("/tokens").content.decode()
    assert vera.get(f"/api/v1/tokens/{key[:11]}").status_code == 404
    vera.post(f"/tokens/{key[:11]}/revoke")
    assert ApiToken.objects.get().revoked_at is None
    assert key[:11] in asha.get("/tokens").content.decode()
    assert send(asha, f"/api/v1/tokens/{key[:11]}/revoke").json()["state"] == "revoked"


def test_over_rest_a_key_is_made_by_a_person_and_is_not_kept_with_its_answer(people):
    vera = logged_in(people["viewer"])
    assert send(vera, "/api/v1/tokens", {**BODY, "password": "guess"}).status_code == 409
    first = send(vera, "/api/v1/tokens", BODY, **{"Idempotency-Key": "once"})
    again = send(vera, "/api/v1/tokens", BODY, **{"Idempotency-Key": "once"})
    key = first.json()["token"]
    assert (first.status_code, again.status_code, again.json()["token"]) == (201, 201, "")
    assert ApiToken.objects.count() == 1
    kept = StoredAnswer.objects.get()
    assert key not in kept.body
    listed = vera.get("/api/v1/tokens").json()["items"]
    assert [each["prefix"] for each in listed] == [key[:11]]
    assert send(Client(), "/api/v1/tokens", BODY, **bearer(key)).status_code == 401
    assert tokens.digest(key) == ApiToken.objects.get().digest
