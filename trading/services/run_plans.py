"""What a run of the engine was asked to do, and how a run keeps it so that it can be built again."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from trading.models.engine import EngineRun
from trading.services import markets, runs
from trading.services.shards import Shard


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to begin a run, and to build it again after a crash."""

    name: str
    mode: str
    wanted: markets.Wanted
    order: runs.Ordered
    speed: float = 0.0
    label: str = ""
    fast_until: int = 0  # bars that start before this (seconds UTC) pass at once
    shard: Shard | None = None
    on_stop: str = ""  # what a run with orders does with its positions when it is told to stop: leave, square-off

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a run keeps it."""
        dates = {"start": self.wanted.start.isoformat(), "end": self.wanted.end.isoformat()}
        wanted = {**asdict(self.wanted), "symbols": list(self.wanted.symbols), **dates}
        return {
            "wanted": wanted,
            "params": dict(self.order.params),
            "capital": self.order.capital,
            "fast_until": self.fast_until,
            "on_stop": self.on_stop,
            **({"shard": self.shard.as_json()} if self.shard else {}),
        }


def plan_of(run: EngineRun) -> tuple[markets.Wanted, runs.Ordered]:
    """Return what a run was asked to do."""
    w = run.plan["wanted"]
    wanted = markets.Wanted(
        w["source"], tuple(w["symbols"]), w["interval"], dt.date.fromisoformat(w["start"]),
        dt.date.fromisoformat(w["end"]), w["sound_rows"],
    )  # fmt: skip
    return wanted, runs.Ordered(run.strategy, run.plan["params"], run.plan["capital"])
