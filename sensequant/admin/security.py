"""Who came in and who was refused: security's rows, guesses that were held up, what the admin itself was used for.

Sessions stay out: their keys are as good as a password.
"""

from __future__ import annotations

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry

from sensequant.lib.security.models import Authenticator, RecoveryCodes, SecurityEvent
from trading.admin.base import Record


@admin.register(SecurityEvent)
class SecurityEventAdmin(Record):
    """Every refusal, and every change of who may come in."""

    list_display = ("at", "kind", "who", "address", "path")
    list_filter = ("kind",)
    search_fields = ("kind", "who", "address", "path")
    date_hierarchy = "at"


@admin.register(Authenticator)
class AuthenticatorAdmin(Record):
    """Who has a second factor; its secret is not shown."""

    list_display = ("user", "confirmed", "throttling_failure_timestamp", "throttling_failure_count")
    list_filter = ("confirmed",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("sealed", "last_t")


@admin.register(RecoveryCodes)
class RecoveryCodesAdmin(Record):
    """Who has recovery codes, and how many are left."""

    list_display = ("user", "left", "throttling_failure_timestamp", "throttling_failure_count")
    list_filter = ("confirmed",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("digests",)
    readonly_fields = ("left",)

    @admin.display(description="codes left")
    def left(self, row: RecoveryCodes) -> int:
        """Return how many were not used yet."""
        return len(row.digests)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(Record):
    """Guesses at a password, by name and address."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "path_info")
    list_filter = ("failures_since_start",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    exclude = ("get_data", "post_data", "http_accept")


@admin.register(LogEntry)
class LogEntryAdmin(Record):
    """What was done in the admin, and by whom."""

    list_display = ("action_time", "user", "action_flag", "content_type", "object_repr", "change_message")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "change_message")
    date_hierarchy = "action_time"
