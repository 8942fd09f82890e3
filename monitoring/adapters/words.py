"""What is sent, and what can become of it: the words every channel shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class NotSent(Exception):
    """It could not be sent: ``permanent`` says that trying again is useless."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        self.message, self.permanent = message, permanent
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``key`` stays the same at every try, ``thread`` for all messages of an episode."""

    key: str
    title: str
    text: str
    body: dict[str, Any] = field(default_factory=dict)
    severity: str = "WARNING"
    resolved: bool = False
    thread: str = ""
    first_key: str = ""  # of the episode's first message on this channel
    edits: str = ""  # what the provider called that one, when it can be edited
