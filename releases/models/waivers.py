"""Waivers: two people's word that one open flag of one audit may stay open for a while."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from releases.core.roles import WAIVERS
from releases.models.audit import Audit
from releases.models.guarded import Guarded
from releases.models.sign_offs import SigningKey
from sensequant.lib.clock import ist
from sensequant.lib.errors import NotAllowed
from sensequant.lib.waivers import Waived


class FlagWaiver(Guarded):
    """One person's half of a waiver, bound to the digests of the audit and of the flag at ``position`` in its list."""

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="waivers")
    position = models.PositiveSmallIntegerField(help_text="of the flag in the audit's list, from 0")
    code = models.CharField(max_length=40)
    flag_sha256 = models.CharField(max_length=64)
    audit_sha256 = models.CharField(max_length=64)
    flags_sha256 = models.CharField(max_length=64)
    role = models.CharField(max_length=20, choices=[(each, each) for each in WAIVERS])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    email = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    evidence = models.CharField(max_length=64, help_text="SHA-256 of what was signed")
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="+")
    public_key = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["audit", "position", "role"], condition=Q(revoked_at=None),
                                    name="flag_waiver_role_once"),
            models.UniqueConstraint(fields=["audit", "position", "user"], condition=Q(revoked_at=None),
                                    name="flag_waiver_person_once"),
            models.CheckConstraint(condition=Q(role__in=WAIVERS), name="flag_waiver_in_a_known_role"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("at")), name="flag_waiver_ends"),
            models.CheckConstraint(condition=~Q(reason=""), name="flag_waiver_for_a_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        """Return flag, role and person."""
        return f"{self.code} waived as {self.role} by {self.name}"

    @property
    def statement(self) -> Waived:
        """Return what was signed."""
        return Waived(
            self.audit_sha256, self.flags_sha256, self.flag_sha256, self.code, self.role, self.name, self.email,
            self.reason, ist(self.expires_at).isoformat(), ist(self.at).isoformat(),
        )  # fmt: skip

    @property
    def is_sound(self) -> bool:
        """Say whether the signature is that of the key, over these very words."""
        statement = self.statement
        return statement.evidence == self.evidence and statement.holds(self.public_key, self.signature)

    def clean(self) -> None:
        """Refuse a row that nobody signed."""
        if not self.is_sound:
            raise NotAllowed("this is not what the person's key signed", fix="waive on the page of the audit")
