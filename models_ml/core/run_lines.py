"""``teacher_runs.json`` and ``student_runs.json``: one JSON object a line, with the keys of US-024, there and back.

The keys of the document come first and in its order. Ours follow: ``error`` on a run that failed, the names by which
the artifacts can be checked (``sha256``, ``version``), and the certificate the window was trained under.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

STATUSES = ("success", "failed", "skipped")
RATIOS = ("precision", "recall", "f1", "accuracy")


class Problem(NamedTuple):
    """A line that was passed over, counted from 1, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class TeacherLine:
    """One line of ``teacher_runs.json``; ``start`` and ``end`` are days (IST), both included."""

    batch_id: str
    symbol: str
    start: dt.date
    end: dt.date
    window_label: str
    artifacts_path: str
    metrics: Mapping[str, float]
    status: str
    timestamp: dt.datetime
    incremental: bool = False
    sentiment_snapshot_path: str = ""
    sentiment_available: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return the line as the document writes it."""
        return {
            "batch_id": self.batch_id, "symbol": self.symbol,
            "date_range": {"start": str(self.start), "end": str(self.end)}, "window_label": self.window_label,
            "artifacts_path": self.artifacts_path, "metrics": dict(self.metrics), "status": self.status,
            "timestamp": self.timestamp.isoformat(timespec="seconds"), "incremental": self.incremental,
            "sentiment_snapshot_path": self.sentiment_snapshot_path or None,
            "sentiment_available": self.sentiment_available, **self.extras,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudentLine:
    """One line of ``student_runs.json``; ``teacher_run_id`` is the window label of its teacher."""

    batch_id: str
    symbol: str
    teacher_run_id: str
    teacher_artifacts_path: str
    student_artifacts_path: str
    metrics: Mapping[str, float]
    promotion_checklist_path: str
    status: str
    timestamp: dt.datetime
    incremental: bool = False
    sentiment_snapshot_path: str = ""
    sentiment_available: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return the line as the document writes it."""
        return {
            "batch_id": self.batch_id, "symbol": self.symbol, "teacher_run_id": self.teacher_run_id,
            "teacher_artifacts_path": self.teacher_artifacts_path,
            "student_artifacts_path": self.student_artifacts_path, "metrics": dict(self.metrics),
            "promotion_checklist_path": self.promotion_checklist_path or None, "status": self.status,
            "timestamp": self.timestamp.isoformat(timespec="seconds"), "incremental": self.incremental,
            "sentiment_snapshot_path": self.sentiment_snapshot_path or None,
            "sentiment_available": self.sentiment_available, **self.extras,
        }  # fmt: skip


TEACHER_KEYS = frozenset(
    TeacherLine("", "", dt.date.min, dt.date.min, "", "", {}, "", dt.datetime.min.replace(tzinfo=dt.UTC)).told()
)
STUDENT_KEYS = frozenset(StudentLine("", "", "", "", "", {}, "", "", dt.datetime.min.replace(tzinfo=dt.UTC)).told())


def written(lines: Iterable[TeacherLine | StudentLine]) -> str:
    """Return the text of a file: one object a line, ASCII, the last line ended too. ValueError for NaN."""
    return "".join(json.dumps(line.told(), allow_nan=False) + "\n" for line in lines)


def teachers(text: str) -> tuple[list[TeacherLine], list[Problem]]:
    """Return the teachers of a file, and the lines that could not be read, each with its reason."""
    return _lines(text, _teacher)


def students(text: str) -> tuple[list[StudentLine], list[Problem]]:
    """Return the students of a file, and the lines that could not be read, each with its reason."""
    return _lines(text, _student)


def _lines(text: str, read: Callable[[Mapping[str, Any]], Any]) -> tuple[list[Any], list[Problem]]:
    found, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line, parse_constant=_no_number)
            if not isinstance(told, dict):
                raise TypeError("it is no JSON object")
            found.append(read(told))
        except KeyError as error:
            problems.append(Problem(number, f"{error.args[0]} is missing"))
        except RecursionError:
            problems.append(Problem(number, "it is nested too deeply"))
        except json.JSONDecodeError as error:
            problems.append(Problem(number, f"it is no JSON: {error.msg} at column {error.colno}"))
        except (ValueError, TypeError) as error:
            problems.append(Problem(number, str(error)))
    return found, problems


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _teacher(told: Mapping[str, Any]) -> TeacherLine:
    span = told["date_range"]
    if not isinstance(span, Mapping):
        raise TypeError(f"date_range is {span!r}, not start and end")
    start, end = _day(span, "start"), _day(span, "end")
    if start > end:
        raise ValueError(f"date_range starts on {start}, after its end {end}")
    return TeacherLine(
        _word(told, "batch_id"), _word(told, "symbol"), start, end, _word(told, "window_label"),
        _word(told, "artifacts_path"), _metrics(told), _status(told), _moment(told), *_rest(told, TEACHER_KEYS),
    )  # fmt: skip


def _student(told: Mapping[str, Any]) -> StudentLine:
    return StudentLine(
        _word(told, "batch_id"), _word(told, "symbol"), _word(told, "teacher_run_id"),
        _word(told, "teacher_artifacts_path"), _word(told, "student_artifacts_path"), _metrics(told),
        _word_or_none(told, "promotion_checklist_path"), _status(told), _moment(told), *_rest(told, STUDENT_KEYS),
    )  # fmt: skip


def _rest(told: Mapping[str, Any], known: frozenset[str]) -> tuple[bool, str, bool, dict[str, Any]]:
    """Return what a file of an earlier phase may lack: incremental, the sentiment, and what is beyond the schema."""
    extras = {key: value for key, value in told.items() if key not in known}
    return (
        _flag(told, "incremental"),
        _word_or_none(told, "sentiment_snapshot_path"),
        _flag(told, "sentiment_available"),
        extras,
    )


def _word(told: Mapping[str, Any], key: str) -> str:
    value = told[key]
    if not isinstance(value, str) or not value or len(value) > 700 or not value.isprintable():
        raise ValueError(f"{key} is {str(value)[:60]!r}, not a name")
    return value


def _word_or_none(told: Mapping[str, Any], key: str) -> str:
    return "" if told.get(key) in (None, "") else _word(told, key)


def _flag(told: Mapping[str, Any], key: str) -> bool:
    value = told.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} is {value!r}, not true or false")
    return value


def _status(told: Mapping[str, Any]) -> str:
    value = told["status"]
    if value not in STATUSES:
        raise ValueError(f"status is {value!r}, not one of {', '.join(STATUSES)}")
    return str(value)


def _metrics(told: Mapping[str, Any]) -> dict[str, float]:
    value = told["metrics"]
    if not isinstance(value, Mapping):
        raise TypeError(f"metrics is {value!r}, not an object")
    for key, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f"metrics.{key} is {number!r}, not a number")
        if key in RATIOS and not 0 <= number <= 1:
            raise ValueError(f"metrics.{key} is {number!r}, not within 0 and 1")
    return dict(value)


def _day(span: Mapping[str, Any], key: str) -> dt.date:
    value = span[key]
    try:
        return dt.date.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(f"date_range.{key} is {value!r}, not YYYY-MM-DD") from None


def _moment(told: Mapping[str, Any]) -> dt.datetime:
    value = told["timestamp"]
    try:
        found = dt.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(f"timestamp is {value!r}, not an ISO moment") from None
    if found.tzinfo is None:
        raise ValueError(f"timestamp {value} has no offset, such as +05:30")
    return found
