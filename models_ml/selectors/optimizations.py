"""Optimisations and their configurations, as pages and the API ask for them."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from models_ml.models.optimizations import OptimizationRun, Trial

ACTIVE = ("queued", "running")


def optimizations() -> QuerySet[OptimizationRun]:
    """Return every optimisation, newest first, with how many configurations it has tried."""
    tried = Count("trials", filter=Q(trials__role="config") & ~Q(trials__status="waiting"))
    return OptimizationRun.objects.annotate(tried=tried).order_by("-id")


def optimization(pk: int) -> OptimizationRun | None:
    """Return one optimisation; None when there is none of this number."""
    return optimizations().filter(pk=pk).first()


def ranked(run: OptimizationRun) -> QuerySet[Trial]:
    """Return the configurations of a run that have a rank, best first, without their daily returns."""
    return Trial.objects.filter(run=run, role="config").exclude(rank=None).defer("returns").order_by("rank")


def baseline(run: OptimizationRun) -> Trial | None:
    """Return the run's baseline; None when none was run."""
    return Trial.objects.filter(run=run, role="baseline", status="done").defer("returns").first()


def tried(run: OptimizationRun) -> QuerySet[Trial]:
    """Return every configuration of a run in order of search, without their daily returns."""
    return Trial.objects.filter(run=run, role="config").defer("returns").order_by("number")
