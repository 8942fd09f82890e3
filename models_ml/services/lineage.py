"""Where a dataset's rows come from: files by their digest, bars, names, corporate actions, charges and versions."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from models_ml.core.universe import banners
from sensequant.lib.errors import NotFound
from trading.core.bars import IST_OFFSET
from trading.core.panel import LaneBars
from trading.core.simulation import Schedule
from trading.selectors import universe
from trading.services import actions, feeds
from trading.services import bars as files
from trading.services.markets import DEMO, Wanted


def of_lane(wanted: Wanted, lane: LaneBars, *, at: dt.datetime) -> dict[str, Any]:
    """Return what the rows of one symbol depend on: bars, the files they were read from, actions, dated names."""
    symbol = lane.spec.symbol
    return {
        "bars": bars_of(lane),
        "files": files_of(wanted, lane, at=at),
        "actions": _actions(symbol, wanted.end),
        "names": [_dated(row) for row in universe.names(symbol, wanted.start, wanted.end)],
    }


def lineage(wanted: Wanted, symbols: Mapping[str, Mapping[str, Any]], charged: Schedule) -> dict[str, Any]:
    """Return, as plain JSON, everything the rows of a dataset depend on beside its recipe.

    ``symbols`` are the ``of_lane`` of each. No path of this machine is in it, so the same bars give the same dataset
    wherever they lie.
    """
    listed = {name: until_of(each["names"]) for name, each in symbols.items()}
    return {
        "asked": {
            "source": _kind(wanted.source), "symbols": sorted(wanted.symbols), "interval": wanted.interval,
            "start": str(wanted.start), "end": str(wanted.end), "sound_rows": wanted.sound_rows,
        },
        "symbols": dict(symbols),
        "banners": banners(wanted.start, wanted.end, listed),
        "charges": hashlib.sha256(charged.changes.tobytes() + charged.rates.tobytes()).hexdigest(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }  # fmt: skip


def until_of(names: Sequence[Mapping[str, Any]]) -> dt.date | None:
    """Return the last day a share was listed, None while one of its names holds or when no master tells."""
    ends = [row["until"] for row in names]
    return dt.date.fromisoformat(max(ends)) if ends and None not in ends else None


def bars_of(lane: LaneBars) -> dict[str, Any]:
    """Return how many bars of a lane there are, from when to when, and the digest of them and of what was known."""
    total = hashlib.sha256()
    for column in (*lane.bars.columns(), lane.sentiment, lane.places.session, lane.places.minute, lane.places.left):
        total.update(np.ascontiguousarray(column).tobytes())
    spec = lane.spec
    return {
        "bars": len(lane.bars), "first": int(lane.bars.ts[0]), "last": int(lane.bars.ts[-1]),
        "sha256": total.hexdigest(), "tick": spec.tick, "lot": spec.lot, "segment": spec.segment,
        "sentiment_known": int(np.isfinite(lane.sentiment).sum()),
    }  # fmt: skip


def files_of(wanted: Wanted, lane: LaneBars, *, at: dt.datetime) -> list[dict[str, str]]:
    """Return the names and digests of the files a lane was read from; empty for bars that come from no file."""
    folder = Path(feeds.split(wanted.source)[1] or wanted.source)
    if wanted.source == DEMO or not folder.is_dir():
        return []
    zone = settings.DESK.data_feed_naive_timezone
    feed = files.feed(folder, at=at, naive_timezone=zone, segment=lane.spec.segment)
    try:
        sources = feed.series(lane.spec.symbol, wanted.interval).sources
    except NotFound:  # the broker answered, and nothing is kept
        return []
    return [{"name": Path(each.path).name, "sha256": each.sha256} for each in sources]


def _kind(source: str) -> str:
    kind, folder = feeds.split(source)
    return kind or ("csv" if Path(folder).is_dir() else source)


def _actions(symbol: str, day: dt.date) -> list[dict[str, str]]:
    return [
        {"kind": each.kind, "ex_date": str(each.ex_date), "known_on": str(each.known_on), "terms": each.terms}
        for each in actions.as_of(symbol, day)
    ]


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, dt.date) else value for key, value in row.items()}


def midnight(day: dt.date) -> int:
    """Return the second (UTC) at which a day begins in India."""
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) - IST_OFFSET
