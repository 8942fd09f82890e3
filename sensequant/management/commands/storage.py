"""``manage.py storage``: bring the home folder and the object store up to each other's date."""

from __future__ import annotations

from typing import Any

from sensequant.lib import storage
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Synchronise bars and artifacts with STORAGE_URL."""

    help = "Put what the object store of STORAGE_URL lacks, fetch what other machines put there."
    examples = "  STORAGE_URL=s3://bucket/desk manage.py storage"

    def run(self, **options: Any) -> tuple[Any, str]:
        """Synchronise."""
        put, got = storage.sync()
        told = {"put": put._asdict(), "fetched": got._asdict()}
        return told, f"put {put.files} files ({put.size:,} bytes), fetched {got.files} ({got.size:,} bytes)"
