"""A run's bars up to where it stands, for charts: never a bar the run has not seen."""

from __future__ import annotations

import datetime as dt

import numpy as np
from django.conf import settings

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotFound
from trading.adapters.barcache import merge
from trading.core.bars import Bars
from trading.models.engine import EngineRun
from trading.models.live import Snapshot
from trading.services import bars as files
from trading.services import calendar as calendars
from trading.services import feeds, markets, stream_bars
from trading.services.live import TOPIC
from trading.services.runner import plan_of

MOST = 5_000


def bars(run_id: int, symbol: str, *, limit: int = 400, before: int | None = None, at: dt.datetime) -> Bars:
    """Return at most ``limit`` bars of ``symbol`` up to the run's market time, oldest first.

    ``before`` (seconds UTC) pages back: only bars that start before it. NotFound for an unknown run or symbol.
    """
    run = EngineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no engine run {run_id}", fix="look at the list of runs")
    wanted, _ = plan_of(run)
    if symbol not in wanted.symbols:
        raise NotFound(f"run {run_id} does not trade {symbol}", fix=f"use one of {', '.join(wanted.symbols)}")
    if run.cursor is None:
        nothing = np.zeros(0)
        return Bars(np.zeros(0, np.int64), nothing, nothing, nothing, nothing, nothing)
    end = _seen(run, wanted.minutes)
    if before is not None:
        end = min(end, before)
    found = _bars(run, wanted, symbol, at=at).between(-(1 << 62), end)
    count = max(1, min(limit, MOST))
    first = max(0, len(found) - count)
    return Bars(found.ts[first:], *(column[first:] for column in found.columns()[1:]))


def _seen(run: EngineRun, minutes: int) -> int:
    """Return the moment (seconds UTC) before which the run has seen every bar, by its newest picture or its cursor."""
    end = int(run.cursor.timestamp()) + 1 if run.cursor else 0
    picture = Snapshot.objects.filter(topic=TOPIC).values_list("body", flat=True).first() or {}
    if picture.get("run") == run.pk and picture.get("market_time"):
        shown = dt.datetime.fromisoformat(picture["market_time"])
        end = max(end, int(shown.timestamp()) - minutes * 60 + 1)
    return end


def _bars(run: EngineRun, wanted: markets.Wanted, symbol: str, *, at: dt.datetime) -> Bars:
    """Return the run's bars of one symbol; of a long demo run only the sessions a chart can show."""
    if feeds.split(wanted.source)[0]:
        return _at_rest(run, wanted, symbol, at=at)
    if wanted.source != markets.DEMO or run.cursor is None:
        return markets.one_lane(wanted, symbol, calendars.current(), at=at).bars
    last = run.cursor.astimezone(IST).date()
    first = max(wanted.start, last - dt.timedelta(days=20))
    return markets.demo_bars(symbol, first, last, wanted.minutes)


def _at_rest(run: EngineRun, wanted: markets.Wanted, symbol: str, *, at: dt.datetime) -> Bars:
    """Return what is kept of a broker's bars, and what the stream brought: a chart never asks the broker."""
    last = max(wanted.end, run.cursor.astimezone(IST).date()) if run.cursor else wanted.end
    folder = feeds.split(wanted.source)[1]
    zone = settings.DESK.data_feed_naive_timezone
    try:
        kept = files.load(folder, symbol, wanted.interval, wanted.start, last, at=at, naive_timezone=zone).bars
    except NotFound:
        kept = merge([])
    return merge([kept, stream_bars.load(symbol, wanted.interval, wanted.start, last)])
