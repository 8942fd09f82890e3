"""``make run``, as a user meets it: a real process, real signals, a real port."""

import http.cookiejar
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from sensequant.config import ROOT

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Desk:
    """One running desk."""

    def __init__(self, home, **variables):
        self.port = variables.pop("PORT", str(free_port()))
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"SENSEQUANT_HOME": str(home), "ENV_FILE": os.devnull, "PORT": self.port, **variables}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "standalone"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_it_serves(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return urllib.request.urlopen(self.url + "/healthz", timeout=2).status
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"it does not serve: {self.process.poll()} {self.process.stderr.read()}")

    def end(self, number=signal.SIGTERM):
        """Send a signal; return the exit code, how long it took and what was printed."""
        start = time.monotonic()
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, time.monotonic() - start, out, err


@pytest.fixture
def desk(tmp_path):
    started = []

    def start(home=tmp_path / "home", **variables):
        started.append(Desk(home, **variables))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def log_in(url, password):
    """Log in as demo through the form and return the page that follows."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    form = opener.open(url + "/login", timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form).group(1)
    fields = {"csrfmiddlewaretoken": token, "username": "demo", "password": password, "next": "/settings"}
    body = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(url + "/login", body, {"Referer": url + "/login"})
    return opener.open(request, timeout=10)


def test_a_first_start_serves_lets_the_printed_user_in_and_stops_cleanly(desk, tmp_path):
    first = desk()
    assert first.until_it_serves() == 200
    password = (tmp_path / "home/demo_password").read_text()
    assert "SENTIMENT_PROVIDER_WEIGHTS" in log_in(first.url, password).read().decode()
    code, seconds, out, err = first.end(signal.SIGTERM)
    assert (code, err) == (0, "")
    assert seconds < 10
    assert first.url in out
    assert password in out
    assert "DEMO" in out
    assert stat.S_IMODE((tmp_path / "home/demo_password").stat().st_mode) == 0o600
    assert password not in (tmp_path / "home/logs/app.log").read_text()


def test_a_second_start_is_quick_and_keeps_user_and_data(desk, tmp_path):
    first = desk()
    first.until_it_serves()
    assert first.end(signal.SIGINT)[0] == 0
    password = (tmp_path / "home/demo_password").read_text()
    start = time.monotonic()
    second = desk()
    second.until_it_serves()
    assert time.monotonic() - start < 30  # a first start takes longer than any second one
    code, _, out, _ = second.end(signal.SIGINT)
    assert code == 0
    assert password in out


def test_a_second_desk_on_the_same_folder_is_refused(desk):
    first = desk()
    first.until_it_serves()
    second = desk()
    _, err = second.process.communicate(timeout=30)
    assert second.process.returncode == 1
    assert re.fullmatch(rf"error: a desk already runs on .*, process {first.process.pid} \(stop it.*\)\n", err)
    assert first.end()[0] == 0


def test_a_taken_port_is_one_line_that_names_it_and_the_way_out(desk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = desk(PORT=str(port))
        _, err = refused.process.communicate(timeout=30)
    assert refused.process.returncode == 2
    assert re.fullmatch(rf"error: port {port} on 127.0.0.1 cannot be used: .* PORT=8001 make run\)\n", err)


def test_ctrl_c_while_it_is_still_preparing_ends_it_at_once(desk):
    early = desk()
    time.sleep(1.0)
    code, seconds, _, _ = early.end(signal.SIGINT)
    assert code in (0, 130)
    assert seconds < 10
