"""The core's one text, bound to a strategy: plain for the engine, compiled by numba for everything in bulk.

Both come from the same functions. ``bind`` copies them into namespaces of their own, where the names ``recall``,
``advance``, ``keep``, ``decide`` and ``volatility`` of the desk and its drivers are the strategy's; compiling wraps
each copy in ``njit``. Without numba, or without being asked, the copies stay as they are. Compiled code is kept on
disk under a digest of the whole text.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from trading.core import (
    booking,
    charges,
    desk,
    drivers,
    features,
    fills,
    indicators,
    metrics,
    risk,
    rules,
    signals,
    sizing,
    state,
)
from trading.core.strategies import STRATEGIES, strategy

SHARED = (indicators, features, signals, state, charges, fills, sizing, risk, booking, metrics, desk, drivers)
BOUND = ("recall", "advance", "keep", "decide", "volatility")
HOT = frozenset({
    "advance", "recall", "keep", "look", "decide", "sma", "wilder_moves", "units", "settle", "mark", "act", "react",
    "bar_at", "leaving", "protection",
})  # fmt: skip
"""What runs on every bar: written into the loop by numba itself, because LLVM finds it too long to."""


class Kernel(NamedTuple):
    """The entry points of one bound text."""

    run_alone: Callable[..., None]
    run_sweep: Callable[..., None]
    run_panel: Callable[..., None]
    settle: Callable[..., None]
    react: Callable[..., Any]
    look: Callable[..., Any]
    decide: Callable[..., Any]
    act: Callable[..., None]
    turn_day: Callable[..., None]
    mark: Callable[..., None]
    measure: Callable[..., Any]


@cache
def kernel(name: str, *, compiled: bool) -> Kernel:
    """Return the desk bound to the strategy ``name``; raises Invalid for an unknown one, ImportError without numba."""
    chosen = strategy(name)
    wrap = _compiler(name) if compiled else None
    space = bind(chosen, wrap)
    return Kernel(*(space[entry] for entry in Kernel._fields))


def bind(chosen: ModuleType, wrap: Callable[[FunctionType], Any] | None) -> dict[str, Any]:
    """Return every function of the shared text and of ``chosen``, copied, bound to each other, and wrapped."""
    modules = (*SHARED, chosen)
    spaces: dict[str, dict[str, Any]] = {module.__name__: {} for module in modules}
    copies: dict[Any, Any] = {}
    for module in modules:
        for function in vars(module).values():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                copy = FunctionType(function.__code__, spaces[module.__name__], function.__name__)
                copies[function] = wrap(copy) if wrap else copy
    for module in modules:
        for word, value in vars(module).items():
            spaces[module.__name__][word] = copies.get(value, value) if isinstance(value, FunctionType) else value
    for word in BOUND:
        spaces[desk.__name__][word] = spaces[drivers.__name__][word] = copies[getattr(chosen, word)]
    return {**spaces[metrics.__name__], **spaces[desk.__name__], **spaces[drivers.__name__]}


def _compiler(name: str) -> Callable[[FunctionType], Any]:
    import numba  # only processes that compile pay for it

    numba.config.CACHE_DIR = str(cache_folder() / name)

    def wrap(function: FunctionType) -> Any:
        entry = function.__name__ in Kernel._fields
        inline = "always" if function.__name__ in HOT else "never"
        # nothing in the core allocates: without reference counts a row of an array costs nothing to hand on
        return numba.njit(cache=entry, error_model="numpy", nogil=True, inline=inline, _nrt=False)(function)

    return wrap


def is_compiled(name: str) -> bool:
    """Say whether the compiled panel driver of strategy ``name`` lies ready on disk; imports nothing heavy."""
    return any((cache_folder() / name).glob("*/drivers.run_panel-*.nbi"))


def cache_folder() -> Path:
    """Return where compiled text is kept: under SENSEQUANT_KERNELS or the user's cache, by digest of the text."""
    root = os.environ.get("SENSEQUANT_KERNELS") or str(Path.home() / ".cache" / "sensequant" / "kernels")
    return Path(root) / digest()


@cache
def digest() -> str:
    """Return a short digest of the shared text, what it is told by and all strategies: any line of them changes it."""
    total = hashlib.sha256(version("numba").encode())
    for module in (*SHARED, rules, *STRATEGIES.values()):  # rules: numbers and tuples that are compiled in
        total.update(Path(str(module.__file__)).read_bytes())
    return total.hexdigest()[:16]
