"""What the admin pages share: rows that can only be read, and actions that call a service for each row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import DateTimeField, DecimalField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sensequant.lib import formats, identity
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError, is_bad_input
from trading.core.rights import Right
from trading.selectors.roles import may

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:  # the stubs' classes take a model, Django's own do not
    Editable = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
    Form = forms.ModelForm[Any]
else:
    Editable, Inline, Form = admin.ModelAdmin, admin.TabularInline, forms.ModelForm


@cache
def written(name: str, how: str) -> Callable[[Model], SafeString]:
    """Return the column that shows the field ``name`` as the desk's pages do: ``inr`` or ``stamp_full``."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def cell(row: Model) -> SafeString:
        return format_html('<span class="n">{}</span>', formats.show(getattr(row, name), how).text)

    cell.__name__ = name  # what the page calls the field in its classes and looks its help up by
    return cell


class Indian:
    """Decimal fields are rupees, grouped by lakh and crore, and moments IST to the second, as on the desk's pages.

    ``rupees`` names fields of another kind that are rupees, too.
    """

    model: type[Model]
    rupees: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns."""
        return self._dressed(super().get_list_display(request))  # type: ignore[misc]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the fields."""
        return self._dressed(super().get_fields(request, obj))  # type: ignore[misc]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the fields that are only read."""
        return self._dressed(super().get_readonly_fields(request, obj))  # type: ignore[misc]

    def _dressed(self, names: Iterable[Any]) -> list[Any]:
        how = dict.fromkeys(self.rupees, "inr")
        for each in self.model._meta.fields:
            if isinstance(each, DecimalField | DateTimeField):
                how[each.name] = "inr" if isinstance(each, DecimalField) else "stamp_full"
        return [written(each, how[each]) if each in how else each for each in names]


class Rows(Indian, Inline):
    """Rows below their owner that can only be read."""

    template = "admin/rows.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the desk writes these rows."""
        return False


class Record(Indian, Editable):
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


class WhyForm(ActionForm):
    """The choice of an action, with the reason for it."""

    why = forms.CharField(label="Reason", max_length=300, required=False)


def why(request: HttpRequest) -> str:
    """Return the reason given beside the action; BadInput when there is none."""
    words = request.POST.get("why", "").strip()
    if not words:
        raise BadInput("no reason was given", fix="write one in the field Reason, beside the action")
    return words


def pretty(value: Any) -> SafeString:
    """Return JSON laid out for reading."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=1, ensure_ascii=False, default=str))
