"""Historical bars as the two versions of the API give them."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any, Final

import numpy as np
from starlette.responses import JSONResponse

from trading.adapters.simulator import rows
from trading.adapters.simulator.desk import NO_DATA, Refused
from trading.adapters.simulator.gate import Asked
from trading.adapters.simulator.shares import Share
from trading.adapters.simulator.venue import Venue
from trading.core.bars import DAY, Bars, Ints, resample
from trading.core.calendar import IST
from trading.core.errors import Invalid

MOST: Final = 1_000
MINUTES: Final = {"1minute": 1, "5minute": 5, "30minute": 30, "1day": DAY, "minute": 1, "day": DAY}
V1_SHARE: Final = 28  # v1 volumes are a fraction of v2's, as in the SDK's own samples
FORMATS: Final = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


async def v2(venue: Venue, asked: Asked) -> Any:
    """Return the bars of a share, faults and all; an unknown code gives an empty list."""
    share = venue.share(asked.get("stock_code"))
    symbol = share.listed.symbol if share else ""
    if venue.faults.strike("history", verb="history", symbol=symbol, names=("history_500",)):
        return JSONResponse(rows.bad("Internal Server Error"), 500)
    if venue.faults.strike("history", verb="history", symbol=symbol, names=("empty_history",)):
        return []
    start, end = _moment(asked, "from_date"), _moment(asked, "to_date")
    minutes = _minutes(asked)
    if share is None or str(asked.get("exch_code", "")).upper() != "NSE" or start > end:
        return []
    bars = await asyncio.to_thread(bars_of, venue, share, minutes, start, end)
    return [rows.candle(row[0], row[1:], share.listed.code) for row in _spoilt(venue, share, minutes, bars)][:MOST]


async def v1(venue: Venue, asked: Asked) -> Any:
    """Return bars as the old API does: texts, the bar's end as its stamp, a fraction of the volume."""
    share = venue.share(asked.get("stock_code"))
    start, end = _moment(asked, "from_date"), _moment(asked, "to_date")
    minutes = _minutes(asked)
    if share is None:
        raise Refused(NO_DATA)
    bars = await asyncio.to_thread(bars_of, venue, share, minutes, start, end)
    found = []
    for count, (ts, *values) in enumerate(_rows(bars)[:MOST]):
        row = rows.candle(ts + (0 if minutes == DAY else minutes * 60), values, share.listed.code)
        texts = {name: f"{row[name]:g}" for name in ("open", "high", "low", "close")}
        found.append({**row, **texts, "volume": str(row["volume"] // V1_SHARE), "count": count})
    return found


def bars_of(venue: Venue, share: Share, minutes: int, start: int, end: int) -> Bars:
    """Return the bars of ``minutes`` that start from ``start`` to ``end`` (seconds UTC) and are complete by now."""
    first = _midnight(_date(int(share.bars.ts[0]))) if len(share.bars) else end + 1
    parts = []
    if venue.older is not None and start < first:
        days = MOST if minutes == DAY else MOST * minutes // 60 + 10
        edge = min(end, first - 1, start + days * 2 * 86_400)
        older = venue.older(share.listed.symbol, max(minutes, share.minutes), _date(start), _date(edge))
        parts.append(older.between(start, min(edge, first - 1) + 1))
    if minutes >= share.minutes and minutes % share.minutes == 0:
        recorded = _resampled(venue, share, minutes)
        complete = recorded.until(
            int(np.count_nonzero(_ends(venue, share, recorded, minutes) <= venue.floor.ms // 1000))
        )
        parts.append(complete.between(start, end + 1))
    columns = [np.concatenate([part.columns()[at] for part in parts]) if parts else np.zeros(0) for at in range(6)]
    return Bars(columns[0].astype(np.int64), *columns[1:])


def _resampled(venue: Venue, share: Share, minutes: int) -> Bars:
    """Return the recorded bars up to the market's day, in bars of ``minutes``."""
    midnight = _midnight(venue.floor.date)
    bars = share.bars.between(0, midnight + 86_400)
    if minutes == share.minutes:
        return bars
    places = venue.floor.calendar.session_columns(bars.ts, share.minutes, share.listed.segment)
    return resample(bars, minutes, opens=bars.ts - places.minute.astype(np.int64) * 60)


def _ends(venue: Venue, share: Share, bars: Bars, minutes: int) -> Ints:
    """Return when each bar is over: at its end, or with its session."""
    ends = bars.ts + minutes * 60
    session = share.session
    if session is None:
        return ends
    close, midnight = int(session.close.timestamp()), int(session.open.replace(hour=0, minute=0).timestamp())
    today = bars.ts >= midnight
    over = np.where(bars.ts < close, np.minimum(ends, close), ends)
    return np.where(today, np.full_like(ends, close) if minutes == DAY else over, ends)


def _rows(bars: Bars) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in bars.columns()), strict=True))


def _spoilt(venue: Venue, share: Share, minutes: int, bars: Bars) -> list[tuple[Any, ...]]:
    """Return the rows with what the faults of the moment make of them."""
    found, symbol = _rows(bars), share.listed.symbol

    def struck(name: str) -> Any:
        return venue.faults.strike("history", verb="history", symbol=symbol, names=(name,))

    if minutes == DAY and struck("history_swapped_daily"):
        found = [(ts, row[3], row[1], row[2], row[0], row[4]) for ts, *row in found]
    if minutes < DAY and struck("history_missing_first_bar"):
        days = [ts // 86_400 for ts, *_ in found]
        found = [row for at, row in enumerate(found) if at and days[at] == days[at - 1]]
    if fault := struck("history_incomplete"):
        every = max(int(fault.params["every"]), 1)
        found = [row for at, row in enumerate(found, 1) if at % every]
    return found


def _minutes(asked: Asked) -> int:
    unit = str(asked.get("interval", "")).lower()
    if unit == "1second":
        raise Invalid("1second bars are not kept by the simulator")
    if unit not in MINUTES:
        raise Invalid("Interval should be either '1second','1minute', '5minute', '30minute', or '1day'")
    return MINUTES[unit]


def _moment(asked: Asked, name: str) -> int:
    """Return seconds UTC of a date whose Z lies: the wall clock is India's."""
    text = str(asked.get(name) or "")
    for form in FORMATS:
        try:
            return int(dt.datetime.strptime(text, form).replace(tzinfo=IST).timestamp())
        except ValueError:
            continue
    raise Invalid(f"{name} should be an ISO8601 date, not {text!r}")


def _midnight(date: dt.date) -> int:
    return int(dt.datetime.combine(date, dt.time(), IST).timestamp())


def _date(second: int) -> dt.date:
    return rows.moment(second * 1000).date()
