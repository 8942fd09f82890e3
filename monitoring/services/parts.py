"""Every part of the desk, one line each: how it is, how old that knowledge is, and what to do when it is not well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from monitoring.models import Look, Notification
from monitoring.services import facts
from sensequant.lib import machinery
from sensequant.lib.machinery import Part
from trading.services import state_words, vitals
from trading.services.vitals import Process

SILENT = 60.0  # seconds of an engine's heartbeat that worry
LATE = 180.0  # seconds since the background jobs' last sign
SKEWED, FAR_OFF = 1.0, 5.0
SPENT, NEARLY = 0.95, 0.8
LATENCY = 50_000.0  # microseconds from bar to intent that worry
MEMORY = 600.0  # megabytes of an engine that worry


@dataclass(frozen=True, slots=True)
class Line:
    """One part with the seconds since it was last heard of; None where it was asked just now or never spoke."""

    part: str
    level: str
    text: str
    age: float | None = None
    fix: str = ""


def _of(part: Part, name: str = "", age: float | None = None) -> Line:
    return Line(name or part.name.capitalize(), part.level, part.text, age, part.fix)


def _machine(at: dt.datetime) -> Iterator[Line]:
    yield _of(machinery.database())
    yield _of(machinery.shared_memory())
    yield _of(machinery.queues(state_words.QUEUES), "Queues")
    yield _jobs(at)
    yield _of(machinery.disk())


def _jobs(at: dt.datetime) -> Line:
    told = machinery.alive_at()
    if told is None:
        fix = "are beat and a worker running? Without Redis only the serving process knows; it tells within a minute"
        return Line("Schedule and workers", "warn", "no sign yet", None, fix)
    age = max(0.0, at.timestamp() - told)
    late = age > LATE
    fix = "start celery beat and a worker (see the Procfile), or look at why they stand" if late else ""
    return Line("Schedule and workers", "bad" if late else "ok", "ring and answer each minute", age, fix)


def _engines(at: dt.datetime) -> Iterator[Line]:
    runs = vitals.runs(at=at)
    if not runs:
        yield Line("Engine", "off", "no engine has run yet", None, "manage.py engine --help shows how to begin")
    for run in runs:
        silent = run.beats and run.silent is not None and run.silent > SILENT
        level = "bad" if silent or run.state == "failed" else "ok" if run.state == "running" else "off"
        fix = "see the runbook heartbeat_lapsed" if silent else ""
        yield Line(f"Engine {run.name}", level, f"{run.state}, {run.mode}", run.silent, fix)
    for process in vitals.processes(at=at):
        yield _latency(process)
        yield _memory(process)


def _latency(process: Process) -> Line:
    if process.p99_us is None:
        return Line(f"Latency of {process.run}", "off", "no bar yet", process.published)
    slow = process.p99_us > LATENCY
    text = f"bar to intent p50 ≤ {process.p50_us:,.0f} µs, p99 ≤ {process.p99_us:,.0f} µs over {process.bars:,} bars"
    fix = "look at the machine's load" if slow else ""
    return Line(f"Latency of {process.run}", "warn" if slow else "ok", text, process.published, fix)


def _memory(process: Process) -> Line:
    if process.megabytes is None:
        return Line(f"Memory of {process.run}", "off", "its process is not on this machine")
    much = process.megabytes > MEMORY
    fix = "restart it after the close; report what it was doing" if much else ""
    return Line(f"Memory of {process.run}", "warn" if much else "ok", f"{process.megabytes:,.0f} MB", None, fix)


def _broker(at: dt.datetime) -> Iterator[Line]:
    link = vitals.link()
    age = (at - link.obtained_at).total_seconds() if link.obtained_at else None
    if not link.keys:
        yield Line("Broker", "off", "no keys: this desk trades on paper only")
    elif link.state == "active":
        yield Line("Broker", "ok", f"{link.name}: logged in", age)
    else:
        yield Line("Broker", "warn", f"{link.name}: {link.note or link.state or 'nobody has logged in'}", age,
                   "log in on the page Broker")  # fmt: skip
    for name, share in vitals.budget_use(at=at).items():
        level = "bad" if share >= SPENT else "warn" if share >= NEARLY else "ok"
        fix = "what is left is kept for exits; stop what reads history" if level != "ok" else ""
        yield Line(f"Rate budget, {name}", level, f"{share:.0%} used", None, fix)


def _troubles(at: dt.datetime) -> Iterator[Line]:
    found = [each for each in vitals.troubles() if each.level in ("warn", "bad")]
    feed = [each for each in found if each.code in facts.FEED or each.code == "stream-down"]
    level = "bad" if any(each.level == "bad" for each in feed) else "warn" if feed else "ok"
    yield Line("Feed", level, feed[0].message if feed else "nothing is missed", None, feed[0].fix if feed else "")
    for each in found:
        if each not in feed:
            age = (at - each.since).total_seconds()
            yield Line(f"{each.code} {each.subject}".strip(), each.level, each.message, age, each.fix)


def _clocks(view: facts.View) -> Iterator[Line]:
    found = vitals.clock_skew(at=view.at, since=view.since)
    if not found:
        yield Line("Clock", "off", "SQLite has this machine's clock: there is none to compare with")
    for name, off in found.items():
        level = "bad" if abs(off) > FAR_OFF else "warn" if abs(off) > SKEWED else "ok"
        yield Line("Clock", level, f"{off:+.3f} s against {name}", None, "" if level == "ok" else "run chrony or ntpd")


def _watch(at: dt.datetime) -> Iterator[Line]:
    look = Look.objects.filter(name="monitor").first()
    age = (at - look.at).total_seconds() if look else None
    if age is None or look is None:
        yield Line("Monitor", "warn", "nobody has looked yet", None, "start manage.py monitor run")
    else:
        level = "bad" if age > SILENT else "warn" if look.errors else "ok"
        fix = "start manage.py monitor run" if age > SILENT else ""
        yield Line("Monitor", level, f"a look takes {look.seconds:.2f} s", age, fix)
    waits = Notification.objects.filter(state="waiting").order_by("made_at").first()
    late = waits is not None and (at - waits.made_at).total_seconds() > SILENT
    yield Line("Messages", "warn" if late else "ok", "some wait" if waits else "none waits",
               (at - waits.made_at).total_seconds() if waits else None,
               "is the sender running? See Alerts for its last error" if late else "")  # fmt: skip


def _news(at: dt.datetime) -> Iterator[Line]:
    if not (settings.DESK.sentiment_enable_newsapi or settings.DESK.sentiment_enable_twitter):
        yield Line("News", "off", "no provider is switched on")
        return
    failed = sum(vitals.sentiment_failures(at=at).values())
    yield Line("News", "warn" if failed else "ok", f"{failed} failures within the hour" if failed else "no failure",
               vitals.news_age(at=at), "look at the page Sentiment" if failed else "")  # fmt: skip


def lines(*, at: dt.datetime) -> list[Line]:
    """Return every part; what cannot be read is a line of its own, and the others are read all the same."""
    view = facts.View(at)
    groups: tuple[tuple[str, Callable[[], Iterator[Line]]], ...] = (
        ("Machine", lambda: _machine(at)), ("Engine", lambda: _engines(at)), ("Broker", lambda: _broker(at)),
        ("Feed", lambda: _troubles(at)), ("Clock", lambda: _clocks(view)), ("Monitor", lambda: _watch(at)),
        ("News", lambda: _news(at)),
    )  # fmt: skip
    found: list[Line] = []
    for name, read in groups:
        try:
            found += read()
        except DatabaseError as error:
            found.append(Line(name, "bad", f"cannot be read: {str(error)[:200]}", None, "is the database well?"))
    return found


def worst(found: list[Line]) -> str:
    """Return the worst level of all: bad, warn or ok."""
    levels = {line.level for line in found}
    return "bad" if "bad" in levels else "warn" if "warn" in levels else "ok"


def as_rows(found: list[Line]) -> list[dict[str, Any]]:
    """Return the lines as a table's rows, the worst first."""
    order = {"bad": 0, "warn": 1, "ok": 2, "off": 3}
    return [asdict(line) for line in sorted(found, key=lambda line: order[line.level])]
