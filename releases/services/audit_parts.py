"""What every collector of an audit hands in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models_ml.core.reports import Chart
from releases.core.audit_flags import Flag


@dataclass(slots=True)
class Part:
    """Sections of metrics.json by name, why one is unknown, files of the bundle, charts by file name, and so on."""

    sections: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    trades: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Part) -> None:
        """Take over everything another collector handed in."""
        self.sections |= other.sections
        self.why |= other.why
        self.files |= other.files
        self.charts |= other.charts
        self.flags += other.flags
        self.trades |= other.trades
        self.notes += other.notes


def as_json(told: Any) -> bytes:
    """Return data as a JSON file of the bundle; ValueError for what is not finite."""
    return (json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n").encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else str(value)
