"""What the database refuses of audits: what one has found is what people sign, so it is never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from releases.core.audit_states import NEXT

FIXED: Final = (
    "audit_id", "cause", "trigger", "asked", "metrics", "metrics_sha256", "flags", "flags_sha256", "deployment_ready",
    "bundle_sha256", "created_at", "started_at", "finished_at", "by",
)  # fmt: skip
"""What stays when an audit is done: all but where its files are, and since when."""


def refusals(changed: Callable[..., str], vendor: str) -> list[tuple[str, str, str, str]]:
    """Return name, verb, condition and words of each refusal; ``changed`` makes SQL of columns that differ."""
    moves = " OR ".join(
        f"(OLD.state = '{old}' AND NEW.state IN ({', '.join(repr(new) for new in following)}))"
        for old, following in NEXT.items()
        if following
    )
    found = changed(vendor, *(f'"{name}"' for name in FIXED))
    return [
        ("kept", "DELETE", "", "an audit is never deleted"),
        ("fixed", "UPDATE", f"OLD.state = 'done' AND ({found})", "what an audit has found is never edited"),
        ("moves", "UPDATE", f"NEW.state <> OLD.state AND NOT ({moves})", "no legal move of an audit"),
    ]
