"""Files of traces: what is written can be read back, and what cannot be read is named."""

import csv
import gzip
import json

import pytest

from sensequant.lib.errors import BadInput, NotFound
from tests.trading.traced import SOME, fields
from trading.adapters.tracefiles import FORMATS, TraceWriter
from trading.core.traces import FIELDS
from trading.services.trace_reading import load


def put(folder, traces=SOME, **told):
    with TraceWriter(folder, **told) as writer:
        for each in traces:
            writer.write(each)
    return writer


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_is_read_back(tmp_path, kind, compressed):
    writer = put(tmp_path, kind=kind, compressed=compressed, buffer=7)
    ending = f"{kind}.gz" if compressed else kind
    assert {path.name for path in writer.files} == {f"predictions_{s}_0.{ending}" for s in ("intraday", "swing")}
    found = load([tmp_path])
    assert (len(found.table), found.bad_rows, writer.written) == (30, 0, 30)
    assert sorted(found.table.returns) == pytest.approx(sorted(each.realized_return_pct for each in SOME))
    assert len(load([tmp_path], "intraday").table) == 10


def test_the_csv_is_a_csv_with_the_documents_header(tmp_path):
    put(tmp_path, SOME[:1])
    with next(tmp_path.glob("*.csv")).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == FIELDS
    assert json.loads(row["metadata"])["exit_reason"] == "take_profit"


def test_a_file_that_is_large_enough_is_followed_by_another(tmp_path):
    writer = put(tmp_path, buffer=1, most_bytes=600)
    names = sorted(path.name for path in writer.files if "swing" in path.name)
    assert len(names) > 3
    assert names[0] == "predictions_swing_0.csv"
    assert all(path.stat().st_size < 600 + 400 for path in writer.files)
    assert len(load([tmp_path]).table) == 30


def test_nothing_that_was_there_is_overwritten(tmp_path):
    put(tmp_path, SOME[1:2])
    before = (tmp_path / "predictions_swing_0.csv").read_bytes()
    put(tmp_path, SOME[1:2])
    assert (tmp_path / "predictions_swing_0.csv").read_bytes() == before
    assert (tmp_path / "predictions_swing_1.csv").exists()


def test_bad_rows_are_counted_and_named_by_file_and_line(tmp_path):
    put(tmp_path, SOME[1:3])
    path = tmp_path / "predictions_swing_0.csv"
    path.write_text(path.read_text() + "2024-01-15 09:30:00,=1+1,swing\r\n" + "soon" + ",x" * 11 + "\r\n")
    found = load([tmp_path])
    assert (len(found.table), found.bad_rows) == (2, 2)
    assert [(row["line"], row["message"]) for row in found.named] == [
        (4, "3 fields instead of 12"), (5, "timestamp 'soon' is no ISO 8601 time"),
    ]  # fmt: skip


def test_bad_lines_of_jsonl_are_named_too(tmp_path):
    good = json.dumps(fields(SOME[1]))
    (tmp_path / "a.jsonl").write_text(f"{good}\n{{oops\n\n{json.dumps({'symbol': 'X'})}\n")
    found = load([tmp_path / "a.jsonl"])
    assert [(row["line"], row["message"].split(":")[0]) for row in found.named] == [
        (2, "no JSON"), (4, "no timestamp, strategy, predicted_direction, actual_direction, predicted_confidence, "
         "entry_price, exit_price, holding_period_minutes, realized_return_pct, features, metadata"),
    ]  # fmt: skip


def test_the_rest_of_a_file_whose_writer_was_killed_is_read(tmp_path):
    put(tmp_path, SOME[1:3] + SOME[4:6], compressed=True, buffer=2)
    path = tmp_path / "predictions_swing_0.csv.gz"
    path.write_bytes(path.read_bytes()[:-12])
    found = load([path])
    assert (len(found.table), found.bad_rows) == (4, 1)
    assert "rest of the file cannot be read" in found.named[0]["message"]


def test_a_folder_is_searched_through_and_other_files_in_it_are_passed_over(tmp_path):
    put(tmp_path / "live", SOME)
    put(tmp_path, SOME)
    (tmp_path / "ranked_results.csv").write_text("config_id,score\n1,2\n")
    found = load([tmp_path, tmp_path / "live"])
    assert len(found.table) == 60
    assert len(found.skipped) == 1
    assert "ranked_results.csv holds no prediction traces: it has no column timestamp" in found.skipped[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "it is empty"), ("a.csv", b"x,y\n1,2\n", "it has no column timestamp"),
        ("a.csv.gz", b"no gzip", "it has no column"), ("a.csv", b"\xff\xfe\x00", "cannot be read"),
        ("a.jsonl", b'{"a":1}\n', "line 1 has no timestamp"),
        ("a.csv", b",".join(map(str.encode, FIELDS)), "no predic"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_traces_is_refused_by_name(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=said) as refused:
        load([tmp_path / name])
    assert name in str(refused.value)


def test_what_is_not_there_and_what_is_not_traced_is_said(tmp_path):
    with pytest.raises(NotFound, match="no file or folder"):
        load([tmp_path / "nowhere"])
    put(tmp_path)
    with pytest.raises(BadInput, match="no trace of strategy 'moonshot', only of intraday, swing"):
        load([tmp_path], "moonshot")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no prediction traces"):
        load([tmp_path / "empty"])


def test_gzip_is_smaller_than_plain(tmp_path):
    many = SOME * 20
    plain = sum(path.stat().st_size for path in put(tmp_path / "a", many).files)
    packed = sum(path.stat().st_size for path in put(tmp_path / "b", many, compressed=True).files)
    assert packed < 0.3 * plain
    assert gzip.decompress((tmp_path / "b" / "predictions_swing_0.csv.gz").read_bytes()).startswith(b"timestamp,")
