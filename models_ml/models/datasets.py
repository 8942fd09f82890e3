"""Datasets that were frozen: where each lies and what it holds; the rows of the data are in its folder."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Dataset(models.Model):
    """One frozen dataset, named by its content."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of rows, names and manifest")
    seal = models.CharField(max_length=64, help_text="SHA-256 of the folder's manifest file")
    path = models.CharField(max_length=700)
    source = models.CharField(max_length=500, help_text="folder of bar files, the broker's, stream or demo")
    symbols = models.JSONField()
    interval = models.CharField(max_length=16)
    start = models.DateField(help_text="first day of its rows, IST")
    end = models.DateField(help_text="last day of its bars, IST, included")
    strategy = models.CharField(max_length=32, help_text="whose features they are")
    code = models.CharField(max_length=64, help_text="SHA-256 of the code and settings its features follow from")
    rows = models.PositiveIntegerField()
    features = models.PositiveIntegerField()
    labels = models.JSONField(help_text="rows by label")
    ambiguous_share = models.FloatField(help_text="share of labels that hang on the order of prices in one bar")
    manifest = models.JSONField(help_text="where it comes from and how it was made")
    seconds = models.FloatField(null=True, blank=True, help_text="it took to build")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return the short name, symbols and span."""
        return f"{self.digest[:12]} {', '.join(self.symbols)} {self.interval} {self.start}…{self.end}"
