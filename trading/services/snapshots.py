"""Daily sentiment snapshots: asked for day by day, written as files that backtests and trainings read, kept as rows.

A day that was fetched while it went on is completed once it is over; what stood there before stays in the file, so
that what was known when never changes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from trading.adapters.news.errors import Barred, KeyRefused, ProviderError, Rationed
from trading.core.hybrid import Part, average
from trading.core.news import Question
from trading.core.sentiment import combine
from trading.core.snapshot_lines import SUFFIX, SnapshotLine, begins, ends
from trading.models.sentiment import SnapshotFetch
from trading.services import news_history, sentiment_keeping, sentiment_sources, snapshot_states
from trading.services.sentiment import Registry, Source
from trading.services.sentiment_gates import Clock
from trading.services.sentiment_keeping import Call
from trading.services.snapshot_plans import Asked, Task, ask, tasks

LONGEST_WAIT: Final = 120.0  # seconds between two attempts, whatever the provider asks for
MOST_WAITS: Final = 20  # times our own ration is waited for
log = get_logger("snapshots")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one day: fetched, cached (it was there), mock (a dry run's), failed, or left for another day."""

    symbol: str
    day: dt.date
    state: str
    line: SnapshotLine | None = None
    error: str = ""


class Fetching:
    """One run over what was asked; ``results`` fills up as ``steps`` go on."""

    def __init__(self, asked: Asked, *, clock: Clock, sleep: Callable[[float], object] = time.sleep) -> None:
        """Prepare the run; a dry run asks nobody and keeps nothing in the database."""
        self.asked, self.clock, self.sleep = asked, clock, sleep
        self.tasks = tasks(asked, at=clock())
        self.results: list[Result] = []
        self.requests = 0
        self.stopped = ""  # why the run ended early
        names = () if asked.dryrun else asked.providers
        self.registry: Registry = sentiment_sources.make_registry(names, clock=clock, sleep=sleep, neutral_stub=True)
        self.folder = Path(asked.folder)

    def steps(self) -> Iterator[Result]:
        """Go through the days; after a refusal that holds for all of them, or at the day's cap, the rest is left."""
        for task in self.tasks:
            result = self._left(task) if self.stopped else self._one(task)
            self.results.append(result)
            yield result

    def _left(self, task: Task) -> Result:
        state = "cached" if task.there else "left"
        return Result(task.symbol, task.day, state, error="" if task.there else self.stopped)

    def _one(self, task: Task) -> Result:
        if task.there:
            return Result(task.symbol, task.day, "cached")
        if self.asked.dryrun:
            return self._mock(task)
        at = self.clock()
        if snapshot_states.fetched_on(at) >= settings.DESK.sentiment_snapshot_max_per_day:
            most = settings.DESK.sentiment_snapshot_max_per_day
            self.stopped = f"the day's {most} snapshots are fetched (SENTIMENT_SNAPSHOT_MAX_PER_DAY); go on tomorrow"
            return self._left(task)
        return self._fetched(task)

    def _mock(self, task: Task) -> Result:
        """Write a neutral line that no backtest believes and the next real run replaces."""
        line = SnapshotLine(task.symbol, task.day, self.clock(), 0.0, 1.0, ("stub",), {"dryrun": True})
        write(self.folder, line)
        return Result(task.symbol, task.day, "mock", line)

    def _fetched(self, task: Task) -> Result:
        parts, told, errors = [], {}, {}
        for source in self.registry.sources:
            try:
                part, about = self._asked(source, task)
            except ProviderError as error:
                errors[source.name] = error
            else:
                told[source.name] = about
                parts += [part] if part else []
        if not told:
            why = "; ".join(str(error) for error in errors.values()) or "no provider is switched on"
            if all(isinstance(error, KeyRefused | Barred) for error in errors.values()):
                self.stopped = why
            return Result(task.symbol, task.day, "failed", error=why)
        line = self._line(task, parts, told, errors)
        self._keep(task, line)
        return Result(task.symbol, task.day, "fetched", line)

    def _line(
        self, task: Task, parts: Sequence[Part], told: dict[str, dict[str, Any]], errors: dict[str, ProviderError]
    ) -> SnapshotLine:
        at = self.clock()
        score = average(parts, at.timestamp())
        metadata: dict[str, Any] = {key: value for about in told.values() for key, value in about.items()}
        metadata["scores"] = {part.name: round(part.value, 6) for part in parts}
        if errors:
            metadata["failed"] = {name: str(error)[:200] for name, error in errors.items()}
        value, sure = (score.value, score.confidence) if score else (0.0, 0.0)
        return SnapshotLine(task.symbol, task.day, at, value, sure, tuple(told), metadata)

    def _asked(self, source: Source, task: Task) -> tuple[Part | None, dict[str, Any]]:
        """Return a provider's word on the day and what to note of it; every attempt the settings allow is made."""
        most = max(1, settings.DESK.sentiment_snapshot_retry_limit)
        attempt = waits = 0
        while True:
            try:
                return self._once(source, task)
            except Rationed as error:
                waits += 1
                if waits > MOST_WAITS:
                    raise
                self.sleep(min(error.retry_after, LONGEST_WAIT))
            except ProviderError as error:
                attempt += 1
                if attempt >= most or not worth_another(error):
                    raise
                wait = settings.DESK.sentiment_snapshot_retry_backoff_seconds * 2.0 ** (attempt - 1)
                self.sleep(min(max(wait, error.retry_after), LONGEST_WAIT))

    def _once(self, source: Source, task: Task) -> tuple[Part | None, dict[str, Any]]:
        at = self.clock()
        over = min(ends(task.day), at)
        question = Question(task.symbol, self.registry.names(task.symbol), begins(task.day), over, at)
        call = Call(source.provider.metadata, question, purpose="snapshot")
        self.requests += 1
        try:
            call, answer = self.registry.fetch(source.provider, call, attempts=1)
        except ProviderError as error:
            sentiment_keeping.Rows().failed(call, error, at=self.clock())
            raise
        back = self.clock()
        sentiment_keeping.keep_items(call, answer, at=back)
        items = sentiment_keeping.scored_items(call, answer.stories)
        found = sentiment_keeping.fixed(answer) or combine(items, over.timestamp())
        part = sentiment_keeping.part_of(source.name, found, over)
        sentiment_keeping.keep_call(call, answer, part, at=back)
        about: dict[str, Any] = {} if answer.value is not None else {
            call.provider.counted_as: len(answer.stories),
            "scorer": sentiment_keeping.scorer_of(call.provider).version,
        }  # fmt: skip
        return part._replace(weight=source.weight) if part else None, about

    def _keep(self, task: Task, line: SnapshotLine) -> None:
        if task.before is not None:
            line = line.completing(task.before)
        path = write(self.folder, line)
        SnapshotFetch.objects.create(
            symbol=line.symbol, day=line.day, fetched_at=line.timestamp, complete=line.complete, score=line.score,
            confidence=line.confidence, providers=list(line.providers), metadata=dict(line.metadata),
            path=str(path)[:700],
        )  # fmt: skip
        log.info("snapshot fetched", symbol=line.symbol, day=str(line.day), score=round(line.score, 3))

    def finish(self) -> None:
        """Write the state that scripts read."""
        snapshot_states.export(self.asked, self.results, at=self.clock())

    @property
    def whole(self) -> bool:
        """Say whether nothing failed and nothing was left."""
        return all(each.state not in ("failed", "left") for each in self.results)


def worth_another(error: ProviderError) -> bool:
    """Say whether another attempt may help: after transient errors, and after a provider asked us to wait."""
    return error.transient or (error.code == "rate_limited")


def write(folder: Path, line: SnapshotLine) -> Path:
    """Write a snapshot's file whole or not at all, and return where it lies."""
    path = folder / line.symbol / f"{line.day.isoformat()}{SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(line.line(), encoding="utf-8")
    fresh.replace(path)
    return path


def available(symbol: str, start: dt.date, end: dt.date) -> dict[str, Any]:
    """Return what a training notes of a symbol's snapshots: where they lie, and whether any is of its days."""
    files = news_history.on_disk(symbol)
    there = any(start <= day <= end for day in files)
    where = Path(settings.DESK.sentiment_snapshot_output_dir) / symbol
    return {"sentiment_snapshot_path": str(where) if there else None, "sentiment_available": there}


def scheduled(*, clock: Clock = now) -> int:
    """Fetch what is new since the last time, if snapshots are switched on; return how many were fetched."""
    if not settings.DESK.sentiment_snapshot_enabled:
        return 0
    run = Fetching(ask(incremental=True, at=clock()), clock=clock)
    fetched = sum(result.state == "fetched" for result in run.steps())
    run.finish()
    return fetched
