"""The ledger: everything that was done, in one chain; where it stood, signed; and what was put into files."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

BEGINNINGS = ["varchar_pattern_ops", "int8_ops"]  # what makes PostgreSQL find a column by how it begins


class Happening(models.Model):
    """What only this app sees: who came in or was refused, who was given which right, which settings were in force."""

    at = models.DateTimeField(db_index=True)
    what = models.CharField(max_length=120, help_text="e.g. logged in, login failed, group granted")
    actor = models.CharField(max_length=150, blank=True)
    object = models.CharField(max_length=120)
    reason = models.CharField(max_length=300, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    session = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the session's key")
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return what happened to what."""
        return f"{self.what}: {self.object}"


class LedgerEntry(models.Model):
    """One thing that was done: appended once, chained by its digest, never edited."""

    seq = models.PositiveBigIntegerField(primary_key=True, help_text="counts the entries from 1, without a gap")
    at = models.DateTimeField(db_index=True, help_text="when it was done")
    recorded_at = models.DateTimeField(help_text="when the ledger took it in")
    actor = models.CharField(max_length=150, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    session = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the session's key")
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=120)
    object = models.CharField(max_length=120)
    reason = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=40, help_text="kind of its source")
    source = models.PositiveBigIntegerField(help_text="number of the row that says the same")
    content = models.TextField(help_text="what that row said: canonical JSON")
    before_sha = models.CharField(max_length=64, blank=True, help_text="content of the entry before about this object")
    after_sha = models.CharField(max_length=64, help_text="SHA-256 of the content")
    previous = models.CharField(max_length=64, unique=True, help_text="digest of the entry before")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of this entry and the one before")

    class Meta:
        ordering: ClassVar[list[str]] = ["-seq"]
        verbose_name_plural: ClassVar[str] = "ledger entries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "source"], name="ledger_entry_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=[name, "-seq"], name=f"ledger_{name}_begins", opclasses=BEGINNINGS)
            for name in ("object", "actor", "action")
        ]

    def __str__(self) -> str:
        """Return number, action and object."""
        return f"#{self.seq} {self.action}: {self.object}"


class LedgerHead(models.Model):
    """Where the trails stood at one moment, signed and sent out."""

    at = models.DateTimeField()
    seq = models.PositiveBigIntegerField(help_text="of the ledger's newest entry then")
    digest = models.CharField(max_length=64)
    alerts = models.PositiveBigIntegerField(help_text="number of the alert trail's newest entry then")
    alerts_digest = models.CharField(max_length=64, blank=True)
    envelope = models.TextField(help_text="what was signed, and the signature (DSSE)")
    sha256 = models.CharField(max_length=64, unique=True, help_text="of what was signed")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return the number it stands at."""
        return f"head at {self.seq}"


class LedgerArchive(models.Model):
    """The oldest entries, put into a sealed file: the chain that remains begins after its last digest."""

    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    first = models.PositiveBigIntegerField()
    through = models.PositiveBigIntegerField(unique=True, help_text="number of the last entry in it")
    digest = models.CharField(max_length=64, help_text="of that entry")
    path = models.CharField(max_length=300, help_text="under SENSEQUANT_HOME")
    sha256 = models.CharField(max_length=64, help_text="of the file")
    taken = models.JSONField(help_text="which sources it holds: by kind the number below which all, and others")

    class Meta:
        ordering: ClassVar[list[str]] = ["through"]

    def __str__(self) -> str:
        """Return its span."""
        return f"{self.first} to {self.through}"


class LedgerCheck(models.Model):
    """One reading of the whole chain: asked for, or done by the desk itself, and what came of it."""

    asked_at = models.DateTimeField()
    by = models.CharField(max_length=150)
    done_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    sound = models.BooleanField(null=True)
    result = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return what came of it."""
        return "waiting" if self.sound is None else "sound" if self.sound else "broken"
