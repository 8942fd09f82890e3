"""Fetching history: one run over many series, each on its own, resumable to the request, durable to the bar.

The bars of a series are written every so often and the state advances after that; what interrupts a run (no session,
no budget, a signal) leaves everything fetched so far on the disk, and ``resume`` goes on from there.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles
from trading.adapters.barcache import Days
from trading.core import gaps
from trading.core.bar_rows import Rows
from trading.core.chunks import Chunk
from trading.models.fetching import FetchRun
from trading.services import calendar as calendars
from trading.services import fetch_keeping as keeping
from trading.services import fetch_plans as plans
from trading.services import fetch_states
from trading.services.fetch_calls import Caller, Line, ends_run
from trading.services.fetch_plans import Asked, Series
from trading.services.market_clock import Clock

FLUSH: Final = 25  # requests whose answers may be lost when the power goes
UNFINISHED: Final = ("running", "partial", "failed", "stopped")
BUSY_FILE: Final = ".fetching"
SHOWN: Final = 20
log = get_logger("fetching")


@dataclass(slots=True)
class Result:
    """What became of one series; ``done`` are the stretches this run has fetched and kept."""

    symbol: str
    interval: str
    code: str = ""
    state: str = "waiting"  # done, failed, partial, waiting
    sessions: int = 0
    there: int = 0
    requested: int = 0
    fetched: int = 0
    kept: int = 0
    quarantined: int = 0
    requests: int = 0
    files: list[str] = field(default_factory=list)
    missing: int = 0
    gaps: list[dict[str, Any]] = field(default_factory=list)
    gaps_told: str = ""
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    done: list[list[str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def begin(asked: Asked, *, at: dt.datetime) -> FetchRun:
    """Return a new run of what was asked."""
    return FetchRun.objects.create(asked=asked.as_json(), state="running", started_at=at)


def unfinished() -> FetchRun | None:
    """Return the newest run when it did not come to its end, None otherwise."""
    last = fetch_states.last_run()
    return last if last is not None and last.state in UNFINISHED else None


def planned(asked: Asked, line: Line | None, *, at: dt.datetime, strict: bool) -> list[Series]:
    """Return the series of a fetching that is about to begin, with the broker's codes when there is a ``line``.

    SessionLost when something is to be asked and there is no session. NotFound or BadInput for a symbol the broker
    does not list, when ``strict``; later that is only that series' own error.
    """
    found = plans.plan(asked, at=at)
    if line is None:
        return found
    if any(series.chunks for series in found):
        line.data()
    for series in found if strict else ():
        series.code = line.code(series.symbol)
    return found


def root() -> Path:
    """Return the cache's folder, made if need be; BadInput when bars cannot be kept there."""
    folder = paths.resolve(settings.DESK.data_feed_csv_directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cachefiles.put(folder / ".writable", "")
        (folder / ".writable").unlink()
    except OSError as error:
        raise BadInput(
            f"bars cannot be kept in {folder}: {error.strerror or error}",
            fix="set DATA_FEED_CSV_DIRECTORY to a folder you may write to",
        ) from None
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only fetching into ``folder``; NotAllowed when another is at work."""
    with ExitStack() as held:
        try:
            held.enter_context(cachefiles.locked(folder, BUSY_FILE, wait=False))
        except BlockingIOError:
            raise NotAllowed(f"bars are being fetched into {folder} already", fix="wait until that is done") from None
        yield


class Fetching:
    """One run from where it stands to its end.

    ``clock`` is asked for the present; ``sleep`` waits between tries.
    """

    def __init__(self, run: FetchRun, line: Line, *, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        """Plan what is left of the run and take files beside the cache over; nothing is asked yet."""
        self.run, self.line, self.clock = run, line, clock
        self.asked = plans.of_json(run.asked)
        self.caller = Caller(line, calendars.current(), sleep)
        self.results = {key: Result(**told) for key, told in run.results.items()}
        self.finished = {key for key, result in self.results.items() if result.state == "done"}
        adopted = self._adopt()
        self.series = [each for each in self._plan() if each.key not in self.finished]
        for each in self.series:
            result = self.results.setdefault(each.key, Result(each.symbol, each.interval))
            result.sessions, result.there = len(each.days), each.there
            result.state, result.error = "waiting", ""
            result.requested = result.requested or each.candles
            told = [*result.warnings, *each.notes, *adopted.get((each.symbol, each.unit), ())]
            result.warnings = list(dict.fromkeys(told))
        self.total = sum(len(each.chunks) for each in self.series)

    def _plan(self) -> list[Series]:
        done = {key: [_days(pair) for pair in result.done] for key, result in self.results.items()}
        return plans.plan(self.asked, at=self.clock(), done=done)

    def _adopt(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for each in plans.plan(self.asked, at=self.clock()):
            if note := keeping.adopt(each.cache, at=self.clock(), segment=each.segment):
                found[each.symbol, each.unit] = [note]
        return found

    def steps(self) -> Generator[int]:
        """Fetch, and yield after each request how many are done. What was fetched is kept whatever happens."""
        ended = "stopped"
        asked_before = 0
        self.run.state, self.run.error = "running", ""
        FetchRun.objects.filter(pk=self.run.pk).update(state="running", error="", finished_at=None)
        try:
            for series in self.series:
                for done in self._series(series):
                    if not self._report((asked_before + done) / max(self.total, 1)):
                        return  # somebody cancelled it; what came so far is kept
                    yield asked_before + done
                asked_before += len(series.chunks)
            ended = self._ending()
        except Exception as error:
            self.run.error = keeping.notes_of(error)
            if not ends_run(error):
                ended = "failed"
                raise
            ended = self._ending()
        finally:
            self._close(ended)

    def _ending(self) -> str:
        states = {result.state for result in self.results.values()}
        if states <= {"done"}:
            return "done"
        return "partial" if "done" in states or any(result.kept for result in self.results.values()) else "failed"

    def _series(self, series: Series) -> Iterator[int]:
        """Fetch one series; its own error is its own, one that ends the run is raised again."""
        result = self.results[series.key]
        batch = _Batch(series, result, self.clock)
        before = self.caller.calls
        try:
            if series.chunks and not series.code:
                series.code = self.line.code(series.symbol)
            result.code = series.code
            for done, chunk in enumerate(series.chunks, start=1):
                batch.add(chunk, self.caller.rows(series.code, series.unit, chunk, series.segment))
                result.requests += self.caller.calls - before
                before = self.caller.calls
                if done % FLUSH == 0:
                    batch.flush()
                yield done
            batch.finish()
            result.state = "done"
        except (SenseQuantError, ValueError) as error:
            result.requests += self.caller.calls - before
            batch.rescue()
            self._failed(result, error)
        except BaseException:  # a signal: what came so far is kept, then the run ends
            batch.rescue()
            result.state = "partial"
            raise

    def _failed(self, result: Result, error: Exception) -> None:
        """Note what ended a series; raise again what is no foreseeable error, or ends the run."""
        if not isinstance(error, SenseQuantError) and not is_bad_input(error):
            raise error
        result.state = "partial" if result.done else "failed"
        result.error = " ".join(str(error).split())
        log.warning("series not fetched", symbol=result.symbol, interval=result.interval, why=result.error)
        if ends_run(error):
            raise error

    def _report(self, progress: float) -> bool:
        """Keep how far it came; say whether it is still wanted."""
        rows = FetchRun.objects.filter(pk=self.run.pk, state="running")
        return rows.update(progress=min(progress, 1.0), results=self._as_json()) == 1

    def _as_json(self) -> dict[str, Any]:
        return {key: result.as_json() for key, result in self.results.items()}

    def _close(self, state: str) -> None:
        at = self.clock()
        self.run.state, self.run.results, self.run.finished_at = state, self._as_json(), at
        self.run.progress = 1.0 if state == "done" else FetchRun.objects.get(pk=self.run.pk).progress
        self.run.save(update_fields=["state", "results", "finished_at", "progress", "error"])
        fetch_states.export(self.run, at=at)
        log.info("fetch run ended", run=self.run.pk, state=state, calls=self.caller.calls)


class _Batch:
    """Answers of one series on their way to the disk."""

    def __init__(self, series: Series, result: Result, clock: Clock) -> None:
        self.series, self.result, self.clock = series, result, clock
        self.parts: list[Rows] = []
        self.days: list[dt.date] = []
        self.asked: set[dt.date] = set()

    def add(self, chunk: Chunk, parts: list[Rows]) -> None:
        """Take the answer to a request."""
        self.parts += parts
        self.days += chunk.days
        self.asked |= set(chunk.days)
        self.result.fetched += sum(len(part) for part in parts)

    def flush(self) -> None:
        """Write what was taken; days without a bar wait for one that comes after them."""
        if not sum(len(part) for part in self.parts):
            return
        series, result = self.series, self.result
        try:
            found = keeping.keep(series.cache, self.parts, self.days, series.segment, at=self.clock())
        except SenseQuantError:
            self.parts = []  # what cannot be kept now is asked for again by the next run
            raise
        self.parts = []
        result.kept += found.kept
        result.quarantined += found.quarantined
        result.files = sorted({*result.files, *found.files})
        result.warnings = list(dict.fromkeys([*result.warnings, *found.warnings]))
        if found.kept:
            result.done.append([str(self.days[0]), str(self.days[-1])])
            self.days = []
            self._remember()

    def finish(self) -> None:
        """Write the rest and look at the whole; NotFound when the broker had no bar at all."""
        self.flush()
        series = self.series
        if series.chunks and not series.cache.entries():
            raise NotFound(
                f"Breeze has no {series.unit} bar of {series.symbol} ({series.code}) from {series.days[0]} to "
                f"{series.days[-1]}",
                fix="check that it was listed then, and that the security master is today's",
            )
        self._remember()

    def rescue(self) -> None:
        """Keep what came before an error; another error on the way is noted and no more."""
        try:
            self.flush()
        except SenseQuantError as error:
            self.result.warnings.append(keeping.notes_of(error))

    def _remember(self) -> None:
        series, result = self.series, self.result
        found = keeping.survey(series.cache, series.days, series.segment, at=self.clock())
        keeping.remember(series.cache, found, series.days, self.asked & series.known, at=self.clock())
        result.missing = sum(gap.bars for gap in found.gaps)
        result.gaps = [gap.as_dict() for gap in found.gaps[:SHOWN]]
        result.gaps_told = gaps.counted_kinds(found.gaps)
        result.warnings = list(dict.fromkeys([*result.warnings, *found.warnings]))


def _days(pair: list[str]) -> Days:
    return dt.date.fromisoformat(pair[0]), dt.date.fromisoformat(pair[1])
