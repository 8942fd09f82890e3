"""A small compressed file never becomes more than a file of its size may be."""

import gzip
import zlib
from pathlib import Path

import pytest

from models_ml.adapters import teacher_files
from sensequant.lib import unpacking
from sensequant.lib.errors import BadInput
from trading.adapters import csvbars, sealed_folders, tracefiles

HEADER = b"timestamp,open,high,low,close,volume\n"
ROW = b"2024-01-08T09:15:00+05:30,1,1,1,1,1\n"


def bomb(first=b"", line=b"0" * 63 + b"\n", size=unpacking.FREE + (1 << 20)):
    """Return a gzip file of ``first`` and then the same line again and again: a few hundred kilobytes at most."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = line * ((1 << 20) // len(line))
    body = [packer.compress(first), *(packer.compress(block) for _ in range(size // len(block) + 1)), packer.flush()]
    return b"".join(body)


@pytest.mark.parametrize("content", [b"", b"a\nb\n", b"x" * 1_000_000, ROW * 10_000])
def test_what_was_packed_comes_out_as_it_was(tmp_path, content):
    path = tmp_path / "file"
    for written in (content, gzip.compress(content)):
        path.write_bytes(written)
        with unpacking.opened(path) as file:
            assert file.read() == content
    assert unpacking.unpacked(gzip.compress(content), path) == content


def test_bars_that_blow_up_are_refused_by_name_before_they_fill_the_memory(tmp_path):
    path = tmp_path / "X_1m.csv.gz"
    path.write_bytes(bomb(HEADER))
    assert path.stat().st_size < 400_000
    with pytest.raises(BadInput, match=r"X_1m\.csv\.gz unpacks to more than 64 MB") as told:
        csvbars.read(path, daily=False, naive_timezone="Asia/Kolkata")
    assert "unpack it yourself" in told.value.fix


def test_a_line_without_end_is_refused_compressed_or_not(tmp_path):
    path = tmp_path / "X_1m.csv"
    for content in (HEADER + b"1" * (9 << 20), bomb(HEADER, line=b"1" * 64, size=9 << 20)):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"a line of more than 8 MB"):
            csvbars.read(path, daily=False, naive_timezone="Asia/Kolkata")


def test_traces_that_blow_up_are_told_as_a_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "predictions_intraday_1.csv.gz"
    path.write_bytes(bomb(tracefiles.HEADER.encode()))
    found = list(tracefiles.rows(path))
    assert "unpacks to more than 64 MB" in found[-1].trouble
    damaged = bytearray(gzip.compress(tracefiles.HEADER.encode() * 500))
    damaged[40:60] = b"\xff" * 20
    path.write_bytes(bytes(damaged))
    with pytest.raises(tracefiles.Unreadable, match="cannot be read"):
        list(tracefiles.rows(path))


def test_a_teacher_whose_lesson_blows_up_is_refused_although_its_seal_is_right(tmp_path):
    files = {"teacher_model.txt": b"tree", "labels.csv.gz": bomb(b"timestamp,symbol\n"), "features.csv.gz": b"-"}
    told = {"format": teacher_files.FORMAT, "role": teacher_files.ROLE, "names": ["one"]}
    folder = Path(tmp_path / "teacher")
    sealed_folders.seal(folder, files, told)
    with pytest.raises(BadInput, match=r"labels\.csv\.gz unpacks to more than 64 MB"):
        teacher_files.load(folder)
