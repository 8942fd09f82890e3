"""Two machines share an object store: what one writes the other reads, whole or not at all."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from sensequant import tasks
from sensequant.lib import storage
from sensequant.lib.errors import BadInput, NotFound, Unavailable
from trading.adapters import barfiles
from trading.adapters.barcache import BarCache
from trading.adapters.sealed_folders import seal, unseal
from trading.core.bars import Bars
from trading.services import runs

AT = dt.datetime(2026, 11, 26, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def machine(settings, tmp_path, monkeypatch):
    """Go to a machine of this name: its own home, the object store all of them share."""

    def go(name, url=f"file://{tmp_path / 'store'}"):
        monkeypatch.setattr(storage, "_asked", {})
        settings.SENSEQUANT_HOME = tmp_path / name
        settings.SENSEQUANT_HOME.mkdir(exist_ok=True)
        settings.DESK = settings.DESK.__class__(**{**vars(settings.DESK), "storage_url": url})
        return settings.SENSEQUANT_HOME

    return go


def bars(days):
    ts = np.array([1_700_019_900 + 86_400 * n for n in range(days)], dtype=np.int64)
    price = np.full(days, 100.0)
    return Bars(ts, price, price, price, price, np.full(days, 10.0))


def test_an_artifact_sealed_on_one_machine_is_read_on_another(machine):
    seal(machine("one") / "data/models/m1", {"weights.npz": b"w" * 100_000}, {"kind": "student"})
    found = unseal(machine("two") / "data/models/m1")
    assert found.read("weights.npz") == b"w" * 100_000


def test_an_artifact_that_is_half_there_is_not_there(machine, tmp_path):
    seal(machine("one") / "data/models/m1", {"weights.npz": b"w"}, {"kind": "student"})
    (tmp_path / "store/data/models/m1/manifest.json").unlink()
    with pytest.raises(NotFound, match="no finished artifact"):
        unseal(machine("two") / "data/models/m1")


def test_an_artifact_changed_in_the_store_is_refused_by_name(machine, tmp_path):
    seal(machine("one") / "data/models/m1", {"weights.npz": b"w"}, {"kind": "student"})
    (tmp_path / "store/data/models/m1/weights.npz").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"weights\.npz is not the file that was written"):
        unseal(machine("two") / "data/models/m1")


def test_bars_fetched_on_one_machine_are_found_on_another(machine):
    root = machine("one") / "data/historical"
    BarCache(root, "TCS", "1day").write(bars(5), dt.date(2023, 11, 15), dt.date(2023, 11, 19), at=AT)
    other = machine("two") / "data/historical"
    (file,) = barfiles.find(other, "TCS", "1day")
    assert file.is_relative_to(other)
    assert len(BarCache(other, "TCS", "1day").read().ts) == 5


def test_a_fresh_machine_backtests_bars_it_has_never_seen(machine):
    root = machine("one") / "data/historical"
    BarCache(root, "TCS", "1day").write(bars(5), dt.date(2023, 11, 15), dt.date(2023, 11, 19), at=AT)
    machine("two")
    assert barfiles.find(Path(runs.source_of("csv", "")), "TCS", "1day")
    machine("three", "")
    with pytest.raises(NotFound, match="there is no folder"):
        runs.source_of("csv", "")


def test_what_an_outage_kept_back_is_shared_by_the_next_sync(machine, tmp_path, monkeypatch):
    for name, value in (("ENDPOINT", "http://127.0.0.1:9"), ("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s")):
        monkeypatch.setenv(f"AWS_{name}", value)
    home = machine("one", "s3://desk/shut")
    seal(home / "data/models/m1", {"weights.npz": b"w"}, {"kind": "student"})
    assert unseal(home / "data/models/m1").read("weights.npz") == b"w"
    with pytest.raises(Unavailable, match="the object store cannot list"):
        storage.sync()
    machine("one")
    tasks.share_files()
    assert (tmp_path / "store/data/models/m1/manifest.json").exists()
    put, got = storage.sync()
    assert (put.files, got.files) == (0, 0)


def test_only_what_is_shared_leaves_and_nothing_lands_outside_the_home(machine, tmp_path):
    home = machine("one")
    (home / "broker.key").write_text("secret")
    (home / "data/models").mkdir(parents=True)
    (home / "data/models/half.npz.new").write_text("half")
    (home / "data/models/out").symlink_to("/etc")
    call_command("storage")
    assert [each for each in (tmp_path / "store").rglob("*") if each.is_file()] == []
    assert storage.shared(tmp_path / "elsewhere") is None
