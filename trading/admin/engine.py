"""The engine's runs, with its switches as actions, and the lanes' memory."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sensequant.lib.clock import now
from trading.admin.base import Record, each, pretty
from trading.models import EngineRun, ExposureBook, LaneState, ShardExposure
from trading.services import control


@admin.register(EngineRun)
class EngineRunAdmin(Record):
    """One run; what an operator may tell it is an action."""

    list_display = (
        "id", "name", "mode", "label", "strategy", "interval", "state", "speed", "entries_paused", "held", "cursor",
        "heartbeat_at", "bars", "current",
    )  # fmt: skip
    list_display_links = ("id", "name")
    list_filter = ("state", "mode", "strategy", "current", "entries_paused")
    search_fields = ("name", "label", "source")
    date_hierarchy = "started_at"
    exclude = ("numbers", "plan", "latency")
    readonly_fields = ("asked", "histogram")
    actions = ("pause", "resume", "hold", "play", "stop")

    @admin.display(description="plan")
    def asked(self, run: EngineRun) -> SafeString:
        """Return everything needed to run it again."""
        return pretty(run.plan)

    @admin.display(description="latency, microseconds")
    def histogram(self, run: EngineRun) -> SafeString:
        """Return the bar-to-intent times."""
        return pretty(run.latency)

    @admin.action(description="Pause entries (exits go on)", permissions=["operate"])
    def pause(self, request: HttpRequest, rows: QuerySet[EngineRun]) -> None:
        """Take no new positions."""
        each(request, rows, "paused", lambda run: control.pause_entries(run.pk, by=_by(request), at=now()))

    @admin.action(description="Resume entries", permissions=["operate"])
    def resume(self, request: HttpRequest, rows: QuerySet[EngineRun]) -> None:
        """Let entries through again."""
        each(request, rows, "resumed", lambda run: control.resume_entries(run.pk, by=_by(request), at=now()))

    @admin.action(description="Hold the replay", permissions=["operate"])
    def hold(self, request: HttpRequest, rows: QuerySet[EngineRun]) -> None:
        """Let the replay stand still."""
        each(request, rows, "held", lambda run: control.hold(run.pk, by=_by(request), at=now()))

    @admin.action(description="Play the replay", permissions=["operate"])
    def play(self, request: HttpRequest, rows: QuerySet[EngineRun]) -> None:
        """Let the replay go on."""
        each(request, rows, "playing", lambda run: control.play(run.pk, by=_by(request), at=now()))

    @admin.action(description="Stop after the bar it is in", permissions=["operate"])
    def stop(self, request: HttpRequest, rows: QuerySet[EngineRun]) -> None:
        """End the run; its state is kept."""
        each(request, rows, "told to stop", lambda run: control.stop(run.pk, by=_by(request), at=now()))


@admin.register(LaneState)
class LaneStateAdmin(Record):
    """One symbol's lane of a run."""

    list_display = ("run", "number", "symbol", "halted")
    list_filter = ("run",)
    list_select_related = ("run",)
    search_fields = ("symbol", "halted")


@admin.register(ExposureBook)
class ExposureBookAdmin(Record):
    """What the shards of an account have in the market together."""

    list_display = ("account", "turns")
    list_filter = ("account",)
    search_fields = ("account",)


@admin.register(ShardExposure)
class ShardExposureAdmin(Record):
    """What one shard has in the market."""

    list_display = ("book", "shard", "exposure")
    rupees = ("exposure",)
    list_filter = ("book",)
    list_select_related = ("book",)
    search_fields = ("shard",)


def _by(request: HttpRequest) -> str:
    return request.user.get_username()
