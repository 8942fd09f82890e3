"""A dataset is frozen under its content's name, says where every row comes from, and is believed byte by byte."""

import csv
import datetime as dt
import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_ml.adapters import dataset_files
from models_ml.core.assembly import lane_bars
from models_ml.core.frozen import ARRAYS
from models_ml.models import Dataset
from models_ml.selectors import datasets as kept
from models_ml.services import datasets
from sensequant.lib.errors import BadInput, NotFound
from tests.models_ml.wanted import SPAN, bar_file, built, plan
from tests.trading.desks import NOON, command
from trading.core.errors import Invalid
from trading.core.observations import NAMES, made_by, observe
from trading.services import markets, runs
from trading.services.engine import Engine
from trading.services.tapes import Tape

pytestmark = pytest.mark.django_db
DEMO = ("build_dataset", "--data-source", "demo", "--symbols", "DEMOBANK", "--start-date", SPAN[0], "--end-date")


@pytest.fixture
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return settings.SENSEQUANT_HOME


@pytest.fixture
def frozen(home):
    return datasets.freeze(plan(), by="asha", at=NOON)


def test_the_same_bars_and_settings_are_the_same_dataset(frozen):
    row, data = frozen
    again, same = datasets.freeze(plan(), by="ravi", at=NOON + dt.timedelta(days=1))
    assert (again.pk, same.digest) == (row.pk, data.digest)
    assert Dataset.objects.get().created_by == "asha"
    assert row.rows == len(data) == sum(row.labels.values()) > 1_000
    assert (row.features, row.code) == (len(NAMES), data.manifest["signature"]["code"])


@pytest.mark.parametrize(
    "change",
    [{"label": {"horizon": 20}}, {"ema": 60}, {"warmup": 101}, {"symbols": ("DEMOBANK",)}, {"plan": "i-secure"}],
)
def test_any_other_setting_is_another_dataset(change):
    assert built(**change).digest != built().digest


def test_it_comes_back_to_the_last_bit(frozen):
    row, data = frozen
    again = datasets.load(row.digest[:8])
    assert again.digest == data.digest
    assert again.manifest == data.manifest
    for name in ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(data, name), equal_nan=name in ("X", "net"))


def test_frozen_twice_it_is_the_same_bytes(frozen, tmp_path):
    row, data = frozen
    dataset_files.save(tmp_path / "copy", data)
    for name in (dataset_files.ROWS, "manifest.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (Path(row.path) / name).read_bytes()


@pytest.mark.parametrize("name", [dataset_files.ROWS, "manifest.json"])
def test_a_flipped_byte_is_refused_by_the_name_of_its_file(frozen, name):
    path = Path(frozen[0].path) / name
    whole = path.read_bytes()
    for at in {*range(0, len(whole), len(whole) // 12), len(whole) - 1}:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(BadInput, match=name):
            datasets.load(frozen[0].digest)
    path.write_bytes(whole)
    assert datasets.load(frozen[0].digest).digest == frozen[0].digest


def test_another_dataset_in_its_place_is_not_taken_for_it(frozen, home):
    row, _ = frozen
    other, _ = datasets.freeze(plan(warmup=101), by="asha", at=NOON)
    Dataset.objects.filter(pk=row.pk).update(path=other.path)
    with pytest.raises(BadInput, match="holds another dataset"):
        datasets.load(row.digest)


def test_a_resealed_folder_whose_rows_were_changed_is_found_out(frozen, home):
    row, data = frozen
    told = json.loads((Path(row.path) / "manifest.json").read_text())
    del told["sha256"], told["files"]
    arrays = {**data.arrays(), "y": np.zeros_like(data.y)}
    dataset_files.seal(Path(row.path), {dataset_files.ROWS: dataset_files.packed(arrays)}, told)
    with pytest.raises(BadInput, match="but holds"):
        datasets.load(row.digest)


def test_what_is_no_dataset_is_refused(tmp_path):
    dataset_files.seal(tmp_path / "a", {"x": b"1"}, {"role": "student", "format": "f"})
    with pytest.raises(BadInput, match="holds a student"):
        dataset_files.load(tmp_path / "a")
    dataset_files.seal(tmp_path / "b", {dataset_files.ROWS: b"no archive"}, {
        "role": "dataset", "format": dataset_files.FORMAT, "digest": "", "names": [], "lineage": {},
    })  # fmt: skip
    with pytest.raises(BadInput, match="none of our datasets"):
        dataset_files.load(tmp_path / "b")


def test_a_dataset_is_found_by_the_beginning_of_its_digest(frozen):
    row, _ = frozen
    assert kept.dataset(row.digest[:6].upper()) == row
    with pytest.raises(BadInput, match="too short"):
        kept.dataset("abc")
    with pytest.raises(NotFound, match="no dataset 'ffffff"):
        kept.dataset("ffffffffffff")
    Dataset.objects.filter(pk=row.pk).update(digest="a" * 64)
    row.pk, row.digest = None, "a" * 63 + "b"
    row.save()
    with pytest.raises(BadInput, match="fits several"):
        kept.dataset("aaaaaa")


# the same bytes as live


def test_a_replayed_day_serves_the_features_that_were_trained_on_to_the_last_bit():
    asked = plan()
    data = datasets.build(asked, at=NOON)
    led = replace(asked.wanted, start=datasets.first_day(asked))
    lanes = markets.lanes(led, at=NOON)
    setup, charges = runs.setup_of(asked.order, asked.wanted), runs.charges_of(asked.order, led, lanes)
    tape = Tape(lanes)
    engine = Engine("intraday", setup, tape.specs, capital=1e6, charges=charges)
    served = {}
    for day in tape.days:
        for ts, rows in tape.moments(day):
            step = engine.step(ts, rows)
            served.update({(tape.specs[j].symbol, ts): observe(bar, step.features[j]) for j, bar in rows})
    trained = np.array([served[key] for key in zip(data.symbol.tolist(), data.ts.tolist(), strict=True)])
    assert trained.tobytes() == data.X.tobytes()


def test_bars_reach_the_features_as_the_engine_meets_them():
    (lane,) = markets.lanes(plan(symbols=("DEMOBANK",)).wanted, at=NOON)
    tape = Tape([lane])
    played = [bar for day in tape.days for _, rows in tape.moments(day) for _, bar in rows]
    assert repr(list(lane_bars(lane))) == repr(played)


# where it comes from


def test_the_lineage_names_files_bars_settings_and_code_but_no_path(home, tmp_path):
    folder = bar_file(tmp_path / "bars", "ACME", dt.date(2026, 9, 28), SPAN[1])
    data = built(folder, symbols=("ACME",))
    told = data.manifest
    assert str(tmp_path) not in json.dumps(told)
    (file,) = told["symbols"]["ACME"]["files"]
    assert file["name"] == "ACME_5m.csv"
    assert len(file["sha256"]) == len(told["symbols"]["ACME"]["bars"]["sha256"]) == len(told["label"]["code"]) == 64
    assert told["features"]["settings"]["ema"] == 50
    assert set(told["versions"]) == {"python", "numpy"}
    setup = runs.setup_of(plan(folder, symbols=("ACME",)).order, plan(folder, symbols=("ACME",)).wanted)
    assert told["signature"] == {
        "names": list(NAMES), "dtypes": ["float64"] * len(NAMES), "code": made_by("intraday", setup),
    }  # fmt: skip
    counts = told["counts"]["ACME"]
    assert counts["rows"] == len(data)
    assert counts["bars"] == sum(counts[key] for key in counts if key != "bars")
    elsewhere = bar_file(tmp_path / "elsewhere", "ACME", dt.date(2026, 9, 28), SPAN[1])
    assert built(elsewhere, symbols=("ACME",)).digest == data.digest


def test_swing_labels_last_for_days_and_are_never_short():
    span = dt.date(2025, 6, 2), dt.date(2026, 10, 30)
    data = built(span=span, interval="1day", strategy="swing", symbols=("DEMOBANK",))
    assert set(np.unique(data.y)) <= {0, 1}
    assert np.isnan(data.net[:, 1]).all()
    assert (data.end - data.ts).max() > 5 * 86_400


def test_a_broker_is_not_asked_for_days_nobody_wanted(home, tmp_path):
    asked = plan(f"hybrid:{tmp_path}", symbols=("ACME",))
    assert datasets.first_day(asked) == SPAN[0]
    assert datasets.first_day(plan()) < SPAN[0]
    assert datasets.first_day(plan(span=(dt.date(2007, 1, 3), dt.date(2007, 1, 5)))) == dt.date(2007, 1, 1)


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        ({"strategy": "crossover"}, Invalid, "crossover keeps too few features"),
        ({"warmup": -1}, BadInput, "a warm-up of -1 bars"),
        ({"label": {"horizon": 0}}, Invalid, "horizon=0 is out of bounds"),
        ({"label": {"taget": 2}}, Invalid, "unknown parameter 'taget'"),
        (
            {"strategy": "swing", "interval": "1day", "label": {"intraday": 1}},
            BadInput,
            "daily bars cannot be labelled",
        ),
        ({"strategy": "swing"}, Invalid, "swing decides once a day"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_name(told, error, said):
    with pytest.raises(error, match=said):
        plan(**told)


def test_bars_that_give_no_row_are_counted_in_the_refusal(home, tmp_path):
    folder = bar_file(tmp_path / "bars", "ACME", dt.date(2026, 10, 29), SPAN[1])
    with pytest.raises(Invalid, match=r"no bar has a label .*warming_up 150"):
        built(folder, symbols=("ACME",), warmup=400)


# the command


def test_the_command_builds_lists_shows_and_exports(home, tmp_path):
    code, out, err = command(*DEMO, SPAN[1], "--params", "plan=prime-2999", "product=margin", "--json")
    assert (code, err) == (0, "")
    built_one = json.loads(out)
    digest = built_one["digest"]
    code, out, _ = command("build_dataset", "--list")
    assert (code, out.strip()[:12]) == (0, digest[:12])
    code, out, _ = command("build_dataset", "--show", digest[:10])
    assert code == 0
    assert f"{built_one['rows']:,} rows of {len(NAMES)} features of intraday" in out
    table = tmp_path / "rows.csv.gz"
    code, out, _ = command("build_dataset", "--show", digest[:10], "--export", table, "--json")
    assert (code, json.loads(out)["exported"]["rows"]) == (0, built_one["rows"])
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(table.read_bytes()).decode())))
    data = datasets.load(digest)
    assert [row["symbol"] for row in rows[:2]] == ["DEMOBANK"] * 2
    assert [float(row["rsi"]) for row in rows] == data.X[:, NAMES.index("rsi")].tolist()
    assert {row["label"] for row in rows} == {"LONG", "SHORT", "NOOP"}
    first = table.read_bytes()
    command("build_dataset", "--show", digest[:10], "--export", table)
    assert table.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("build_dataset",), "--symbols, --start-date, --end-date must be given"),
        ((*DEMO, SPAN[1], "--label", "horizon"), "'horizon' is not a parameter"),
        ((*DEMO, SPAN[1], "--strategy", "crossover"), "crossover keeps too few features"),
        ((*DEMO, SPAN[1], "--warmup", "9999"), "a warm-up of 9999 bars cannot be (use 0 to 5000)"),
        (("build_dataset", "--show", "123456"), "there is no dataset '123456'"),
    ],
)
def test_every_mistake_is_one_clear_line(home, words, said):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err


def test_an_export_needs_a_file_that_can_be_written(frozen, tmp_path):
    digest = frozen[0].digest
    assert "end it in .csv" in command("build_dataset", "--show", digest, "--export", tmp_path / "rows.txt")[2]
    code, _, err = command("build_dataset", "--show", digest, "--export", tmp_path / "none" / "rows.csv")
    assert (code, "cannot be written: No such file" in err) == (2, True)
