"""Nobody signs for another, for themselves, twice, late, unread, or without the role; what changes then is void."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from releases.core.roles import ROLES
from releases.models import Release, ReleaseSignOff, SigningKey
from releases.models.guarded import plain
from releases.services import candidates, lifecycle, people_keys, signing
from releases.services.signing import Proof, Word
from sensequant.lib import manifests, paths
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from tests.releases.world import PASSWORD, audit, audit_forged, people, release

ENGINEERING, RISK, BUSINESS = ROLES


@pytest.fixture
def cast(home, db):
    return people()


@pytest.fixture
def row(cast, noon):
    content = {"release_id": "release_20261123_120000", "kept": [1, {"b": 1, "a": 2}]}
    made = release(cast["author"], noon, content=content, content_sha256=manifests.digest(content))
    audit(noon)
    return candidates.judge(made.release_id, "audit_20261123_113000", by="tara", at=noon)


def says(row, user, role, *, at, password=PASSWORD, **changes):
    told = {"decision": "approve", "note": "read it", "seen": signing.read_digest(row), **changes}
    return signing.sign(row.release_id, user, Word(role, **told), Proof(password), at=at)


def all_sign(row, cast, at, but=()):
    for role in ROLES:
        if role not in but:
            says(row, cast[role], role, at=at)
    return lifecycle.find(row.release_id)


def test_three_people_sign_and_it_is_approved(row, cast, noon):
    states = []
    for role in ROLES:
        assert f"the {role} has not approved it" in signing.missing(row, at=noon)
        says(row, cast[role], role, at=noon)
        states.append(lifecycle.find(row.release_id).state)
    assert states == ["signing", "signing", "approved"]
    assert signing.missing(row, at=noon) == []
    assert [event.new for event in row.events.all()] == ["audited", "signing", "approved"]
    assert all(each.is_sound and each.key.user_id == each.user_id for each in row.sign_offs.all())


@pytest.mark.parametrize(("who", "role", "changes", "words"), [
    ("author", RISK, {}, "made this release and may not sign it"),
    ("root", RISK, {}, "not in the group"),
    (ENGINEERING, RISK, {}, "not in the group 'Risk Manager'"),
    (RISK, "Janitor", {}, "cannot 'approve'"),
    (RISK, RISK, {"decision": "maybe"}, "cannot 'maybe'"),
    (RISK, RISK, {"note": " "}, "no note"),
    (RISK, RISK, {"seen": "0" * 64}, "changed since it was read"),
    (RISK, RISK, {"password": "guess"}, "password is not right"),
    (RISK, RISK, {"password": ""}, "needs your password again"),
])  # fmt: skip
def test_who_may_not_sign_is_told_why(row, cast, noon, who, role, changes, words):
    with pytest.raises((NotAllowed, BadInput), match=words):
        says(row, cast[who], role, at=noon, **changes)
    assert ReleaseSignOff.objects.count() == 0
    assert lifecycle.find(row.release_id).state == "audited"


def test_one_person_holds_one_role_and_one_role_one_person(row, cast, noon):
    both = User.objects.create_user("both", password=PASSWORD)
    both.groups.set(Group.objects.filter(name__in=ROLES))
    says(row, both, RISK, at=noon)
    for role, who in ((ENGINEERING, both), (RISK, cast[RISK])):
        with pytest.raises(NotAllowed, match="has signed as Risk Manager already"):
            says(row, who, role, at=noon)


def test_one_rejection_ends_it(row, cast, noon):
    all_sign(row, cast, noon, but=(BUSINESS,))
    says(row, cast[BUSINESS], BUSINESS, at=noon, decision="reject", note="no capital")
    assert lifecycle.find(row.release_id).state == "refused"
    assert "it was rejected" in signing.missing(row, at=noon)
    with pytest.raises(NotAllowed, match="is refused"):
        says(row, cast[ENGINEERING], ENGINEERING, at=noon)


def test_open_flags_can_be_rejected_only(row, cast, noon):
    audit_forged(deployment_ready=False)
    with pytest.raises(NotAllowed, match="open flags"):
        says(row, cast[RISK], RISK, at=noon)
    says(row, cast[RISK], RISK, at=noon, decision="reject")
    assert lifecycle.find(row.release_id).state == "refused"


VOIDS = {
    "role taken away": lambda cast: cast[RISK].groups.clear(),
    "switched off": lambda cast: User.objects.filter(pk=cast[RISK].pk).update(is_active=False),
    "audit exchanged": lambda cast: audit_forged(bundle_sha256="e" * 64),
    "flags worse": lambda cast: audit_forged(flags_sha256="e" * 64),
    "bundle edited": lambda cast: (paths.home() / "release/audit_20261123_113000/metrics.json").write_text("{ }"),
    "flags open": lambda cast: audit_forged(deployment_ready=False),
}


@pytest.mark.parametrize("harm", VOIDS)
def test_what_changes_after_signing_voids_it(row, cast, noon, harm):
    row = all_sign(row, cast, noon)
    VOIDS[harm](cast)
    assert signing.missing(row, at=noon) != []
    if harm in ("role taken away", "switched off", "flags open", "bundle edited"):
        return
    with pytest.raises(IntegrityError, match="three people"), transaction.atomic():
        lifecycle.advance(row, "staged", by="omar", reason="on", at=noon)


def test_a_signature_lives_72_hours_and_can_be_given_again(row, cast, noon):
    row = all_sign(row, cast, noon)
    assert signing.missing(row, at=noon + dt.timedelta(hours=72)) == []
    late = noon + dt.timedelta(hours=73)
    assert len(signing.missing(row, at=late)) == 3
    all_sign(row, cast, late)
    assert signing.missing(row, at=late) == []
    assert ReleaseSignOff.objects.exclude(revoked_at=None).count() == 3


def test_another_audit_voids_what_was_signed(row, cast, noon):
    row = all_sign(row, cast, noon)
    audit(noon, "audit_20261123_140000")
    row = candidates.judge(row.release_id, "audit_20261123_140000", by="tara", at=noon)
    assert (row.state, row.sign_offs.filter(revoked_at=None).count(), row.sign_offs.count()) == ("audited", 0, 3)
    assert all_sign(row, cast, noon).state == "approved"


def test_a_changed_password_brings_a_new_key_and_keeps_the_old_signature(row, cast, noon):
    says(row, cast[RISK], RISK, at=noon)
    cast[RISK].set_password("another-monsoon")
    cast[RISK].save()
    late = noon + dt.timedelta(hours=73)
    says(row, cast[RISK], RISK, at=late, password="another-monsoon")
    old, new = SigningKey.objects.order_by("id")
    assert (old.revoked_reason, new.revoked_at) == ("the password it was sealed with was changed", None)
    assert all(each.is_sound for each in row.sign_offs.all())
    says(row, cast[ENGINEERING], ENGINEERING, at=late)
    assert SigningKey.objects.filter(user=cast[ENGINEERING]).count() == 1


# past the service


def forged(row, user, role, **changes):
    """A row as somebody with the ORM would make it from one that was really signed."""
    base = {
        each.attname: getattr(row, each.attname) for each in ReleaseSignOff._meta.concrete_fields if each.name != "id"
    }
    return {**base, "role": role, "user_id": user.pk, "name": user.username, **changes}


def test_the_orm_cannot_sign_for_anybody(row, cast, noon):
    mine = says(row, cast[RISK], RISK, at=noon)
    with pytest.raises((NotAllowed, ValidationError), match="not what the person's key signed"):
        ReleaseSignOff.objects.create(**forged(mine, cast[ENGINEERING], ENGINEERING))
    other = ReleaseSignOff(**forged(mine, cast[BUSINESS], BUSINESS))
    harms = (
        lambda: row.sign_offs.update(decision="approve"), lambda: row.sign_offs.all().delete(), mine.save, mine.delete,
        lambda: ReleaseSignOff.objects.bulk_create([other]),
    )  # fmt: skip
    for harm in harms:
        with pytest.raises(NotAllowed, match="cannot be"):
            harm()
    with pytest.raises(ProtectedError):
        cast[RISK].delete()


def by_sql(row, **changes):
    """Copy a signature by SQL with some columns changed, as somebody with the database's password would."""
    names = [each.column for each in ReleaseSignOff._meta.concrete_fields if each.column != "id"]
    picked = ", ".join("%s" if name in changes else name for name in names)
    values = [changes[name] for name in names if name in changes]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO releases_releasesignoff ({', '.join(names)}) SELECT {picked} FROM releases_releasesignoff "  # noqa: S608
            "WHERE id = %s", [*values, row.pk],
        )  # fmt: skip


def test_the_database_refuses_what_no_service_would_write(row, cast, noon):
    mine = says(row, cast[RISK], RISK, at=noon)
    key = SigningKey.objects.get()
    own = {name: people_keys.of(cast[name], PASSWORD, at=noon)[0] for name in ("author", "root", ENGINEERING)}

    def as_(name, role):
        return {"user_id": cast[name].pk, "role": role, "key_id": own[name].pk, "public_key": own[name].public}

    for words, changes in {
        "author of a release does not sign": as_("author", BUSINESS),
        "only who holds the role": as_("root", BUSINESS),
        "sign with their own key": {**as_(ENGINEERING, ENGINEERING), "key_id": key.pk},
        r"(?i)unique": {"note": "again"},
        "is of what is there": {**as_(ENGINEERING, ENGINEERING), "content_sha256": "0" * 64},
    }.items():
        with pytest.raises(IntegrityError, match=words):
            by_sql(mine, **changes)
    for sql in ("UPDATE releases_releasesignoff SET decision = 'reject'", "DELETE FROM releases_releasesignoff",
                "UPDATE releases_signingkey SET sealed = 'x'", "DELETE FROM releases_signingkey",
                "UPDATE releases_releasesignoff SET user_id = user_id + 1"):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_content_that_somebody_changed_in_the_database_is_not_approved(row, cast, noon):
    all_sign(row, cast, noon, but=(BUSINESS,))
    with pytest.raises(IntegrityError, match="never edited"), transaction.atomic():
        plain(Release).filter(pk=row.pk).update(content={"release_id": "other"})
    with connection.cursor() as cursor:  # as its owner, who can take the guard away
        on = " ON releases_release" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER guard_releases_release_fixed{on}")
    plain(Release).filter(pk=row.pk).update(content={"release_id": "other"})
    assert "its content is not what it was made of" in signing.missing(row, at=noon)
    with pytest.raises(SenseQuantError, match="changed since it was read"):
        says(lifecycle.find(row.release_id), cast[BUSINESS], BUSINESS, at=noon)
