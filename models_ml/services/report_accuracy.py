"""The accuracy report: classes, returns, calibration and whether they last, of traces wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models_ml.core.reports import Block, Chart, Document, Heading, Series, Table, Text, said, thinned
from sensequant.lib.errors import BadInput
from trading.core.accuracy import cumulative, wealth
from trading.core.trace_table import Table as Traces
from trading.core.traces import LABELS
from trading.services import accuracy, accuracy_sources, trace_reading

POINTS = 2000
MEASURES = (
    ("Hit ratio", "hit_ratio", "{:.1%}"), ("Win rate", "win_rate", "{:.1%}"),
    ("Average return %", "avg_return", "{:.3f}"),
    ("Sharpe", "sharpe_ratio", "{:.2f}"), ("Max drawdown", "max_drawdown", "{:.2%}"),
    ("Profit factor", "profit_factor", "{:.2f}"), ("Average hold, minutes", "avg_holding_minutes", "{:,.0f}"),
)  # fmt: skip


def traces(run: str) -> Traces:
    """Return the traces ``run`` means: a path, a backtest's number, or the name of a source."""
    if Path(run).expanduser().exists():
        return trace_reading.load([run]).table
    found, _ = accuracy_sources.table(f"backtest-{run}" if run.isdecimal() else run)
    if not len(found):
        raise BadInput(f"{run} holds no scored prediction", fix="let an engine close a position, or name a path")
    return found


def rows(run: str) -> list[dict[str, Any]]:
    """Return the traces ``run`` means as plain rows, for a notebook."""
    table = traces(run).in_order()
    columns = zip(
        table.ts.tolist(), table.symbol.tolist(), table.strategy.tolist(), table.predicted.tolist(),
        table.actual.tolist(), table.confidence.tolist(), table.returns.tolist(), table.holding.tolist(),
        table.version.tolist(), strict=True,
    )  # fmt: skip
    names = ("ts", "symbol", "strategy", "predicted", "actual", "confidence", "return_pct", "hold_minutes", "version")
    return [
        {**dict(zip(names, row, strict=True)), "predicted": LABELS[row[3]], "actual": LABELS[row[4]]} for row in columns
    ]


def document(run: str, made: str) -> Document:
    """Return the report of ``run``; NotFound or BadInput when it means no traces."""
    table = traces(run)
    found = accuracy.of(table)
    title = f"Accuracy of {run}"
    subtitle = f"{found['total_trades']:,} traces, {found['first']} to {found['last']}; made {made}"
    return Document(title, subtitle, tuple(_blocks(found, table)))


def _blocks(found: dict[str, Any], table: Traces) -> Iterator[Block]:
    names = sorted(set(table.strategy.tolist()))
    parts = {name: found["by_strategy"].get(name, found) for name in names}
    yield Heading("In short")
    yield Text(_verdict(found))
    yield Table("", ("measure", *names), tuple(_rows(parts)))
    yield Heading("Classes")
    yield Text("Rows of a confusion matrix are what happened, columns what was predicted.")
    for name, part in parts.items():
        yield from _classes(found["labels"], name, part)
    yield Heading("Returns")
    yield from _returns(table, names)
    yield Heading("Does it last?")
    yield from _lasting(found["rolling"])
    yield Heading("Calibration")
    yield from _calibration(found["calibration"])
    if found["comparative"]:
        yield Heading("Intraday against swing")
        yield _comparison(found["comparative"]["comparison"])


def _verdict(found: dict[str, Any]) -> str:
    alerts = found["rolling"]["alerts"]
    start = f"{said(found['accuracy'], '{:.1%}')} of {found['total_trades']:,} predictions came true."
    return f"{start} Degrading: {'; '.join(alerts)}." if alerts else f"{start} No measure is degrading."


def _rows(parts: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield ("Traces", *(f"{part['total_trades']:,}" for part in parts.values()))
    for words, key, form in MEASURES:
        yield (words, *(said(part[key], form) for part in parts.values()))


def _classes(labels: list[str], name: str, part: dict[str, Any]) -> Iterator[Block]:
    predicted = tuple(f"predicted {label}" for label in labels)
    z = tuple(tuple(float(n) for n in row) for row in part["confusion_matrix"])
    yield Chart("heatmap", f"Confusion matrix, {name}", columns=predicted, lines=tuple(labels), z=z)
    kinds = (("precision", "precision"), ("recall", "recall"), ("F1", "f1_score"))
    bars = tuple(Series(words, labels, [part[key][label] for label in labels]) for words, key in kinds)
    yield Chart("bar", f"Precision, recall and F1, {name}", bars, "class", "share")


def _returns(table: Traces, names: list[str]) -> Iterator[Block]:
    parts = {name: table.of(name).in_order() for name in names}
    yield Chart(
        "histogram", "Returns of trades", tuple(Series(n, [], part.returns.tolist()) for n, part in parts.items()),
        "return, %", "trades",
    )  # fmt: skip
    curves = {name: cumulative(part)[1].tolist() for name, part in parts.items()}
    yield Chart("line", "Cumulative return", tuple(_line(n, v) for n, v in curves.items()), "trade", "%")
    falls = {name: _falls(part) for name, part in parts.items()}
    yield Chart("line", "Drawdown", tuple(_line(n, v) for n, v in falls.items()), "trade", "%")
    yield Chart(
        "scatter", "Confidence and return", tuple(
            Series(name, part.confidence.tolist(), part.returns.tolist()) for name, part in parts.items()
        ), "confidence", "return, %",
    )  # fmt: skip


def _falls(part: Traces) -> list[float]:
    path = wealth(part.returns / 100.0)
    highest = path[0]
    falls = []
    for value in path[1:].tolist():
        highest = max(highest, value)
        falls.append((value / highest - 1.0) * 100.0)
    return falls


def _line(name: str, values: list[float]) -> Series:
    keep = thinned(range(len(values)), POINTS)
    return Series(name, [float(k + 1) for k in keep], [values[k] for k in keep])


def _lasting(rolling: dict[str, Any]) -> Iterator[Block]:
    recent, ever = rolling["rolling"], rolling["all_time"]
    rows = [("Precision LONG", said(recent["precision"]["LONG"], "{:.1%}"), said(ever["precision"]["LONG"], "{:.1%}"))]
    rows += [(words, said(recent[key], form), said(ever[key], form)) for words, key, form in MEASURES]
    yield Table("", ("measure", f"last {rolling['window']}", "all time"), tuple(rows))
    for alert in rolling["alerts"]:
        yield Text(alert)


def _calibration(found: dict[str, Any]) -> Iterator[Block]:
    rows = [
        (version, f"{each['predictions']:,}", said(each["ece"], "{:.3f}"), said(each["brier"], "{:.3f}"))
        for version, each in found.items()
    ]
    yield Table("0 is perfect", ("version", "predictions", "ECE", "Brier"), tuple(rows))
    lines = tuple(
        Series(version, [b["confidence"] for b in each["bins"]], [b["share_right"] for b in each["bins"]])
        for version, each in found.items()
    )
    perfect = Series("perfect", [0.0, 1.0], [0.0, 1.0])
    yield Chart("line", "Reliability", (*lines, perfect), "confidence", "share that came true")


def _comparison(found: dict[str, Any]) -> Table:
    test = found["statistical_significance"]
    rows = [(f"Composite score, {name}", said(mark, "{:.3f}")) for name, mark in found["composite_scores"].items()]
    rows += [
        ("Better", found["better_strategy"] or "neither"),
        ("Sharpe, difference", said(found["sharpe_delta"], "{:+.2f}")),
        ("p of the means (Welch)", said(test["p_value"], "{:.4f}")),
        ("Effect size", said(test["effect_size"], "{:.2f}")),
        ("Traces a side needed", said(test["minimum_sample"], "{:,.0f}")),
    ]  # fmt: skip
    return Table("", ("measure", "value"), tuple(rows))


def charts(table: Traces) -> list[Chart]:
    """Return the charts of the report alone."""
    return [each for each in _blocks(accuracy.of(table), table) if isinstance(each, Chart)]
