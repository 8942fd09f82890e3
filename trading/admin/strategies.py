"""Versions of the strategies' parameters: a draft may be changed; what was ever active stays, a change is a new one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from sensequant.lib.clock import now
from trading.admin.base import Editable, Form, confirmed, each
from trading.core.errors import Invalid
from trading.core.rights import Right
from trading.core.strategies import STRATEGIES
from trading.models import StrategyConfig
from trading.selectors.roles import may
from trading.services import strategies


class ConfigForm(Form):
    """One version; every parameter is judged by its bounds."""

    strategy = forms.ChoiceField(choices=[(name, name) for name in STRATEGIES])

    class Meta:
        model = StrategyConfig
        fields = ("strategy", "params", "note")

    def clean(self) -> dict[str, Any]:
        """Let the strategy's bounds judge the parameters."""
        data = super().clean() or {}
        name = data.get("strategy") or self.instance.strategy
        if name and "params" in data:
            data["params"] = data["params"] or {}
            try:
                strategies.checked(name, data["params"])
            except Invalid as error:
                self.add_error("params", str(error))
        return data


@admin.register(StrategyConfig)
class StrategyConfigAdmin(Editable):
    """One version of one strategy's parameters."""

    form = ConfigForm
    list_display = ("strategy", "version", "status", "params", "note", "created_at", "created_by")
    list_filter = ("status", "strategy")
    search_fields = ("strategy", "note", "created_by")
    date_hierarchy = "created_at"
    actions = ("activate",)

    def get_readonly_fields(self, request: HttpRequest, obj: StrategyConfig | None = None) -> tuple[str, ...]:
        """Return what no form may change."""
        return ("strategy", "version", "status", "created_at", "created_by") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: StrategyConfig | None = None) -> bool:
        """Refuse: what was ever proposed stays on record."""
        return False

    def has_activate_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may decide what trades."""
        return may(request.user, Right.ADMIN)

    def save_model(self, request: HttpRequest, obj: StrategyConfig, form: Any, change: bool) -> None:
        """Propose a version, or change a draft, through the service; a used version gives birth to a new one."""
        said: dict[str, Any] = {"note": obj.note, "by": request.user.get_username(), "at": now()}
        if change:
            kept = strategies.amend(obj.pk, obj.params, **said)
        else:
            kept = strategies.propose(obj.strategy, obj.params, **said)
        if change and kept.pk != obj.pk:
            messages.info(request, f"{obj} was in use and stays as it is; your change is the draft {kept}.")
        obj.pk = kept.pk
        obj.refresh_from_db()

    @admin.action(description="Activate (retires the active one)", permissions=["activate"])
    def activate(self, request: HttpRequest, rows: QuerySet[StrategyConfig]) -> HttpResponse | None:
        """Make the chosen version the active one, once the person has said again who they are."""
        if (page := confirmed(request, rows, "Activate")) is not None:
            return page
        by = request.user.get_username()
        each(request, rows, "activated", lambda row: strategies.activate(row.pk, by=by, at=now()))
        return None
