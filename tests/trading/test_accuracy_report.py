"""``manage.py accuracy_report`` as a user types it."""

import json

import pytest

from tests.trading.desks import command
from tests.trading.traced import DAY, SOME, trace
from trading.adapters.tracefiles import TraceWriter


def put(folder, traces):
    with TraceWriter(folder) as writer:
        for each in traces:
            writer.write(each)
    return folder


def answer(*words):
    code, out, err = command("accuracy_report", *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def folders(tmp_path):
    """A hundred swing traces of which a third paid, and a hundred of which most did."""
    bad = [trace(1.0 if k % 3 == 0 else -1.0 - k % 2, at=DAY + 60 * k) for k in range(100)]
    good = [trace(-1.0 if k % 3 == 0 else 1.0 + k % 2, at=DAY + 60 * k) for k in range(100)]
    return put(tmp_path / "bad", bad), put(tmp_path / "good", good)


def test_it_answers_in_the_documents_words(tmp_path):
    found = answer(put(tmp_path, SOME))
    assert found["total_trades"] == 30
    assert found["labels"] == ["LONG", "SHORT", "NOOP"]
    assert set(found["precision"]) == set(found["recall"]) == set(found["f1_score"]) == {"LONG", "SHORT", "NOOP"}
    assert len(found["confusion_matrix"]) == 3
    assert {
        "hit_ratio", "win_rate", "avg_return", "sharpe_ratio", "max_drawdown", "profit_factor", "avg_holding_minutes",
    } <= set(found)  # fmt: skip
    assert set(found["comparative"]) == {"intraday", "swing", "comparison"}
    assert found["comparative"]["intraday"]["total_trades"] == 10
    assert {"better_strategy", "sharpe_delta", "statistical_significance"} <= set(found["comparative"]["comparison"])
    assert set(found["rolling"]) >= {"rolling", "all_time", "deltas", "is_degrading", "alerts"}
    assert found["calibration"]["rules-1"]["predictions"] == 30
    assert found["read"]["bad_rows"] == 0


def test_one_strategy_can_be_asked_for(tmp_path):
    found = answer(put(tmp_path, SOME), "--strategy", "swing")
    assert (found["total_trades"], found["by_strategy"], found["comparative"]) == (20, {}, None)


def test_two_folders_are_compared_and_so_is_a_baseline(folders):
    bad, good = folders
    pair = answer(bad, good)
    assert pair["total_trades"] == 200
    assert pair["comparison"]["better_strategy"] == str(good)
    assert pair["comparison"]["sharpe_delta"] > 0
    against = answer(good, "--baseline", bad)
    assert (against["total_trades"], against["comparison"]["better_strategy"]) == (100, "report")
    test = against["comparison"]["statistical_significance"]
    assert test["significant"]
    assert test["p_value"] < 0.001
    assert test["effect_size"] > 0.8
    assert test["enough_traces"]
    assert test == pair["comparison"]["statistical_significance"]


def test_in_words_it_says_what_counts(folders):
    code, out, err = command("accuracy_report", *folders)
    assert (code, err) == (0, "")
    for words in ("200 traces of 2 files", "LONG   precision", "confusion", "hit ratio",
                  "better by the composite score", "significant at 5 %", "calibration of rules-1"):  # fmt: skip
        assert words in out


def test_bad_rows_are_told_in_words_and_counted(tmp_path):
    put(tmp_path, SOME[1:3])
    path = tmp_path / "predictions_swing_0.csv"
    path.write_text(path.read_text() + "soon" + ",x" * 11 + "\r\n")
    code, out, _ = command("accuracy_report", tmp_path)
    assert code == 0
    assert "1 bad rows were left out" in out
    assert f"bad row: {path} line 4: timestamp 'soon' is no ISO 8601 time" in out
    assert answer(tmp_path)["read"]["bad_rows"] == 1


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path):
    put(tmp_path / "t", SOME)
    for words, said in (
        ((tmp_path / "nowhere",), "there is no file or folder"),
        ((tmp_path / "t", "--strategy", "moonshot"), "no trace of strategy 'moonshot'"),
        ((tmp_path / "t", "--baseline", tmp_path / "no"), "there is no file or folder"),
    ):
        code, out, err = command("accuracy_report", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
