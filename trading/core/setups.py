"""From a strategy's name and plain ``key=value`` settings to the whole setup a decision depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core.bounds import Field, fields, make
from trading.core.errors import Invalid
from trading.core.rules import SIZING_MODES, Costs, Limits, Rules, Setup, Sizing, Venue
from trading.core.signals import SentimentRule
from trading.core.strategies import strategy

GROUPS: dict[str, Any] = {
    "rules": Rules,
    "sentiment": SentimentRule,
    "sizing": Sizing,
    "limits": Limits,
    "venue": Venue,
    "costs": Costs,
}


def parameters(name: str) -> dict[str, dict[str, Field]]:
    """Return every parameter of the strategy ``name`` and of the desk's rules, by group (``params`` first)."""
    chosen = strategy(name)
    found = {"params": dict(fields(chosen.Params))}
    for group, cls in GROUPS.items():
        taken = {key for known in found.values() for key in known}
        found[group] = {key: field for key, field in fields(cls).items() if key not in taken}
    return found


def make_setup(name: str, minutes: int, *layers: Mapping[str, Any]) -> Setup:
    """Return the setup of strategy ``name`` on bars of ``minutes``; later layers of settings win over earlier ones.

    The last layer is what a person asks for; just below it stand the strategy's own ``RULES``, where it has any.
    ``sizing`` may be given by word. Raises Invalid naming the parameter, the value and what would be accepted.
    """
    chosen = strategy(name)
    known = parameters(name)
    values: dict[str, Any] = {}
    for layer in (*layers[:-1], getattr(chosen, "RULES", {}), *layers[-1:]):
        values.update(layer)
    if "sizing" in values:
        values["mode"] = _mode(values.pop("sizing"))
    everywhere = {key for group in known.values() for key in group}
    for key in values:
        if key not in everywhere:
            raise Invalid(f"unknown parameter {key!r} of {name}: use one of {', '.join(sorted(everywhere))}")
    kinds = {"params": chosen.Params, **GROUPS}
    parts = {group: make(kinds[group], {k: values[k] for k in known[group] if k in values}) for group in known}
    if hasattr(chosen, "check"):
        chosen.check(parts["params"])
    _fit(name, chosen.KIND, minutes)
    return Setup(minutes=minutes, **parts)


def _mode(word: Any) -> int:
    if word in SIZING_MODES.values():
        return int(word)
    if str(word) not in SIZING_MODES:
        raise Invalid(f"sizing={word!r} is not known: use one of {', '.join(SIZING_MODES)}")
    return SIZING_MODES[str(word)]


def _fit(name: str, kind: str, minutes: int) -> None:
    if kind == "intraday" and minutes >= 1440:
        raise Invalid(f"{name} trades inside the day and cannot use daily bars: ask for minute bars (interval 5minute)")
    if kind == "swing" and minutes < 1440:
        raise Invalid(f"{name} decides once a day and needs daily bars: ask for interval 1day")


def flat(setup: Setup) -> dict[str, float]:
    """Return all of a setup's values by name, as ``make_setup`` would take them."""
    return {key: value for group in ("params", *GROUPS) for key, value in getattr(setup, group)._asdict().items()}


def records(setups: Sequence[Setup]) -> npt.NDArray[np.void]:
    """Return setups as one structured array whose rows a compiled sweep reads like the tuples themselves."""
    rows = np.zeros(len(setups), _dtype(setups[0]))
    for i, setup in enumerate(setups):
        rows[i] = tuple(tuple(part) if isinstance(part, tuple) else part for part in setup)
    return rows


def _dtype(value: Any) -> np.dtype[Any]:
    if isinstance(value, tuple):
        names: tuple[str, ...] = value._fields  # type: ignore[attr-defined]
        return np.dtype([(name, _dtype(getattr(value, name))) for name in names], align=True)
    return np.dtype(np.int64 if isinstance(value, int) else np.float64)
