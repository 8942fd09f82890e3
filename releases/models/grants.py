"""Roles: one administrator asks for one, another confirms it, and either takes it away."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from releases.models.guarded import Guarded

STAFF, ADMINISTRATOR = "staff", "administrator"
FLAGS: Final = {STAFF: "is_staff", ADMINISTRATOR: "is_superuser"}
"""Roles that are no group: what they are called on a person's row."""


class RoleGrant(Guarded):
    """A role somebody should have: asked for, then confirmed or ended; nothing else of it ever changes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150, help_text="name of a group, or staff, or administrator")
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="refused, or taken away again")
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "role"], condition=Q(ended_at=None), name="role_grant_once"),
            models.CheckConstraint(condition=~Q(asked_by=F("user")), name="role_grant_not_to_oneself"),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~(Q(confirmed_by=F("asked_by")) | Q(confirmed_by=F("user"))),
                name="role_grant_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__gte=F("asked_at")),
                name="role_grant_confirmed_later",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="role_grant_for_a_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        """Return the role and whose it is."""
        return f"{self.role} for {self.user}"
