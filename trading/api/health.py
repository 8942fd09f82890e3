"""Whether the desk is well."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from sensequant.lib.clock import now
from trading.api.fields import Moment
from trading.selectors import live
from trading.services import state_words

router = Router(tags=["health"])
ALIVE = ("starting", "running", "suspended")


class HealthOut(Schema):
    """Whether the desk is well."""

    status: str = Field(
        description="ok; stale: the engine should run and is silent; off: no engine runs.", examples=["ok"]
    )
    mode: str = Field(description="The setting MODE.", examples=["dry-run"])
    run: int | None = Field(description="The current run; null when the engine never ran.", examples=[3])
    state: str | None = Field(description="Where that run stands.", examples=["running"])
    heartbeat_at: Moment | None = Field(description="When it was last alive.")
    silent_after: int = Field(description="Seconds without a heartbeat that count as silence.", examples=[300])


class WordOut(Schema):
    """One state word."""

    key: str = Field(description="The word.", examples=["ENGINE"])
    level: str = Field(description="ok, warn, bad, off or info.", examples=["ok"])
    text: str = Field(description="In words.", examples=["running"])


@router.get("", response=HealthOut, summary="Health")
def health(request: HttpRequest) -> dict[str, Any]:
    """Return whether the desk is well. `/healthz` (this process serves) and `/readyz` need no token."""
    run, patience = live.current_run(), settings.DESK.monitoring_heartbeat_lapse_seconds
    beat = run.heartbeat_at if run else None
    fresh = beat is not None and (now() - beat).total_seconds() <= patience
    alive = run is not None and run.state in ALIVE
    return {
        "status": ("ok" if fresh else "stale") if alive else "off",
        "mode": settings.DESK.mode,
        "run": run.pk if run else None,
        "state": run.state if run else None,
        "heartbeat_at": beat,
        "silent_after": patience,
    }


@router.get("/words", response=list[WordOut], summary="State words")
def words(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what every page carries: ENGINE, BROKER, FEED, RISK, DB, QUEUE and RATE, each with how well it is."""
    return state_words.words(live.newest("live"), at=now())
