"""Bars for those who trade and test: read through the columnar store, judged, and remembered."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import transaction

from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, SenseQuantError, Unavailable
from sensequant.lib.logs import get_logger
from trading.adapters import barfiles, csvbars
from trading.adapters.columns import ColumnStore, Source, file_digest
from trading.adapters.csvfeed import CsvFeed, Moment, Series, removed_rows, within
from trading.core.bar_checks import check
from trading.core.bar_report import FileReport, Finding, Removed, Severity
from trading.core.bar_rows import Rows, Setting
from trading.core.bar_sessions import usual_minutes
from trading.core.bars import DAY, INTERVALS, Bars, interval
from trading.core.calendar import NSE, Calendar
from trading.core.zones import zone
from trading.models.bars import BarReport, BarSeries, QuarantinedRow
from trading.services import actions
from trading.services import calendar as calendars

SOURCE = "csv"
BATCH = 2000

log = get_logger("Bars")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The bars of a range, and what was found in the files they came from."""

    bars: Bars
    report: FileReport


def store() -> ColumnStore:
    """Return the columnar store under SENSEQUANT_HOME."""
    return ColumnStore(Path(settings.SENSEQUANT_HOME) / "data" / "columns")


def feed(directory: Path | str, *, at: dt.datetime, naive_timezone: str, segment: str = "equity") -> CsvFeed:
    """Return the feed over ``directory`` with the calendar in force and the columnar store."""
    return CsvFeed(
        Path(directory), at, naive_timezone=naive_timezone, calendar=calendars.current(), segment=segment, store=store()
    )


def load(
    directory: Path | str,
    symbol: str,
    interval: str,
    start: Moment | None,
    end: Moment | None,
    *,
    at: dt.datetime,
    naive_timezone: str,
) -> Loaded:
    """Return the bars from ``start`` to ``end``, both included, and the report; remember a series when it changed.

    BadInput when the files cannot be used across the range, NotFound for an unknown symbol or an empty range.
    """
    return load_from(feed(directory, at=at, naive_timezone=naive_timezone), symbol, interval, start, end)


def load_from(source: CsvFeed, symbol: str, interval: str, start: Moment | None, end: Moment | None) -> Loaded:
    """Do as ``load`` through a feed at hand.

    What is kept and reported of the files is raw. What is returned is adjusted for the corporate actions recorded by
    the last day asked for: as its holders saw the bars then, so that a run over past dates stays what it was.
    """
    series = source.series(symbol, interval)
    remember(series, source.store, at=source.at)
    bars, report = actions.as_read(series.bars, series.report, symbol, _last_day(end or source.at))
    return Loaded(within(replace(series, bars=bars, report=report), start, end), report)


def _last_day(moment: Moment) -> dt.date:
    """Return the day in India; naive moments are IST."""
    if not isinstance(moment, dt.datetime):
        return moment
    return ist(moment).date() if moment.tzinfo else moment.date()


def remember(series: Series, store: ColumnStore | None, *, at: dt.datetime) -> None:
    """Record the series and what was set aside, once for each state of its files."""
    series = series.made_from or series
    report = series.report
    digest = _digest(series.sources)
    known = BarSeries.objects.filter(
        source=SOURCE, symbol=report.symbol, interval=report.interval, path=report.file, digest=digest
    )
    if not series.parsed and known.exists():
        return
    log.info("bars_read", file=report.file, rows=report.rows, accepted=report.accepted, verdict=report.verdict)
    with transaction.atomic():
        _record_series(series, digest, at=at)
        record(report, removed_rows(series, store), digest=digest, at=at)


def _record_series(series: Series, digest: str, *, at: dt.datetime) -> None:
    report, bars = series.report, series.bars
    first, last = (_moment(bars.ts[0]), _moment(bars.ts[-1])) if len(bars) else (None, None)
    BarSeries.objects.update_or_create(
        source=SOURCE, symbol=report.symbol, interval=report.interval, path=report.file,
        defaults={
            "rows": report.accepted, "first": first, "last": last, "digest": digest,
            "verdict": report.verdict, "refreshed_at": at,
        },
    )  # fmt: skip


def _moment(ts: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(ts), dt.UTC)


def _digest(sources: Iterable[Source]) -> str:
    """Return one file's own digest, or one over the digests of several."""
    digests = [source.sha256 for source in sources]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def record(report: FileReport, removed: Iterable[Removed], *, digest: str, at: dt.datetime) -> None:
    """Write the findings and the rows set aside; doing it again for the same state of the file changes nothing."""
    seen: dict[str, int] = {}
    first: dict[str, BarReport] = {}
    with transaction.atomic():
        for found in report.findings:
            number = seen[found.rule] = seen.get(found.rule, -1) + 1
            row = _record_finding(report, found, number, digest=digest, at=at)
            first.setdefault(found.rule, row)
        rows = [QuarantinedRow(report=first[row.rule], file=row.file, line=row.line, raw=row.raw) for row in removed]
        QuarantinedRow.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def _record_finding(report: FileReport, found: Finding, number: int, *, digest: str, at: dt.datetime) -> BarReport:
    told = {
        "severity": str(found.severity), "count": found.count, "message": found.message, "fix": found.fix,
        "examples": [asdict(example) for example in found.examples],
    }  # fmt: skip
    row, _ = BarReport.objects.update_or_create(
        file=report.file, digest=digest, interval=report.interval, rule=found.rule, number=number,
        defaults=told, create_defaults={**told, "created_at": at},
    )  # fmt: skip
    return row


def files(path: Path) -> list[Path]:
    """Return the CSV files at or below ``path``; NotFound when there is none."""
    return barfiles.every(path)


def validate(
    path: Path | str, *, at: dt.datetime, naive_timezone: str, interval_name: str = "", segment: str = "equity",
) -> list[FileReport]:  # fmt: skip
    """Return a report for every CSV file at or below ``path``, recording nothing; NotFound when there is none."""
    files = barfiles.every(Path(path))
    judge = judging(at=at, naive_timezone=naive_timezone, interval_name=interval_name, segment=segment)
    return [judge(file, alone=Path(path).is_file()) for file in files]


@dataclass(frozen=True, slots=True)
class Judge:
    """Reports on files one by one; see ``judging``."""

    at: dt.datetime
    naive_timezone: str
    unit: str
    segment: str
    calendar: Calendar
    recorded: bool = True  # corporate actions can be looked up

    def __call__(self, file: Path, *, alone: bool) -> FileReport:
        """Return the report of ``file``; unless it was named ``alone``, a CSV file of something else is no error."""
        symbol, told = barfiles.told_by_name(file)
        wanted = self.unit or told
        try:
            daily = INTERVALS[wanted] == DAY if wanted else None
            rows = csvbars.read(file, daily=daily, naive_timezone=self.naive_timezone)
            name = wanted or _guessed(file, rows)
            setting = Setting(name, INTERVALS[name], self.calendar, self.segment, int(self.at.timestamp()))
            found = check(rows, setting, file=str(file), symbol=symbol)
            report = found.report
            if self.recorded:
                _, report = actions.as_read(found.bars, report, symbol, ist(self.at).date())
            return csvbars.with_text(report)
        except SenseQuantError as error:
            other = not alone and error.context.get("rule") == "missing_column" and error.context["found"] < 2
            return _unusable(file, symbol, wanted, error, skipped=other)


def judging(*, at: dt.datetime, naive_timezone: str, interval_name: str = "", segment: str = "equity") -> Judge:
    """Return what judges files: as ``interval_name``, or as their name, folder or the distance of their bars says.

    Raise ``Invalid`` for an unknown interval or zone. Without a database the shipped calendar is used, and no corporate
    action is known.
    """
    unit = interval(interval_name) if interval_name else ""
    zone(naive_timezone)
    try:
        return Judge(at, naive_timezone, unit, segment, calendars.current())
    except Unavailable as error:
        log.warning("calendar_overrides_unread", error=str(error))
        return Judge(at, naive_timezone, unit, segment, NSE, recorded=False)


def _guessed(file: Path, rows: Rows) -> str:
    usual = usual_minutes(rows.ts[~rows.broken])
    if not usual:
        usual = DAY if rows.zone == "Asia/Kolkata" and not ((rows.ts[~rows.broken] + 19_800) % 86_400).any() else 1
    name = next((name for name, minutes in INTERVALS.items() if minutes == usual), "")
    if not name:
        raise BadInput(
            f"{file} has bars of {usual} minutes", fix=f"use one of {', '.join(INTERVALS)}", rule="wrong_interval"
        )
    return name


def _unusable(file: Path, symbol: str, unit: str, error: SenseQuantError, *, skipped: bool) -> FileReport:
    """Return the report of a file that holds no bars at all, or none that can be read."""
    rule = "not_bars" if skipped else error.context.get("rule", "unreadable_file")
    severity = Severity.WARN if skipped else Severity.REJECT
    found = Finding(rule, severity, 1, error.message, error.fix)
    return FileReport(str(file), symbol, unit, 0, 0, 0, "", "", (found,))


def record_all(reports: Iterable[FileReport], *, at: dt.datetime) -> None:
    """Record reports that ``validate`` made."""
    for report in reports:
        record(report, report.removed, digest=file_digest(Path(report.file)), at=at)
