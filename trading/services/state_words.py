"""The state words every page carries: ENGINE, BROKER, FEED, RISK, DB, QUEUE, RATE; each with how well it is.

The engine says the first words in its snapshot. What it cannot know, or can no longer say, is looked up here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sensequant.lib import machinery
from trading.core.ageing import SILENT
from trading.selectors import live
from trading.selectors.live import Newest

KEYS = ("ENGINE", "BROKER", "FEED", "RISK", "DB", "QUEUE", "RATE")
QUEUES = ("celery", "training", "engine")
OWN = ("DB", "QUEUE")
State = dict[str, Any]


def words(found: Newest | None, *, at: dt.datetime) -> list[State]:
    """Return the seven states in their order, each with ``key``, ``level`` (ok, warn, bad, off, info) and ``text``."""
    told = {state["key"]: state for state in (found.body.get("states") or [] if found else [])}
    run_state = str(found.body.get("state") or "") if found else ""
    age = found.age(at) if found else None
    if age is not None and age > SILENT and run_state not in live.CALM:
        told = {key: _state(key, "bad", f"unknown, {age:.0f} s old") for key in KEYS}
        told["ENGINE"] = _state("ENGINE", "bad", f"silent for {age:.0f} s")
    database, jobs = machinery.database(), machinery.queues(QUEUES)
    told["DB"] = _state("DB", database.level, database.text)
    told["QUEUE"] = _state("QUEUE", jobs.level, jobs.text)
    return [told.get(key) or _state(key, "off", "not running" if key == "ENGINE" else "—") for key in KEYS]


def _state(key: str, level: str, text: str) -> State:
    return {"key": key, "level": level, "text": text}
