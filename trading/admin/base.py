"""What the admin pages share: rows that can only be read, and actions that call a service for each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sensequant.lib import identity
from sensequant.lib.errors import NotAllowed, SenseQuantError, is_bad_input
from trading.core.rights import Right
from trading.selectors.roles import may

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:  # the stubs' classes take a model, Django's own do not
    Editable = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
    Form = forms.ModelForm[Any]
else:
    Editable, Inline, Form = admin.ModelAdmin, admin.TabularInline, forms.ModelForm


class Record(Editable):
    """Rows the desk writes and nobody edits: no adding, no changing, no deleting, not even by a superuser."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: the desk writes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: history is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: history is not deleted."""
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may use the actions that tell the desk what to do."""
        return may(request.user, Right.TRADE)


def confirmed(request: HttpRequest, rows: QuerySet[M], title: str) -> HttpResponse | None:
    """Return the page that asks for password and code, or None once both were given and are right."""
    refusal = ""
    if request.POST.get("confirming"):
        try:
            identity.confirm(request.user, request.POST.get("password", ""), request.POST.get("code", ""))
        except NotAllowed as error:
            refusal = str(error)
        else:
            return None
    told = {"title": title, "rows": rows, "action": request.POST["action"], "refusal": refusal}
    context = {**admin.site.each_context(request), **told}
    return TemplateResponse(request, "admin/confirm_action.html", context)


def each(request: HttpRequest, rows: QuerySet[M], told: str, do: Callable[[M], Any]) -> None:
    """Call ``do`` for every row; say how many it was done for, and for each of the others why not."""
    done = 0
    for row in rows:
        try:
            do(row)
        except (SenseQuantError, ValueError) as error:
            if not isinstance(error, SenseQuantError) and not is_bad_input(error):
                raise
            messages.error(request, f"{row}: {error}")
        else:
            done += 1
    if done:
        messages.success(request, f"{done} {told}")


def pretty(value: Any) -> SafeString:
    """Return JSON laid out for reading."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=1, ensure_ascii=False, default=str))
