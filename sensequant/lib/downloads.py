"""Bytes as an answer that is saved and never shown or run: whoever made the file, it has no say in our pages."""

from __future__ import annotations

import re

from django.http import HttpResponse

SANDBOX = "sandbox; default-src 'none'"


def attachment(content: bytes, name: str) -> HttpResponse:
    """Return ``content`` to be saved as ``name``; what is no plain letter in the name becomes ``_``."""
    answer = HttpResponse(content, content_type="application/octet-stream")
    plain = re.sub(r"[^A-Za-z0-9_.\-]+", "_", name)[:200].lstrip(".-") or "file"
    answer["Content-Disposition"] = f'attachment; filename="{plain}"'
    answer["Content-Security-Policy"] = SANDBOX
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
