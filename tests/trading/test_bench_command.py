"""``manage.py bench``: the workloads in small, and the words for those that are none."""

import datetime as dt
import json

import numpy as np
import pytest

from monitoring.services import rollup_benches
from sensequant import benches as own
from tests.trading.desks import SEED, command
from trading.core import demo, sweeps
from trading.core.calendar import NSE
from trading.core.kernel import kernel
from trading.services import benches, desk_benches, scoring_benches, sentiment_benches

pytestmark = pytest.mark.django_db
PARTS = ("SENT", "STUD", "DESK", "ROLL", "PAGE")  # FAN, FLEET and SOCK begin processes of their own
PROMISED = {"seconds", "seconds_desk", "bars", "trades", "net_pnl", "rss_mb"}
FINE = NSE.sessions(dt.date(2026, 11, 2), dt.date(2026, 11, 4))  # in the segment without a closing auction
COARSE = NSE.sessions(dt.date(2026, 1, 1), dt.date(2026, 10, 30))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A market of two symbols, one round, and the core uncompiled: what is timed is not what is tested here."""
    names = ("DEMOBANK", "DEMOINFRA")
    fine = {name: demo.generate(name, FINE, seed=SEED, minutes=1) for name in names}
    coarse = {name: demo.generate(name, COARSE, seed=SEED, minutes=1440) for name in names}
    plain = kernel("crossover", compiled=False)
    monkeypatch.setattr(benches, "market", lambda: (fine, coarse))
    monkeypatch.setattr(benches, "ROUNDS", 1)
    monkeypatch.setattr(sentiment_benches, "ROUNDS", 1)
    monkeypatch.setattr(scoring_benches, "ROWS", 20)
    monkeypatch.setattr(desk_benches, "LANES", 4)
    monkeypatch.setattr(desk_benches, "SESSIONS", 2)
    monkeypatch.setattr(rollup_benches, "SAMPLES", 40)
    monkeypatch.setattr(own, "ROUNDS", 1)
    monkeypatch.setattr(own, "KEPT", tmp_path / "bench.json")
    monkeypatch.setattr(benches, "CUTS", benches.CUTS[:4])
    monkeypatch.setattr(benches, "rivals_job", lambda work: None)
    monkeypatch.setattr(sweeps, "kernel", lambda name, compiled: plain)
    monkeypatch.setattr(sweeps, "records", list)
    monkeypatch.setattr(benches, "portfolio", lambda work: 0)
    return fine, coarse


def test_every_workload_tells_the_promised_figures(small):
    code, out, _ = command("bench", "--json", "--only", ",".join(("W1", "W2", "W3", "W4", *PARTS)))
    found = json.loads(out)
    assert (code, list(found)) == (0, ["W1", "W2", "W3", "W4", *PARTS])
    assert all(found.pop(name)["seconds"] > 0 for name in PARTS)
    for figures in found.values():
        assert set(figures) >= PROMISED
        assert figures["seconds"] > 0
    minutes = 3 * 375
    assert [found[name]["bars"] for name in found] == [minutes, 2 * minutes, 2 * len(COARSE), 4 * minutes]
    assert found["W2"]["trades"] >= found["W1"]["trades"] > 0


def test_only_the_wanted_ones_are_run_and_told_in_a_table(small):
    code, out, _ = command("bench", "--only", "W1, W3")
    lines = out.strip().splitlines()
    assert (code, [line.split()[0] for line in lines[1:]]) == (0, ["W1", "W3"])
    assert "desk ms" in lines[0]


def test_the_trades_can_be_written_down(small, tmp_path):
    file = tmp_path / "trades.json"
    code, out, _ = command("bench", "--only", "W2,W4", "--trades", file, "--json")
    assert code == 0
    written, found = json.loads(file.read_text()), json.loads(out)
    assert {name: len(rows) for name, rows in written.items()} == {name: found[name]["trades"] for name in found}
    assert {row[0] for row in written["W2"]} == {"DEMOBANK", "DEMOINFRA"}
    assert {row[0] for row in written["W4"]} <= {"000", "001", "002", "003"}
    assert sum(row[5] for row in written["W2"]) == pytest.approx(found["W2"]["net_pnl"], abs=0.001)
    assert all(entry < out for _, entry, out, *_ in written["W2"])


def test_other_bars_are_read_from_a_folder(small, tmp_path):
    for name, bars in small[0].items():
        _write(tmp_path / f"min_{name}.csv", [(None, bars)])
    _write(tmp_path / "day_all.csv", list(small[1].items()))
    fine, coarse = benches.read(tmp_path)
    for known, read in zip((*small[0].items(), *small[1].items()), (*fine.items(), *coarse.items()), strict=True):
        assert known[0] == read[0]
        for a, b in zip(known[1].columns(), read[1].columns(), strict=True):
            assert np.array_equal(a, b)


def _write(file, series):
    """Write series as the bench reads them: IST wall-clock, with the symbol where there are several."""
    named = series[0][0] is not None
    lines = [f"datetime,{'symbol,' if named else ''}open,high,low,close,volume"]
    for name, bars in series:
        wall = (bars.ts + 19_800).astype("datetime64[s]")
        for when, *row in zip(wall, *(column.tolist() for column in bars.columns()[1:]), strict=True):
            lines.append(",".join([str(when), *([name] if named else []), *map(str, row)]))
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--only", "W9"),
            "there is no workload 'W9' (use W1, W2, W3, W4, SENT, STUD, DESK, ROLL, FLEET, SOCK, PAGE, FAN)",
        ),
        (("--only", "FLEET"), "two workers cannot be measured here (set DATABASE_URL to PostgreSQL and REDIS_URL"),
        (("--only", "SOCK"), "readers of another process cannot be measured here (set DATABASE_URL to PostgreSQL and"),
        (("--only", "W1", "--data", "/nowhere/at/all"), "lacks min_*.csv or day_all.csv"),
    ],
)
def test_what_can_not_be_run_is_told_in_one_line(words, said):
    code, _, err = command("bench", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_file_that_can_not_be_written_is_told_in_one_line(small, tmp_path):
    code, _, err = command("bench", "--only", "W1", "--trades", tmp_path / "no" / "such" / "folder.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be written" in err


def test_times_are_compared_with_those_kept_of_the_same_machine(tmp_path):
    kept = tmp_path / "bench.json"
    own.keep({"W1": {"seconds": 0.5, "bars": 7}, "DESK": {"bar_p50_ms": 0.1, "slow": []}}, kept)
    own.keep({"W1": {"seconds": 1.0}}, kept)
    found = own.compared(
        {"W1": {"seconds": 1.5}, "DESK": {"bar_p50_ms": 0.05}, "ROLL": {"sample_ms": 1.0}}, kept.read_text
    )
    assert found == {"W1": {"seconds": 1.5}, "DESK": {"bar_p50_ms": 0.5}}
    assert own.compared({"W1": {"seconds": 1.5}}, lambda: "{}") == {}
