"""Candidates for the champion's place: what they were compared with, what came of it, and who signed that."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

STATES = [(s, s) for s in ("review", "rejected", "refused", "promoted")]
ROLES = [("ML Lead", "ML Lead"), ("Quant Lead", "Quant Lead"), ("Head of Trading", "Head of Trading")]
DECISIONS = [("approve", "approve"), ("reject", "reject")]


class Promotion(models.Model):
    """One candidate against what traded: the spec it can be repeated from, its checklist, and its end.

    ``review`` waits for signatures, ``rejected`` did not pass the checklist, ``refused`` was rejected by a person.
    """

    version = models.CharField(max_length=64)
    folder = models.CharField(max_length=700)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the candidate's manifest")
    baseline_version = models.CharField(max_length=64, blank=True, help_text="empty: the strategy without a student")
    baseline_digest = models.CharField(max_length=64, blank=True)
    spec = models.JSONField(help_text="bars, strategy, parameters, capital, threshold: everything it was judged on")
    checklist = models.JSONField(help_text="promotion_checklist.json")
    checklist_digest = models.CharField(max_length=64)
    recommendation = models.CharField(max_length=7, choices=[(w, w) for w in ("PROMOTE", "REJECT")])
    state = models.CharField(max_length=8, choices=STATES, default="review")
    author = models.CharField(max_length=150, help_text="who trained it or asked for this; may not sign")
    created_at = models.DateTimeField()
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(state__in=["review", "promoted"]) | Q(recommendation="PROMOTE"),
                name="promotion_only_of_what_passed",
            ),
            models.CheckConstraint(
                condition=~Q(state="promoted") | (Q(promoted_at__isnull=False) & ~Q(promoted_by="")),
                name="promotion_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        """Return number, version and recommendation."""
        return f"#{self.pk} {self.version} {self.recommendation}"


class SignOff(models.Model):
    """One person's word on one promotion, in one role, bound to the digest of what was read."""

    promotion = models.ForeignKey(Promotion, on_delete=models.CASCADE, related_name="sign_offs")
    role = models.CharField(max_length=16, choices=ROLES)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    username = models.CharField(max_length=150)
    author = models.CharField(max_length=150, help_text="the promotion's author, who may not sign")
    decision = models.CharField(max_length=7, choices=DECISIONS)
    evidence = models.CharField(max_length=64, help_text="digest of candidate and checklist; any change voids it")
    note = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["promotion", "role", "evidence"], name="sign_off_role_once"),
            models.UniqueConstraint(fields=["promotion", "user", "evidence"], name="sign_off_person_once"),
            models.CheckConstraint(condition=~Q(username=F("author")), name="sign_off_not_by_the_author"),
            models.CheckConstraint(condition=Q(role__in=[role for role, _ in ROLES]), name="sign_off_in_a_known_role"),
        ]

    def __str__(self) -> str:
        """Return role, decision and person."""
        return f"{self.role}: {self.decision} by {self.username}"
