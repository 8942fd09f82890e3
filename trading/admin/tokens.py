"""The keys of scripts: made on the command line, which alone can show one; revoked here too."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sensequant.lib.clock import now
from trading.admin.base import Record, each
from trading.core.rights import Right
from trading.models import ApiToken
from trading.selectors.roles import may
from trading.services import tokens


@admin.register(ApiToken)
class ApiTokenAdmin(Record):
    """One key, without the key."""

    list_display = ("prefix", "name", "user", "scope", "state", "expires_at", "last_used_at", "created_by")
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__username")
    date_hierarchy = "created_at"
    exclude = ("digest",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may end other people's keys."""
        return may(request.user, Right.ADMIN)

    @admin.display(description="state")
    def state(self, row: ApiToken) -> str:
        """Return active, revoked or expired."""
        return tokens.state(row, now())

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        """End the keys for good."""
        by = request.user.get_username()
        each(request, rows, "revoked", lambda row: tokens.revoke(row.prefix, by=by, at=now()))
