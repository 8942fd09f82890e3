"""What the core's stories share: laws are tried on the same examples every time, and code is compiled once."""

from __future__ import annotations

import os

from hypothesis import settings

from sensequant.config import ROOT

settings.register_profile("core", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("core")
os.environ["SENSEQUANT_KERNELS"] = str(ROOT / "var" / "cache" / "kernels")
