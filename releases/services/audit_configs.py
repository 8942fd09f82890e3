"""What the desk is configured with at this moment, secrets masked: settings, strategies, limits, student, versions."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings

from models_ml.selectors import models
from releases.services.audit_parts import Part, as_json
from sensequant.lib import redact
from sensequant.lib.env import rows
from trading.core.setups import flat, make_setup
from trading.core.strategies import STRATEGIES
from trading.selectors import deciding
from trading.services import runs, strategies

MINUTES = {"intraday": 5, "swing": 1440}
LIMITS = ("max_exposure_inr", "daily_loss_cap_inr", "max_daily_loss_pct", "default_stop_loss_pct",
          "default_take_profit_pct", "allow_short", "starting_capital_inr", "intraday_start", "intraday_cutoff",
          "mode")  # fmt: skip
HIDDEN = "(set, hidden)"


def collect() -> Part:
    """Return the snapshots as files of the bundle."""
    told = {
        "settings": snapshot(), "strategies": _strategies(), "student": _student(), "versions": versions(),
        "limits": {name: getattr(settings.DESK, name) for name in LIMITS},
    }  # fmt: skip
    return Part(files={f"configs/{name}.json": as_json(each) for name, each in told.items()})


def snapshot() -> dict[str, Any]:
    """Return every setting by name; of a secret only whether it is set."""
    found: dict[str, Any] = {}
    for each in rows(type(settings.DESK)):
        value = getattr(settings.DESK, each.attribute)
        if each.secret:
            found[each.name] = HIDDEN if value else "(not set)"
        else:
            found[each.name] = redact.text(each.show(value))
    return found


def _strategies() -> dict[str, Any]:
    active = deciding.versions()
    return {
        name: {
            "version": active.get(name), "parameters": strategies.active_params(name), "in_force": _in_force(name),
        }
        for name in STRATEGIES
    }  # fmt: skip


def _in_force(name: str) -> dict[str, Any]:
    """Return every effective value of a strategy, rules, sizing and limits included."""
    order = runs.order(name, {}, None)
    params = {key: value for key, value in order.params.items() if key not in strategies.CHARGES}
    return flat(make_setup(name, MINUTES[STRATEGIES[name].KIND], runs.desk_values(), params))


def _student() -> dict[str, Any]:
    standing = models.standing()
    row = standing["champion"]
    told = {"enabled": standing["enabled"], "threshold": standing["threshold"], "champion": None}
    if row is not None:
        told["champion"] = {
            "version": row.version, "sha256": row.digest, "since": row.since, "by": row.by, "reason": row.reason,
            "disabled_at": row.disabled_at,
        }  # fmt: skip
    return told


def versions() -> dict[str, Any]:
    """Return what the code runs on: Python, the lock file, and the packages that count."""
    lock = Path(settings.BASE_DIR) / "requirements.txt"
    names = ("Django", "numpy", "numba", "lightgbm", "scikit-learn", "celery", "channels")
    return {
        "python": sys.version.split()[0], "platform": platform.platform(),
        "requirements_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "packages": {name: metadata.version(name) for name in names},
    }  # fmt: skip
