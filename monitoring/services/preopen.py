"""What must be so before the market opens: item by item, red or green, with what to do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from monitoring.models import Episode, Look
from sensequant.lib import machinery
from sensequant.lib.clock import IST
from trading.selectors import control, students
from trading.services import calendar, halts, vitals

BEGINS, STALE = dt.time(8, 30), 60.0
SHOWN = 3
NEEDED = ("warn", "bad")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be looked at: ok, warn, bad, or off where this desk does not need it; where to mend it."""

    name: str
    level: str
    found: str
    fix: str = ""
    page: str = ""  # name of the page where it is mended

    @property
    def done(self) -> bool:
        """Say whether nothing is left to do about it."""
        return self.level not in NEEDED


@dataclass(frozen=True, slots=True)
class Morning:
    """The day at the exchange: when it opens, and whether the checklist is due now."""

    opens: dt.datetime | None
    closes: dt.datetime | None
    next_session: dt.date
    due: bool


def morning(*, at: dt.datetime) -> Morning:
    """Return what the exchange does on the IST day of ``at``."""
    known, local = calendar.current(), at.astimezone(IST)
    session = known.session(local.date())
    due = session is not None and local.time() >= BEGINS and at < session.open
    return Morning(
        session.open if session else None, session.close if session else None, known.next_session(local.date()), due
    )


def left(*, at: dt.datetime) -> int | None:
    """Return how many items are not ready, while the checklist is due; None at other times."""
    return sum(not item.done for item in items(at=at)) if morning(at=at).due else None


def items(*, at: dt.datetime) -> list[Item]:
    """Return the checklist as it stands."""
    return [*_broker(at), *_desk(at), *_books(), *_data(at), *_machine(at)]


def _broker(at: dt.datetime) -> Iterator[Item]:
    link, today = vitals.link(), at.astimezone(IST).date()
    if not link.keys:
        yield Item("Broker session", "off", "no keys: this desk trades on paper only")
    else:
        well = link.state == "active"
        told = "logged in" if well else link.note or link.state or "nobody has logged in"
        yield Item("Broker session", "ok" if well else "bad", told, "log in; the session ends at midnight", "broker")
        read = link.master_day == today
        yield Item("Security master", "ok" if read else "warn",
                   f"read for {link.master_day}" if link.master_day else "never read",
                   "manage.py load_instruments reads today’s", "broker")  # fmt: skip
    if settings.DESK.mode == "live":
        told = "armed until midnight" if link.armed else "not armed"
        yield Item("Live trading", "ok" if link.armed else "bad", told, "arm it, having read what a round trip costs",
                   "broker")  # fmt: skip
    else:
        yield Item("Live trading", "off", f"MODE is {settings.DESK.mode}: no order reaches the exchange")
    short = {name: share for name, share in vitals.budget_use(at=at).items() if share >= 0.5}
    told = ", ".join(f"{name} {share:.0%} used" for name, share in short.items()) or "nothing used up"
    yield Item("Call budget", "warn" if short else "ok", told, "stop what reads history beside the engine", "broker")


def _desk(at: dt.datetime) -> Iterator[Item]:
    runs = vitals.runs(at=at)
    beating = [run for run in runs if run.state in ("starting", "running")]
    failed = [run.name for run in runs if run.state == "failed"]
    told = ", ".join(f"{run.name} {run.state}" for run in runs) or "none has run"
    level = "bad" if failed else "ok" if beating else "warn"
    yield Item("Engine", level, told, "start it (manage.py engine, or ENGINE_TASK); see its error on Live", "live")
    stops = [kind for kind in (halts.KILL, halts.BREAKER) if control.engaged(kind)]
    yield Item("Kill switch and breaker", "bad" if stops else "ok",
               ", ".join(f"{halts.NAMES[kind]} on" for kind in stops) or "off and closed",
               "release with a reason, by a second person where money is real", "risk")  # fmt: skip
    critical = list(Episode.objects.filter(status="firing", severity="CRITICAL").values_list("rule", flat=True)[:SHOWN])
    yield Item("Critical alerts", "bad" if critical else "ok", ", ".join(critical) or "none fires",
               "follow each alert’s runbook", "alerts")  # fmt: skip
    row = students.champion()
    if row is None or row.disabled_at:
        yield Item("Student", "off", "none scores: strategies decide alone")
    else:
        age = (at - row.since).days
        yield Item("Student", "ok", f"{row.version}, in place for {age} days", "", "models")


def _books() -> Iterator[Item]:
    differing = [symbol for symbol, _, _ in vitals.differences()]
    yield Item("Books agree", "bad" if differing else "ok", ", ".join(differing[:SHOWN]) or "ours and the broker’s",
               "find out why; accept with a reason what is right", "risk")  # fmt: skip
    unknown = [name for _, name in vitals.unknown_orders()]
    yield Item("Unknown orders", "bad" if unknown else "ok", ", ".join(unknown[:SHOWN]) or "none",
               "compare with the broker’s own order book", "orders")  # fmt: skip


def _data(at: dt.datetime) -> Iterator[Item]:
    before = calendar.current().previous_session(at.astimezone(IST).date())
    found = vitals.bars_until(settings.DESK.symbols, "1day")
    known = {symbol: day for symbol, day in found.items() if day is not None}
    if not known:
        yield Item("Bars", "off", "no history was fetched; the engine brings its own bars", "fetch it", "data")
        return
    behind = [symbol for symbol in found if known.get(symbol, dt.date.min) < before]
    told = f"{', '.join(behind[:SHOWN])} end before {before}" if behind else f"daily bars to {before}"
    yield Item("Bars", "warn" if behind else "ok", told, "fetch what is new", "data")


def _machine(at: dt.datetime) -> Iterator[Item]:
    for name, part in (("Database", machinery.database()), ("Disk", machinery.disk())):
        yield Item(name, part.level, part.text, part.fix, "health")
    look = Look.objects.filter(name="monitor").first()
    age = (at - look.at).total_seconds() if look else None
    well = age is not None and age <= STALE
    told = "has never looked" if age is None else f"looked {age:.0f} s ago"
    yield Item("Monitor", "ok" if well else "bad", told, "start manage.py monitor run: without it nobody is told",
               "health")  # fmt: skip
