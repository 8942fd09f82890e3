"""A desk that others reach: what it must have before it starts, and what its answers wear. Every line of the checklist
has a story that exists."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest

from sensequant import config
from sensequant.config import ROOT
from sensequant.lib.errors import NotAllowed
from sensequant.limits import STOPPING
from trading.services import egress

GOOD = {
    "SECRET_KEY": "Zk3-9qPw_" * 8, "BIND_ADDRESS": "10.0.0.5", "ALLOWED_HOSTS": "desk.example", "BEHIND_HTTPS": "true",
}  # fmt: skip
ASKED = (
    "import json, django; from django.core.management import call_command; django.setup();"
    "call_command('check', deploy=True, fail_level='WARNING');"
    "from django.conf import settings as s; from django.test import Client;"
    "a = Client().get('/healthz', headers={'host': 'desk.example'}, secure=True);"
    "b = Client().get('/login', headers={'host': 'desk.example'});"
    "names = ('DEBUG', 'SESSION_COOKIE_SECURE', 'SESSION_COOKIE_HTTPONLY', 'SESSION_COOKIE_SAMESITE',"
    "'CSRF_COOKIE_SECURE', 'CSRF_COOKIE_HTTPONLY', 'SESSION_COOKIE_NAME', 'CSRF_COOKIE_NAME',"
    "'SESSION_COOKIE_PATH', 'SESSION_COOKIE_DOMAIN', 'SESSION_COOKIE_AGE', 'ALLOWED_HOSTS');"
    "print(json.dumps({'headers': dict(a.headers), 'to': [b.status_code, b['Location']],"
    "**{n: getattr(s, n) for n in names}}))"
)


def problems(**changes):
    _, found = config.load({**GOOD, **changes})
    return {each.name for each in found}


@pytest.mark.once
def test_a_production_desk_passes_djangos_own_list_and_wears_every_header(tmp_path):
    env = {**GOOD, "SENSEQUANT_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "sensequant.settings", "ENV_FILE": "/dev/null"}  # fmt: skip  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASKED], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    headers = told["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert part in headers["Content-Security-Policy"]
    assert told["to"] == [301, "https://desk.example/login"]
    for name in ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY"):
        assert told[name] is True
    assert (told["SESSION_COOKIE_NAME"], told["CSRF_COOKIE_NAME"]) == ("__Host-session", "__Host-csrf")
    assert (told["SESSION_COOKIE_PATH"], told["SESSION_COOKIE_DOMAIN"]) == ("/", None)  # what __Host- asks for
    assert (told["SESSION_COOKIE_SAMESITE"], told["SESSION_COOKIE_AGE"], told["DEBUG"]) == ("Strict", 28_800, False)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"DEBUG": "true"}, "DEBUG"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-" + "x1y2z3w4v5u6" * 5}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme-" + "q1w2e3r4t5y6" * 5}, "SECRET_KEY"),
        ({"SECRET_KEY": "ab" * 40}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"REGISTERED_IP": "300.1.1.1"}, "REGISTERED_IP"),
    ],
)
def test_a_desk_that_others_reach_does_not_start_with_it(changes, name):
    assert problems() == set()
    assert name in problems(**changes)


@pytest.mark.parametrize("seen", ["198.51.100.7", "", "203.0.113.9"])
def test_live_starts_at_the_registered_address_only(settings, monkeypatch, seen):
    monkeypatch.setattr(egress, "seen", lambda: seen)
    egress.require()  # nothing is registered
    settings.DESK = dataclasses.replace(settings.DESK, registered_ip="203.0.113.9")
    if seen == "203.0.113.9":
        egress.require()
        return
    with pytest.raises(NotAllowed, match=seen or "unknown"):
        egress.require()


def test_what_the_echo_says_is_an_address_or_nothing(settings, page_that_says):
    for said, found in (("203.0.113.9\n", "203.0.113.9"), ("<html>", ""), ("x" * 100_000, "")):
        settings.DESK = dataclasses.replace(settings.DESK, egress_ip_url=page_that_says(said))
        assert egress.seen() == found
    settings.DESK = dataclasses.replace(settings.DESK, egress_ip_url="http://127.0.0.1:1/")
    assert egress.seen() == ""


@pytest.fixture
def page_that_says():
    """Serve one text on a port of this machine."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    open_ones = []

    def serve(text):
        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        open_ones.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in open_ones:
        server.shutdown()
        server.server_close()


def test_every_line_of_the_checklist_names_a_story_that_exists():
    text = (ROOT / "docs/threat-model.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    lines = [line for line in text.splitlines() if line.startswith("| 5.")]
    assert len(lines) >= 30
    assert all("tests/" in line for line in lines)
    for file, story in named:
        assert re.search(rf"\b(def|class) {story}\b", (ROOT / file).read_text()), f"{file}::{story}"


def test_every_address_that_stops_something_is_one():
    from django.urls import resolve

    for path in STOPPING:
        assert resolve(path)
