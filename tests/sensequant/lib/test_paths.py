"""The home folder: made on start, private where it must be, never half-written."""

import os
import stat
import threading

import pytest

from sensequant.lib import paths
from sensequant.lib.errors import BadInput


def test_the_folders_of_the_document_are_made(tmp_path):
    paths.prepare(tmp_path / "home")
    assert {each.name for each in (tmp_path / "home").iterdir()} >= {"data", "logs", "release"}


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadInput, match=r"SENSEQUANT_HOME=.*taken") as refused:
        paths.prepare(tmp_path / "taken")
    assert "set SENSEQUANT_HOME" in str(refused.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, how: False)
    with pytest.raises(BadInput, match="is not writable"):
        paths.prepare(tmp_path)


def test_a_relative_path_lies_under_the_home_and_an_absolute_one_stays(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    assert paths.resolve("data/historical") == tmp_path / "data/historical"
    assert paths.resolve("/srv/bars") == paths.Path("/srv/bars")


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "key"
    assert paths.read_or_make_private(file, "first") == "first"
    assert paths.read_or_make_private(file, "second") == "first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_many_processes_starting_at_once_agree_on_the_secret(tmp_path, monkeypatch):
    numbers = iter(range(10**6))
    monkeypatch.setattr(os, "getpid", lambda: next(numbers))  # each thread plays a process
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(paths.read_or_make_private(tmp_path / "key", f"key {n}")))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_many_threads_of_one_process_agree_on_the_secret_for_good(tmp_path):
    for turn in range(20):
        found, together = [], threading.Barrier(6)

        def ask(n, file=tmp_path / f"key{turn}", found=found, together=together):
            together.wait()
            found.append(paths.read_or_make_private(file, f"key {n}"))

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(found) == {(tmp_path / f"key{turn}").read_text()}
        assert len(found) == 6
