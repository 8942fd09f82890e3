"""A release moves by legal moves only, each kept; what was written stays, whoever comes with SQL or a queryset."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction

from releases.core.roles import ROLES
from releases.core.states import NEXT
from releases.models import Release, ReleaseEvent
from releases.models.guarded import plain
from releases.services import lifecycle
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.releases.world import audit, people, release


@pytest.fixture
def draft(db, noon):
    return release(User.objects.create_user("tara"), noon)


def by_sql(text, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


def test_every_state_that_can_be_reached_is_a_state():
    assert {each for following in NEXT.values() for each in following} <= set(NEXT)


def test_a_move_is_kept_with_who_and_why(draft, noon):
    event = lifecycle.advance(draft, "aborted", by="tara", reason="the bars were wrong", at=noon)
    assert (event.old, event.new, event.by, event.at) == ("draft", "aborted", "tara", noon)
    assert lifecycle.find(draft.release_id).state == draft.state == "aborted"
    with pytest.raises(NotAllowed, match="is aborted and cannot become draft"):
        lifecycle.advance(draft, "draft", by="tara", reason="again", at=noon)


def test_a_move_needs_a_reason_and_a_release_that_is_there(draft, noon):
    with pytest.raises(BadInput, match="no reason"):
        lifecycle.advance(draft, "aborted", by="tara", reason=" ", at=noon)
    with pytest.raises(NotFound, match="no release 'release_1'"):
        lifecycle.find("release_1")


def test_of_two_who_move_it_one_is_told(draft, noon):
    other = Release.objects.get(pk=draft.pk)
    lifecycle.advance(draft, "aborted", by="tara", reason="no", at=noon)
    with pytest.raises(NotAllowed, match="no longer draft"):
        lifecycle.advance(other, "aborted", by="omar", reason="no", at=noon)
    assert ReleaseEvent.objects.count() == 1


def test_the_orm_refuses_to_edit_and_to_delete(draft, noon):
    lifecycle.advance(draft, "aborted", by="tara", reason="no", at=noon)
    harms = (
        lambda rows: rows.update(pk=9), lambda rows: rows.delete(), lambda rows: rows.first().save(),
        lambda rows: rows.first().delete(), lambda rows: rows.bulk_create([]), lambda rows: rows.bulk_update([], []),
    )  # fmt: skip
    for rows in (Release.objects.all(), ReleaseEvent.objects.all(), draft.events.all()):
        for harm in harms:
            with pytest.raises(NotAllowed, match="cannot be"):
                harm(rows)


@pytest.mark.parametrize("harm", [
    "UPDATE releases_release SET summary = 'other'",
    "UPDATE releases_release SET content = '{}'",
    "UPDATE releases_release SET author_id = author_id + 1",
    "UPDATE releases_release SET state = 'active'",
    "UPDATE releases_release SET state = 'signing'",
    "UPDATE releases_release SET manifest_sha256 = 'f'",
    "DELETE FROM releases_release",
    "UPDATE releases_releaseevent SET reason = 'none'",
    "DELETE FROM releases_releaseevent",
])  # fmt: skip
def test_the_database_refuses_it_too(draft, noon, harm):
    plain(Release).filter(pk=draft.pk).update(audit=audit(noon))
    lifecycle.advance(draft, "audited", by="tara", reason="audited", at=noon)
    if harm.endswith("'signing'"):
        lifecycle.advance(draft, "aborted", by="tara", reason="no", at=noon)
    with pytest.raises(IntegrityError):
        by_sql(harm)


def test_without_signatures_nothing_is_approved_whatever_a_service_says(draft, noon):
    plain(Release).filter(pk=draft.pk).update(audit=audit(noon))
    for state in ("audited", "signing"):
        lifecycle.advance(draft, state, by="tara", reason="on", at=noon)
    with pytest.raises(IntegrityError, match="three people"), transaction.atomic():
        lifecycle.advance(draft, "approved", by="tara", reason="on", at=noon)


def test_the_groups_of_those_who_sign_are_there(db):
    assert set(ROLES) <= set(Group.objects.values_list("name", flat=True))


def test_the_page_and_the_api_list_releases(client, draft):
    client.force_login(draft.author)
    page = client.get("/releases").content.decode()
    assert draft.release_id in page
    assert "wider stops" in page
    found = client.get("/api/v1/releases").json()["items"]
    assert [(each["release_id"], each["author"], each["audit_id"]) for each in found] == [
        (draft.release_id, "tara", None)
    ]
    assert client.get(f"/api/v1/releases/{draft.release_id}").json()["state"] == "draft"
    assert client.get("/api/v1/releases/release_20200101_000000").status_code == 404


def test_the_page_says_when_there_is_none(client, db):
    client.force_login(people()["root"])
    assert "Nothing was released yet" in client.get("/releases").content.decode()
