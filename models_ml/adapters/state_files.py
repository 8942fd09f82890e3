"""The state files of US-024 and US-025: read whatever became of them, and written so that nothing is ever lost.

A file is replaced at once, and what it held before stays beside it as ``.bak``. One that cannot be read is set aside
and its backup speaks for it; without one the state is empty. Records that lack something keep what they have.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sensequant.lib.clock import ist
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles

LARGEST: Final = 64 << 20  # bytes
SECTIONS: Final[Mapping[str, type]] = {"symbols": dict, "last_run": dict, "validation_runs": dict}
log = get_logger("StateManager")


class StateManager:
    """One state file, as the document's scripts use it. OSError when it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(f"{path.name}.bak")

    # symbols

    def get_last_fetch_date(self, symbol: str) -> dt.datetime | None:
        """Return the last day fetched of a symbol; None when that is not known."""
        one = self.read()["symbols"].get(symbol)
        word = one.get("last_fetch_date") if isinstance(one, Mapping) else None
        try:
            return dt.datetime.fromisoformat(word) if word else None
        except (ValueError, TypeError):
            log.warning("a state is not believed", path=str(self.path), symbol=symbol, last_fetch_date=str(word))
            return None

    def set_last_fetch_date(self, symbol: str, day: dt.datetime, *, at: dt.datetime) -> None:
        """Keep the last day fetched of a symbol."""
        one = {"last_fetch_date": day.isoformat(), "last_updated": _written(at)}
        self._change(lambda state: state["symbols"].__setitem__(symbol, one), at=at)

    def get_all_symbols(self) -> list[str]:
        """Return every symbol that has a state, sorted."""
        return sorted(self.read()["symbols"])

    def clear_symbol(self, symbol: str, *, at: dt.datetime) -> None:
        """Forget one symbol."""
        self._change(lambda state: state["symbols"].pop(symbol, None), at=at)

    def clear_all(self, *, at: dt.datetime) -> None:
        """Forget everything; the backup keeps it until the next change."""
        self._change(lambda state: state.clear(), at=at)

    # runs

    def get_last_run_info(self) -> dict[str, Any] | None:
        """Return how the last run went; None before the first."""
        return self.read()["last_run"] or None

    def set_last_run_info(
        self, *, run_type: str, success: bool, symbols_processed: Sequence[str], files_created: int, errors: int,
        at: dt.datetime,
    ) -> None:  # fmt: skip
        """Keep how a run went."""
        told = {
            "timestamp": _written(at), "run_type": run_type, "success": success,
            "symbols_processed": list(symbols_processed), "files_created": files_created, "errors": errors,
        }  # fmt: skip
        self._change(lambda state: state.__setitem__("last_run", told), at=at)

    # validations

    def record_validation_run(self, told: Mapping[str, Any], *, at: dt.datetime) -> None:
        """Keep a validation run: ``run_id``, timestamp, symbols, date_range, status, dryrun and results."""
        run_id = str(told["run_id"])
        self._change(lambda state: state["validation_runs"].__setitem__(run_id, dict(told)), at=at)

    def get_validation_run(self, run_id: str) -> dict[str, Any] | None:
        """Return one validation run; None when there is none such."""
        found = self.read()["validation_runs"].get(run_id)
        return dict(found) if isinstance(found, Mapping) else None

    def get_validation_runs(self, *, status: str | None = None, dryrun: bool | None = None) -> list[dict[str, Any]]:
        """Return the validation runs, oldest first, narrowed to a status and to dry or real runs."""
        runs = [dict(one) for one in self.read()["validation_runs"].values() if isinstance(one, Mapping)]
        runs.sort(key=lambda one: (str(one.get("timestamp", "")), str(one.get("run_id", ""))))
        return [
            one for one in runs
            if status in (None, one.get("status")) and (dryrun is None or one.get("dryrun") is dryrun)
        ]  # fmt: skip

    # the file

    def read(self) -> dict[str, Any]:
        """Return the state; what cannot be read is told in the log and read from the backup, or is empty."""
        found = self._load(self.path)
        if found is None and self.backup.exists():
            found = self._load(self.backup)
            if found is not None:
                log.warning("state read from its backup", path=str(self.backup))
        return _whole(found or {}, self.path)

    def _load(self, path: Path) -> dict[str, Any] | None:
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError("it is too large")
            found = json.loads(path.read_text("utf-8"))
            if not isinstance(found, dict):
                raise TypeError("it is no JSON object")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, RecursionError) as error:
            log.warning("the state file is not believed", path=str(path), why=str(error))
            return None
        return found

    def _change(self, change: Callable[[dict[str, Any]], Any], *, at: dt.datetime) -> None:
        with self._alone():
            state = self.read()
            change(state)
            self._set_aside_if_broken(at)
            if self.path.exists():
                cachefiles.put(self.backup, self.path.read_text("utf-8"))
            cachefiles.put(self.path, json.dumps(_whole(state, self.path), indent=2) + "\n")

    def _set_aside_if_broken(self, at: dt.datetime) -> None:
        """Keep a file nobody can read for whoever wants to know why, so that it never becomes the backup."""
        if self.path.exists() and self._load(self.path) is None:
            aside = self.path.with_name(f"{self.path.name}.{ist(at):%Y%m%dT%H%M%S}.broken")
            self.path.replace(aside)
            log.warning("a damaged state file was set aside", path=str(aside))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with cachefiles.locked(self.path.parent, f".{self.path.name}.lock"):
            yield


def _whole(state: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the state with every section there; one of the wrong kind is told in the log and begins anew."""
    found = dict(state)
    for name, kind in SECTIONS.items():
        if not isinstance(found.get(name, kind()), kind):
            log.warning("a section of the state is not believed", path=str(path), section=name)
            del found[name]
        found.setdefault(name, kind())
    return found


def _written(at: dt.datetime) -> str:
    return ist(at).isoformat(timespec="seconds")
