"""A provider that asks nobody: a calm score, the same for the same symbol and hour, to try the desk out with."""

from __future__ import annotations

import hashlib
from typing import Final

from trading.core.news import Answer, Metadata, Question, Ration

SPAN: Final = 0.3  # it never says enough to suppress a signal or to make one surer
CONFIDENCE: Final = 0.5


class Stub:
    """Always well; its word lies in [−0.3, 0.3], or is ``value`` when that is given."""

    def __init__(self, value: float | None = None, *, rate_limit: int = 6_000) -> None:
        """Say ``value`` of everything, or something of its own."""
        self.value = value
        self.metadata = Metadata("stub", "1", rate_limit, "fixed", "stub_count")

    def fetch(self, question: Question, ration: Ration) -> Answer:
        """Return the score of the symbol and hour."""
        ration()
        value = self.value if self.value is not None else _made_up(question)
        return Answer(value=value, confidence=CONFIDENCE)


def _made_up(question: Question) -> float:
    hour = f"{question.symbol} {int(question.until.timestamp()) // 3600}"
    share = int.from_bytes(hashlib.sha256(hour.encode()).digest()[:6], "big") / 2**48
    return round(SPAN * (2.0 * share - 1.0), 4)
