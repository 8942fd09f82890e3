"""What was found in a file of bars: findings, the rows set aside, and the verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

IST: Final = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")


class Severity(StrEnum):
    """What a finding does to the rows it names."""

    WARN = "warn"
    """The rows are used; the user should know."""
    DROP = "drop"
    """The rows are sound but not wanted (outside hours, repeated); they are set aside."""
    QUARANTINE = "quarantine"
    """The rows are wrong; they are set aside and the file has errors."""
    REJECT = "reject-file"
    """The file cannot be used as it is (or not across the place named in ``span``)."""


ERRORS: Final = frozenset({Severity.QUARANTINE, Severity.REJECT})
UNTIDY: Final = frozenset({"unsorted", "duplicate"})
"""Rules whose breach is mended without loss, and is yet no file to trade on unseen."""


@dataclass(frozen=True, slots=True)
class Example:
    """One place where a rule was broken. ``line`` counts from 1 (the header); 0 when no single line is meant."""

    line: int
    time: str
    detail: str
    raw: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken ``count`` times. ``span`` of a break holds the seconds (UTC) of the bars before and after it."""

    rule: str
    severity: Severity
    count: int
    message: str
    fix: str
    examples: tuple[Example, ...] = ()
    span: tuple[int, int] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rejects_all(self) -> bool:
        """Say whether this finding makes every row of the file unusable."""
        return self.severity is Severity.REJECT and self.span is None

    def touches(self, start_ts: int, end_ts: int) -> bool:
        """Say whether bars in ``[start_ts, end_ts)`` reach across what was found."""
        return self.span is None or (start_ts <= self.span[0] and self.span[1] < end_ts)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self) | {"severity": str(self.severity)}


@dataclass(frozen=True, slots=True)
class Removed:
    """One row set aside: where it stands, what it says, and the rule it broke."""

    rule: str
    file: str
    line: int
    raw: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """All that was found in one file (or one folder of files read as one series).

    ``rows = accepted + quarantined`` unless the file is rejected; then ``accepted`` is 0 and its rows stay in the file.
    ``derived`` names the finer interval the bars were made from, when they were. A report restored from the column
    store has its counts, but not its ``removed`` rows: the store keeps those apart.
    """

    file: str
    symbol: str
    interval: str
    rows: int
    kept: int
    quarantined: int
    first: str
    last: str
    findings: tuple[Finding, ...] = ()
    removed: tuple[Removed, ...] = ()
    derived: str = ""

    @property
    def rejected(self) -> bool:
        """Say whether the file cannot be used as it is."""
        return any(found.severity is Severity.REJECT for found in self.findings)

    @property
    def accepted(self) -> int:
        """Return how many rows are usable."""
        return 0 if self.rejected else self.kept

    @property
    def first_error(self) -> Finding | None:
        """Return the first finding that makes the verdict ``errors``, or None."""
        grave = (found for found in self.findings if found.severity in ERRORS or found.rule in UNTIDY)
        return next(grave, None)

    @property
    def verdict(self) -> str:
        """Return ``ok``, ``warnings`` or ``errors``."""
        if self.first_error:
            return "errors"
        return "warnings" if self.findings else "ok"

    def objection(self, start_ts: int, end_ts: int) -> Finding | None:
        """Return the finding that forbids using bars in ``[start_ts, end_ts)``, or None."""
        rejecting = (found for found in self.findings if found.severity is Severity.REJECT)
        return next((found for found in rejecting if found.touches(start_ts, end_ts)), None)

    def with_findings(self, findings: Iterable[Finding]) -> FileReport:
        """Return the report with ``findings`` added."""
        return replace(self, findings=(*self.findings, *findings))

    def with_text(self, removed: tuple[Removed, ...], text: Mapping[tuple[str, int], str]) -> FileReport:
        """Return the report with ``removed`` and, in its examples, the text of each (file, line)."""
        findings = tuple(
            replace(found, examples=tuple(_quoted(example, text, self.file) for example in found.examples))
            for found in self.findings
        )
        return replace(self, removed=removed, findings=findings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: counts, verdict and findings, without the rows set aside."""
        return {
            "file": self.file, "symbol": self.symbol, "interval": self.interval, "rows": self.rows,
            "accepted": self.accepted, "quarantined": self.quarantined, "first": self.first, "last": self.last,
            "derived": self.derived, "verdict": self.verdict,
            "findings": [found.as_dict() for found in self.findings],
        }  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """Return everything but the rows set aside, so that ``restore`` gives the report back."""
        return asdict(replace(self, removed=()))


def _quoted(example: Example, text: Mapping[tuple[str, int], str], file: str) -> Example:
    return replace(example, raw=text.get((example.file or file, example.line), example.raw))


def restore(data: Mapping[str, Any]) -> FileReport:
    """Return the report that ``FileReport.dump`` wrote."""
    findings = tuple(_finding(found) for found in data["findings"])
    return FileReport(**{**data, "findings": findings, "removed": ()})


def _finding(data: Mapping[str, Any]) -> Finding:
    examples = tuple(Example(**example) for example in data["examples"])
    span = None if data["span"] is None else (int(data["span"][0]), int(data["span"][1]))
    return Finding(**{**data, "severity": Severity(data["severity"]), "examples": examples, "span": span})


def stamp(ts: int, *, daily: bool = False) -> str:
    """Return a second of the epoch as the exchange's clock shows it."""
    moment = dt.datetime.fromtimestamp(int(ts), IST)
    return moment.strftime("%Y-%m-%d" if daily else "%Y-%m-%d %H:%M:%S")


def counted(number: int, noun: str) -> str:
    """Return ``1 row`` or ``2 rows``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
