"""What an alert does beside telling: it stops entries, once for each episode, and never lets them go on."""

from __future__ import annotations

import datetime as dt

from monitoring.core.rules import Rule
from monitoring.models import Episode
from monitoring.services import auditing
from trading.services import halts

BY = "monitoring"


def act(rule: Rule, episode: Episode, *, at: dt.datetime) -> bool:
    """Stop entries if the rule says so; a replay trades recorded bars and is left alone."""
    if rule.action != "stop-entries" or episode.acted_at is not None or episode.context.get("mode") == "replay":
        return False
    halts.engage(halts.KILL, f"{episode.name}: {episode.message}"[:300], at=at, by=BY)
    episode.acted_at = at
    Episode.objects.filter(pk=episode.pk).update(acted_at=at)
    auditing.append("acted", by=BY, at=at, episode=episode, action=rule.action)
    return True
