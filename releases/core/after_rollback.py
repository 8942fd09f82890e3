"""What is open after a rollback although nothing is new: each flag's reason, so that what is new stands out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from releases.core import audit_flags

DEGRADED: Final = "_degraded"
ALERT: Final = "open_critical_alert"


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the two releases.

    ``gone`` is the name of the one that was left; ``waived`` says by the digest of a flag who waived it for the one
    that came back; ``sound`` are the kinds of trading that had not degraded when the one that was left was deployed.
    """

    gone: str
    waived: Mapping[str, str] = field(default_factory=dict)
    sound: Collection[str] = ()


def accounted(flags: Sequence[Mapping[str, Any]], past: Past) -> list[dict[str, str]]:
    """Return each flag's code and line with why it is open all the same; an empty ``why`` is a new flag."""
    return [
        {"code": flag["code"], "message": flag["message"], "why": _why(flag, past)} for flag in flags
    ]  # fmt: skip


def _why(flag: Mapping[str, Any], past: Past) -> str:
    code = flag["code"]
    if code == audit_flags.SKIPPED:
        return "a rollback waits for no validation"
    if by := past.waived.get(audit_flags.digest(flag)):
        return by
    if code.endswith(DEGRADED) and code.removesuffix(DEGRADED) in past.sound:
        return f"it was not there before {past.gone} was deployed, which is gone"
    if code == ALERT and flag["subject"] == f"release_watch_failed:{past.gone}":
        return f"it is about {past.gone}, which is gone"
    return ""


def new(told: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the lines of what is new; an audit after a rollback is clean without any."""
    return [f"{each['code']}: {each['message']}" for each in told if not each["why"]]
