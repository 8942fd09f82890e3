"""What the simulator must not forget: one line a happening, on the disk before anybody is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sensequant.lib.errors import BadInput, Unavailable


class Journal:
    """Append-only JSON lines under a folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        """Open the journal, cutting off a last line that was not written to its end."""
        self._file = None
        self.path = None if folder is None else folder / "journal.jsonl"
        if folder is None or self.path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _mend(self.path)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"--state {folder}: {error.strerror}", fix="name a folder you may write to") from None

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what was written, oldest first, as (kind, data)."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    yield row["kind"], row
                except (ValueError, KeyError, TypeError):
                    raise BadInput(
                        f"{self.path}, line {number} cannot be read", fix="start with an empty --state folder"
                    ) from None

    def write(self, kind: str, /, *, sync: bool = False, **data: Any) -> None:
        """Append one line; with ``sync`` it is on the disk when this returns."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({"kind": kind, **data}, separators=(",", ":")) + "\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _mend(path: Path) -> None:
    """Cut off what a crash left after the last whole line."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        text = file.read()
        whole = text.rfind(b"\n") + 1
        if whole != len(text):
            file.truncate(whole)
