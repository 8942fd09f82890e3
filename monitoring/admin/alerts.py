"""Alerts, silences, the trail, and rules set differently."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from monitoring.models import AuditEntry, Episode, RuleSetting, Silence
from monitoring.services import rulebook, silences
from sensequant.lib.clock import now
from sensequant.lib.errors import SenseQuantError
from trading.admin.base import Editable, Form, Record, WhyForm, each, why

ONE = dt.timedelta(hours=1)


@admin.register(Episode)
class EpisodeAdmin(Record):
    """Every alert, from pending to over."""

    list_display = ("rule", "group", "severity", "status", "message", "fired_at", "resolved_at", "acked_by", "told")
    list_filter = ("status", "severity", "rule")
    search_fields = ("rule", "group", "message")
    date_hierarchy = "since"
    action_form = WhyForm
    actions = ("acknowledge_for_an_hour", "take_back")

    def view_on_site(self, obj: Model) -> str:
        """Return where it is acknowledged with a reason of one's own."""
        return f"{reverse('alerts')}#episode-{obj.pk}"

    @admin.action(description="Acknowledge for an hour", permissions=["operate"])
    def acknowledge_for_an_hour(self, request: HttpRequest, rows: QuerySet[Episode]) -> None:
        """Acknowledge the chosen alerts in one's own name."""
        who = request.user.get_username()
        each(request, rows, "acknowledged", lambda row: silences.acknowledge(
            row.name, why(request), by=who, at=now(), ttl=ONE))  # fmt: skip

    @admin.action(description="Take acknowledgements back", permissions=["operate"])
    def take_back(self, request: HttpRequest, rows: QuerySet[Episode]) -> None:
        """Take the acknowledgements of the chosen alerts back."""
        who = request.user.get_username()
        each(request, rows, "no longer acknowledged", lambda row: silences.clear(
            row.name, by=who, at=now(), reason=why(request)))  # fmt: skip


@admin.register(Silence)
class SilenceAdmin(Record):
    """Every silence; made on /alerts, ended here or there."""

    list_display = ("rule", "group", "most", "reason", "by", "made_at", "until", "matched_at", "ended_at", "ended_by")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("rule", "reason", "by")
    actions = ("end",)

    @admin.action(description="End", permissions=["operate"])
    def end(self, request: HttpRequest, rows: QuerySet[Silence]) -> None:
        """End the chosen silences."""
        who = request.user.get_username()
        each(request, rows, "ended", lambda row: silences.end(row.pk, by=who, at=now()))


@admin.register(AuditEntry)
class AuditEntryAdmin(Record):
    """What happened to alerts, chained by hashes."""

    list_display = ("at", "what", "by", "episode", "detail", "digest")
    list_filter = ("what",)
    list_select_related = ("episode",)
    search_fields = ("by", "what")
    date_hierarchy = "at"


NUMBERS = ("enabled", "threshold", *rulebook.TIMES)


class RuleForm(Form):
    """A rule's numbers, with the reason for changing them."""

    why = forms.CharField(label="Reason", max_length=300)

    class Meta:
        model = RuleSetting
        fields = ("rule", *NUMBERS)

    def clean(self) -> dict[str, Any]:
        """Refuse what the rulebook refuses, in its words."""
        found = super().clean() or {}
        try:
            rulebook.check(found.get("rule", ""), self.numbers(), reason=found.get("why", ""))
        except (SenseQuantError, ValueError) as error:
            raise forms.ValidationError(str(error)) from None
        return found

    def numbers(self) -> dict[str, Any]:
        """Return what was set."""
        return {name: self.cleaned_data.get(name) for name in NUMBERS}


@admin.register(RuleSetting)
class RuleSettingAdmin(Editable):
    """What is set differently about a rule; every change is in the audit trail."""

    form = RuleForm
    list_display = ("rule", *NUMBERS, "by", "at", "reason")
    list_filter = ("enabled",)
    search_fields = ("rule", "by", "reason")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: set it as you want it, with a reason."""
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Let the service change the rule."""
        values, who = form.cleaned_data, request.user.get_username()
        row = rulebook.put(values["rule"], form.numbers(), reason=values["why"], by=who, at=now())
        obj.pk = row.pk
