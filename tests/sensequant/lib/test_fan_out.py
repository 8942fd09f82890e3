"""Work spread over processes: every id once, in any order, whoever dies meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from sensequant.lib.errors import BadInput, Failed
from sensequant.lib.fan_out import (
    ONE_THREAD,
    PACES,
    QUIET,
    SILENT,
    Watch,
    Work,
    _patience,
    chunks,
    digest_of,
    fan_out,
    workers_asked,
)  # fmt: skip


def note(path):
    """Keep an answer: who did it, with how many threads; again changes nothing."""
    file = Path(path)
    if not file.exists():
        file.write_text(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")


def die_once(path):
    """Die like a process that was killed, the first time anybody does this folder's work."""
    marker = Path(path).parent / "died"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    note(path)


def stumble(path):
    raise ValueError(f"no such bar in {Path(path).name}")


def names(folder, count):
    return [str(folder / f"{number}.row") for number in range(count)]


def settled(ids):
    return {each for each in ids if Path(each).exists()}


def test_processes_do_every_id_and_one_thread_each_is_theirs(tmp_path):
    told = []
    ids = names(tmp_path, 12)
    assert fan_out(Work(note, ""), ids, workers=2, watch=Watch(settled, lambda done, total: told.append(done)))
    answers = [Path(each).read_text().split() for each in ids]
    assert str(os.getpid()) not in {pid for pid, _ in answers}
    assert {threads for _, threads in answers} == {ONE_THREAD["OMP_NUM_THREADS"]}
    assert told[0] == 0
    assert told[-1] == 12
    assert told == sorted(told)


def test_a_worker_that_is_killed_costs_no_answer(tmp_path):
    ids = names(tmp_path, 6)
    assert fan_out(Work(die_once, ""), ids, workers=2, watch=Watch(settled))
    assert settled(ids) == set(ids)


def test_what_is_settled_is_not_done_again(tmp_path):
    ids = names(tmp_path, 3)
    Path(ids[1]).write_text("before")
    assert fan_out(Work(note, ""), ids, workers=1, watch=Watch(settled))
    assert Path(ids[1]).read_text() == "before"
    assert Path(ids[0]).read_text().startswith(str(os.getpid()))


def test_a_stop_is_obeyed_between_two_ids(tmp_path):
    ids = names(tmp_path, 5)
    finished = fan_out(Work(note, ""), ids, workers=1, watch=Watch(settled, stopped=lambda: len(settled(ids)) == 2))
    assert not finished
    assert settled(ids) == set(ids[:2])


@pytest.mark.parametrize("workers", [1, 2])
def test_work_that_fails_names_its_id(tmp_path, workers):
    with pytest.raises(Failed, match=r"[01]\.row failed: ValueError: no such bar in [01]\.row"):
        fan_out(Work(stumble, ""), names(tmp_path, 2), workers=workers, watch=Watch(settled))


def test_celery_without_a_broker_between_processes_is_refused(tmp_path):
    with pytest.raises(BadInput, match="REDIS_URL"):
        fan_out(Work(note, "x"), names(tmp_path, 2), workers="celery", watch=Watch(settled))


def test_who_asks_a_fleet_of_which_nobody_comes_does_the_work_from_its_end(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr("sensequant.lib.fan_out.fleet", lambda: True)
    monkeypatch.setattr("sensequant.lib.fan_out._send", lambda work, ids: sent.append(list(ids)))
    ids = names(tmp_path, 4)
    assert fan_out(Work(note, ""), ids, workers="fleet", watch=Watch(settled))
    assert sent == [ids]
    written = sorted(ids, key=lambda each: Path(each).stat().st_mtime_ns)
    assert written == ids[::-1]
    with pytest.raises(Failed, match="no such bar"):
        fan_out(Work(stumble, ""), names(tmp_path / "more", 2), workers="fleet", watch=Watch(settled))


def test_messages_hold_every_id_once_in_order_and_become_smaller_towards_the_end():
    found = list(chunks(range(400), 8))
    assert [each for some in found for each in some] == list(range(400))
    sizes = [len(some) for some in found]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-90:]) == (8, [1] * 90)  # whoever is last works alone for one id at most
    assert list(chunks([3, 1], 8)) == [[3], [1]]
    assert {len(some) for some in chunks(range(400), 1)} == {1}


@pytest.mark.parametrize("word", ["0", "-1", "many", "1.5", "1000"])
def test_a_number_of_workers_that_cannot_be_is_refused(word):
    with pytest.raises(BadInput, match="--workers"):
        workers_asked(word)


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2.5]}) == digest_of({"b": [2.5], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_a_celery_worker_that_was_quick_is_missed_within_seconds_a_slow_one_within_two_minutes():
    assert _patience(0.0, 0) == SILENT  # nobody knows yet how long one takes
    assert _patience(20.0, 200) == QUIET
    assert _patience(60.0, 40) == PACES * 1.5
    assert _patience(3600.0, 2) == SILENT
