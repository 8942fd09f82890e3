"""The broker's side: sessions without their tokens, budgets, what was wrong when, what the broker said."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import BrokerMessage, BrokerSession, CallBudget, Condition, Lease, LiveArming


@admin.register(BrokerSession)
class BrokerSessionAdmin(Record):
    """Logins; the sealed token is not shown."""

    list_display = ("account", "state", "login_user", "obtained_at", "expires_at", "obtained_by", "version")
    list_filter = ("state",)
    search_fields = ("account", "login_user", "obtained_by", "note")
    date_hierarchy = "obtained_at"
    exclude = ("sealed",)


@admin.register(CallBudget)
class CallBudgetAdmin(Record):
    """Token buckets."""

    list_display = ("name", "tokens", "day", "used", "denied")
    list_filter = ("day",)
    search_fields = ("name",)


@admin.register(Condition)
class ConditionAdmin(Record):
    """What is or was wrong."""

    list_display = ("code", "subject", "level", "message", "since", "until")
    list_filter = ("level", "code", ("until", admin.EmptyFieldListFilter))
    search_fields = ("code", "subject", "message")
    date_hierarchy = "since"


@admin.register(BrokerMessage)
class BrokerMessageAdmin(Record):
    """Every answer to an order request, word for word."""

    list_display = ("at", "source", "verb", "order")
    list_filter = ("source", "verb")
    search_fields = ("verb", "digest")
    date_hierarchy = "at"


@admin.register(LiveArming)
class LiveArmingAdmin(Record):
    """Who armed live trading when, and what they were shown."""

    list_display = ("armed_by", "armed_at", "expires_at", "disarmed_at", "disarmed_by", "plan")
    list_filter = ("plan", ("disarmed_at", admin.EmptyFieldListFilter))
    search_fields = ("armed_by", "disarmed_by")
    date_hierarchy = "armed_at"


@admin.register(Lease)
class LeaseAdmin(Record):
    """Who may do what only one may."""

    list_display = ("name", "holder", "token", "expires_at")
    search_fields = ("name", "holder")
    date_hierarchy = "expires_at"
