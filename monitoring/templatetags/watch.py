"""What every page says about the alerts."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.core.cache import caches

from monitoring.selectors import alerts
from monitoring.services import preopen
from sensequant.lib.clock import now

register = template.Library()


@dataclass(frozen=True, slots=True)
class Firing:
    """How many alerts fire, and how bad the worst of them is: ok, warn or bad."""

    count: int
    level: str

    @property
    def said(self) -> str:
        """Return it in words."""
        return f"{self.count} firing" if self.count else "none"


@register.simple_tag
def firing() -> Firing:
    """Return what fires now."""
    severities = list(alerts.listed(open_only=True).values_list("severity", flat=True))
    return Firing(len(severities), "bad" if "CRITICAL" in severities else "warn" if severities else "ok")


@register.simple_tag
def not_ready() -> int | None:
    """Return how many items of the pre-open checklist need a hand, while it is due; None at other times.

    The list is gone through every ten seconds at most, however many pages are asked for.
    """
    at = now()
    if not preopen.morning(at=at).due:
        return None
    kept = caches["process"]  # a page does not need Redis for it
    found: int | None = kept.get_or_set("pre-open-left", lambda: preopen.left(at=at), 10)
    return found
