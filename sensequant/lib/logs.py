"""Structured logs: one JSON object a line, IST, rotated at midnight IST, without secrets, never in the way.

    log = get_logger("IntradayStrategy")
    log.info("Generated BUY signal", symbol="RELIANCE", price=2456.75)

The file keeps 30 days and compresses those older than 7. Several processes may write to it: each line is one append,
and whoever first sees the new day renames the file under a lock while the others notice and follow.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import gzip
import json
import logging
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from sensequant.lib import redact
from sensequant.lib.clock import IST

KEEP_DAYS, PLAIN_DAYS = 30, 7
COLOURS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


class Log:
    """A logger of one component; everything but the message goes into the line's context."""

    __slots__ = ("_logger",)

    def __init__(self, component: str) -> None:
        self._logger = logging.getLogger(component)

    def debug(self, message: str, /, **context: Any) -> None:
        """Log an intermediate calculation."""
        self._write(logging.DEBUG, message, context)

    def info(self, message: str, /, **context: Any) -> None:
        """Log something that happened as it should."""
        self._write(logging.INFO, message, context)

    def warning(self, message: str, /, **context: Any) -> None:
        """Log something to look at."""
        self._write(logging.WARNING, message, context)

    def error(self, message: str, /, **context: Any) -> None:
        """Log a failure."""
        self._write(logging.ERROR, message, context)

    def critical(self, message: str, /, **context: Any) -> None:
        """Log what somebody must act upon now."""
        self._write(logging.CRITICAL, message, context)

    def exception(self, message: str, /, **context: Any) -> None:
        """Log a failure with the traceback of the exception being handled."""
        self._write(logging.ERROR, message, context, trace=True)

    def _write(self, level: int, message: str, context: dict[str, Any], *, trace: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", message, extra={"context": context}, exc_info=trace)


def get_logger(component: str) -> Log:
    """Return the logger of ``component``."""
    return Log(component)


def entry(record: logging.LogRecord) -> dict[str, Any]:
    """Return the five fields of a line, secrets hidden."""
    at = dt.datetime.fromtimestamp(record.created, IST)
    context = dict(getattr(record, "context", None) or {})
    if record.exc_info:
        context["exception"] = logging.Formatter().formatException(record.exc_info)
    return {
        "timestamp": at.isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "component": record.name,
        "message": redact.text(record.getMessage()),
        "context": redact.value(context),
    }


class _SafeHandler(logging.Handler):
    """A handler whose failures stay its own: a log line must never break the one who wrote it."""

    complained = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(record)
        except Exception as error:  # noqa: BLE001 - a full disk or an odd context value; said once, then dropped
            self.complain(error)
        else:
            self.complained = False

    def write(self, record: logging.LogRecord) -> None:
        """Write one record."""
        raise NotImplementedError

    def complain(self, error: Exception) -> None:
        """Say once on stderr that lines are being lost."""
        if self.complained:
            return
        self.complained = True
        try:
            sys.stderr.write(f"log lines are being lost: {type(error).__name__}: {error}\n")
        except (OSError, ValueError):
            return  # stderr is gone too


class HumanHandler(_SafeHandler):
    """Short lines on stderr for whoever is watching."""

    def write(self, record: logging.LogRecord) -> None:
        """Write ``10:32:15 INFO component: message key=value``."""
        told = entry(record)
        trace = told["context"].pop("exception", "")
        context = " ".join(f"{name}={one}" for name, one in told["context"].items())
        level, clock = told["level"], told["timestamp"][11:19]
        if sys.stderr.isatty():
            level = f"\033[{COLOURS.get(level, '0')}m{level}\033[0m"
        line = f"{clock} {level} {told['component']}: {told['message']} {context}".rstrip()
        sys.stderr.write(f"{line}\n{trace}\n" if trace else f"{line}\n")


class FileHandler(_SafeHandler):
    """JSON lines in ``path``, a new file each IST day."""

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        redact.register(settings.LOGGED_SECRETS if settings.configured else ())
        self.path = Path(path)
        self._file: IO[str] | None = None
        self._day = dt.date.min

    def write(self, record: logging.LogRecord) -> None:
        """Append one line to the file of the record's day."""
        line = json.dumps(entry(record), ensure_ascii=False, default=str, allow_nan=True)
        day = dt.datetime.fromtimestamp(record.created, IST).date()
        try:
            file = self._current(day)
            file.write(line + "\n")
            file.flush()
        except OSError:
            self._shut()  # forget what is buffered, and look again with the next line
            raise

    def _current(self, day: dt.date) -> IO[str]:
        if self._file is None or not _same(self._file, self.path):
            self._open(day)
        if day > self._day:
            self._rotate(day)
        if self._file is None:
            raise OSError(f"{self.path} is not open")
        return self._file

    def _open(self, day: dt.date) -> None:
        self._shut()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a", encoding="utf-8")
        about = os.fstat(file.fileno())
        self._day = dt.datetime.fromtimestamp(about.st_mtime, IST).date() if about.st_size else day
        self._file = file

    def _rotate(self, day: dt.date) -> None:
        try:
            with self.path.with_name(f".{self.path.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self._file is not None and _same(self._file, self.path):  # nobody else rotated it meanwhile
                    _set_aside(self.path, self.path.with_name(f"{self.path.name}.{self._day}"))
            self._open(day)
            threading.Thread(target=tidy, args=(self.path, day), name="log tidying", daemon=True).start()
        except OSError as error:  # go on in the old file: an unrotated line is better than a lost one
            self.complain(error)
        self._day = day

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # closing writes what is left, and the disk may still be full
                file.close()

    def close(self) -> None:
        """Close the file."""
        self._shut()
        super().close()


def _set_aside(path: Path, target: Path) -> None:
    if not target.exists():
        path.rename(target)
        return
    with path.open("rb") as late, target.open("ab") as out:  # lines written after that day was set aside
        shutil.copyfileobj(late, out)
    path.unlink()


def _same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def tidy(path: Path, today: dt.date) -> None:
    """Compress the days of ``path`` older than a week and delete those older than thirty days."""
    for old in path.parent.glob(f"{path.name}.????-??-??*"):
        try:
            age = (today - dt.date.fromisoformat(old.name.removeprefix(f"{path.name}.")[:10])).days
        except ValueError:
            continue  # not one of ours
        if age > KEEP_DAYS:
            old.unlink(missing_ok=True)
        elif age > PLAIN_DAYS and old.suffix != ".gz":
            _compress(old)


def _compress(old: Path) -> None:
    packed = old.with_name(old.name + ".gz")
    fresh = packed.with_name(packed.name + ".new")
    with old.open("rb") as plain, gzip.open(fresh, "wb") as out:
        shutil.copyfileobj(plain, out)
    fresh.replace(packed)
    old.unlink()
