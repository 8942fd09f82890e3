"""The steps of a deployment and of a rollback, in their order. Each may be taken again; the switch is one transaction.

Killed before the switch, the old release stands whole; killed after it, the new one does, and what is left is taken up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

DEPLOY, ROLLBACK = "deploy", "rollback"
SWITCH: Final = "switch"
STEPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    DEPLOY: ("verify", "backup", "stage", SWITCH, "reload", "publish"),
    ROLLBACK: ("pause", "verify", "restore", SWITCH, "smoke", "audit", "record"),
})  # fmt: skip
WORDS: Final[Mapping[str, str]] = MappingProxyType({
    "verify": "signature, every SHA-256 and every sign-off compared",
    "backup": "backups restored to a scratch folder and compared",
    "stage": "files copied to a folder of their own, and compared there",
    SWITCH: "pointer, student and parameters switched in one transaction",
    "reload": "engines told to read everything anew",
    "publish": "status files written, the watch begun",
    "pause": "entries stopped",
    "restore": "damaged files restored from what is whole",
    "smoke": "a session of the demo market through the desk, the student's self-test",
    "audit": "audited anew",
    "record": "recorded, signed and told",
})  # fmt: skip


def left(kind: str, done: Collection[str]) -> tuple[str, ...]:
    """Return the steps that are still to be taken, in their order."""
    return tuple(step for step in STEPS[kind] if step not in done)


def may_abort(kind: str, done: Collection[str]) -> bool:
    """Say whether it can still be given up: after the switch it is carried to its end."""
    return SWITCH in STEPS[kind] and SWITCH not in done
