"""What is read, written or fetched: no file runs, no cell is a formula, no log line is forged, no name leads inside."""

import ast
import contextlib
import json
import logging
import socket
import threading
import time

import pytest

from monitoring.adapters import addresses, posting
from monitoring.adapters.words import NotSent
from sensequant.config import ROOT
from sensequant.lib import logs
from sensequant.lib.clock import now
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.security import events
from sensequant.lib.security.models import SecurityEvent
from sensequant.lib.tables import written
from tests.trading.pupils import pupil, sealed
from trading.adapters import student_files

CODE = [file for app in ("sensequant", "trading", "models_ml", "monitoring", "releases") for file in (ROOT / app).rglob("*.py")]  # fmt: skip  # noqa: E501
RUNS = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "skops"}
PICKLED = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."


def test_no_code_of_ours_loads_what_can_run():
    guilty = []
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            guilty += [f"{file.name}: {name}" for name in names if name.split(".")[0] in RUNS]
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                guilty += [] if getattr(node.value, "value", True) is False else [f"{file.name}: allow_pickle"]
            if isinstance(node, ast.Attribute) and node.attr in ("read_pickle", "to_pickle"):
                guilty.append(f"{file.name}: {node.attr}")
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("eval", "exec"):
                guilty.append(f"{file.name}: {node.func.id}")
    assert guilty == ["loader.py: exec"]  # the broker's SDK, as it was installed and pinned


def test_a_pickle_in_the_place_of_a_students_file_is_refused_and_one_beside_it_is_never_opened(tmp_path):
    folder, _ = sealed(tmp_path / "s", pupil())
    (folder / "student_model.pkl").write_bytes(PICKLED)
    with contextlib.suppress(SenseQuantError):
        student_files.load(folder)
    (folder / "student_model.pkl").unlink()
    student_files.load(folder)
    for file in list(folder.iterdir()):
        before = file.read_bytes()
        file.write_bytes(PICKLED)
        with pytest.raises((SenseQuantError, ValueError)):
            student_files.load(folder)
        file.write_bytes(before)
    (folder / next(iter(folder.iterdir())).name).rename(folder / "gone")
    with pytest.raises((SenseQuantError, ValueError)):
        student_files.load(folder)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_download_is_a_formula(cell):
    text = written([[cell]]).lstrip('"')
    assert text.startswith("'")


@pytest.mark.django_db
def test_nobody_forges_a_line_of_the_log(caplog, rf):
    request = rf.get("/orders/")
    request.path = '/orders/\n{"level": "INFO", "message": "all is well"}'
    events.note("refused", at=now(), request=request, who="eve\nroot", given="a\r\nb")
    record = next(each for each in caplog.records if each.name == "security")
    line = json.dumps(logs.entry(record))
    assert "\n" not in line
    assert json.loads(line)["context"]["who"] == "eve\nroot"
    assert "\n" not in SecurityEvent.objects.get().path
    assert logging.getLogger("security").isEnabledFor(logging.WARNING)


@pytest.mark.django_db
def test_a_flood_of_refusals_fills_no_disk():
    for n in range(events.MOST_ROWS + 20):
        events.note("refused", at=now(), address="10.0.0.1", n=n)
    assert SecurityEvent.objects.count() == events.MOST_ROWS


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "https://user@example.com/", "https://example.com:22/",
    "http://example.com/", "https:///x", "https://example.com:99999/",
])  # fmt: skip
def test_no_address_but_https_on_its_port_is_posted_to(url):
    with pytest.raises(NotSent):
        addresses.check(url, private=False)


@pytest.mark.parametrize("host", [
    "127.0.0.1", "0", "0x7f000001", "2130706433", "017700000001", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "169.254.169.254", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0",  # noqa: S104
    "fe80::1", "fc00::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "198.18.0.1", "240.0.0.1",
])  # fmt: skip
def test_no_address_of_our_own_network_is_connected_to(host):
    with pytest.raises(NotSent, match=r"not a public address|not known"):
        addresses.public_only(host, 443)


@pytest.fixture
def receiver():
    """Return the address of a receiver that does to one caller what it was told to."""
    doors = []

    def serving(does):
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)

        def serve():
            with contextlib.suppress(OSError):
                caller, _ = door.accept()
                with caller:
                    caller.recv(65_536)
                    does(caller)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{door.getsockname()[1]}/"

    yield serving
    for door in doors:
        door.close()


def endless(caller):
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(16_000):
        caller.sendall(b"x" * 65_536)


def dripping_head(caller):
    caller.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(600):
        caller.sendall(b"x")
        time.sleep(0.1)


def dripping_body(caller):
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    for _ in range(600):
        caller.sendall(b"x")
        time.sleep(0.1)


def test_a_gigabyte_for_an_answer_is_read_no_further_than_it_may_be(receiver):
    begun = time.monotonic()
    assert len(posting.post(receiver(endless), b"{}", {}, private=True)) <= 4 * posting.MOST
    assert time.monotonic() - begun < posting.SECONDS


@pytest.mark.parametrize("drips", [dripping_head, dripping_body])
def test_a_receiver_that_drips_is_given_up_when_its_time_is_over(receiver, drips, monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 1.0)
    begun = time.monotonic()
    with pytest.raises(NotSent, match="no answer within 1 s"):
        posting.post(receiver(drips), b"{}", {}, private=True)
    assert time.monotonic() - begun < 3


def test_a_name_that_turns_is_asked_once_and_one_bad_answer_is_enough(monkeypatch):
    asked = []

    def resolver(host, port, **_):
        asked.append(host)
        turned = "127.0.0.1" if len(asked) > 1 else "93.184.215.14"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (turned, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert addresses.public_only("turning.example", 443) == "93.184.215.14"
    assert asked == ["turning.example"]  # what is connected to is what was checked
    with pytest.raises(NotSent, match="not a public address"):
        addresses.public_only("turning.example", 443)
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(NotSent, match=r"10\.0\.0\.1"):
        addresses.public_only("both.example", 443)
