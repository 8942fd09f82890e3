"""What decides trading here and now, as bytes: a release's manifest names their digests, and the engine compares them.

The same bytes are made when a manifest is written and when an engine starts; what differs is told name by name.
"""

from __future__ import annotations

import json
from typing import Any, Final

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.env import rows
from trading.models.strategies import StrategyConfig
from trading.selectors.students import champion

STRATEGIES: Final = "strategies.json"
SETTINGS: Final = "settings.json"
STUDENT: Final = "student"
STUDENT_MANIFEST: Final = "student/manifest.json"
SECTIONS: Final = ("Trading", "Risk")
OTHERS: Final = (
    "FEED_STALE_SECONDS", "FEED_GRACE_SECONDS", "BREEZE_LIMIT_OFFSET_PCT", "STUDENT_MODEL_ENABLED",
    "STUDENT_MODEL_CONFIDENCE_THRESHOLD", "SENTIMENT_SCORER", "SENTIMENT_PROVIDER_WEIGHTS", "MINUTE_DATA_RESOLUTION",
)  # fmt: skip
RUNNING: Final = ("ENGINE_TASK",)  # says where the engine runs, not how it trades


def canonical(content: Any) -> bytes:
    """Return content as the one JSON text that is digested."""
    return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def strategies() -> dict[str, dict[str, Any]]:
    """Return each strategy's active version: its number and its parameters."""
    active = StrategyConfig.objects.filter(status="active").order_by("strategy")
    return {row.strategy: {"version": row.version, "params": row.params} for row in active}


def deciding_settings() -> dict[str, str]:
    """Return the settings that decide trading, as they would be written in ``.env``; none of them is a secret."""
    found = {}
    for each in rows(type(settings.DESK)):
        wanted = each.name in OTHERS or (each.section in SECTIONS and each.name not in RUNNING)
        if wanted and not each.secret:
            found[each.name] = each.show(getattr(settings.DESK, each.attribute))
    return found


def student() -> tuple[str, str] | None:
    """Return the folder and the digest of the student that decides; None without one, or with one switched off."""
    row = champion()
    return None if row is None or row.disabled_at else (str(paths.resolve(row.folder)), row.digest)


def standing() -> dict[str, bytes]:
    """Return what is compared beside the student's files, by the names a manifest gives it."""
    return {STRATEGIES: canonical(strategies()), SETTINGS: canonical(deciding_settings())}


def differences(name: str, promised: bytes, found: bytes) -> list[str]:
    """Say which entries of two such texts differ, in words; empty when none does."""
    before, now = json.loads(promised), json.loads(found)
    return [
        f"{name}: {key} is {json.dumps(now.get(key))}, the release says {json.dumps(before.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
