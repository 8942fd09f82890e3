"""The life of a key: made once, kept as a digest, used, expired, revoked."""

import datetime as dt
import io
import json
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.test import Client

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotFound
from tests.trading.api.conftest import bearer
from trading.core.errors import Invalid
from trading.models import ApiToken
from trading.services import tokens

DAY = dt.timedelta(days=1)


def status(key):
    return Client().get("/api/v1/health", headers=bearer(key)).status_code


def command(*words):
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("api_token", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return end.code, err.getvalue()
    return 0, out.getvalue()


def test_the_key_itself_is_nowhere_in_the_database(token):
    key = token()
    row = ApiToken.objects.get()
    assert len(key) >= 46
    assert all(key not in str(getattr(row, field.name)) for field in row._meta.fields)
    assert key.startswith(row.prefix)
    assert row.digest == tokens.digest(key)


def test_two_keys_are_never_alike(token):
    assert token() != token()


def test_a_key_ends_with_its_days(people, token, noon):
    key = token(days=2)
    at = ApiToken.objects.get().created_at
    assert tokens.authenticate(key, address="", at=at + 2 * DAY - dt.timedelta(seconds=1))
    assert tokens.authenticate(key, address="", at=at + 2 * DAY) is None


def test_a_revoked_key_is_refused_at_once_and_for_good(token):
    key = token()
    assert status(key) == 200
    first = tokens.revoke(key, by="asha", at=now())
    assert status(key) == 401
    again = tokens.revoke(key[:11], by="ravi", at=now() + DAY)
    assert (again.revoked_at, again.revoked_by) == (first.revoked_at, "asha")


def test_the_last_use_is_remembered_once_a_minute(people, token, noon):
    key = token()
    row = ApiToken.objects.get()
    assert row.last_used_at is None
    at = row.created_at
    for seconds in (0, 10, 50, 61):
        tokens.authenticate(key, address="", at=at + dt.timedelta(seconds=seconds))
    row.refresh_from_db()
    assert row.last_used_at == at + dt.timedelta(seconds=61)
    tokens.authenticate(key, address="", at=at + dt.timedelta(seconds=90))
    row.refresh_from_db()
    assert row.last_used_at == at + dt.timedelta(seconds=61)


def test_a_key_made_for_one_network_works_only_from_there(token):
    key = token(networks=["10.0.0.0/8", "192.168.1.20"])
    client = Client()
    assert client.get("/api/v1/health", headers=bearer(key), REMOTE_ADDR="10.2.3.4").status_code == 200
    assert client.get("/api/v1/health", headers=bearer(key), REMOTE_ADDR="127.0.0.1").status_code == 401
    assert client.get("/api/v1/health", headers=bearer(key), REMOTE_ADDR="").status_code == 401


def test_behind_a_proxy_of_ours_the_network_is_the_callers_not_the_proxys(token, settings):
    settings.DESK = replace(settings.DESK, trusted_proxies=1)
    key, ours = token(networks=["10.0.0.0/8"]), token("viewer", networks=["127.0.0.1"])
    for path in ("/api/v1/health", "/metrics"):
        ask = lambda key, told, path=path: Client().get(  # noqa: E731
            path, headers={**bearer(key), "X-Forwarded-For": told}
        ).status_code  # fmt: skip
        assert (ask(key, "10.2.3.4"), ask(key, "203.0.113.9"), ask(ours, "203.0.113.9")) == (200, 401, 401)
        assert ask(key, "10.2.3.4, 203.0.113.9") == 401  # only what our own proxy wrote counts


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "god"}, Invalid),
        ({"days": 0}, BadInput),
        ({"days": 91}, BadInput),
        ({"networks": ["next door"]}, BadInput),
        ({"scope": "admin"}, BadInput),
        ({"username": "nobody"}, NotFound),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_key(people, change, error):
    asked = {"username": "vera", "scope": "read", "days": 1, "by": "test", "at": now(), **change}
    with pytest.raises(error):
        tokens.issue(**asked)
    assert not ApiToken.objects.exists()


def test_the_command_makes_lists_and_revokes(people):
    code, out = command("create", "--user", "omar", "--scope", "trade", "--days", "7", "--name", "notebook", "--json")
    made = json.loads(out)
    assert (code, made["scope"], made["user"], made["state"]) == (0, "trade", "omar", "active")
    assert status(made["token"]) == 200
    listed = json.loads(command("list", "--json")[1])["tokens"]
    assert [each["prefix"] for each in listed] == [made["prefix"]]
    assert "token" not in listed[0]
    assert command("revoke", made["prefix"])[0] == 0
    assert status(made["token"]) == 401
    assert "revoked" in command("list", "--user", "omar")[1]
    assert command("list", "--user", "vera")[1].strip() == "no keys"


def test_the_command_shows_the_key_once(people):
    out = command("create", "--user", "vera")[1]
    assert out.startswith("sq_")
    assert "never shown again" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("create",), "--user"),
        (("create", "--user", "nobody"), "nobody"),
        (("create", "--user", "vera", "--scope", "admin"), "admin"),
        (("create", "--user", "vera", "--scope", "god"), "god"),
        (("create", "--user", "vera", "--days", "400"), "400"),
        (("revoke",), "no key"),
        (("revoke", "sq_nothing"), "sq_nothing"),
    ],
)
def test_the_command_says_in_one_line_what_cannot_be(people, words, named):
    code, err = command(*words)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err
