"""Keeps the news of the traded symbols fresh beside an engine that never waits for them, and says when nobody answers.

One thread asks the registry symbol by symbol, each when its pace says so: as often as the shortest-lived score lives
while a session is near, hourly otherwise. What came of it are rows, so several processes share one round of questions.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from sensequant.lib import outage
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from trading.core.news_pace import pace
from trading.models.engine import EngineRun
from trading.selectors.sentiment import failures_since, newest_score
from trading.services import calendar as calendars
from trading.services import conditions, sentiment_sources
from trading.services.sentiment import Registry, Stopping
from trading.services.sentiment_board import BOARD, Board
from trading.services.sentiment_gates import Clock

LOOK: Final = 1.0  # seconds between looks at what is due, and between loads of the board
TIDY: Final = 60.0
AGAIN: Final = 60.0  # seconds after which a symbol nobody answered for is asked about again
DOWN, FAILING = "sentiment-down", "sentiment-failures-high"
FOLLOWING: Final = ("dry-run", "live")  # modes in which news come as they happen
log = get_logger("sentiment")


class Refresher:
    """The thread's work: rounds over ``symbols`` until ``stop`` is set."""

    def __init__(
        self, registry: Registry, symbols: Callable[[], Sequence[str]], *, stop: threading.Event, clock: Clock = now,
        board: Board = BOARD,
    ) -> None:  # fmt: skip
        """Ask ``registry``; the symbols are looked up anew in every round."""
        self.registry, self.symbols, self.stop, self.clock, self.board = registry, symbols, stop, clock, board
        self.due: dict[str, float] = {}
        self.tidied = 0.0
        self.newest = 0

    def __call__(self) -> None:
        """Go on until ``stop``; whatever goes wrong in a round is logged, and the next one comes."""
        missing = outage.Outage("the database of the news", log)
        while not self.stop.is_set():
            close_old_connections()
            try:
                self.round()
                missing.back()
            except Stopping:
                return
            except DatabaseError as error:
                missing.away(error)
            except Exception as error:  # the engine goes on without news; the log has the reason
                log.exception("the news were not refreshed", error=str(error))
            self.stop.wait(LOOK)

    def round(self) -> None:
        """Ask about every symbol that is due, judge how the providers do, and load the board."""
        symbols = list(dict.fromkeys(self.symbols()))
        begun = self.clock()
        asked = [symbol for symbol in symbols if self._refresh(symbol, begun)]
        at = self.clock()
        tidy = bool(asked) or at.timestamp() - self.tidied >= TIDY
        if tidy:
            self.tidied = at.timestamp()
            self.registry.tidy()
            watch(self.registry, at=at)
        newest = newest_score()
        if tidy or newest != self.newest:  # another process may have asked
            self.newest = newest
            self.board.load(symbols, at=at)

    def _refresh(self, symbol: str, begun: dt.datetime) -> bool:
        if begun.timestamp() < self.due.get(symbol, 0.0) or not self.registry.sources:
            return False
        if self.stop.is_set():
            raise Stopping
        score = self.registry.get_sentiment(symbol)
        at, sources = self.clock(), self.registry.sources
        if score is not None and score.at >= begun.timestamp() and not score.stale:
            told = ", ".join(f"{part.name}: {part.value:+.2f}" for part in score.parts)
            log.info("sentiment", symbol=symbol, value=round(score.value, 3), sure=round(score.confidence, 2), of=told)
        whole = score is not None and not score.stale and len(score.parts) == len(sources)
        lives = min(source.ttl for source in sources)
        self.due[symbol] = at.timestamp() + (pace(lives, at, calendars.current()) if whole else min(AGAIN, lives))
        return True


def watch(registry: Registry, *, at: dt.datetime) -> None:
    """Raise or close what monitoring alerts on: no provider answers, or too many failures within the hour."""
    states = registry.get_provider_health()
    down = bool(states) and all(each["consecutive_failures"] for each in states.values())
    last = "; ".join(str(each["last_error"]) for each in states.values() if each["last_error"])
    told = f"no provider of news answers: {last}; old scores fade, then trading goes on as without news"
    conditions.keep(down, DOWN, level="warn", at=at, message=told, fix="look at /sentiment, and check keys and network")
    failures, most = failures_since(at - dt.timedelta(hours=1)), settings.DESK.monitoring_max_sentiment_failures
    told = f"{failures} calls to providers of news failed within an hour"
    conditions.keep(
        failures >= most, FAILING, level="warn", at=at, message=told,
        fix="look at /sentiment; MONITORING_MAX_SENTIMENT_FAILURES is the limit",
    )  # fmt: skip


def followed() -> list[str]:
    """Return the symbols whose news are wanted: those of the settings and those of runs that follow the market."""
    plans = EngineRun.objects.filter(current=True, mode__in=FOLLOWING, state__in=("starting", "running"))
    traded = [symbol for plan in plans.values_list("plan", flat=True) for symbol in plan["wanted"]["symbols"]]
    return [*settings.DESK.symbols, *traded]


def serve(stop: threading.Event, *, clock: Clock = now) -> None:
    """Keep the news of every followed symbol fresh until ``stop``; end at once on a desk without providers."""
    if not sentiment_sources.enabled():
        return

    def rest(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopping

    registry = sentiment_sources.make_registry(sentiment_sources.enabled(), clock=clock, sleep=rest)
    log.info("news are followed", providers=registry.fallback_order)
    try:
        Refresher(registry, followed, stop=stop, clock=clock)()
    finally:
        connection.close()


@contextmanager
def beside(mode: str) -> Iterator[None]:
    """Keep the news fresh in a thread while the block runs, where an engine follows the market."""
    if mode not in FOLLOWING or not sentiment_sources.enabled():
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=serve, args=(ended,), name="news", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(2.0)
