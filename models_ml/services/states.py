"""The record of validations in two places, rows and ``data/state/validation_runs.json``: each makes the other whole.

The rows are the truth; what only the file knows, because the rows were lost or are another desk's, is taken over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models_ml.adapters.state_files import StateManager
from models_ml.models import ValidationRun
from models_ml.services import validation_steps
from models_ml.services.validations import NAME
from sensequant.lib import paths
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.services import fetch_states, snapshot_states

OVER = ("completed", "partial", "failed", "cancelled")
log = get_logger("StateManager")


@dataclass(slots=True)
class Repaired:
    """What was mended: rows made from the file, records written into it, and records nobody can read."""

    file: str
    rows: int = 0
    records: int = 0
    unreadable: list[str] = field(default_factory=list)


def manager() -> StateManager:
    """Return the state file of validations."""
    return StateManager(paths.resolve(validation_steps.STATE_FILE))


def repair(*, at: dt.datetime, file: Path | None = None) -> Repaired:
    """Bring rows and file together; ``file`` names another desk's. BadInput when the file cannot be written."""
    mine = manager()
    found = Repaired(str(file or mine.path))
    for told in (StateManager(file) if file else mine).get_validation_runs():
        _take_over(told, found, at=at)
    known = {str(one.get("run_id")): one for one in mine.get_validation_runs()}
    for run in ValidationRun.objects.filter(status__in=OVER).order_by("id"):
        record = validation_steps.recorded(run)
        if known.get(run.run_id, {}).get("status") != run.status:
            _write(mine, record, at=at)
            found.records += 1
    return found


def _write(mine: StateManager, record: Mapping[str, Any], *, at: dt.datetime) -> None:
    try:
        mine.record_validation_run(record, at=at)
    except OSError as error:
        raise BadInput(f"{mine.path} cannot be written: {error.strerror}", fix="check the folder's rights") from None


def _take_over(told: Mapping[str, Any], found: Repaired, *, at: dt.datetime) -> None:
    run_id = str(told.get("run_id", ""))
    if ValidationRun.objects.filter(run_id=run_id).exists():
        return
    try:
        days = told["date_range"]
        start, end = dt.date.fromisoformat(days["start"]), dt.date.fromisoformat(days["end"])
        begun = dt.datetime.fromisoformat(told["timestamp"])
        if not NAME.match(run_id) or told["status"] not in OVER or begun.tzinfo is None:
            raise ValueError("its name, status or timestamp cannot be")
        symbols = [str(symbol) for symbol in told["symbols"]]
    except (KeyError, TypeError, ValueError) as error:
        found.unreadable.append(f"{run_id or 'a record without a name'}: {error}")
        log.warning("a record is not believed", run=run_id, why=str(error))
        return
    ValidationRun.objects.create(
        run_id=run_id, status=told["status"], dryrun=bool(told.get("dryrun", True)), symbols=symbols, start=start,
        end=end, asked={}, summary={**dict(told.get("results") or {}), "steps": {}}, created_at=begun, finished_at=at,
        created_by="import",
    )  # fmt: skip
    found.rows += 1


def picture() -> dict[str, Any]:
    """Return what is known of fetches and validations, as the state files have it, from the rows."""
    last = fetch_states.last_run()
    return {
        "historical": {
            "file": fetch_states.FILE,
            "symbols": {
                symbol: str(day) for symbol, day in sorted(_last_days().items())
            },
            "last_run": {"state": last.state, "started_at": last.started_at.isoformat()} if last else None,
        },
        "sentiment": {"file": snapshot_states.FILE},
        "validation_runs": [
            {"run_id": run.run_id, "status": run.status, "dryrun": run.dryrun, "approved": run.approved}
            for run in ValidationRun.objects.all()[:20]
        ],
    }  # fmt: skip


def _last_days() -> dict[str, dt.date]:
    """Return the last day fetched of each symbol: the earliest of its intervals."""
    found: dict[str, dt.date] = {}
    for row in fetch_states.listing():
        state = fetch_states.believed(row)
        if state is not None and state.last_fetch is not None:
            found[row.symbol] = min(state.last_fetch, found.get(row.symbol, state.last_fetch))
    return found
