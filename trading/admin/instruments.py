"""What can be traded, under which names it was known when, and what its issuer did to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sensequant.lib.clock import ist, now
from sensequant.lib.errors import SenseQuantError
from trading.admin.base import Editable, Form, Record, pretty
from trading.core.errors import Invalid
from trading.models import CorporateAction, Instrument, Listing, MasterFile
from trading.services import actions
from trading.services.actions import Told


@admin.register(Instrument)
class InstrumentAdmin(Editable):
    """Symbols, their codes at broker and exchange, their tick and lot."""

    list_display = (
        "symbol", "name", "series", "segment", "tick", "tick_since", "lot", "isec_code", "token", "isin", "is_demo",
    )  # fmt: skip
    list_filter = ("segment", "series", "is_demo")
    search_fields = ("symbol", "name", "isin", "isec_code", "token")
    list_per_page = 100

    def save_model(self, request: HttpRequest, obj: Instrument, form: Any, change: bool) -> None:
        """Remember since when a tick set by hand holds: it is no default any more."""
        if "tick" in form.changed_data and "tick_since" not in form.changed_data:
            obj.tick_since = ist(now()).date()
        super().save_model(request, obj, form, change)


@admin.register(Listing)
class ListingAdmin(Record):
    """The names one share went by over a stretch of days, as the security master had them."""

    list_display = ("symbol", "series", "isec_code", "token", "isin", "company", "since", "until")
    list_filter = ("series", ("until", admin.EmptyFieldListFilter))
    search_fields = ("symbol", "isec_code", "=token", "isin", "company")
    date_hierarchy = "since"


@admin.register(MasterFile)
class MasterFileAdmin(Record):
    """One reading of the security master, with what was refused by name."""

    list_display = ("day", "read_at", "source", "rows", "usable", "refusals", "digest")
    search_fields = ("source", "digest")
    date_hierarchy = "read_at"
    exclude = ("refused",)
    readonly_fields = ("by_name",)

    @admin.display(description="refused")
    def refusals(self, row: MasterFile) -> int:
        """Return how many rows were refused by name."""
        return len(row.refused)

    @admin.display(description="refused")
    def by_name(self, row: MasterFile) -> SafeString:
        """Return symbol and reason of each."""
        return pretty([f"{symbol}: {why}" for symbol, why in row.refused])


class ActionForm(Form):
    """One corporate action in its terms; the factors follow from them."""

    known_on = forms.DateField(
        required=False, help_text="first day it was known; empty: the ex-date, or today before it"
    )
    terms = forms.CharField(
        max_length=120,
        help_text="split 10:2 · bonus 1:2 · rights 3:10 at 500 cum 812.35 · dividend 25 cum 500 · demerger 0.73",
    )

    class Meta:
        model = CorporateAction
        fields = ("symbol", "kind", "ex_date", "terms", "known_on", "source")

    def told(self) -> Told:
        """Return what the form says."""
        data = self.cleaned_data
        return Told(data["symbol"], data["kind"], data["ex_date"], data["terms"], data["known_on"], data["source"])

    def clean(self) -> dict[str, Any]:
        """Let the same rules judge the action as judge a file's lines."""
        data = super().clean() or {}
        if not self.errors:
            try:
                told, _ = actions.check(self.told(), at=now(), pk=self.instance.pk)
                data.update(symbol=told.symbol, kind=told.kind, terms=told.terms)
            except (SenseQuantError, Invalid) as error:
                raise forms.ValidationError(str(error)) from None
        return data

    def _post_clean(self) -> None:
        """Leave the row as it is: the service writes it, factors and all."""


@admin.register(CorporateAction)
class CorporateActionAdmin(Editable):
    """What an issuer did to its shares; bars are adjusted by it whenever they are read."""

    form = ActionForm
    list_display = (
        "symbol", "kind", "ex_date", "terms", "price_factor", "volume_factor", "known_on", "source", "created_by",
    )  # fmt: skip
    list_filter = ("kind",)
    search_fields = ("symbol", "terms", "source", "created_by")
    date_hierarchy = "ex_date"

    def get_readonly_fields(self, request: HttpRequest, obj: CorporateAction | None = None) -> tuple[str, ...]:
        """Return what follows from the rest."""
        return ("price_factor", "volume_factor", "created_at", "created_by") if obj else ()

    def save_model(self, request: HttpRequest, obj: CorporateAction, form: Any, change: bool) -> None:
        """Record the action through its service."""
        kept = actions.record(form.told(), at=now(), by=request.user.get_username(), pk=obj.pk if change else None)
        obj.pk = kept.pk
        obj.refresh_from_db()
