"""Coming in, staying in, going out: the code at login, the lock, sessions that end, sockets that end with them."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client
from django_otp.oath import totp

from sensequant.lib import clock
from sensequant.lib.security import models, sessions
from sensequant.lib.security.models import Authenticator, RecoveryCodes, SecurityEvent
from tests.sockets import socket
from tests.trading.rows import PASSWORD
from trading import consumers


@pytest.fixture
def asha(db):
    return User.objects.create_user("asha", password=PASSWORD)


@pytest.fixture
def later(monkeypatch):
    """Move every clock that sessions and codes are judged by."""
    shift = {"by": dt.timedelta()}
    moved = lambda: clock.now() + shift["by"]  # noqa: E731
    for place in ("middleware", "lib.security.models", "lib.security.receivers"):
        monkeypatch.setattr(f"sensequant.{place}.now", moved)
    monkeypatch.setattr(consumers, "now", moved)

    def move(**much):
        shift["by"] += dt.timedelta(**much)

    move.now = moved
    return move


def log_in(client, password=PASSWORD, code="", who="asha", **more):
    return client.post("/login", {"username": who, "password": password, "code": code}, **more)


def is_in(client):
    return client.get("/account").status_code == 200


def code_of(user, later):
    ahead = int((later.now() - clock.now()).total_seconds())
    return f"{totp(Authenticator.objects.get(user=user).secret, t0=-ahead):06}"


def enrol(client, user, later):
    client.post("/account/begin", {"password": PASSWORD})
    page = client.post("/account/finish", {"code": code_of(user, later)}).content.decode()
    later(seconds=60)
    return page


def test_a_second_factor_is_set_up_shown_once_asked_for_and_taken_away(asha, later):
    client, elsewhere = Client(), Client()
    log_in(client)
    log_in(elsewhere)
    client.post("/account/begin", {"password": "guessed"})
    assert not Authenticator.objects.exists()
    client.post("/account/begin", {"password": PASSWORD})
    assert "<svg" in client.get("/account").content.decode()
    before = client.session.session_key
    page = enrol(client, asha, later)
    assert page.count("-") > 30
    assert "Recovery codes" not in client.get("/account").content.decode()
    assert client.session.session_key != before  # another privilege, another key
    assert is_in(client)
    assert not is_in(elsewhere)


def test_the_code_is_asked_for_at_login_and_a_refusal_never_says_what_was_wrong(asha, later):
    client, fresh = Client(), Client()
    client.force_login(asha)
    enrol(client, asha, later)
    refusals = [log_in(fresh).content.decode(), log_in(fresh, "guessed", code_of(asha, later)).content.decode()]
    assert all("The name, the password or the code is not right" in each for each in refusals)
    assert not is_in(fresh)
    code = code_of(asha, later)
    log_in(fresh, code=code)
    assert is_in(fresh)
    log_in(replayed := Client(), code=code)
    assert not is_in(replayed)


def test_taking_the_second_factor_away_needs_it(asha, client, later):
    client.force_login(asha)
    enrol(client, asha, later)
    client.post("/account/remove", {"password": PASSWORD})
    assert Authenticator.objects.exists()
    later(seconds=60)
    Authenticator.objects.update(throttling_failure_count=0)
    client.post("/account/remove", {"password": PASSWORD, "code": code_of(asha, later)})
    assert not Authenticator.objects.exists()
    assert not RecoveryCodes.objects.exists()


def change(client, **told):
    new = "another-monsoon-song"
    page = client.post("/account/password", {"password": PASSWORD, "new": new, "again": new, **told}, follow=True)
    return page.content.decode()


def test_a_person_changes_the_password_here_and_stays_in_while_every_other_session_ends(asha):
    client, elsewhere = Client(), Client()
    log_in(client)
    log_in(elsewhere)
    before = client.session.session_key
    assert "The password is changed" in change(client)
    assert client.session.session_key != before
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    log_in(fresh := Client(), "another-monsoon-song")
    assert is_in(fresh)
    assert SecurityEvent.objects.filter(kind="password changed", who="asha").exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"password": "guessed"}, "the password is not right"),
        ({"again": "another-monsoon-sonk"}, "the two new passwords differ"),
        ({"new": PASSWORD, "again": PASSWORD}, "that is the password you have"),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "password1234", "again": "password1234"}, "too common"),
    ],
)
def test_a_password_that_will_not_do_is_refused_by_name_and_the_old_one_stays(asha, told, said):
    log_in(client := Client())
    assert said in change(client, **told)
    assert User.objects.get(pk=asha.pk).check_password(PASSWORD)


def test_who_has_a_second_factor_shows_it_to_change_the_password(asha, client, later):
    client.force_login(asha)
    enrol(client, asha, later)
    change(client)
    assert User.objects.get(pk=asha.pk).check_password(PASSWORD)
    later(seconds=60)
    Authenticator.objects.update(throttling_failure_count=0)
    assert "The password is changed" in change(client, code=code_of(asha, later))


def test_the_admin_sends_everybody_to_the_account_for_their_own_password(client, db):
    rafi = User.objects.create_superuser("rafi", password=PASSWORD)
    client.force_login(rafi)
    for path in ("/admin/password_change/", f"/admin/auth/user/{rafi.pk}/password/"):
        assert client.get(path)["Location"] == "/account"
    assert client.post("/admin/password_change/", {"new_password1": "x"}).status_code == 405


def test_the_admin_has_no_door_of_its_own(asha, client):
    answer = client.get("/admin/login/?next=/admin/auth/user/")
    assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Fadmin%2Fauth%2Fuser%2F")
    assert client.post("/admin/login/", {"username": "asha", "password": PASSWORD}).status_code == 405


def test_five_wrong_passwords_lock_the_name_from_there_and_from_nowhere_else(asha, client):
    inside = Client()
    inside.force_login(asha)
    for _ in range(5):
        last = log_in(client, "guessed")
    assert last.status_code == 429
    assert log_in(client).status_code == 429
    assert not is_in(client)
    assert log_in(client, who="ravi", password="guessed").status_code == 200  # other names are not held up
    assert is_in(inside)
    other = Client(REMOTE_ADDR="10.0.0.9")
    log_in(other)
    assert is_in(other)
    forged = Client(HTTP_X_FORWARDED_FOR="10.0.0.8")  # nobody vouches for this header
    assert log_in(forged).status_code == 429
    assert SecurityEvent.objects.filter(kind="login locked", who="asha").exists()


def test_a_lock_never_holds_the_kill_switch_up(asha, client):
    asha.groups.add(Group.objects.get_or_create(name="operator")[0])
    inside = Client()
    inside.force_login(asha)
    for _ in range(7):
        log_in(client, "guessed")
    answer = inside.post("/risk/kill", {"reason": "prices look wrong"}, follow=True)
    assert "The kill switch is on" in answer.content.decode()


def test_a_session_gets_a_new_key_at_login(asha, client):
    client.get("/login")
    client.session["planted"] = "yes"
    planted = client.session
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    log_in(client)
    assert client.session.session_key != planted.session_key
    assert not Session.objects.filter(pk=planted.session_key).exists()


def test_a_session_ends_when_idle_and_with_its_day(asha, later):
    client = Client()
    log_in(client)
    later(minutes=29)
    assert is_in(client)
    later(minutes=31)
    assert not is_in(client)
    log_in(client)
    for _ in range(19):
        later(minutes=25)
        assert is_in(client)
    later(minutes=10)
    assert not is_in(client)  # eight hours are over, idle or not
    assert not is_in(client)


@pytest.mark.parametrize(
    "change",
    [
        lambda user: user.groups.add(Group.objects.get_or_create(name="operator")[0]),
        lambda user: Group.objects.get_or_create(name="operator")[0].user_set.add(user),
        lambda user: User.objects.get(pk=user.pk).save() or setattr(user, "is_staff", True) or user.save(),
        lambda user: setattr(user, "is_active", False) or user.save(),
        lambda user: user.set_password("another-monsoon-song") or user.save(),
    ],
)
def test_another_privilege_ends_every_session(asha, client, change):
    client.force_login(asha)
    assert is_in(client)
    change(asha)
    assert not is_in(client)


@pytest.mark.django_db(transaction=True)
class TestSockets:
    """A socket lives no longer than its session."""

    async def test_logging_out_closes_the_persons_sockets_at_once(self, transactional_db):
        client = await self.someone()
        async with socket("/ws/live/", cookies=client.cookies.copy()) as one:
            await one.say({"do": "subscribe", "topic": "live"})
            await self.soon(client.post, "/logout")
            assert await self.end_of(one) == {"closed": consumers.STRANGER}

    async def test_an_idle_session_and_a_lost_second_factor_end_it_within_the_recheck(
        self, transactional_db, later, monkeypatch
    ):
        monkeypatch.setattr(consumers, "RECHECK", 0.1)
        client = await self.someone()
        async with socket("/ws/live/", cookies=client.cookies.copy()) as one:
            await self.soon(User.objects.get)
            later(minutes=31)
            assert await self.end_of(one) == {"closed": consumers.STRANGER}
        client = await self.someone("ravi")
        async with socket("/ws/live/", cookies=client.cookies.copy()) as one:
            await self.soon(self.confirmed, "ravi")
            assert await self.end_of(one) == {"closed": consumers.STRANGER}

    async def someone(self, name="asha"):
        def make():
            client = Client()
            client.force_login(User.objects.create_user(name, password=PASSWORD))
            return client

        consumers.LiveConsumer.open_sockets.clear()
        return await self.soon(make)

    @staticmethod
    async def soon(work, *args):
        from asgiref.sync import sync_to_async

        return await sync_to_async(work)(*args)

    @staticmethod
    def confirmed(name):
        models.Authenticator.objects.create(user=User.objects.get(username=name), name="x", sealed="x")

    @staticmethod
    async def end_of(one):
        while "closed" not in (said := await one.hear()):
            pass
        return said


def test_sessions_without_a_beginning_are_over(asha, client):
    client.force_login(asha)
    kept = client.session
    del kept[sessions.BEGAN]
    kept.save()
    assert not is_in(client)
