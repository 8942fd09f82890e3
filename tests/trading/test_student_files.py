"""A student on disk can hold nothing but numbers, and a byte that changed is refused by the name of its file."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sensequant.config import ROOT
from sensequant.lib.errors import BadInput, NotFound
from trading.adapters import sealed_folders, student_files
from trading.core.scoring import Forest, Linear, Scorer, Thresholds
from trading.services.scoring_benches import FEATURES, grown

ROWS = np.random.default_rng(5).normal(size=(20, FEATURES))
NAMES = tuple(f"f{k}" for k in range(FEATURES))


def student(kind="logistic"):
    rng = np.random.default_rng(1)
    size = np.zeros(FEATURES)
    model = (
        Forest([grown(rng, 9) for _ in range(6)], np.zeros(3), FEATURES)
        if kind == "lightgbm"
        else Linear(rng.normal(size=(3, FEATURES)), rng.normal(size=3), size, size - 3.0, size + 3.0)
    )
    return Scorer("", kind, NAMES, "feature code", model, 1.25, Thresholds(0.41, 0.43))


@pytest.fixture
def folder(tmp_path):
    student_files.save(tmp_path, student(), {"metadata.json": b'{"a": 1}\n'}, {"seed": 7})
    return tmp_path


@pytest.mark.parametrize("kind", ["logistic", "lightgbm"])
def test_a_student_comes_back_to_the_last_bit(tmp_path, kind):
    student_files.save(tmp_path, student(kind), {}, {})
    again = student_files.load(tmp_path)
    assert np.array_equal(again.chances(ROWS), student(kind).chances(ROWS))
    assert (again.names, again.digest, again.thresholds) == (NAMES, "feature code", Thresholds(0.41, 0.43))
    assert again.version == student_files.version_of((tmp_path / "model.json").read_bytes())


def test_the_same_student_is_the_same_bytes(tmp_path, folder):
    other = tmp_path / "other"
    student_files.save(other, student(), {"metadata.json": b'{"a": 1}\n'}, {"seed": 7})
    for name in ("model.json", "manifest.json", "metadata.json"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("name", ["model.json", "manifest.json", "metadata.json"])
def test_a_flipped_byte_is_refused_by_the_name_of_its_file(folder, name):
    path = folder / name
    whole = path.read_bytes()
    for at in {*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1}:
        for bit in (1, 32):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            with pytest.raises(BadInput, match=name):
                student_files.load(folder)
    path.write_bytes(whole)
    assert student_files.load(folder).names == NAMES


@pytest.mark.parametrize("name", ["model.json", "metadata.json"])
def test_a_file_that_is_gone_or_longer_is_refused_by_name(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BadInput, match=name):
        student_files.load(folder)
    path.unlink()
    with pytest.raises(BadInput, match=f"{name} cannot be read"):
        student_files.load(folder)


def test_a_folder_without_a_manifest_is_unfinished(tmp_path):
    for each in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotFound, match="no finished artifact"):
            student_files.load(each)


def test_a_teacher_is_never_served(tmp_path):
    sealed_folders.seal(tmp_path, {"teacher_model.txt": b"tree"}, {"role": "teacher", "format": "sensequant teacher 1"})
    with pytest.raises(BadInput, match="holds a teacher"):
        student_files.load(tmp_path)


def resealed(folder, *, told=None, model=None):
    """Change the manifest or the model and put every digest right again, as somebody with bad intentions would."""
    sealed = sealed_folders.unseal(folder)
    content = {**sealed.read_json("model.json"), **(model or {})}
    rest = {key: value for key, value in sealed.told.items() if key not in ("sha256", "files")}
    text = sealed_folders.text_of(content)
    sealed_folders.seal(
        folder, {"model.json": text}, {**rest, "version": student_files.version_of(text), **(told or {})}
    )


@pytest.mark.parametrize(
    ("told", "model", "why"),
    [
        ({"names": ["a"]}, {}, "other features than its manifest says"),
        ({"digest": "other"}, {}, "other features than its manifest says"),
        ({"classes": ["NOOP", "LONG", "SHORT"]}, {}, "its classes are"),
        ({"version": "student-000000000000"}, {}, "but holds student-"),
        ({}, {"temperature": -1.0}, "a temperature of"),
        ({}, {"model": {"kind": "pickle"}}, "it is no model of ours"),
        ({}, {"model": []}, "it is no model of ours"),
        ({}, {"thresholds": {}}, "it is no model of ours"),
    ],
)
def test_a_sound_seal_around_nonsense_is_refused_all_the_same(folder, told, model, why):
    resealed(folder, told=told, model=model)
    with pytest.raises(BadInput, match=why):
        student_files.load(folder)


@pytest.mark.parametrize("name", ["../model.json", "/etc/passwd", "a/b", "", "."])
def test_a_manifest_names_no_file_outside_its_folder(folder, name):
    told = json.loads((folder / "manifest.json").read_text())
    told["files"][name] = "0" * 64
    rest = {key: value for key, value in told.items() if key != "sha256"}
    told["sha256"] = sealed_folders.hashlib.sha256(sealed_folders.text_of(rest)).hexdigest()
    (folder / "manifest.json").write_bytes(sealed_folders.text_of(told))
    with pytest.raises(BadInput, match="cannot be one of the folder's"):
        student_files.load(folder)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="file"):
        student_files.save(tmp_path / "file", student(), {}, {})


def test_scoring_needs_neither_a_training_library_nor_a_pickle(folder):
    code = (
        "import sys; from trading.adapters import student_files; "
        f"s = student_files.load({str(folder)!r}); s.score([0.0] * len(s.names)); "
        "bad = {'pandas', 'sklearn', 'scipy', 'lightgbm', 'joblib', 'skops', 'pickle5', 'django'} & set(sys.modules); "
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("sealed_folders.py", "student_files.py"):
        text = Path(student_files.__file__).with_name(name).read_text()
        assert not any(word in text for word in ("import pickle", "np.load", "allow_pickle", "eval("))
