"""Who starts something says again who they are; a second factor is never readable where it is kept."""

import dataclasses
import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django_otp.oath import totp

from sensequant.lib import identity
from sensequant.lib.errors import NotAllowed
from sensequant.lib.security import factors, models
from sensequant.lib.security.models import SecurityEvent

PASSWORD = "monsoon-in-mumbai"


@pytest.fixture
def asha(db):
    return User.objects.create_user("asha", password=PASSWORD)


@pytest.fixture
def clock(monkeypatch):
    """Move the moment codes are read at (their throttling keeps the real clock)."""
    from sensequant.lib import clock

    shift = {"s": 0}
    monkeypatch.setattr(models, "now", lambda: clock.now() + dt.timedelta(seconds=shift["s"]))
    return shift


def shown(user, clock):
    device = models.Authenticator.objects.get(user=user)
    return f"{totp(device.secret, t0=-clock['s']):06}"


@pytest.fixture
def enrolled(asha, clock):
    factors.begin(asha)
    asha.codes = factors.finish(asha, shown(asha, clock))
    clock["s"] += 60
    return asha


def refused(user, password, code=""):
    with pytest.raises(NotAllowed) as caught:
        identity.confirm(user, password, code)
    return str(caught.value)


def test_a_password_confirms_whoever_has_no_second_factor(asha):
    identity.confirm(asha, PASSWORD)
    assert "the password is not right" in refused(asha, "guessed")
    assert "nobody is logged in" in refused(AnonymousUser(), PASSWORD)
    asha.is_active = False
    assert "nobody is logged in" in refused(asha, PASSWORD)


def test_where_a_second_factor_is_required_the_password_alone_starts_nothing(asha, settings):
    settings.DESK = dataclasses.replace(settings.DESK, second_factor_required=True)
    assert "set one up on the page /account" in refused(asha, PASSWORD)


def test_a_code_is_needed_once_enrolled_and_taken_once(enrolled, clock):
    assert "a code is needed" in refused(enrolled, PASSWORD)
    code = shown(enrolled, clock)
    identity.confirm(enrolled, PASSWORD, f"{code[:3]} {code[3:]}")
    assert "used before" in refused(enrolled, PASSWORD, code)
    assert "wait" in refused(enrolled, PASSWORD, code)  # and wrong ones must be waited for


def test_a_recovery_code_is_good_once_and_its_throttle_is_its_own(enrolled):
    identity.confirm(enrolled, PASSWORD, enrolled.codes[3].upper())
    assert "used before" in refused(enrolled, PASSWORD, enrolled.codes[3])
    assert len(models.RecoveryCodes.objects.get().digests) == 9


def test_five_wrong_answers_hold_back_even_the_right_one_and_every_one_is_kept(asha, unguarded):
    for _ in range(5):
        refused(asha, "guessed")
    assert "too many" in refused(asha, PASSWORD)
    kinds = list(SecurityEvent.objects.values_list("kind", flat=True))
    assert kinds == [identity.HELD_BACK] + 5 * [identity.REFUSED]
    with connection.cursor() as cursor:  # a quarter of an hour later
        cursor.execute("UPDATE security_securityevent SET at = %s", ["2026-01-01 00:00:00+00:00"])
    identity.confirm(asha, PASSWORD)


def test_what_was_refused_is_neither_changed_nor_deleted(asha):
    refused(asha, "guessed")
    row = SecurityEvent.objects.get()
    for change in (row.save, row.delete, SecurityEvent.objects.all().delete):
        with pytest.raises(NotAllowed):
            change()
    with pytest.raises(NotAllowed):
        SecurityEvent.objects.update(who="somebody else")


def test_no_second_factor_is_readable_in_the_database(enrolled):
    device = models.Authenticator.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM security_authenticator")
        rows = repr(cursor.fetchall())
        cursor.execute("SELECT * FROM security_recoverycodes")
        rows += repr(cursor.fetchall())
    for secret in (device.secret.hex(), factors.written(device), *enrolled.codes):
        assert secret not in rows
        assert secret.replace("-", "") not in rows
    assert factors.written(device) in factors.address(device)


def test_a_factor_in_use_is_removed_before_another_is_begun(enrolled):
    with pytest.raises(NotAllowed, match="remove it first"):
        factors.begin(enrolled)
    factors.remove(enrolled)
    identity.confirm(enrolled, PASSWORD)
    with pytest.raises(NotAllowed, match="begin again"):
        factors.finish(enrolled, "123456")
