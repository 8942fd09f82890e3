"""A share's official close of a day: from the desk's own daily bars, else asked of the broker."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.clock import IST, ist
from sensequant.lib.errors import BadInput, NotFound
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.client import BreezeData
from trading.adapters.breeze.errors import SessionLost
from trading.core.bars import Bars
from trading.services import bars as files
from trading.services import instruments, sessions
from trading.services.market_clock import Clock
from trading.services.ticks import CloseOf

PAISE = Decimal("0.0001")
log = get_logger("closes")


def closer(clock: Clock) -> CloseOf:
    """Return what looks closes up: first on disk, then at the broker while there is a session; one question a share."""
    line: list[BreezeData | None] = []

    def close_of(symbol: str, day: dt.date) -> Decimal | None:
        found = on_disk(symbol, day, at=clock())
        if found is not None:
            return found
        if not line:
            line.append(_line(clock))
        if line[0] is None:
            return None
        return _asked(line[0], instruments.resolve(symbol, on=ist(clock()).date()).isec_code, day)

    return close_of


def on_disk(symbol: str, day: dt.date, *, at: dt.datetime) -> Decimal | None:
    """Return the close of the daily bar in the desk's folders, None without one.

    Bars made from finer ones are passed over: their last trade is not the exchange's close.
    """
    for folder in (settings.DESK.data_feed_csv_directory, settings.DESK.minute_data_cache_dir):
        where = paths.resolve(folder)
        if not where.is_dir():
            continue
        source = files.feed(where, at=at, naive_timezone=settings.DESK.data_feed_naive_timezone)
        try:
            loaded = files.load_from(source, symbol, "1day", day, day)
        except (NotFound, BadInput):
            continue
        if not loaded.report.derived:
            return _close(loaded.bars)
    return None


def _line(clock: Clock) -> BreezeData | None:
    """Return the broker's market data while somebody is logged in; looking for closes raises no alarm."""
    row = sessions.current(at=clock())
    if row is None or row.state != "active":
        return None
    try:
        return sessions.data(clock=clock)
    except (SessionLost, BadInput) as error:
        log.warning("closes are not asked of the broker", error=str(error))
        return None


def _asked(line: BreezeData, code: str, day: dt.date) -> Decimal | None:
    start = dt.datetime.combine(day, dt.time(), IST)
    return _close(line.history(code, "1day", start, start + dt.timedelta(hours=23, minutes=59)))


def _close(bars: Bars) -> Decimal | None:
    return Decimal(float(bars.close[-1])).quantize(PAISE) if len(bars) else None
