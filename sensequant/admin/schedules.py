"""Schedules of jobs: found by the job that follows them, told apart by whether a job does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as theirs
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule

JOBS = ("periodictask__name", "periodictask__task")
ON = "periodictask__enabled"


class Schedule(theirs.ScheduleAdmin):  # type: ignore[misc]  # django_celery_beat publishes no types
    """A schedule with the jobs that follow it."""

    list_display: tuple[str, ...] = ("__str__", "jobs")
    search_fields: tuple[str, ...] = JOBS
    list_filter: tuple[Any, ...] = (ON,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Return the schedules with their jobs."""
        found: QuerySet[Model] = super().get_queryset(request).prefetch_related("periodictask_set")
        return found

    @admin.display(description="jobs")
    def jobs(self, row: Model) -> str:
        """Return the names of the jobs that follow it."""
        return ", ".join(sorted(job.name for job in row.periodictask_set.all()))  # type: ignore[attr-defined]


for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(model)


@admin.register(ClockedSchedule)
class ClockedAdmin(Schedule, theirs.ClockedScheduleAdmin):  # type: ignore[misc]
    """A moment."""

    date_hierarchy = "clocked_time"
    list_display = ("clocked_time", "jobs")


@admin.register(CrontabSchedule)
class CrontabAdmin(Schedule, theirs.CrontabScheduleAdmin):  # type: ignore[misc]
    """Minutes, hours and days."""

    list_display = ("__str__", "human_readable", "jobs")
    list_filter = (ON, "day_of_week", ("timezone", admin.AllValuesFieldListFilter))
    search_fields = (*JOBS, "minute", "hour", "day_of_week")


@admin.register(IntervalSchedule)
class IntervalAdmin(Schedule):
    """Every so often."""

    list_filter = (ON, "period")


@admin.register(SolarSchedule)
class SolarAdmin(Schedule):
    """Sunrise, sunset and what lies between."""

    list_filter = (ON, "event")
