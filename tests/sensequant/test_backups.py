"""A backup counts once it was restored; what changed since is named; nothing is overwritten on the way back."""

import datetime as dt
import os
import subprocess
import sys

import pyrage
import pytest

from sensequant import tasks
from sensequant.backups import databases, making, restoring
from sensequant.config import ROOT
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, Failed, NotAllowed, NotFound
from tests.homes import migrated
from trading.models import Condition

AT = dt.datetime(2026, 11, 26, 14, 0, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept():
    """A file only a backup can bring back, and a link that belongs to no backup."""
    folder = paths.home() / "data" / "models" / "kept"
    folder.mkdir(parents=True)
    (folder / "model.npz").write_bytes(b"weights")
    (folder / "link").symlink_to("/etc/hostname")
    yield folder
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


@pytest.fixture
def rows():
    """A hundred rows in the database."""
    Condition.objects.bulk_create(
        Condition(code="feed-stale", subject=f"S{n}", level="warn", message="é ₹", since=AT, seen_at=AT)
        for n in range(100)
    )


def test_a_backup_is_restored_and_compared_before_it_is_named(tmp_path, rows, kept):
    folder = making.make(tmp_path / "backups", at=AT)
    told = making.read(folder)
    assert folder.name == "backup_20261126_140000"
    assert told["tables"]["trading_condition"][0] == 100
    assert sorted(each.name for each in folder.iterdir()) == ["backup.json", told["database"], "files.tar"]
    assert restoring.check(folder) == told
    assert [each.name for each in (tmp_path / "backups").iterdir()] == [folder.name]


def test_a_copy_that_lacks_a_row_is_no_backup(tmp_path, rows, monkeypatch):
    honest = databases.prove

    def poorer(file):
        found = honest(file)
        return {**found, "trading_condition": [99, "1"]}

    monkeypatch.setattr(databases, "prove", poorer)
    with pytest.raises(Failed, match="differs in trading_condition"):
        making.make(tmp_path / "backups", at=AT)
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.once
def test_a_backup_that_changed_on_disk_is_refused_by_name(tmp_path):
    folder = making.make(tmp_path, at=AT)
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        file.write_bytes(changed)
        with pytest.raises((Failed, BadInput)):
            making.read(folder) if file.name != making.PAPER else restoring.check(folder)
        file.write_bytes(whole)
    with pytest.raises(NotAllowed, match=r"has tables already|exists"):
        restoring.restore(folder)


@pytest.mark.once
def test_only_the_holder_of_the_key_opens_a_sealed_backup(tmp_path, rows):
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    folder = making.make(tmp_path, at=AT, recipient=str(mine.to_public()))
    assert b"trading_condition" not in b"".join(each.read_bytes() for each in folder.iterdir() if each.suffix == ".age")
    with pytest.raises(BadInput, match="give --identity"):
        restoring.check(folder)
    key = tmp_path / "key.txt"
    key.write_text(str(other))
    with pytest.raises(NotAllowed, match="does not open"):
        restoring.check(folder, identity=key)
    key.write_text(f"# made by age-keygen\n{mine}\n")
    assert restoring.check(folder, identity=key)["tables"]["trading_condition"][0] == 100


@pytest.mark.once
def test_old_backups_go_and_the_newest_stay(tmp_path):
    for day in range(3):
        making.make(tmp_path, at=AT + dt.timedelta(days=day), keep=1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup_20261128_140000"]


def test_bad_words_are_named(tmp_path):
    with pytest.raises(BadInput, match="age1nonsense is no age public key"):
        making.make(tmp_path, at=AT, recipient="age1nonsense")
    with pytest.raises(NotFound, match="is no backup"):
        restoring.check(tmp_path)


def test_the_nightly_job_does_nothing_unless_it_is_switched_on(settings, tmp_path):
    settings.DESK = settings.DESK.__class__(**{**vars(settings.DESK), "backup_dir": str(tmp_path / "nightly")})
    tasks.back_up()
    assert not (tmp_path / "nightly").exists()
    settings.DESK = settings.DESK.__class__(**{**vars(settings.DESK), "backup_enabled": True})
    tasks.back_up()
    assert len(list((tmp_path / "nightly").iterdir())) == 1


@pytest.mark.once
@pytest.mark.sqlite
def test_a_lost_desk_comes_back_from_the_shell(tmp_path):
    lost, fresh = migrated(tmp_path / "lost"), tmp_path / "fresh"

    def manage(home, *words):
        env = {"PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(home), "ENV_FILE": os.devnull}
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )

    (lost / "release").mkdir(exist_ok=True)
    (lost / "release" / "note.txt").write_text("kept")
    made = manage(lost, "backup", "--to", str(tmp_path / "backups"))
    assert made.returncode == 0, made.stderr
    (folder,) = (tmp_path / "backups").iterdir()
    done = manage(fresh, "restore", str(folder))
    assert done.returncode == 0, done.stderr
    assert (fresh / "release" / "note.txt").read_text() == "kept"


def test_on_postgresql_the_fingerprints_are_read_from_the_snapshot_that_is_dumped(tmp_path, rows):
    name, saved = databases.dump(tmp_path)
    Condition.objects.all().delete()
    assert databases.prove(tmp_path / name) == saved
    assert databases.marks()["trading_condition"][0] == 0
