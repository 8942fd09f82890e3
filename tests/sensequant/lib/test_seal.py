"""Secrets at rest: only the key opens them, the key can be rotated, and it is not the one that signs sessions."""

import dataclasses
import datetime as dt
import io
import stat

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib import paths, seal
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.security import factors
from sensequant.lib.security.models import SecurityEvent
from trading.models import BrokerSession

CANARY = "canary-token-123456"


@pytest.fixture
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def keyed(settings):
    def give(text):
        settings.DESK = dataclasses.replace(settings.DESK, breeze_token_key=text)

    return give


def test_what_is_sealed_comes_back_and_is_not_readable_in_between(home):
    text = seal.seal({"token": CANARY})
    assert CANARY not in text
    assert seal.unseal(text) == {"token": CANARY}


@given(secret=st.dictionaries(st.text(max_size=9), st.text(max_size=40), max_size=4))
def test_whatever_is_sealed_comes_back(secret):
    assert seal.unseal(seal.seal(secret)) == secret


def test_the_key_is_made_once_in_a_file_only_its_owner_reads(home):
    text = seal.seal({"a": 1})
    file = home / seal.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    seal.unseal(text)
    assert file.read_text() == before


def test_a_rotated_key_still_opens_what_was_sealed_before_and_a_lost_one_does_not(home):
    text = seal.seal({"token": CANARY})
    seal.rotate()
    assert seal.unseal(text) == {"token": CANARY}
    fresh = seal.reseal(text)
    keys = (home / seal.FILE).read_text().split(",")
    paths.write_private(home / seal.FILE, keys[0])
    assert seal.unseal(fresh) == {"token": CANARY}
    with pytest.raises(NotAllowed, match="cannot be opened"):
        seal.unseal(text)


def test_a_key_of_the_settings_is_used_and_cannot_be_rotated_by_us(home, keyed):
    keyed(Fernet.generate_key().decode())
    assert seal.unseal(seal.seal({"a": "b"})) == {"a": "b"}
    assert not (home / seal.FILE).exists()
    with pytest.raises(NotAllowed, match="BREEZE_TOKEN_KEY"):
        seal.rotate()


def test_a_key_that_is_none_is_refused_with_the_way_to_make_one(home, keyed):
    keyed("not a key")
    with pytest.raises(BadInput, match=r"Fernet\.generate_key"):
        seal.seal({"a": 1})


def test_a_changed_letter_is_noticed(home):
    text = seal.seal({"a": 1})
    other = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    with pytest.raises(NotAllowed):
        seal.unseal(other)


def test_a_key_file_others_can_read_is_refused(home):
    seal.seal({"a": 1})
    (home / seal.FILE).chmod(0o644)
    with pytest.raises(NotAllowed, match="chmod 600"):
        seal.seal({"a": 1})


def test_a_sealed_text_names_its_key_and_one_from_before_names_had_meaning_still_opens(home):
    seal.seal({})
    old = Fernet((home / seal.FILE).read_text()).encrypt(b'{"a": 1}').decode()
    assert (seal.sealed_with(old), seal.unseal(old)) == ("", {"a": 1})
    text = seal.seal({"a": 2})
    name = seal.rotate()
    assert seal.sealed_with(text) != name
    assert seal.sealed_with(seal.reseal(text)) == seal.sealed_with(seal.seal({})) == name
    assert seal.unseal(seal.reseal(old)) == {"a": 1}


@pytest.mark.django_db
def test_rotating_seals_every_row_anew_and_the_database_never_holds_the_canary(home, noon):
    user = User.objects.create_user("asha")
    device = factors.begin(user)
    secret = device.secret
    row = BrokerSession.objects.create(
        sealed=seal.seal({"token": CANARY}), obtained_at=noon, expires_at=noon + dt.timedelta(hours=1)
    )
    first = seal.sealed_with(row.sealed)
    call_command("rotate_keys", stdout=io.StringIO())
    row.refresh_from_db()
    device.refresh_from_db()
    assert first not in {seal.sealed_with(row.sealed), seal.sealed_with(device.sealed)}
    assert list(seal.keys()) == [seal.sealed_with(row.sealed)]
    assert (seal.unseal(row.sealed), device.secret) == ({"token": CANARY}, secret)
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    assert CANARY not in out.getvalue()
    assert secret.hex() not in out.getvalue()
    assert SecurityEvent.objects.get(kind="keys rotated").detail["sealed"]["second factors"] == 1
