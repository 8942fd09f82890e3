"""Secrets are hidden by name, by value and by shape; ordinary words stay."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib import redact
from sensequant.lib.redact import HIDDEN


@pytest.fixture(autouse=True)
def _fresh():
    before = set(redact._values)
    yield
    redact.forget()
    redact.register(before)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "BREEZE_API_KEY",
        "breeze_session_token",
        "X-Checksum",
        "Authorization",
        "apikey",
        "csrf_cookie",
        "secret",
    ],
)
def test_what_is_named_like_a_secret_is_hidden_whole(name):
    assert redact.value({name: "abc", "deep": [{name: {"x": "abc"}}]}) == {name: HIDDEN, "deep": [{name: HIDDEN}]}


@pytest.mark.parametrize(
    "words",
    [
        "Authorization: Bearer qwertyuiop",
        "authorization=Basic dXNlcjpxd2VydHl1aW9w",
        "'Authorization': 'Token qwertyuiop'",
        "sent Bearer qwertyuiop to them",
        "api_key=qwertyuiop&x=1",
        '{"session_token": "qwertyuiop"}',
        "redis://:qwertyuiop@host:6379/0",
        "postgres://desk:qwertyuiop@host/desk",
        "https://hooks.slack.com/services/T0/B0/qwertyuiop",
        "SMTP password: qwertyuiop",
    ],
)
def test_what_is_shaped_like_a_secret_is_hidden(words):
    assert "qwertyuiop" not in redact.text(words)


@pytest.mark.parametrize(
    "words",
    [
        "basic statistics of RELIANCE",
        "the token was refused",
        "a bearer of news",
        "price=2456.75",
        "http://127.0.0.1:8000/",
    ],
)
def test_ordinary_words_stay(words):
    assert redact.text(words) == words


@given(st.text(min_size=6, alphabet=st.characters(codec="ascii", categories=["L", "N"])), st.text(), st.text())
def test_a_registered_value_is_found_anywhere(secret, before, after):
    redact.forget()
    redact.register([secret])
    shown = json.dumps(redact.value({"a": [before + secret + after], "b": secret}))
    assert secret not in shown.replace("hidden", "")


def test_empty_secrets_and_flags_stay_readable():
    shown = {"password": "", "token": None, "api_key_set": True}
    assert redact.value(shown) == shown
