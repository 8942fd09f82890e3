"""Traces of a run: one for every closed position, with what it was decided on."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading import desks
from trading.adapters.tracefiles import as_csv
from trading.core.accuracy import measure
from trading.core.features import Features
from trading.core.panel import panel
from trading.core.setups import make_setup
from trading.core.simulation import schedule, simulate
from trading.core.state import CARRY, ENTRY, EXIT_REASONS, FILLED, NOTED, ORDERED, SIGNAL, TRADED, WIDTH
from trading.core.trace_lines import lines
from trading.core.trace_table import Builder, closed, parse
from trading.core.traces import (
    FIELDS,
    Made,
    Told,
    _notes,
    columns,
    direction,
    form,
    of_events,
    stamp,
    threshold,
    trace,
    version,
    written,
)


@pytest.fixture(scope="module")
def run():
    """A week of the demo market, its outcome and what is told of it."""
    lanes = desks.lanes()
    setup = make_setup("intraday", 5, {}, desks.LIVELY)
    charges = schedule("i-secure", "cash", desks.WEEK[0], desks.TODAY)
    outcome = simulate("intraday", setup, panel(lanes), capital=1e6, charges=charges, compiled=False)
    return lanes, outcome, Told("intraday", "intraday", "backtest", version("intraday", setup), "1")


def traces(run, names=Features._fields, keep=None):
    lanes, outcome, told = run
    return list(of_events(outcome.events, [each.spec.symbol for each in lanes], names, told, keep))


def test_the_schema_is_the_documents():
    assert ",".join(FIELDS) == (
        "timestamp,symbol,strategy,predicted_direction,actual_direction,predicted_confidence,entry_price,exit_price,"
        "holding_period_minutes,realized_return_pct,features,metadata"
    )
    assert stamp(1_705_291_200) == "2024-01-15 09:30:00"


def test_the_threshold_is_three_tenths_within_the_day_and_a_half_beyond_it():
    assert (threshold("intraday"), threshold("swing"), threshold("crossover", "intraday")) == (0.3, 0.5, 0.3)
    assert [direction(move, 0.3) for move in (0.31, 0.3, -0.3, -0.31)] == ["LONG", "NOOP", "NOOP", "SHORT"]


def test_every_closed_position_leaves_a_trace_that_says_what_it_made(run):
    trades = [each for each in run[1].happenings() if each.kind == TRADED]
    found = traces(run)
    assert len(found) == len(trades) > 10
    for one, trade in zip(found, trades, strict=True):
        v = trade.values
        parsed = parse(one)
        assert parsed[0] == int(v["entry_ts"])
        assert one.realized_return_pct == pytest.approx(v["gross"] / (v["quantity"] * v["entry_price"]) * 100, abs=2e-4)
        assert parsed[10] == pytest.approx(v["net"] / (v["quantity"] * v["entry_price"]) * 100, abs=1e-5)
    assert {one.predicted_direction for one in found} == {"LONG", "SHORT"}


def test_its_features_are_the_row_the_engine_decided_on(run):
    engine = desks.engine(run[0])
    _, moments = desks.moments(run[0])
    rows = {}
    for _, ts, bars in moments:
        step = engine.step(ts, bars)
        for each in step.happenings:
            if each.kind == SIGNAL and not each.values["objections"]:
                rows[each.lane, ts] = step.features[each.lane]
    noted = [each for each in run[1].happenings() if each.kind == NOTED and each.values["first"] == 0]
    assert len(noted) > 10
    for each in noted:
        values = list(each.values.values())[1:]
        np.testing.assert_array_equal(values, rows[each.lane, each.ts][:9])


def old(events, symbols, names, told):
    """Fold a run's events one by one, the plain way."""
    now = {}
    said = {}
    for e in events.reshape(-1, WIDTH).tolist():
        kind, lane = e[0], int(e[1])
        if kind == SIGNAL and e[8] == 0 and e[10] == 0:
            said[lane] = (e[5], e[7], e[11])
        elif kind == ORDERED and e[8] == ENTRY:
            now[lane] = [said[lane], e[7], 0.0, []]
        elif kind == NOTED:
            now[lane][3].extend(e[5:14])
        elif kind == FILLED and e[9] == ENTRY:
            now[lane][2] += e[8]
        elif kind == CARRY:
            now[lane][2] += e[4]
        elif kind == TRADED:
            (sure, news, student), decided, fees, notes = now[lane]
            made = Made(int(e[4]), sure, news, decided, e[6], e[7], int(e[9]), int(e[3]), int(e[5]), fees, e[10], e[13],
                        e[11], EXIT_REASONS[int(e[12])], student)  # fmt: skip
            features = written(form(names), tuple(notes[: len(names)])) if names else "{}"
            yield trace(made, symbols[lane], told, features)


@pytest.mark.parametrize("student", [None, 0.75])
@pytest.mark.parametrize("names", [Features._fields, ()])
def test_traces_made_from_columns_are_those_made_event_by_event_to_the_last_character(run, names, student):
    _, outcome, told = run
    events, symbols = outcome.events.copy(), ["A", 'B"&', "C,D"]
    if student:
        rows = events.reshape(-1, WIDTH)
        rows[rows[:, 0] == SIGNAL, 11] = student
    slow = list(old(events, symbols, names, told))
    assert list(of_events(events, symbols, names, told)) == slow
    quick = [each for some in lines(columns(events, len(names)), symbols, names, told) for each in some]
    assert "".join(quick) == as_csv(slow)
    assert list(lines(columns(events[:0], len(names)), symbols, names, told)) == []


def test_features_can_be_left_out_and_traces_sampled(run):
    assert {one.features for one in traces(run, names=())} == {"{}"}
    every = iter(range(1000))
    assert len(traces(run, keep=lambda: next(every) % 2 == 0)) == (len(traces(run)) + 1) // 2


def test_columns_made_at_once_measure_what_the_traces_do(run):
    lanes, outcome, told = run
    builder = Builder()
    for one in traces(run):
        builder.add(one)
    slow = measure(builder.table())
    quick = measure(closed(outcome.events, [each.spec.symbol for each in lanes], told))
    assert quick.confusion_matrix == slow.confusion_matrix
    for mine, theirs in zip(quick[7:], slow[7:], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6, nan_ok=True)


def test_another_parameter_is_another_version():
    one, two = (make_setup("intraday", 5, {}, {"sma": each}) for each in (20, 21))
    assert version("intraday", one) != version("intraday", two)
    assert version("intraday", one) == version("intraday", make_setup("intraday", 5, {}, {"sma": 20}))


GOOD = (
    "2024-01-15 09:30:00", "RELIANCE", "swing", "LONG", "LONG", "0.85", "2500.0", "2520.0", "1440", "0.8", "{}",
    '{"exit_reason":"take_profit"}',
)  # fmt: skip


def test_the_documents_row_is_read():
    assert parse(GOOD)[:6] == (1_705_291_200, "RELIANCE", "swing", 0, 0, 0.85)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (0, "soon", "timestamp"), (1, "=cmd|' /C calc'!A0", "symbol"), (1, "", "symbol"), (2, "@sum", "strategy"),
        (3, "UP", "predicted_direction"), (4, "", "actual_direction"), (5, "1.2", "predicted_confidence"),
        (5, "nan", "predicted_confidence"), (6, "0", "price"), (7, "-3", "exit_price"), (8, "-1", "holding"),
        (9, "inf", "realized_return_pct"), (10, "{", "features"), (11, "[]", "metadata"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named(place, value, said):
    row = list(GOOD)
    row[place] = value
    with pytest.raises(ValueError, match=said):
        parse(row)


@given(st.text(max_size=100))
def test_a_version_is_a_name_whatever_the_metadata_say(text):
    row = (*GOOD[:11], json.dumps({"model_version": text}))
    assert not parse(row)[11].startswith(("=", "+", "-", "@"))


def test_signals_none_of_which_became_a_trade_leave_no_feature_rows():
    rows = np.zeros((3, WIDTH))
    rows[:, 0] = NOTED
    none = np.zeros(0, np.int64)
    found, noted = _notes(rows, np.zeros(3, np.int64), none, none, 20)
    assert (found.shape, noted.shape) == ((0, 20), (0,))
