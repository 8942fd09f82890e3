"""Say how accurate recorded predictions were."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from trading.services import accuracy

SHOWN = (
    ("hit ratio", "hit_ratio", "{:.1%}"), ("win rate", "win_rate", "{:.1%}"),
    ("average return %", "avg_return", "{:.3f}"),
    ("Sharpe", "sharpe_ratio", "{:.2f}"), ("max drawdown", "max_drawdown", "{:.2%}"),
    ("profit factor", "profit_factor", "{:.2f}"), ("average hold, minutes", "avg_holding_minutes", "{:,.0f}"),
)  # fmt: skip


class Command(DeskCommand):
    """Accuracy of traces."""

    help = "Precision, recall, F1, confusion matrix and returns of prediction traces (CSV, JSONL, gzip, folders)."
    examples = (
        "  manage.py accuracy_report data/analytics/backtest_20250112\n"
        "  manage.py accuracy_report data/analytics --strategy intraday --json\n"
        "  manage.py accuracy_report data/after --baseline data/before\n"
        "  manage.py accuracy_report data/audit/batch_001 data/audit/batch_002"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the paths, the strategy and what to compare with."""
        parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders; two are compared")
        parser.add_argument("--strategy", default="both", help="intraday, swing or another; default both: all")
        parser.add_argument("--baseline", metavar="PATH", help="compare with the traces there")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Measure, compare, and say so."""
        found = accuracy.report(options["paths"], strategy=options["strategy"], baseline=options["baseline"])
        return found, "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    read = found["read"]
    lines = [f"{found['total_trades']:,} traces of {len(read['files'])} files, {found['first']} to {found['last']}"]
    for label in found["labels"]:
        one = [_said(found[name][label], "{:.1%}") for name in ("precision", "recall", "f1_score")]
        lines.append(f"  {label:<6} precision {one[0]:>7}  recall {one[1]:>7}  F1 {one[2]:>7}")
    lines.append("  confusion (rows: what happened; columns: predicted LONG, SHORT, NOOP)")
    lines += [
        f"    {label:<6}" + "".join(f"{count:>8,}" for count in row)
        for label, row in zip(found["labels"], found["confusion_matrix"], strict=True)
    ]
    lines += [f"  {words:<24}{_said(found[key], form):>12}" for words, key, form in SHOWN]
    lines += _calibration(found["calibration"])
    lines += [f"  degrading: {alert}" for alert in found["rolling"]["alerts"]]
    lines += _comparison(found.get("comparison") or (found["comparative"] or {}).get("comparison"))
    lines += [f"  bad row: {row['file']} line {row['line']}: {row['message']}" for row in read["named_rows"][:10]]
    if read["bad_rows"]:
        lines.append(f"  {read['bad_rows']:,} bad rows were left out")
    return lines + [f"  skipped: {told}" for told in read["skipped_files"]]


def _calibration(found: dict[str, Any]) -> list[str]:
    return [
        f"  calibration of {version}: ECE {_said(each['ece'], '{:.3f}')}, Brier {_said(each['brier'], '{:.3f}')}"
        for version, each in found.items()
    ]


def _comparison(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    test = found["statistical_significance"]
    marks = ", ".join(f"{name} {mark:.3f}" for name, mark in found["composite_scores"].items())
    lines = [
        f"  better by the composite score: {found['better_strategy'] or 'neither'} ({marks})",
        f"  difference of means: p {_said(test['p_value'], '{:.4f}')}, "
        f"effect size {_said(test['effect_size'], '{:.2f}')}, "
        f"{'significant' if test['significant'] else 'not significant'} at 5 %",
    ]
    if not test["enough_traces"]:
        lines.append(f"  too few traces to tell: {_said(test['minimum_sample'], '{:,.0f}')} a side are needed")
    return lines


def _said(value: float | None, form: str) -> str:
    return "—" if value is None else form.format(value)
