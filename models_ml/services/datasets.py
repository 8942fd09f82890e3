"""Build datasets from the desk's bars, freeze them under their content's name, and load them again, verified."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from models_ml.adapters import dataset_files
from models_ml.core.assembly import WARMUP, Part, Recipe, assemble, first_bars, part
from models_ml.core.frozen import Frozen
from models_ml.core.labels import Barriers
from models_ml.models.datasets import Dataset
from models_ml.selectors import datasets as kept
from models_ml.services import lineage
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.core import demo
from trading.core.bars import DAY
from trading.core.bounds import make
from trading.core.calendar import Calendar
from trading.core.observations import suited
from trading.core.panel import LaneBars
from trading.services import calendar as calendars
from trading.services import feeds, markets, runs
from trading.services.markets import DEMO, STREAM, Wanted
from trading.services.runs import Ordered

MOST_WARMUP: Final = 5_000
SHORT_NAME: Final = 16  # characters of the digest that name a folder
SESSION_BARS_MINUTES: Final = 375

log = get_logger("datasets")


@dataclass(frozen=True, slots=True)
class Plan:
    """A dataset somebody wants: which bars, whose features, what labels, how many bars of warm-up."""

    wanted: Wanted
    order: Ordered
    barriers: Barriers
    warmup: int = WARMUP


def plan(wanted: Wanted, order: Ordered, barriers: Mapping[str, Any], *, warmup: int = WARMUP) -> Plan:
    """Return the plan, its words checked; ``barriers`` are settings over the defaults.

    Daily bars have labels that may last days, without shorts, which nobody can deliver. Invalid or BadInput names
    what cannot be.
    """
    suited(order.strategy)
    runs.setup_of(order, wanted)
    if not 0 <= warmup <= MOST_WARMUP:
        raise BadInput(f"a warm-up of {warmup} bars cannot be", fix=f"use 0 to {MOST_WARMUP}")
    usual: dict[str, Any] = {"intraday": 0, "shorts": 0, "horizon": 10} if wanted.minutes >= DAY else {}
    asked = make(Barriers, {**usual, **barriers})
    if wanted.minutes >= DAY and asked.intraday:
        raise BadInput("daily bars cannot be labelled within the day", fix="leave intraday=0, or use minute bars")
    return Plan(wanted, order, asked, warmup)


def build(asked: Plan, *, at: dt.datetime, progress: Callable[[Iterable[str]], Iterable[str]] = iter) -> Frozen:
    """Return the dataset of a plan, in memory. The same bars and plan give the same dataset to the last bit.

    Bars from before the first day are read to warm the indicators up, where there are any; they give no rows.
    Raises what reading the bars raises, and Invalid when no bar has a label.
    """
    wanted = asked.wanted
    led = replace(wanted, start=first_day(asked))
    recipe = _recipe(asked)
    charged = runs.charges_between(asked.order, led.start, wanted.end)
    calendar = calendars.current()
    parts: list[Part] = []
    origins: dict[str, Any] = {}
    for symbol in progress(sorted(wanted.symbols)):
        lane = ended(markets.one_lane(led, symbol, calendar, at=at), wanted.minutes, calendar, at=at)
        parts.append(part(lane, recipe, charged))
        origins[symbol] = lineage.of_lane(wanted, lane, at=at)
    return assemble(parts, recipe, lineage.lineage(wanted, origins, charged))


def ended(lane: LaneBars, minutes: int, calendar: Calendar, *, at: dt.datetime) -> LaneBars:
    """Return the lane without bars that go on at the moment ``at``, or are still to come."""
    now = int(at.timestamp())
    if minutes < DAY:
        return first_bars(lane, int(np.searchsorted(lane.bars.ts, now - minutes * 60, side="right")))
    today = calendar.session(ist(at).date(), lane.spec.segment)
    over = today is not None and today.close <= at
    days = lineage.midnight(ist(at).date()) + (1 if over else 0)
    return first_bars(lane, int(np.searchsorted(lane.bars.ts, days, side="left")))


def freeze(
    asked: Plan, *, by: str, at: dt.datetime, progress: Callable[[Iterable[str]], Iterable[str]] = iter
) -> tuple[Dataset, Frozen]:
    """Build a plan's dataset and keep it; one with the same content is kept once."""
    begun = time.perf_counter()
    data = build(asked, at=at, progress=progress)
    return keep(data, asked, seconds=time.perf_counter() - begun, by=by, at=at), data


def keep(data: Frozen, asked: Plan, *, seconds: float | None, by: str, at: dt.datetime) -> Dataset:
    """Write a dataset into its folder and remember it."""
    folder = folder_of(data.digest)
    seal = dataset_files.save(folder, data)
    wanted = asked.wanted
    row, new = Dataset.objects.update_or_create(
        digest=data.digest,
        defaults={"path": str(folder), "seal": seal.digest},
        create_defaults={
            "path": str(folder), "seal": seal.digest, "source": wanted.source, "symbols": sorted(wanted.symbols),
            "interval": wanted.interval, "start": wanted.start, "end": wanted.end, "strategy": asked.order.strategy,
            "code": data.manifest["signature"]["code"], "rows": len(data), "features": len(data.names),
            "labels": data.manifest["labels"], "ambiguous_share": data.manifest["ambiguous_share"],
            "manifest": dict(data.manifest), "seconds": seconds, "created_at": at, "created_by": by,
        },
    )  # fmt: skip
    log.info("dataset_frozen", digest=data.digest, rows=len(data), new=new, path=str(folder))
    return row


def load(digest: str) -> Frozen:
    """Return the kept dataset whose digest begins so, every byte verified.

    NotFound for an unknown one or a folder that is gone, BadInput naming the file that was changed.
    """
    row = kept.dataset(digest)
    data = dataset_files.load(Path(row.path))
    if data.digest != row.digest:
        raise BadInput(f"{row.path} holds another dataset than {row.digest[:12]}", fix=dataset_files.AGAIN)
    return data


def folder_of(digest: str) -> Path:
    """Return the folder of a dataset."""
    return paths.home() / "data" / "datasets" / digest[:SHORT_NAME]


def _recipe(asked: Plan) -> Recipe:
    setup = runs.setup_of(asked.order, asked.wanted)
    since = lineage.midnight(asked.wanted.start)
    return Recipe(asked.order.strategy, setup, asked.barriers, asked.warmup, since)


def first_day(asked: Plan) -> dt.date:
    """Return the day from which on bars are read: early enough for the warm-up where old bars cost nothing."""
    wanted = asked.wanted
    if wanted.source == STREAM or feeds.split(wanted.source)[0]:
        return wanted.start
    a_day = max(1, SESSION_BARS_MINUTES // wanted.minutes)
    lead = dt.timedelta(days=-(-asked.warmup // a_day) * 8 // 5 + 7)
    earliest = max(calendars.current().known_from, demo.FIRST_DAY if wanted.source == DEMO else dt.date.min)
    return max(wanted.start - lead, min(earliest, wanted.start))
