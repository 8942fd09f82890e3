"""What an engine's loop does about its traces: hand them over, and tell the trader when they are lost."""

from __future__ import annotations

import datetime as dt

from trading.services import conditions
from trading.services.live_telemetry import LiveTelemetry
from trading.services.recording import Recorder

FIX = "trading goes on; free the disk or mend the folder of TELEMETRY_STORAGE_PATH"


class Tracing:
    """The traces of one run; nothing here stops it."""

    def __init__(self, recorder: Recorder, telemetry: LiveTelemetry | None = None) -> None:
        """Take the traces ``recorder`` makes to ``telemetry``, if there is one."""
        self.recorder, self.telemetry, self.told = recorder, telemetry, ""

    def trace(self) -> None:
        """Hand the traces of what was just closed to whoever writes them."""
        if self.telemetry is not None:
            for each in self.recorder.traces:
                self.telemetry.offer(each)

    def tell(self, at: dt.datetime) -> None:
        """Tell the trader when traces or predictions are not kept, and when they are again."""
        trouble = self.recorder.ledger.trouble or (self.telemetry.trouble if self.telemetry else "")
        if trouble == self.told:
            return
        self.told = trouble
        conditions.keep(
            bool(trouble), "telemetry-lost", level="warn", message=trouble, at=at, subject=self.recorder.run.name,
            fix=FIX,
        )  # fmt: skip

    def close(self, at: dt.datetime) -> None:
        """Say where the predictions stand, and let the last traces be written."""
        self.recorder.ledger.anchor()
        if self.telemetry is not None:
            self.telemetry.close()
        self.tell(at)
