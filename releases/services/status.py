"""How releases stand, as commands, pages and the API tell it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from releases.core import steps
from releases.models import Watch
from releases.selectors import operations as found
from releases.services import operations, status_files, watching
from trading.selectors import releases as pointers
from trading.services import halts, release_gate


def told(*, at: dt.datetime) -> dict[str, Any]:
    """Return the release in force, what differs from it here, its watch, and what is under way."""
    row, under_way = pointers.pointer(), operations.running()
    watch = watching.current()
    return {
        "active": status_files.told(),
        "differences": release_gate.verified(row) if row is not None else [],
        "watch": _watch(watch, at) if watch is not None else None,
        "under_way": found.told(under_way) if under_way is not None else None,
        "left": list(steps.left(under_way.kind, set(under_way.steps.values_list("step", flat=True))))
        if under_way is not None
        else [],
        "held": [each.reason for each in halts.engaged(halts.RELEASE)],
        "reviews": [each.pk for each in found.emergencies().filter(reviewed_at=None)],
    }


def _watch(watch: Watch, at: dt.datetime) -> dict[str, Any]:
    how, newest = watching.progress(watch, at=at), watch.checks.first()
    return {
        "release_id": watch.release.release_id, "state": watch.state, "started_at": watch.started_at,
        "ends_at": watch.ends_at, "hours_left": round(how.hours_left, 1), "sessions": how.sessions,
        "missing": list(how.missing), "checks": watch.checks.count(),
        "newest": {"at": newest.at, "word": newest.word, "action": newest.action, "told": newest.told}
        if newest else None,
        "measures": watching.rows(watch),
    }  # fmt: skip


def words(data: dict[str, Any]) -> str:
    """Return the same for a terminal."""
    active, watch = data["active"], data["watch"]
    if active is None:
        return "no release is deployed"
    lines = [
        f"release   {active['release_id']} (#{active['release_seq']}, {active['state']})",
        f"deployed  {active['deployment_timestamp']} by {active['deployer']}",
        f"manifest  {active['manifest_path']} {active['manifest_sha256']}",
        f"watching  {'heightened' if active['heightened_monitoring_active'] else 'normal'}",
    ]
    if watch:
        left = ", ".join(watch["missing"]) or "nothing"
        newest = f"; newest check: {watch['newest']['word']} {watch['newest']['told']}" if watch["newest"] else ""
        lines.append(f"watch     {watch['state']}, still needs {left}{newest}")
    lines += [f"DIFFERS   {each}" for each in data["differences"]]
    lines += [f"HELD      {each}" for each in data["held"]]
    if data["under_way"]:
        lines.append(f"UNDER WAY {data['under_way']['kind']}, left: {', '.join(data['left'])} (--resume takes it up)")
    return "\n".join(lines)
