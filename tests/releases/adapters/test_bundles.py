"""A bundle is there whole or not at all, and whoever touches a byte of it is named."""

import json
import subprocess
import sys

import pytest

from releases.adapters import bundles
from sensequant.lib.errors import BadInput, Failed, NotFound

FILES = {"metrics.json": b"{}\n", "plots/one.png": b"\x89PNG", "configs/settings.json": b"[]"}


@pytest.fixture
def bundle(tmp_path):
    return bundles.write(tmp_path / "audit_1", FILES, {"audit_id": "audit_1"})


def test_a_bundle_is_read_back_and_its_digest_is_of_all_its_files(bundle, tmp_path):
    assert bundles.verified(bundle.folder, bundle.digest).files == {name: len(c) for name, c in FILES.items()}
    assert bundles.read(bundle, "plots/one.png") == b"\x89PNG"
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"
    other = bundles.write(tmp_path / "audit_2", {**FILES, "metrics.json": b"[]\n"}, {"audit_id": "audit_1"})
    assert other.digest != bundle.digest


def test_every_flipped_byte_of_every_file_is_named(bundle):
    for path in sorted(each for each in bundle.folder.rglob("*") if each.is_file()):
        whole = path.read_bytes()
        for k in range(len(whole)):
            path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
            with pytest.raises(BadInput, match=path.name if path.name != bundles.MANIFEST else "audit_1"):
                bundles.verified(bundle.folder, bundle.digest)
        path.write_bytes(whole)
    assert bundles.verified(bundle.folder, bundle.digest)


def test_a_file_that_is_added_missing_or_a_link_is_named_and_approvals_are_not(bundle, tmp_path):
    bundles.put_beside(bundle.folder, "approvals.md", "# Approvals\n")
    assert bundles.verified(bundle.folder, bundle.digest)
    (bundle.folder / "more.txt").write_text("x")
    with pytest.raises(BadInput, match=r"more\.txt was not there"):
        bundles.verified(bundle.folder)
    (bundle.folder / "more.txt").unlink()
    (bundle.folder / "metrics.json").unlink()
    with pytest.raises(BadInput, match=r"metrics\.json is not the file"):
        bundles.verified(bundle.folder)
    (tmp_path / "elsewhere").write_bytes(b"{}\n")
    (bundle.folder / "metrics.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="not the file that was sealed"):
        bundles.verified(bundle.folder)
    with pytest.raises(BadInput, match="not left out by the seal"):
        bundles.put_beside(bundle.folder, "summary.md", "x")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "bundle.json", "approvals.md", "a/b/c/d"]
)
def test_a_name_that_leaves_the_folder_is_refused_on_either_way(bundle, tmp_path, name):
    with pytest.raises(BadInput, match="cannot be a file of a bundle"):
        bundles.write(tmp_path / "x", {name: b""}, {})
    with pytest.raises(NotFound):
        bundles.read(bundle, name)
    told = json.loads((bundle.folder / bundles.MANIFEST).read_bytes())
    told["files"][name] = {"bytes": 0, "sha256": "0" * 64}
    (bundle.folder / bundles.MANIFEST).write_text(json.dumps(told))
    with pytest.raises(BadInput, match="no manifest of ours"):
        bundles.opened(bundle.folder)


def test_what_is_there_already_is_left_alone(bundle):
    with pytest.raises(BadInput, match="is there already"):
        bundles.write(bundle.folder, FILES, {})
    assert bundles.verified(bundle.folder, bundle.digest)


def test_a_bundle_moves_whole_also_to_another_disk(bundle, tmp_path, monkeypatch):
    there = bundles.moved(bundle.folder, tmp_path / "archive" / "audit_1", bundle.digest)
    assert (there.digest, bundle.folder.exists()) == (bundle.digest, False)

    def elsewhere(self, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(type(tmp_path), "rename", elsewhere)
    back = bundles.moved(there.folder, bundle.folder, bundle.digest)
    assert (back.digest, there.folder.exists()) == (bundle.digest, False)
    (back.folder / "metrics.json").write_bytes(b"[]\n")
    with pytest.raises(BadInput, match="SHA-256 differs"):
        bundles.moved(back.folder, there.folder, bundle.digest)
    assert back.folder.exists()


def test_a_disk_without_room_leaves_nothing(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundles, "_put", full)
    with pytest.raises(Failed, match="No space left"):
        bundles.write(tmp_path / "audit_1", FILES, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.once
def test_a_writer_that_is_killed_at_any_file_leaves_no_bundle(tmp_path):
    code = (
        "import os, signal, sys; sys.path.insert(0, os.getcwd())\n"
        "from pathlib import Path; from releases.adapters import bundles\n"
        "put, left = bundles._put, int(sys.argv[2])\n"
        "def dying(path, content):\n"
        "    global left\n"
        "    left -= 1\n"
        "    left >= 0 or os.kill(os.getpid(), signal.SIGKILL)\n"
        "    put(path, content)\n"
        "bundles._put = dying\n"
        "bundles.write(Path(sys.argv[1]), {'a.json': b'1', 'b/c.json': b'2'}, {})\n"
    )
    for files in range(3):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "audit_1"), str(files)], check=False)
        assert done.returncode == -9
        with pytest.raises(NotFound, match="no finished bundle"):
            bundles.verified(tmp_path / "audit_1")
    assert bundles.write(tmp_path / "audit_1", FILES, {}).files, "the next one takes its place"
    assert not list(tmp_path.glob(".*"))
