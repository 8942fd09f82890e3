"""What the core's stories share: laws are tried on the same examples every time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("core", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("core")
