"""The newest published state of the desk, and what the pages' header needs of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.conf import settings

from sensequant.lib import formats
from trading.models import EngineRun, Snapshot
from trading.selectors.attention import attention

TOPICS = ("live",)
CALM = frozenset({"suspended", "finished", "stopped", "failed"})  # the engine has ended: its figures no longer age

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "demo": "A generated market with paper orders: nothing here is real.",
        "replay": "Recorded bars, played again with paper orders.",
        "dry-run": "Real prices, paper orders: nothing reaches the exchange.",
        "simulated": "Orders to a simulator of the broker: nothing here is real.",
        "live": "Real orders with real money.",
    }
)


@dataclass(frozen=True, slots=True)
class Newest:
    """One topic's newest snapshot; ``body`` is what the engine published plus the list ``attention``."""

    topic: str
    epoch: str
    version: int
    updated_at: dt.datetime
    body: dict[str, Any]

    def age(self, at: dt.datetime) -> float:
        """Return the seconds since it was published."""
        return max(0.0, (at - self.updated_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Masthead:
    """What the header of every page says."""

    word: str  # DEMO, REPLAY, DRY-RUN, SIMULATED, LIVE
    mode: str  # replay, dry-run, live: chooses border pattern and favicon
    market_time: dt.datetime | None = None
    closes: dt.datetime | None = None
    phase: str = ""

    @property
    def icon(self) -> str:
        """Return what chooses the border pattern and the favicon: demo, replay, dry-run, simulated or live."""
        if self.word in ("DEMO", "SIMULATED"):
            return self.word.lower()
        return self.mode if self.mode in EXPLAINED else "dry-run"

    @property
    def explained(self) -> str:
        """Return what the word means, in a sentence."""
        return EXPLAINED[self.icon]

    @property
    def left(self) -> str:
        """Return the time until the session's close, HH:MM:SS; empty outside it."""
        if self.market_time is None or self.closes is None:
            return ""
        seconds = int((self.closes - self.market_time).total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if seconds > 0 else ""


def version(topic: str) -> tuple[str, int] | None:
    """Return epoch and version of ``topic``, without its body; None when nothing was ever published."""
    return Snapshot.objects.filter(topic=topic).values_list("epoch", "version").first()


def newest(topic: str) -> Newest | None:
    """Return the newest snapshot of ``topic``; None when nothing was ever published."""
    row = Snapshot.objects.filter(topic=topic).first()
    if row is None:
        return None
    body = {**row.body, "attention": attention(row.body)}
    return Newest(topic, row.epoch, row.version, row.updated_at, body)


def current_run() -> EngineRun | None:
    """Return the run the pages are about: the latest that no later run of its name has replaced."""
    return EngineRun.objects.filter(current=True).order_by("-id").first()


def trouble() -> str:
    """Return what went wrong with the current run, which then publishes nothing any more; empty when all is well."""
    return trouble_of(current_run())


def trouble_of(run: EngineRun | None) -> str:
    """Return the same of a run that was read already."""
    return f"Run {run.pk} failed: {run.error}" if run is not None and run.state == "failed" else ""


def masthead(found: Newest | None) -> Masthead:
    """Return the header's words, from the snapshot ``found`` or, before there is one, from the settings."""
    if found is None:
        return Masthead(word=settings.DESK.mode.upper(), mode=settings.DESK.mode)
    body, session = found.body, found.body.get("session") or {}
    return Masthead(
        word=str(body.get("label") or body["mode"]).upper(),
        mode=str(body["mode"]),
        market_time=formats.moment(body.get("market_time")),
        closes=formats.moment(session.get("close")),
        phase=str(session.get("phase") or ""),
    )
