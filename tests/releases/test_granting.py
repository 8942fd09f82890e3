"""A role takes two administrators to give and one to take away, whoever asks and by whatever door."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.test import Client

from models_ml.services import checklists
from releases.core.roles import ROLES, WAIVERS
from releases.models import Happening, RoleGrant
from releases.models.guarded import plain
from releases.services import granting
from releases.services.happenings import password_handed_out
from sensequant import standalone
from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed
from sensequant.lib.security.models import SecurityEvent
from tests.trading.rows import PASSWORD

pytestmark = pytest.mark.django_db
ROLE = "Risk Manager"


@pytest.fixture
def cast():
    """Return two administrators and two others."""
    found = {name: User.objects.create_superuser(name, password=PASSWORD) for name in ("asha", "rafi")}
    return {**found, **{name: User.objects.create_user(name, password=PASSWORD) for name in ("tara", "omar")}}


def asked(cast, role=ROLE, by="asha", to="tara"):
    return granting.ask(cast[to], role, "joins the desk", by=cast[by], at=now())


def refused(told="second administrator"):
    return pytest.raises(IntegrityError, match=told)


def test_a_role_asked_for_by_one_is_given_by_another_and_both_stand_in_the_ledgers_rows(cast):
    row = asked(cast)
    assert not granting.has(cast["tara"], ROLE)
    granting.confirm(row.pk, by=cast["rafi"], at=now())
    assert granting.has(cast["tara"], ROLE)
    told = Happening.objects.filter(object="user tara", detail__role=ROLE).order_by("id")
    assert [(each.what, each.actor) for each in told] == [("role asked for", "asha"), ("role granted", "rafi")]


@pytest.mark.parametrize("who", ["asha", "tara", "omar"])
def test_neither_who_asked_nor_who_would_get_it_nor_somebody_else_confirms(cast, who):
    row = asked(cast)
    with pytest.raises(NotAllowed):
        granting.confirm(row.pk, by=cast[who], at=now())
    assert not granting.has(cast["tara"], ROLE)
    with pytest.raises(IntegrityError), transaction.atomic():
        plain(RoleGrant).filter(pk=row.pk).update(confirmed_by=cast[who], confirmed_at=now())


def test_nobody_asks_for_a_role_of_their_own(cast):
    with pytest.raises(NotAllowed, match="of their own"):
        asked(cast, to="asha")
    with pytest.raises(NotAllowed, match="no administrator"):
        asked(cast, by="omar")


def test_createsuperuser_makes_two_administrators_and_sends_a_third_to_them(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    for name in ("asha", "rafi"):
        call_command("createsuperuser", "--noinput", username=name, email="")
    with pytest.raises(CommandError, match="role_grant --ask NAME --role administrator"):
        call_command("createsuperuser", "--noinput", username="tara", email="")
    assert not User.objects.filter(username="tara").exists()


def test_the_database_gives_no_role_by_one_person(cast):
    tara, group = cast["tara"], Group.objects.get(name=ROLE)
    with refused(), transaction.atomic():
        tara.groups.add(group)
    with refused(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (%s, %s)", [tara.pk, group.pk])
    for flag in ("is_staff", "is_superuser"):
        with refused(), transaction.atomic():
            User.objects.filter(pk=tara.pk).update(**{flag: True})
    with refused(), transaction.atomic():
        User.objects.create_superuser("third", password=PASSWORD)
    with refused("keeps its name"), transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="another")


def test_a_request_is_neither_edited_nor_born_confirmed(cast):
    row = asked(cast)
    with refused("never edited"), transaction.atomic():
        plain(RoleGrant).filter(pk=row.pk).update(role="administrator")
    with refused("unconfirmed"), transaction.atomic():
        RoleGrant.objects.create(
            user=cast["omar"], role=ROLE, reason="x", asked_by=cast["asha"], asked_at=now(), confirmed_by=cast["rafi"],
            confirmed_at=now(),
        )  # fmt: skip


@pytest.mark.parametrize("by_hand", [False, True])
def test_one_person_takes_a_role_away_and_what_was_confirmed_once_gives_it_no_second_time(cast, by_hand):
    granting.confirm(asked(cast).pk, by=cast["rafi"], at=now())
    group = Group.objects.get(name=ROLE)
    if by_hand:
        cast["tara"].groups.remove(group)
    else:
        granting.take(cast["tara"], ROLE, "left", by=cast["asha"], at=now())
    assert not granting.has(cast["tara"], ROLE)
    with refused(), transaction.atomic():
        cast["tara"].groups.add(group)
    granting.confirm(asked(cast, by="rafi").pk, by=cast["asha"], at=now())
    assert granting.has(cast["tara"], ROLE)


def test_a_new_administrator_takes_two_and_the_two_stay_needed_when_one_is_left(cast):
    granting.confirm(asked(cast, "administrator").pk, by=cast["rafi"], at=now())
    tara = User.objects.get(username="tara")
    assert tara.is_superuser
    for name in ("rafi", "tara"):
        granting.take(User.objects.get(username=name), "administrator", "left", by=cast["asha"], at=now())
    with refused(), transaction.atomic():
        cast["omar"].groups.add(Group.objects.get(name=ROLE))


def test_a_lone_administrator_sets_the_desk_up():
    User.objects.create_superuser("asha", password=PASSWORD)
    User.objects.create_user("tara").groups.add(Group.objects.get(name=ROLE))
    assert granting.has(User.objects.get(username="tara"), ROLE)


def test_in_the_admin_one_asks_the_other_confirms_with_the_password_and_the_persons_page_gives_none(cast):
    asha, rafi = Client(), Client()
    asha.force_login(cast["asha"])
    rafi.force_login(cast["rafi"])
    tara = cast["tara"]
    page = {"username": "tara", "is_active": "on", "groups": [Group.objects.get(name=ROLE).pk],
            "date_joined_0": "2026-11-26", "date_joined_1": "10:00:00"}  # fmt: skip
    answer = asha.post(f"/admin/auth/user/{tara.pk}/change/", page)
    assert b"Risk Manager: a role needs a second administrator" in answer.content
    answer = asha.post(
        "/admin/releases/rolegrant/add/", {"user": tara.pk, "role": ROLE, "reason": "joins"}, follow=True
    )
    assert answer.status_code == 200
    row = RoleGrant.objects.get()
    assert (row.user, row.asked_by) == (tara, cast["asha"])
    action = {"action": "confirm", "_selected_action": [row.pk], "confirming": "1"}
    for client, password in ((rafi, "wrong"), (asha, PASSWORD)):
        client.post("/admin/releases/rolegrant/", {**action, "password": password})
        assert not granting.has(tara, ROLE)
    rafi.post("/admin/releases/rolegrant/", {**action, "password": PASSWORD})
    assert granting.has(tara, ROLE)
    asha.post(f"/admin/auth/user/{tara.pk}/change/", {**page, "groups": []})
    assert not granting.has(tara, ROLE)


def test_by_command_too(cast, tmp_path, capsys):
    word = tmp_path / "word"
    word.write_text(PASSWORD)
    call_command("role_grant", ask="tara", role=ROLE, reason="joins", by="asha", password_file=str(word))
    call_command("role_grant", confirm=RoleGrant.objects.get().pk, by="rafi", password_file=str(word))
    assert granting.has(cast["tara"], ROLE)
    call_command("role_grant", list=True)
    assert "Risk Manager for tara, asked by asha: granted" in capsys.readouterr().out
    call_command("role_grant", take="tara", role=ROLE, reason="left", by="asha", password_file=str(word))
    assert not granting.has(cast["tara"], ROLE)


def set_by(client, user, word, follow=False):
    return client.post(
        f"/admin/auth/user/{user.pk}/password/",
        {"usable_password": "true", "password1": word, "password2": word, "set-password": "1"}, follow=follow,
    )  # fmt: skip


@pytest.fixture
def asha(cast):
    client = Client()
    client.force_login(cast["asha"])
    return client


@pytest.mark.parametrize("role", [ROLE, "staff", "administrator"])
def test_one_administrator_never_sets_the_password_of_who_holds_a_role(cast, asha, role):
    if role != "administrator":
        granting.confirm(asked(cast, role).pk, by=cast["rafi"], at=now())
    whose = cast["rafi" if role == "administrator" else "tara"]
    answer = set_by(asha, whose, "asha-knows-this-one", follow=True)
    assert "no administrator sets the password of who holds a role" in answer.content.decode()
    assert asha.get(f"/admin/auth/user/{whose.pk}/password/").status_code == 302
    assert User.objects.get(pk=whose.pk).check_password(PASSWORD)
    told = SecurityEvent.objects.filter(kind="password of another refused").first()
    assert (told.who, told.detail) == ("asha", {"of": whose.username})


def test_who_administers_people_without_being_an_administrator_sets_nobodys_password(cast):
    granting.confirm(asked(cast, "staff", to="omar").pk, by=cast["rafi"], at=now())
    cast["omar"].user_permissions.add(Permission.objects.get(codename="change_user"))
    omar = Client()
    omar.force_login(User.objects.get(username="omar"))
    page = set_by(omar, cast["tara"], "omar-knows-this-one", follow=True).content.decode()
    assert "Omar is no administrator" in page
    assert User.objects.get(username="tara").check_password(PASSWORD)


def test_a_password_somebody_else_set_brings_no_role_until_its_bearer_chose_another(cast, asha):
    tara, word = cast["tara"], "asha-knows-this-one"
    set_by(asha, tara, word)
    row = asked(cast)
    with pytest.raises(NotAllowed, match="somebody else knows the password of tara"):
        granting.confirm(row.pk, by=cast["rafi"], at=now())
    client = Client()
    client.post("/login", {"username": "tara", "password": word})
    assert "Somebody else set the password you have" in client.get("/account").content.decode()
    client.post("/account/password", {"password": word, "new": PASSWORD, "again": PASSWORD})
    assert "Somebody else" not in client.get("/account").content.decode()
    granting.confirm(row.pk, by=cast["rafi"], at=now())
    assert granting.has(tara, ROLE)
    told = Happening.objects.filter(what="password changed", detail__id=tara.pk).order_by("id")
    assert [(each.actor, each.detail["handed_out"]) for each in told] == [("asha", True), ("tara", False)]


def test_who_forgot_the_password_loses_the_role_and_is_given_it_again_by_two(cast, asha):
    granting.confirm(asked(cast).pk, by=cast["rafi"], at=now())
    granting.take(cast["tara"], ROLE, "forgot the password", by=cast["asha"], at=now())
    set_by(asha, cast["tara"], "asha-knows-this-one")
    assert User.objects.get(username="tara").check_password("asha-knows-this-one")


def test_a_person_made_in_the_admin_chooses_a_password_before_a_role(cast, asha):
    word = "asha-knows-this-one"
    asha.post(
        "/admin/auth/user/add/", {"username": "nila", "usable_password": "true", "password1": word, "password2": word}
    )
    row = granting.ask(User.objects.get(username="nila"), ROLE, "joins", by=cast["asha"], at=now())
    with pytest.raises(NotAllowed, match="somebody else knows the password of nila"):
        granting.confirm(row.pk, by=cast["rafi"], at=now())


def test_a_lone_administrator_and_who_has_the_machine_set_passwords(db, monkeypatch):
    asha, tara = User.objects.create_superuser("asha", password=PASSWORD), User.objects.create_user("tara")
    tara.groups.add(Group.objects.get(name=ROLE))
    client = Client()
    client.force_login(asha)
    set_by(client, tara, "asha-knows-this-one")
    assert User.objects.get(username="tara").check_password("asha-knows-this-one")
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "typed-on-the-machine")
    call_command("changepassword", "tara")
    assert not password_handed_out(tara)


def test_a_prepared_desk_knows_every_role_that_signs_so_that_each_can_be_asked_for(cast):
    standalone.groups()
    for role in ("operator", *ROLES, *WAIVERS, *checklists.ROLES):
        assert role in granting.roles(), f"nobody can be {role}"
    granting.confirm(asked(cast, role="Head of Trading").pk, by=cast["rafi"], at=now())
    assert granting.has(cast["tara"], "Head of Trading")
