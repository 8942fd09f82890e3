"""What a training ran on: the libraries, the interpreter and the processor that its bytes depend on."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from sensequant.lib.fan_out import ONE_THREAD
from trading.adapters.sealed_folders import text_of

LIBRARIES: Final = ("numpy", "scipy", "scikit-learn", "lightgbm", "pandas")


def environment() -> dict[str, Any]:
    """Return the versions and thread settings, as a manifest keeps them."""
    return {
        "python": platform.python_version(), "machine": platform.machine(),
        "libraries": {name: version(name) for name in LIBRARIES}, "threads": dict(ONE_THREAD),
    }  # fmt: skip


def config_hash(spec: Mapping[str, Any]) -> str:
    """Return the eight letters that name what was asked for."""
    return hashlib.sha256(text_of(spec)).hexdigest()[:8]
