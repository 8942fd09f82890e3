"""Signatures under releases, and the keys people sign with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from releases.core.roles import DECISIONS, ROLES
from releases.models.guarded import Guarded
from releases.models.release import Release
from sensequant.lib.approvals import Statement
from sensequant.lib.clock import ist
from sensequant.lib.errors import NotAllowed


class SigningKey(Guarded):
    """One person's Ed25519 key. Its private half is sealed with the person's password and opened only as they sign.

    Whoever changed their password gets another key with their next signature; the old one stays, revoked.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    public = models.CharField(max_length=64, unique=True, help_text="Ed25519 public key, base64")
    sealed = models.CharField(max_length=255, help_text="private key under scrypt of the password: salt, nonce, text")
    cost = models.PositiveIntegerField(help_text="scrypt's n")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user"], condition=Q(revoked_at=None), name="signing_key_one_a_person"),
        ]

    def __str__(self) -> str:
        """Return the beginning of the public key."""
        return f"{self.public[:12]}… of {self.user}"


class ReleaseSignOff(Guarded):
    """One person's word on one release in one role, bound to the digests of everything they read."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="sign_offs")
    role = models.CharField(max_length=20, choices=[(each, each) for each in ROLES])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the release's, who may not sign",
    )
    name = models.CharField(max_length=150, help_text="as it stands in the manifest")
    email = models.CharField(max_length=254, blank=True)
    decision = models.CharField(max_length=7, choices=[(each, each) for each in DECISIONS])
    content_sha256 = models.CharField(max_length=64)
    audit_sha256 = models.CharField(max_length=64, help_text="of the audit's bundle")
    flags_sha256 = models.CharField(max_length=64, help_text="of the audit's flags")
    evidence = models.CharField(max_length=64, help_text="SHA-256 of the statement that was signed")
    note = models.CharField(max_length=300)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="+")
    public_key = models.CharField(max_length=64)
    signature = models.CharField(max_length=100, help_text="Ed25519 over the statement, base64")
    at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["release", "role"], condition=Q(revoked_at=None), name="release_sign_off_role_once"
            ),
            models.UniqueConstraint(
                fields=["release", "user"], condition=Q(revoked_at=None), name="release_sign_off_person_once"
            ),
            models.CheckConstraint(condition=~Q(user=F("author")), name="release_sign_off_not_by_the_author"),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="release_sign_off_in_a_known_role"),
            models.CheckConstraint(condition=Q(decision__in=DECISIONS), name="release_sign_off_is_a_decision"),
        ]

    def __str__(self) -> str:
        """Return role, decision and person."""
        return f"{self.role}: {self.decision} by {self.name}"

    @property
    def statement(self) -> Statement:
        """Return what was signed."""
        return Statement(
            self.release.release_id, self.content_sha256, self.audit_sha256, self.flags_sha256, self.role,
            self.decision, self.name, self.email, self.note, ist(self.at).isoformat(),
        )  # fmt: skip

    @property
    def is_sound(self) -> bool:
        """Say whether the signature is that of the key, over these very words."""
        statement = self.statement
        return statement.evidence == self.evidence and statement.holds(self.public_key, self.signature)

    def clean(self) -> None:
        """Refuse a row that nobody signed: whoever has no key of the person can make none."""
        if not self.is_sound:
            raise NotAllowed("this is not what the person's key signed", fix="sign on the page of the release")
