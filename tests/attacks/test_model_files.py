"""A model's file is read by a confined child first; what it tries there is refused by name, and logged."""

import json
import socket

import pytest

from sensequant.lib import confined
from sensequant.lib.errors import BadInput
from tests.trading.pupils import pupil, sealed
from trading.adapters import sentiment_files, student_files
from trading.adapters.sealed_folders import seal, unseal

HOSTILE = "tests.attacks.hostile"


def look(reader, text=b"", **limits):
    confined.first_look(f"{HOSTILE}:{reader}", str(text).encode(), "model.json", **limits)


@pytest.fixture
def told(caplog):
    """Return what the log says of refused files."""
    return lambda: [each.getMessage() for each in caplog.records if each.name == "security"]


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def test_a_file_that_dials_reaches_nobody(listening, told):
    with pytest.raises(BadInput, match=r"model\.json cannot be used: it tried socket"):
        look("dials", listening.getsockname()[1])
    with pytest.raises(TimeoutError):
        listening.accept()
    assert told() == ["model file refused"]


@pytest.mark.parametrize("reader", ["starts", "writes"])
def test_a_file_that_starts_or_writes_something_leaves_no_trace(reader, tmp_path, told):
    with pytest.raises(BadInput, match=r"it tried (open|subprocess|os)"):
        look(reader, tmp_path / "trace")
    assert not (tmp_path / "trace").exists()
    assert told() == ["model file refused"]


def test_a_file_that_wants_our_keys_sees_neither_files_nor_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary")
    key = tmp_path / "key"
    key.write_text("canary")
    with pytest.raises(BadInput) as refused:
        look("steals", key)
    assert "it tried open" in str(refused.value)
    assert "canary" not in str(refused.value)
    with pytest.raises(BadInput, match=r"no model of ours \(ValueError\)"):
        look("tells")


def test_a_file_that_grows_or_never_ends_is_given_up(told):
    with pytest.raises(BadInput, match="more than 512 MiB of memory"):
        look("grows", memory=1 << 29)
    with pytest.raises(BadInput, match="more than 1 seconds of the processor"):
        look("turns", seconds=1)
    assert told() == ["model file refused"] * 2


def test_a_students_file_that_blows_up_in_memory_is_refused_before_the_desk_reads_it(tmp_path, told):
    folder, _ = sealed(tmp_path / "s", pupil())
    kept = unseal(folder)
    content = json.loads(kept.read("model.json"))
    bomb = json.dumps(content)[:-1].encode() + b', "more": [' + b"[]," * 16_000_000 + b"0]}"
    rest = {name: value for name, value in kept.told.items() if name not in ("files", "sha256")}
    seal(folder, {"model.json": bomb}, rest)
    with pytest.raises(BadInput, match=r"model\.json cannot be used: reading it takes more than 1024 MiB"):
        student_files.load(folder)
    assert told() == ["model file refused"]


def test_a_scorer_of_news_is_looked_at_too(tmp_path, told):
    path = tmp_path / "trained-0123456789ab.json"
    path.write_text('{"sha256": "0", "content": {"weights": "gASVHwAAAAAAAACM"}}')
    with pytest.raises(BadInput, match="its digest is not that of its content"):
        sentiment_files.ModelFolder(tmp_path).load(path.stem)
    assert told() == ["model file refused"]


def test_what_was_looked_at_once_is_not_looked_at_again(tmp_path, monkeypatch):
    folder, _ = sealed(tmp_path / "s", pupil(middle=61.0))
    student_files.load(folder)
    monkeypatch.setattr(confined.subprocess, "run", None)
    student_files.load(folder)
