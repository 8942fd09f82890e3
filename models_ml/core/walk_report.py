"""The report of a walk-forward: the stitched curve, every window, how the choice drifts, and how honest it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models_ml.core.reports import Block, Chart, Document, Heading, Series, Table, Text, said, thinned

POINTS = 2000
MEASURES = (
    ("Return", "total_return", "{:.2%}"), ("Net P&L ₹", "total_pnl", "{:,.2f}"), ("Sharpe", "sharpe_ratio", "{:.2f}"),
    ("Sortino", "sortino_ratio", "{:.2f}"), ("Max drawdown", "max_drawdown", "{:.2%}"),
    ("Trades", "trades", "{:,.0f}"),
    ("Win rate", "win_rate", "{:.1%}"), ("Hit ratio", "hit_ratio", "{:.1%}"),
    ("Profit factor", "profit_factor", "{:.2f}"),
    ("Charges ₹", "charges", "{:,.2f}"), ("Sessions", "days", "{:,.0f}"),
)  # fmt: skip
Facts = Mapping[str, Any]


def document(summary: Facts, walk: Facts, made: str) -> Document:
    """Return the report of the files of a walk-forward."""
    title = f"Walk-forward {summary.get('run_id', '')}: {summary.get('strategy', '')}".rstrip(": ")
    span = f"{', '.join(summary.get('symbols', []))} {summary.get('start_date', '')} to {summary.get('end_date', '')}"
    return Document(
        title, f"{span.strip()}; {len(walk['windows'])} windows; made {made}", tuple(_blocks(summary, walk))
    )


def _blocks(summary: Facts, walk: Facts) -> Iterator[Block]:
    yield Heading("In short")
    yield Text(in_words(walk))
    yield from honest(summary.get("honesty"))
    yield Heading("The unseen days, stitched")
    yield from _curve(walk)
    yield _measures(walk)
    yield Heading("Windows")
    yield from _windows(walk["windows"])
    yield Heading("Does the choice drift?")
    yield from _drift(walk["drift"])
    yield Heading("Trades on the unseen days")
    yield from _trades(walk["trades"])


def in_words(walk: Facts) -> str:
    """Return what a walk-forward did and came to, in a paragraph."""
    searched = said(walk["in_sample_annual_return"], "{:.1%}")
    left = f" {walk['left_over']} sessions at the end were left over." if walk.get("left_over") else ""
    return (
        f"{len(walk['windows'])} windows: {walk['train']} sessions searched, {walk['purge']} left out, {walk['test']} "
        f"traded unseen, then {walk['step']} on.{left} A year of the unseen days is "
        f"{said(walk['annual_return'], '{:.1%}')}, of the searched ones {searched}: "
        f"walk-forward efficiency {said(walk['efficiency'], '{:.2f}')}. "
        f"{said(walk['profitable_windows'], '{:.0%}')} of the windows earned something."
    )


def honest(found: Facts | None) -> Iterator[Block]:
    """Yield the verdict with its reasons and the numbers behind it."""
    if not found:
        yield Text("How many configurations were tried before is not known, so the score may be luck.")
        return
    yield Text(f"Verdict: {found.get('verdict')}. {'; '.join(map(str, found.get('reasons') or []))}")
    rows = tuple((name.replace("_", " "), said(v)) for name, v in found.items() if isinstance(v, int | float))
    yield Table("How honest the ranking is", ("measure", "value"), rows)


def _curve(walk: Facts) -> Iterator[Block]:
    lines = [("walk-forward", walk["equity"]), ("baseline", walk.get("baseline_equity") or [])]
    series = []
    for name, points in lines:
        keep = thinned(range(len(points)), POINTS)
        if keep:
            series.append(Series(name, [points[k][0] for k in keep], [points[k][1] for k in keep]))
    yield Chart("line", "Equity on the unseen days", tuple(series), "session", "₹")
    windows = walk["windows"]
    ids = [str(each["number"]) for each in windows]
    bars = tuple(
        Series(word, ids, [each[key]["annual_return"] for each in windows])
        for word, key in (("searched", "in_sample"), ("unseen", "out_of_sample"))
    )
    yield Chart("bar", "Annual return by window", bars, "window", "a year")


def _measures(walk: Facts) -> Table:
    plain = walk.get("baseline") or {}
    rows = ((words, said(walk["metrics"].get(key), form), said(plain.get(key), form)) for words, key, form in MEASURES)
    return Table("", ("measure", "walk-forward", "baseline"), tuple(rows))


def _windows(windows: Sequence[Facts]) -> Iterator[Block]:
    header = ("window", "searched", "traded", "configuration", "parameters", "return searched", "return unseen",
              "Sharpe unseen", "trades", "efficiency", "verdict")  # fmt: skip
    rows = []
    for each in windows:
        given = ", ".join(f"{name}={said(value)}" for name, value in each["parameters"].items())
        unseen = each["out_of_sample"]
        rows.append((
            str(each["number"]), span(each["train"]), span(each["test"]), str(each["config_id"]), given,
            said(each["in_sample"]["total_return"], "{:.2%}"), said(unseen["total_return"], "{:.2%}"),
            said(unseen["sharpe_ratio"], "{:.2f}"), said(unseen["trades"], "{:,.0f}"),
            said(each["efficiency"], "{:.2f}"), str(each["verdict"]),
        ))  # fmt: skip
    yield Table("", header, tuple(rows))


def span(days: Facts) -> str:
    """Return a stretch of days in words."""
    return f"{days['first']} to {days['last']}"


def _drift(drift: Sequence[Facts]) -> Iterator[Block]:
    if not drift:
        yield Text("Nothing was varied, so nothing can drift.")
        return
    yield Text("A choice that jumps from window to window follows noise; one that stays has found something.")
    rows = tuple(
        (each["name"], said(each["moved"], "{:.0%}"), said(each["changed"], "{:.0%}"),
         " → ".join(said(v) for v in each["values"]))
        for each in drift
    )  # fmt: skip
    yield Table("", ("parameter", "mean move, of its range", "moves that changed it", "chosen, by window"), rows)


def _trades(trades: Sequence[Facts]) -> Iterator[Block]:
    if not trades:
        yield Text("No trade was made.")
        return
    groups: dict[str, list[float]] = {}
    for each in trades:
        groups.setdefault(each["symbol"], []).append(each["net_pnl"])
    yield Chart(
        "histogram", "Net P&L of trades", (Series("trades", [], [t["net_pnl"] for t in trades]),), "₹", "trades"
    )
    rows = tuple(
        (symbol, f"{len(nets):,}", f"{sum(nets):,.2f}", f"{sum(n > 0 for n in nets) / len(nets):.1%}")
        for symbol, nets in sorted(groups.items())
    )
    yield Table("By symbol", ("symbol", "trades", "net P&L ₹", "win rate"), rows)
