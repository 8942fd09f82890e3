"""Rows of a bar file as read, and the sieve that sets some of them aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trading.core.bar_report import Example, Finding, Removed, Severity, counted, stamp
from trading.core.bar_rules import RULES
from trading.core.bars import DAY, IST_OFFSET, Bars, Floats, Ints
from trading.core.calendar import Calendar

Mask = npt.NDArray[np.bool_]

UNREADABLE: Final = np.iinfo(np.int64).min
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """Equal-length columns in file order.

    ``ts`` is seconds UTC, ``UNREADABLE`` where there is none; a price is NaN where it is missing or no number;
    an empty volume is NaN. ``broken`` marks rows with a value that is missing or cannot be read; ``foreign`` rows whose
    own symbol or series column names another instrument. ``line`` counts from 1 in ``files[file]``. ``zone`` is the
    zone in which naive timestamps were read, empty when they carry their own offset.
    """

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    broken: Mask
    foreign: Mask
    line: npt.NDArray[np.int32]
    file: npt.NDArray[np.int32]
    files: tuple[str, ...]
    zone: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.ts.shape[0])


@dataclass(frozen=True, slots=True)
class Setting:
    """What rows are judged against; ``now`` is the present second (UTC), None to allow any date."""

    interval: str
    minutes: int
    calendar: Calendar
    segment: str = "equity"
    now: int | None = None

    @property
    def daily(self) -> bool:
        """Say whether these are daily bars."""
        return self.minutes == DAY


@dataclass(slots=True)
class Sieve:
    """Rows passing through the rules: ``index`` are those still in, in their present order."""

    rows: Rows
    setting: Setting
    index: Ints
    ts: Ints
    findings: list[Finding] = field(default_factory=list)
    aside: list[tuple[str, Ints]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Rows, setting: Setting) -> Sieve:
        """Return a sieve that still holds every row."""
        return cls(rows, setting, np.arange(len(rows)), rows.ts.copy())

    @property
    def stopped(self) -> bool:
        """Say whether the whole file is rejected already."""
        return any(found.rejects_all for found in self.findings)

    def bars(self) -> Bars:
        """Return the rows still in as bars."""
        rows, index = self.rows, self.index
        columns = (rows.open, rows.high, rows.low, rows.close, rows.volume)
        return Bars(self.ts, *(column[index] for column in columns))

    def example(self, at: int, detail: str = "") -> Example:
        """Return the row ``at`` (a position among those still in) as an example."""
        row = int(self.index[at])
        ts = int(self.ts[at])
        several = len(self.rows.files) > 1
        return Example(
            line=int(self.rows.line[row]),
            time="" if ts == UNREADABLE else stamp(ts, daily=self.setting.daily and not ts_of_day(ts)),
            detail=detail or self._values(row),
            file=self.rows.files[int(self.rows.file[row])] if several else "",
        )

    def _values(self, row: int) -> str:
        names = ("open", "high", "low", "close", "volume")
        return " ".join(f"{name} {getattr(self.rows, name)[row]:g}" for name in names)

    def set_aside(
        self, rule: str, bad: Mask, message: str, detail: Callable[[int], str] | None = None, **noted: Any
    ) -> None:
        """Take the rows ``bad`` out and note it (``noted`` as for ``note``); do nothing when there is none."""
        places = np.flatnonzero(bad)
        if not places.size:
            return
        shown = self.examples(places, detail)
        self.note(rule, int(places.size), f"{counted(places.size, 'row')} {message}", **{"examples": shown, **noted})
        self.aside.append((rule, self.index[places]))
        self.keep(~bad)

    def keep(self, good: Mask | Ints) -> None:
        """Keep the rows selected by a mask, or by positions in their new order."""
        self.index, self.ts = self.index[good], self.ts[good]

    def note(
        self,
        rule: str,
        count: int,
        message: str,
        *,
        examples: tuple[Example, ...] = (),
        severity: Severity | None = None,
        fix: str = "",
        span: tuple[int, int] | None = None,
        **details: Any,
    ) -> None:
        """Note a broken rule; its severity and fix are the rule's own unless given."""
        usual = RULES[rule]
        found = Finding(rule, severity or usual.severity, count, message, fix or usual.fix, examples, span, details)
        self.findings.append(found)

    def examples(self, places: Ints, detail: Callable[[int], str] | None = None) -> tuple[Example, ...]:
        """Return the first of the rows at ``places`` as examples."""
        return tuple(self.example(int(at), detail(int(at)) if detail else "") for at in places[:SHOWN])

    def removed(self) -> tuple[Removed, ...]:
        """Return the rows set aside, without their text, which only the file has."""
        rows = self.rows
        return tuple(
            Removed(rule, rows.files[int(rows.file[row])], int(rows.line[row]), "")
            for rule, places in self.aside
            for row in places
        )


def ts_of_day(ts: int) -> int:
    """Return the second of the day in IST."""
    return (ts + IST_OFFSET) % 86_400


def join(parts: list[Rows]) -> Rows:
    """Return several files' rows as one, in the given order."""
    files: list[str] = []
    shifted: list[Rows] = []
    for part in parts:
        shifted.append(replace(part, file=part.file + np.int32(len(files))))
        files += part.files
    names = ("ts", "open", "high", "low", "close", "volume", "broken", "foreign", "line", "file")
    columns = {name: np.concatenate([getattr(part, name) for part in shifted]) for name in names}
    zones = {part.zone for part in parts}
    return Rows(**columns, files=tuple(files), zone=parts[0].zone if len(zones) == 1 else "")
