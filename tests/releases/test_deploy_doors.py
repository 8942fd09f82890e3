"""A release is put in force, looked at and left again on its page and over REST; what is refused is told, once done."""

import json

import pytest

from releases.models import Operation
from releases.services import watching
from tests.releases.deployed import EVENING, cast, deployed, later, signed, two
from tests.releases.world import PASSWORD
from trading.models import ReleasePointer
from trading.services import release_gate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def at(monkeypatch):
    """Doors read the clock here."""

    def moment(when):
        for door in DOORS:
            monkeypatch.setattr(f"{door}.now", lambda: when)

    return moment


DOORS = ["releases.views.releases", "releases.views.deploying", "releases.api.deploying"]


def in_force():
    row = ReleasePointer.objects.first()
    return row and row.release_id


def post(client, row, deed, **form):
    return client.post(
        f"/releases/{row.release_id}/{deed}", {"password": PASSWORD, **form}, follow=True
    ).content.decode()


def test_the_page_deploys_once_and_shows_the_watch(client, at):
    who = cast()
    old = deployed(who)
    new = signed(who, at=later(2), adx=30, name="audit_20261120_200000")
    name = new.release_id
    at(later(2))
    client.force_login(who["author"])
    page = client.get(f"/releases/{name}/").content.decode()
    assert "tara made this release" in page
    assert "Put it in force" not in page
    assert "cannot be deployed: tara made this release" in post(client, new, "deploy", typed=name)
    client.force_login(who["Engineering Lead"])
    assert "Put it in force" in client.get(f"/releases/{name}/").content.decode()
    assert "is not the release&#x27;s name" in post(client, new, "deploy", typed=old.release_id)
    assert "password is not right" in post(client, new, "deploy", typed=name, password="guess")
    assert in_force() == old.release_id
    page = post(client, new, "deploy", typed=name)
    assert "It is in force, and watched from now on." in page
    assert "48.0 hours" in page
    assert "No check yet." in page
    assert "it is active, not approved" in post(client, new, "deploy", typed=name), "sent twice, done once"
    assert Operation.objects.filter(release=new).count() == 1
    watching.look(at=later(2.5), force=True)
    assert "files, parameters and student are the released ones" in client.get(f"/releases/{name}/").content.decode()


def test_the_page_goes_back_once_and_says_who_may_not(client, at):
    who = cast()
    old, new = two(who)
    name = new.release_id
    at(later(3))
    client.force_login(who["Business Owner"])
    assert "Go back" not in client.get(f"/releases/{name}/").content.decode()
    assert "may not roll back" in post(client, new, "rollback", typed=name, reason="prices")
    client.force_login(who["Risk Manager"])
    assert "no reason was given" in post(client, new, "rollback", typed=name, reason=" ")
    assert "It is left" in post(client, new, "rollback", typed=name, reason="prices look wrong")
    assert in_force() == old.release_id
    assert release_gate.verified(ReleasePointer.objects.get()) == []
    assert "is the first release" in post(client, new, "rollback", typed=name, reason="prices look wrong")
    assert client.post("/releases/release_20200101_000000/deploy").status_code == 404


def test_a_risk_manager_overrides_on_the_page_what_may_wait_and_nothing_else(client, at, monkeypatch):
    who = cast()
    row = signed(who)
    at(EVENING)
    monkeypatch.setattr("releases.services.deploying.watched.held", lambda: ["TCS (10)"])
    client.force_login(who["Engineering Lead"])
    assert "A Risk Manager overrides" in client.get(f"/releases/{row.release_id}/").content.decode()
    form = {"typed": row.release_id, "override_password": PASSWORD, "override_reason": "the session must not wait"}
    assert "held or working: TCS (10)" in post(client, row, "deploy", **{**form, "override_by": ""})
    assert "business cannot override" in post(client, row, "deploy", **form, override_by="business")
    assert "no user" in post(client, row, "deploy", **form, override_by="nobody")
    assert in_force() is None
    assert "It is in force" in post(client, row, "deploy", **form, override_by="risk")
    assert Operation.objects.get().override == {"by": "risk", "reason": "the session must not wait"}


def test_the_same_over_rest(client, at):
    who = cast()
    old, new = two(who)
    path = f"/api/v1/releases/{new.release_id}"
    at(later(3))

    def ask(deed, **body):
        answer = client.post(f"{path}/{deed}", json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    client.force_login(who["Engineering Lead"])
    assert client.get("/api/v1/releases/status").json()["watch"]["release_id"] == new.release_id
    watching.look(at=later(3), force=True)
    assert [each["action"] for each in client.get(f"{path}/checks").json()["items"]] == ["none"]
    status, told = ask("deploy", typed=new.release_id, password=PASSWORD)
    assert (status, "it is active, not approved" in str(told)) == (409, True)
    assert ask("rollback", reason="prices", password="guess")[0] == 409
    client.force_login(who["Business Owner"])
    assert "may not roll back" in str(ask("rollback", reason="prices", password=PASSWORD))
    client.force_login(who["Risk Manager"])
    status, told = ask("rollback", reason="prices look wrong", password=PASSWORD)
    assert (status, told["release_id"], told["state"]) == (201, old.release_id, "done")
    assert told["steps"][-1]["step"] == "record"
    assert client.get("/api/v1/releases/status").json()["active"]["release_id"] == old.release_id
    assert client.get("/api/v1/releases/release_20200101_000000/checks").status_code == 404
