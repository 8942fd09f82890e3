"""What an optimisation is asked to do, checked: from the words of a door or of a grid file to a run that can start."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models_ml.core import spaces, walk_forward
from models_ml.core.objectives import objective
from models_ml.core.periods import USUAL, split
from sensequant.lib.errors import BadInput, NotFound
from sensequant.lib.fan_out import digest_of
from trading.core.setups import flat, parameters
from trading.core.strategies import strategy
from trading.services import calendar as calendars
from trading.services import runs
from trading.services.markets import Wanted

SEARCHES = ("grid", "random", "adaptive")
PURGE = {"intraday": 1, "swing": 10}  # sessions; a swing trade is held ten at most
MOST = 200  # configurations of a search that nobody limited
MOST_EVER = 20_000
FILE_KEYS = (
    "parameters", "strategy", "objective", "search", "max_configs", "seed", "split", "purge", "constraints",
    "walk_forward", "description",
)  # fmt: skip
CONSTRAINTS = ("min_trades", "max_drawdown")


@dataclass(frozen=True, slots=True)
class Spec:
    """How to search: ``split`` in per cent, ``purge`` in sessions, ``max_drawdown`` a fraction."""

    space: list[dict[str, Any]] = field(default_factory=list)
    search: str = "grid"
    objective: str = "composite"
    max_configs: int = MOST
    seed: int = 7
    split: tuple[float, ...] = USUAL
    purge: int = 1
    min_trades: int = 20
    max_drawdown: float = 1.0
    run_baseline: bool = True
    export_report: bool = True
    telemetry_dir: str = ""
    telemetry_sample_rate: float = 1.0
    walk_forward: str = ""  # train, test and step in sessions; empty: one search over all days


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked optimisation: the bars, what every configuration shares, and how to search."""

    wanted: Wanted
    order: runs.Ordered
    spec: Spec

    def digest(self) -> str:
        """Return what tells this optimisation from every other that could be asked for."""
        wanted = {**asdict(self.wanted), "start": str(self.wanted.start), "end": str(self.wanted.end)}
        order = {"strategy": self.order.strategy, "params": dict(self.order.params), "capital": self.order.capital}
        spec = asdict(self.spec)
        if not self.spec.walk_forward:  # as it was told before there was such a thing
            del spec["walk_forward"]
        return digest_of({"wanted": wanted, "order": order, "spec": spec})


def read_grid(path: str) -> dict[str, Any]:
    """Return a grid file's object, its parameters under ``parameters``; NotFound or BadInput names what is wrong."""
    file = Path(path)
    if not file.is_file():
        raise NotFound(f"there is no grid file {path}", fix='make one such as {"parameters": {"sma": [10, 20, 30]}}')
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadInput(f"{path} is not JSON: {error}", fix="mend it, or leave --config out") from None
    if not isinstance(found, dict):
        raise BadInput(f"{path} holds no object", fix='write {"parameters": {"sma": [10, 20, 30]}}')
    if "parameters" not in found:
        return {"parameters": found}
    for key in found:
        if key not in FILE_KEYS:
            raise BadInput(f"{path} has the unknown key {key!r}", fix=f"use {', '.join(FILE_KEYS)}")
    return found


def ask(wanted: Wanted, order: runs.Ordered, grid: Mapping[str, Any], given: Mapping[str, Any]) -> Asked:
    """Return the optimisation asked for: ``given`` (None where nothing was said) over ``grid`` over what is usual.

    Raises BadInput or Invalid naming the value that cannot be.
    """
    chosen = strategy(order.strategy)
    if grid.get("strategy", order.strategy) != order.strategy:
        raise BadInput(
            f"the grid is for {grid['strategy']}, not for {order.strategy}",
            fix="name its strategy, or use another grid",
        )
    limits = grid.get("constraints", {})
    if not isinstance(limits, Mapping) or any(key not in CONSTRAINTS for key in limits):
        raise BadInput(f"the grid's constraints {limits!r} cannot be used", fix=f"use {' and '.join(CONSTRAINTS)}")
    said = {**{k: v for k, v in grid.items() if k != "parameters"}, **limits}
    said |= {key: value for key, value in given.items() if value is not None}
    known = {name: one for group in parameters(order.strategy).values() for name, one in group.items()}
    own = parameters(order.strategy)["params"]
    space = spaces.of_config(grid["parameters"], known) if "parameters" in grid else spaces.of_fields(own)
    spec = _spec([choice._asdict() for choice in space], said, chosen.KIND)
    if spec.walk_forward:
        _room(wanted, spec)
    runs.setup_of(order, wanted)
    return Asked(wanted, order, spec)


def _spec(space: list[dict[str, Any]], said: Mapping[str, Any], kind: str) -> Spec:
    search = str(said.get("search", "grid"))
    if search not in SEARCHES:
        raise BadInput(f"search {search!r} is not known", fix=f"use one of {', '.join(SEARCHES)}")
    return Spec(
        space=space,
        search=search,
        objective=objective(str(said.get("objective", "composite"))),
        max_configs=_whole(said, "max_configs", MOST, 1, MOST_EVER),
        seed=_whole(said, "seed", 7, 0, 2**31 - 1),
        split=_shares(said.get("split", USUAL)),
        purge=_whole(said, "purge", PURGE[kind], 0, 250),
        min_trades=_whole(said, "min_trades", 20, 0, 1_000_000),
        max_drawdown=_share(said, "max_drawdown", 1.0),
        run_baseline=bool(said.get("run_baseline", True)),
        export_report=bool(said.get("export_report", True)),
        telemetry_dir=str(said.get("telemetry_dir", "")),
        telemetry_sample_rate=_share(said, "telemetry_sample_rate", 1.0),
        walk_forward=_walk(said.get("walk_forward", "")),
    )


def _walk(given: Any) -> str:
    """Return a walk-forward plan as it is kept, empty for none."""
    if not isinstance(given, str):
        raise BadInput(f"walk_forward {given!r} cannot be used", fix=walk_forward.HOW)
    return str(walk_forward.plan(given)) if given.strip() else ""


def inner(spec: Spec) -> tuple[float, float]:
    """Return the shares of a window's training days: train and validation as they stand to each other in the split."""
    train, validation = spec.split[:2]
    return 100.0 * train / (train + validation), 100.0 * validation / (train + validation)


def _room(wanted: Wanted, spec: Spec) -> None:
    """Raise Invalid when a window's training days cannot be split, or the days asked for hold no window."""
    asked = walk_forward.plan(spec.walk_forward)
    split(range(asked.train), inner(spec), spec.purge)
    calendar = calendars.current()
    if calendar.known_from <= wanted.start and wanted.end <= calendar.known_until:
        walk_forward.fits(len(calendar.sessions(wanted.start, wanted.end)), asked, spec.purge)


def _whole(said: Mapping[str, Any], name: str, usual: int, low: int, high: int) -> int:
    value = said.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"{name} {value!r} cannot be used", fix=f"give a whole number from {low} to {high}")
    return value


def _share(said: Mapping[str, Any], name: str, usual: float) -> float:
    value = said.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise BadInput(f"{name} {value!r} cannot be used", fix="give a fraction from 0 to 1, such as 0.25")
    return float(value)


def _shares(given: Any) -> tuple[float, ...]:
    words: Sequence[Any] = given.split("/") if isinstance(given, str) else given
    try:
        found = tuple(float(word) for word in words)
    except (TypeError, ValueError):
        found = ()
    if not all(math.isfinite(share) for share in found):
        found = ()
    split(range(100_000), found if len(found) == len(USUAL) else (), 0)  # says what is wrong with the shares
    return found


def space_of(spec: Spec) -> spaces.Space:
    """Return the space to search."""
    return tuple(spaces.Choice(**{**each, "values": tuple(each["values"])}) for each in spec.space)


def usual(order: runs.Ordered, wanted: Wanted) -> dict[str, float]:
    """Return the value every parameter has when no configuration changes it."""
    return flat(runs.setup_of(order, wanted))
