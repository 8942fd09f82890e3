"""What can be traded."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Editable
from trading.models import Instrument


@admin.register(Instrument)
class InstrumentAdmin(Editable):
    """Symbols, their codes at broker and exchange, their tick and lot."""

    list_display = ("symbol", "name", "series", "segment", "tick", "lot", "isec_code", "token", "is_demo")
    list_filter = ("segment", "series", "is_demo")
    search_fields = ("symbol", "name", "isin", "isec_code", "token")
    list_per_page = 100
