"""Which release is deployed: one row that engines read, replaced together with the student and the parameters."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

MODES = [("heightened", "heightened"), ("normal", "normal")]


class ReleasePointer(models.Model):
    """The release in force. ``epoch`` grows with every switch: an engine that sees another one reads everything anew.

    ``highest_seq`` never falls; a release of a lower number needs the signed record of the rollback that led there.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    release_id = models.CharField(max_length=64)
    seq = models.PositiveIntegerField()
    folder = models.CharField(max_length=700, help_text="where its files were staged; absolute, or under the home")
    manifest_sha256 = models.CharField(max_length=64, help_text="of the signed envelope")
    key_id = models.CharField(max_length=64, help_text="of the key that signed it")
    highest_seq = models.PositiveIntegerField()
    epoch = models.PositiveBigIntegerField(default=1)
    mode = models.CharField(max_length=10, choices=MODES, default="heightened")
    heightened_until = models.DateTimeField(null=True, blank=True, help_text="the watch's earliest end")
    deployed_at = models.DateTimeField()
    deployed_by = models.CharField(max_length=150)
    rollback = models.TextField(blank=True, help_text="signed record of the rollback that led here; empty otherwise")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="when everything was compared last")
    verified_stamp = models.CharField(max_length=64, blank=True, db_default="", help_text="of what lay there")
    verified_against = models.JSONField(null=True, blank=True, help_text="what differed; empty: nothing")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="release_pointer_only_one"),
            models.CheckConstraint(condition=Q(highest_seq__gte=F("seq")), name="release_pointer_highest_is_highest"),
            models.CheckConstraint(
                condition=Q(highest_seq=F("seq")) | ~Q(rollback=""), name="release_pointer_back_with_a_record"
            ),
        ]

    def __str__(self) -> str:
        """Return the release's name and number."""
        return f"{self.release_id} (#{self.seq})"
