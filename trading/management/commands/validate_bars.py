"""``manage.py validate_bars``: is this file, or every file of this folder, fit to trade and test on?"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import DatabaseError

from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from trading.core.bar_report import Example, FileReport, Finding, counted
from trading.core.calendar import SEGMENTS
from trading.services import bars

MARKS = {"ok": "ok", "warnings": "warn", "errors": "ERROR"}


class Command(DeskCommand):
    """Check bar files and say, for each rule broken, where, how often and what to do."""

    help = "Check CSV files of bars. Exit code 0: no file has errors, 2: some have, or the path or an option is wrong."
    examples = (
        "  manage.py validate_bars data/historical\n"
        "  manage.py validate_bars RELIANCE_5m.csv.gz --json\n"
        "  manage.py validate_bars export.csv --interval 15m --naive-timezone UTC"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the path and how its files are to be read."""
        parser.add_argument("path", help="a CSV file (gzip or not), or a folder of them")
        parser.add_argument("--interval", default="", help="read every file as this interval, whatever its name says")
        parser.add_argument("--naive-timezone", default="", help="zone of timestamps without an offset")
        parser.add_argument(
            "--segment", default="equity", choices=SEGMENTS, help="whose session (default: %(default)s)"
        )
        parser.add_argument("--strict", action="store_true", help="count warnings as errors")
        parser.add_argument("--no-record", action="store_true", help="do not keep the report in the database")

    def run(self, **options: Any) -> None:
        """Print the reports; exit 2 when a file has errors."""
        at = now()
        reports = self._reports(options, at)
        if not options["no_record"]:
            self._record(reports, at)
        data = {"files": [report.as_dict() for report in reports], "summary": summary(reports)}
        self.stdout.write(json.dumps(data, default=str) if options["json"] else text(reports))
        failing = {"errors", "warnings"} if options["strict"] else {"errors"}
        if any(report.verdict in failing for report in reports):
            sys.exit(2)

    def _reports(self, options: dict[str, Any], at: dt.datetime) -> list[FileReport]:
        path = Path(options["path"])
        judge = bars.judging(
            at=at,
            naive_timezone=options["naive_timezone"] or settings.DESK.data_feed_naive_timezone,
            interval_name=options["interval"],
            segment=options["segment"],
        )
        files = bars.files(path)
        alone = path.is_file()
        return [judge(file, alone=alone) for file in self.progress(files, total=len(files), label="checking")]

    def _record(self, reports: list[FileReport], at: dt.datetime) -> None:
        """Keep the reports; a database that is not there yet takes nothing away from the answer."""
        try:
            bars.record_all(reports, at=at)
        except DatabaseError as error:
            self.stderr.write(f"warning: the report was not kept in the database: {error} (run manage.py migrate)")


def summary(reports: list[FileReport]) -> dict[str, int]:
    """Return totals over the files."""
    verdicts = Counter(report.verdict for report in reports)
    totals = {name: sum(getattr(report, name) for report in reports) for name in ("rows", "accepted", "quarantined")}
    return {"files": len(reports), **{name: verdicts[name] for name in MARKS}, **totals}


def text(reports: list[FileReport]) -> str:
    """Lay the reports out for a terminal."""
    total = summary(reports)
    lines = [line for report in reports for line in _report(report)]
    lines.append(
        f"{counted(total['files'], 'file')}: {total['ok']} ok, {total['warnings']} with warnings, "
        f"{total['errors']} with errors; {total['rows']:,} rows, "
        f"{total['accepted']:,} accepted, {total['quarantined']:,} set aside"
    )
    return "\n".join(lines)


def _report(report: FileReport) -> list[str]:
    mark = MARKS[report.verdict]
    kept = f"{report.accepted:,} of {report.rows:,} rows" if report.rows else "no rows"
    kept += f", {report.first} to {report.last}" if report.first else ""
    lines = [f"{mark:5} {report.file}  {report.symbol} {report.interval}  {kept}"]
    for found in report.findings:
        lines += _finding(found)
    return lines


def _finding(found: Finding) -> list[str]:
    lines = [f"      {found.severity} {found.rule}: {found.message}", f"        fix: {found.fix}"]
    return lines + [f"        {_example(example)}" for example in found.examples[:3]]


def _example(example: Example) -> str:
    place = f"line {example.line} " if example.line else ""
    return f"{example.file} {place}{example.time} {example.detail}".strip()
