"""Optimisations and the ledger of configurations they tried: to be looked up; a running one can be cancelled."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.services import optimizations
from trading.admin.base import Record, each, pretty


@admin.register(OptimizationRun)
class OptimizationRunAdmin(Record):
    """One optimisation: what was asked, and what came out."""

    list_display = (
        "id", "strategy", "interval", "start", "end", "status", "progress", "total", "verdict", "created_by",
        "created_at",
    )  # fmt: skip
    list_filter = ("status", "strategy", "interval")
    search_fields = ("symbols", "output_dir", "created_by", "error", "digest")
    date_hierarchy = "created_at"
    exclude = ("result", "spec", "test")
    readonly_fields = ("asked", "honesty", "test_days")
    actions = ("cancel",)

    @admin.display(description="verdict")
    def verdict(self, run: OptimizationRun) -> str:
        """Return the verdict of the honesty gate."""
        return str(run.result.get("honesty", {}).get("verdict", ""))

    @admin.display(description="asked")
    def asked(self, run: OptimizationRun) -> SafeString:
        """Return what was asked for."""
        return pretty(run.spec)

    @admin.display(description="honesty")
    def honesty(self, run: OptimizationRun) -> SafeString:
        """Return how much of the best result may be luck."""
        return pretty(run.result.get("honesty", {}))

    @admin.display(description="test days, seen once")
    def test_days(self, run: OptimizationRun) -> SafeString:
        """Return what the one look at the test days showed."""
        return pretty(run.test)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, rows: QuerySet[OptimizationRun]) -> None:
        """Cancel those that are queued or running."""
        each(request, rows, "cancelled", lambda run: optimizations.cancel(run.pk, by=request.user.get_username()))


@admin.register(Trial)
class TrialAdmin(Record):
    """One configuration that was tried; the ledger is never shortened."""

    list_display = ("run", "config_id", "rank", "score", "feasible", "status", "params")
    list_filter = ("role", "status", "feasible")
    list_select_related = ("run",)
    search_fields = ("=run__id", "digest", "error")
    exclude = ("metrics", "validation", "returns")
    readonly_fields = ("trained", "confirmed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trial]:
        """Return the configurations without their daily returns, which no column shows."""
        return super().get_queryset(request).defer("returns")

    @admin.display(description="measures on the training days")
    def trained(self, trial: Trial) -> SafeString:
        """Return the measures the score is made of."""
        return pretty(trial.metrics)

    @admin.display(description="measures on the validation days")
    def confirmed(self, trial: Trial) -> SafeString:
        """Return the measures on days it was not chosen on."""
        return pretty(trial.validation)
