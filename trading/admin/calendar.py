"""Days that differ from the shipped calendar, as the exchange announced them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from trading.admin.base import Editable, Form
from trading.core.calendar import Override
from trading.core.errors import Invalid
from trading.models import CalendarOverride
from trading.services import calendar

FIELDS = ("closed", "open_time", "close_time", "name", "note", "completes_year")


class OverrideForm(Form):
    """One day of a circular; what the calendar would refuse is refused here."""

    class Meta:
        model = CalendarOverride
        fields = ("date", *FIELDS)

    def clean(self) -> dict[str, Any]:
        """Let the calendar's own rules judge the day."""
        data = super().clean() or {}
        day = data.get("date") or self.instance.date
        opens, closes = data.get("open_time"), data.get("close_time")
        if bool(opens) != bool(closes):
            raise forms.ValidationError("Give both times, or neither for the usual hours.")
        try:
            if day:
                Override(day, bool(data.get("closed")), ((opens, closes),) if opens and closes else ())
        except Invalid as error:
            raise forms.ValidationError(str(error)) from None
        return data


@admin.register(CalendarOverride)
class CalendarOverrideAdmin(Editable):
    """One day as a later circular has it; the day itself is its key and does not change."""

    form = OverrideForm
    list_display = ("date", "closed", "open_time", "close_time", "name", "completes_year", "created_by")
    list_filter = ("closed", "completes_year")
    search_fields = ("name", "note")
    date_hierarchy = "date"

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarOverride | None = None) -> tuple[str, ...]:
        """Return the day too once it is recorded."""
        return ("date", "created_at", "created_by") if obj else ()

    def save_model(self, request: HttpRequest, obj: CalendarOverride, form: Any, change: bool) -> None:
        """Record the day through the calendar's service."""
        window = (obj.open_time, obj.close_time) if obj.open_time and obj.close_time else None
        kept = calendar.set_override(
            day=obj.date,
            closed=obj.closed,
            window=window,
            name=obj.name,
            note=obj.note,
            completes_year=obj.completes_year,
            by=request.user.get_username(),
        )
        obj.pk = kept.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: CalendarOverride) -> None:
        """Forget the day through the calendar's service."""
        calendar.remove_override(day=obj.date)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CalendarOverride]) -> None:
        """Forget each day through the calendar's service."""
        for row in queryset:
            calendar.remove_override(day=row.date)
