"""What is remembered of security: every refusal, once and for good, and each person's second factor.

The devices are django-otp's kind, so its sessions, its throttling and its transactions apply; ours keep the secret
sealed and recovery codes as digests, so that who reads the database holds neither.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, ClassVar

from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from sensequant.lib import seal
from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed

STEP, DIGITS = 30, 6


class KeptQuerySet(models.QuerySet["SecurityEvent"]):
    """Rows that nobody changes and nobody deletes."""

    def update(self, **kwargs: Any) -> int:
        """Refuse."""
        raise NotAllowed("security events are not changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise NotAllowed("security events are not deleted")


class SecurityEvent(models.Model):
    """Something that was refused, or that changed who may come in."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    who = models.CharField(max_length=150, blank=True, help_text="user name, as far as it is known")
    address = models.CharField(max_length=45, blank=True, help_text="where the request came from")
    path = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    objects = KeptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "who", "at"], name="security_kind_who_at")
        ]

    def __str__(self) -> str:
        """Return what, who and when."""
        return f"{self.kind} {self.who or self.address} {self.at:%Y-%m-%d %H:%M:%S}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row once; NotAllowed for a change."""
        if not self._state.adding:
            raise NotAllowed("security events are not changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise NotAllowed("security events are not deleted")


class Throttled(ThrottlingMixin, Device):  # type: ignore[misc]  # django-otp publishes no types
    """A device that waits longer after every wrong code: 1, 2, 4 … seconds."""

    class Meta:
        abstract = True

    def get_throttle_factor(self) -> int:
        """Return the seconds after the first wrong code."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Say whether ``token`` is right, and take it out of use; call it through ``django_otp.verify_token``."""
        allowed, _ = self.verify_is_allowed()
        if not allowed:
            return False
        if not self.takes(token):
            self.throttle_increment()
            return False
        self.throttle_reset(commit=False)
        self.save()
        return True

    def takes(self, token: str) -> bool:
        """Say whether ``token`` is right and note that it was used."""
        raise NotImplementedError


class Authenticator(Throttled):
    """An app that shows a new code every half minute."""

    sealed = models.TextField(help_text="the shared secret, sealed")
    last_t = models.BigIntegerField(default=-1, help_text="step of the newest code that was taken; none is taken twice")

    class Meta(Throttled.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user"], name="authenticator_one_a_person")
        ]

    @property
    def secret(self) -> bytes:
        """Return the shared secret."""
        return bytes.fromhex(seal.unseal(self.sealed)["totp"])

    def takes(self, token: str) -> bool:
        """Say whether ``token`` is of this half minute or of one beside it, and newer than the last one taken."""
        if not (token.isascii() and token.isdigit() and len(token) == DIGITS):
            return False
        clock = TOTP(self.secret, STEP, 0, DIGITS)
        clock.time = now().timestamp()
        if not clock.verify(int(token), 1, self.last_t + 1):
            return False
        self.last_t = clock.t()
        return True


class RecoveryCodes(Throttled):
    """Codes on paper for the day the app is lost, each good once."""

    digests = models.JSONField(default=list)

    class Meta(Throttled.Meta):
        verbose_name_plural = "recovery codes"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user"], name="recovery_codes_one_a_person")
        ]

    def takes(self, token: str) -> bool:
        """Say whether ``token`` is one of those left, and strike it out."""
        wanted = digest(token)
        left = [each for each in self.digests if not hmac.compare_digest(each, wanted)]
        if len(left) == len(self.digests):
            return False
        self.digests = left
        return True


def digest(code: str) -> str:
    """Return what is kept of a recovery code (80 random bits: no salt is needed)."""
    plain = "".join(c for c in code.casefold() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
