"""The local log of alerts: one JSON line each in ``logs/alerts/YYYY-MM-DD.jsonl`` (IST), always written."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from monitoring.adapters.words import Message, NotSent
from sensequant.lib import lines, paths
from sensequant.lib.clock import IST

FOLDER = "logs/alerts"


class AlertLog:
    """Appends a line."""

    def send(self, message: Message, *, at: dt.datetime) -> str:
        """Write ``message``'s line; NotSent when the disk did not take it."""
        try:
            append(f"{at.astimezone(IST):%Y-%m-%d}.jsonl", message.body)
        except OSError as error:
            raise NotSent(f"{FOLDER} cannot be written: {error.strerror}") from None
        return ""


def append(name: str, told: dict[str, Any]) -> None:
    """Append one line to a file of the alerts' folder."""
    lines.append(paths.resolve(FOLDER) / name, json.dumps(told, ensure_ascii=False, default=str))


def read(folder: Path, days: list[dt.date]) -> list[dict[str, Any]]:
    """Return the lines of some days, oldest first; a line that cannot be read is left out."""
    found = []
    for day in sorted(days):
        file = folder / f"{day}.jsonl"
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found
