"""Labelled headlines are read from any file of the promised columns, and a bad file is told in one line."""

import gzip

import pytest

from sensequant.lib.errors import BadInput, NotFound
from tests.trading.invented import headlines, write
from trading.adapters.headlines import read

ROWS = headlines(9)


@pytest.mark.parametrize(
    "columns", [("title", "entity", "sentiment"), ("Headline", "Entity", "Label"), (" TEXT ", "entity", "sentiment")]
)
@pytest.mark.parametrize("name", ["news.csv", "news.csv.gz", "packed without saying so.gz"])
def test_any_of_the_columns_will_do_packed_or_not(tmp_path, columns, name):
    found = read(write(tmp_path / name, ROWS, columns))
    assert [tuple(each) for each in found.headlines] == ROWS
    assert len(found.digest) == 64


def test_other_columns_are_left_alone_and_no_entity_is_needed(tmp_path):
    rows = [(n, label, title) for n, (title, _, label) in enumerate(ROWS)]
    found = read(write(tmp_path / "news.csv", rows, ("id", "label", "text"))).headlines
    assert [(each.text, each.entity, each.label) for each in found] == [(title, "", label) for title, _, label in ROWS]


def test_marks_line_breaks_and_a_byte_order_mark_are_no_hindrance(tmp_path):
    path = tmp_path / "news.csv"
    path.write_bytes('\ufeff"title",sentiment\r\n"Acme, ""the"" firm\r\nof India",Positive\r\n\r\n'.encode())
    assert [tuple(each) for each in read(path).headlines] == [('Acme, "the" firm\r\nof India', "", "positive")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "lacks a column title or headline or text: it has no columns"),
        (b"id,note\n1,x\n", "lacks a column title or headline or text: it has id, note"),
        (b"title,note\nx,y\n", "lacks a column sentiment or label: it has title, note"),
        (b"title,sentiment\n", "has no rows"),
        (b"title,sentiment\nAcme up,good\n", "row 2: the label 'good' is not known: use negative, neutral or positive"),
        (b"title,sentiment\nAcme up,positive\n ,neutral\n", "row 3 has no title"),
        (b"title,sentiment\nAcme up\n", "row 2 has 1 cells"),
        (b'title,sentiment\n"Acme up,positive\n', "line 2: unexpected end of data"),
        (bytes(range(128, 256)) * 9, "is not a text file"),
        (gzip.compress(b"title,sentiment\n" * 99, mtime=0)[:40], "is cut off"),
        (b"\x1f\x8b" + b"nonsense" * 9, "is not a sound gzip file"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(tmp_path, content, complaint):
    path = tmp_path / "news.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput) as told:
        read(path)
    assert complaint in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(NotFound, match="does not exist"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path)
