"""Optimisations and their configurations, as pages and the API ask for them."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from models_ml.models.optimizations import OptimizationRun, Trial

ACTIVE = ("queued", "running")


def optimizations() -> QuerySet[OptimizationRun]:
    """Return every optimisation, newest first, with how many configurations it has tried, in all its windows."""
    settled = Trial.objects.filter(role="config").exclude(status="waiting").order_by()
    mine = Count("trials", filter=Q(trials__role="config") & ~Q(trials__status="waiting"))
    windows = settled.filter(run__parent=OuterRef("pk")).values("run__parent").annotate(n=Count("pk")).values("n")
    inside = Coalesce(Subquery(windows, output_field=IntegerField()), 0)
    return OptimizationRun.objects.annotate(tried=mine + inside).order_by("-id")


def whole() -> QuerySet[OptimizationRun]:
    """Return the optimisations somebody asked for, without the windows of walk-forwards, for a list of them."""
    return optimizations().filter(parent=None).defer("test")


def windows(run: OptimizationRun) -> QuerySet[OptimizationRun]:
    """Return the searches of a walk-forward's windows, oldest first."""
    return optimizations().filter(parent=run).order_by("start", "id")


def tried_in_all(run: OptimizationRun) -> int:
    """Return how many configurations were tried in a run and in its windows."""
    return Trial.objects.filter(Q(run=run) | Q(run__parent=run), role="config", status="done").count()


def queued(before: dt.datetime) -> list[int]:
    """Return the optimisations asked for before a moment that nobody has begun; windows belong to their walk."""
    rows = OptimizationRun.objects.filter(status="queued", created_at__lt=before, parent=None).order_by("id")
    return list(rows.values_list("id", flat=True))


def waits(pk: int) -> bool:
    """Say whether an optimisation has not ended: nobody began it, or who did may have died."""
    return OptimizationRun.objects.filter(pk=pk, status__in=ACTIVE).exists()


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
