"""The same four refusals at every door: page, REST, admin; and the way of a release through them."""

import json

import pytest
from django.contrib.auth.models import User

from releases.core.roles import ROLES
from releases.models import Release, ReleaseSignOff
from releases.services import candidates, lifecycle, signing
from releases.services.collecting import Wanted
from sensequant.lib.clock import now
from tests.releases.world import PASSWORD, audit, audit_forged, people
from trading.core.rights import OPERATORS

ENGINEERING, RISK, BUSINESS = ROLES
AUDIT = "audit_20261123_113000"


@pytest.fixture
def cast(home, db, noon):
    audit(noon, flags=[])
    found = people()
    for name in ("author", *ROLES):
        User.objects.filter(pk=found[name].pk).update(is_staff=True)
    return found


@pytest.fixture
def row(cast):
    made = candidates.make(Wanted(summary="wider stops", student="none"), cast["author"], at=now())
    return candidates.judge(made.release_id, AUDIT, by="tara", at=now())


def page(client, row, **form):
    answer = client.post(f"/releases/{row.release_id}/sign", form, follow=True)
    return answer.content.decode()


def admin(client, row, **form):
    answer = client.post(f"/admin/releases/release/{row.pk}/sign/", form, follow=True)
    return answer.content.decode()


def rest(client, row, **form):
    answer = client.post(f"/api/v1/releases/{row.release_id}/sign", json.dumps(form), content_type="application/json")
    return answer.content.decode()


DOORS = {"page": page, "admin": admin, "rest": rest}


@pytest.mark.parametrize("door", DOORS)
def test_the_attacks_are_refused_at_every_door(client, row, cast, door):
    form = {
        "role": RISK,
        "decision": "approve",
        "note": "read it",
        "seen": signing.read_digest(row),
        "password": PASSWORD,
    }

    def tried(user, **changes):
        client.force_login(user)
        return DOORS[door](client, row, **{**form, **changes})

    assert "made this release and may not sign it" in tried(cast["author"])
    assert "not in the group" in tried(cast["root"])
    cast[RISK].groups.clear()
    assert "not in the group" in tried(cast[RISK]), "a revoked role"
    assert "changed since it was read" in tried(cast[ENGINEERING], role=ENGINEERING, seen="0" * 64)
    assert "password is not right" in tried(cast[ENGINEERING], role=ENGINEERING, password="guess")
    audit_forged(flags_sha256="e" * 64)
    assert "changed since it was read" in tried(cast[ENGINEERING], role=ENGINEERING), "a changed audit"
    assert ReleaseSignOff.objects.count() == 0
    now_read = signing.read_digest(Release.objects.get(pk=row.pk))
    tried(cast[ENGINEERING], role=ENGINEERING, seen=now_read)
    assert [each.role for each in ReleaseSignOff.objects.all()] == [ENGINEERING]


def test_a_release_goes_its_way_over_the_pages(client, cast):
    client.force_login(cast["author"])
    answer = client.post("/releases/make", {"kind": "minor", "summary": "wider stops", "student": "none"}, follow=True)
    made = Release.objects.get()
    text = answer.content.decode()
    assert "it was not audited" in text
    assert "strategies.json" in text
    client.post(f"/releases/{made.release_id}/judge", {"audit": AUDIT})
    assert "You made this release: you cannot sign it." in client.get(f"/releases/{made.release_id}/").content.decode()
    for role in ROLES:
        client.force_login(cast[role])
        seen = signing.read_digest(Release.objects.select_related("audit").get())
        text = client.get(f"/releases/{made.release_id}/").content.decode()
        assert f"Approve as {role}" in text
        assert seen in text
        form = {"role": role, "decision": "approve", "note": "read it", "seen": seen, "password": PASSWORD}
        assert "Your word is kept." in page(client, made, **form)
    assert "Audited and signed by three people" in client.get(f"/releases/{made.release_id}/").content.decode()
    client.post(f"/releases/{made.release_id}/manifest")
    row = lifecycle.find(made.release_id)
    assert row.manifest_path in client.get(f"/releases/{made.release_id}/").content.decode()
    assert client.get("/releases/release_20200101_000000/").status_code == 404


def test_wrong_words_in_the_form_are_told_and_make_nothing(client, cast):
    client.force_login(cast["author"])
    text = client.post("/releases/make", {"kind": "minor", "summary": "x", "configs": "seven"}, follow=True)
    assert "are no numbers" in text.content.decode()
    assert Release.objects.count() == 0


def test_a_release_goes_its_way_over_rest(client, cast):
    client.force_login(cast["author"])

    def post(path, **body):
        return client.post(f"/api/v1/releases{path}", json.dumps(body), content_type="application/json")

    made = post("", summary="wider stops", student="none").json()
    path = f"/{made['release_id']}"
    assert post(f"{path}/manifest").status_code == 409
    found = post(f"{path}/judge", audit_id=AUDIT).json()
    assert found["missing"] == [f"the {role} has not approved it" for role in ROLES]
    for role in ROLES:
        client.force_login(cast[role])
        found = post(f"{path}/sign", role=role, decision="approve", note="read it", seen=found["seen"],
                     password=PASSWORD).json()  # fmt: skip
    assert (found["state"], found["missing"]) == ("approved", [])
    assert post(f"{path}/manifest").json()["manifest_sha256"] != ""


def test_only_who_may_trade_makes_judges_and_writes(client, row, cast):
    client.force_login(User.objects.create_user("viewer", password=PASSWORD))
    for path in ("make", f"{row.release_id}/judge", f"{row.release_id}/manifest"):
        assert client.post(f"/releases/{path}").status_code == 403
    assert "New candidate" not in client.get("/releases").content.decode()
    assert OPERATORS not in cast[RISK].groups.values_list("name", flat=True)


def test_the_admin_shows_and_changes_nothing(client, row, cast):
    client.force_login(cast["root"])
    for model in ("release", "releaseevent", "releasesignoff", "signingkey"):
        text = client.get(f"/admin/releases/{model}/")
        assert text.status_code == 200
        assert b"delete_selected" not in text.content
        assert client.get(f"/admin/releases/{model}/add/").status_code == 403
    change = f"/admin/releases/release/{row.pk}/change/"
    assert "Sign this release" in client.get(change).content.decode()
    assert client.post(change, {"state": "active"}).status_code == 403
    assert "What you looked at" in client.get(f"/admin/releases/release/{row.pk}/sign/").content.decode()
