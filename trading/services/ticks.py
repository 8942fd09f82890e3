"""The price step of each share, renewed once a month from the close the exchange goes by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from sensequant.lib.clock import ist
from sensequant.lib.errors import NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core import ticksize
from trading.core.errors import Invalid
from trading.core.master import FUND_UNIT
from trading.models.bars import BarSeries
from trading.models.fetching import FetchState
from trading.models.instruments import Instrument
from trading.services import calendar as calendars

CloseOf = Callable[[str, dt.date], Decimal | None]
"""Return a share's raw close of a day in rupees, None when it is not known."""

log = get_logger("ticks")


@dataclass(frozen=True, slots=True)
class Renewed:
    """The steps that were set, and the shares whose close of the review day could not be had."""

    review: dt.date
    ticks: Mapping[str, Decimal]
    missing: tuple[str, ...]


def known(share: Instrument | None) -> Decimal | None:
    """Return the step of a share, None when it is only the default of a share the master brought."""
    if share is None or (share.token and share.tick_since is None and not share.is_demo):
        return None
    return share.tick


def set_ticks(*, at: dt.datetime, closes: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Set the steps that follow from each share's close on the last trading day of the month before.

    NotFound for a symbol that is no share of ours, Invalid for a close that can be none; nothing is set then.
    """
    day, since = ist(at).date(), _since(at)
    shares = {share.symbol: share for share in Instrument.objects.filter(symbol__in=closes)}
    if strangers := sorted(set(closes) - set(shares)):
        raise NotFound(f"{', '.join(strangers[:5])} is no share of the desk", fix="see /api/v1/symbols")
    for symbol, share in shares.items():
        share.tick = ticksize.tick_for(closes[symbol], day, fund=share.isin.startswith(FUND_UNIT))
        share.tick_close, share.tick_since = closes[symbol], since
    with transaction.atomic():
        Instrument.objects.bulk_update(shares.values(), ["tick", "tick_close", "tick_since"], batch_size=500)
    return {symbol: share.tick for symbol, share in sorted(shares.items())}


def refresh_ticks(*, at: dt.datetime, close_of: CloseOf, symbols: Iterable[str] | None = None) -> Renewed:
    """Renew what was not yet renewed this month: of ``symbols``, else of every share the desk follows.

    A share whose close cannot be had keeps its step, and is asked for again next time.
    """
    review = ticksize.review_day(ist(at).date(), calendars.current())
    closes, missing = {}, []
    for symbol in _due(at, symbols).values_list("symbol", flat=True):
        try:
            close = close_of(symbol, review)
        except (SenseQuantError, Invalid) as error:
            log.warning("no close to set the tick by", symbol=symbol, day=review, error=str(error))
            close = None
        if close is None or not close.is_finite() or close <= 0:
            missing.append(symbol)
        else:
            closes[symbol] = close
    return Renewed(review, set_ticks(at=at, closes=closes), tuple(missing))


def _due(at: dt.datetime, symbols: Iterable[str] | None) -> QuerySet[Instrument]:
    """Return the shares whose step is of a month before; the demo market's never change."""
    wanted = followed() if symbols is None else {symbol.strip().upper() for symbol in symbols}
    stale = Q(tick_since=None) | Q(tick_since__lt=_since(at))
    return Instrument.objects.filter(stale, symbol__in=wanted, is_demo=False).order_by("symbol")


def followed() -> set[str]:
    """Return the symbols the desk has bars of, or has had their step set: thousands are listed, a few are traded."""
    symbols = set(Instrument.objects.exclude(tick_close=None).values_list("symbol", flat=True))
    for rows in (BarSeries.objects, FetchState.objects):
        symbols.update(rows.values_list("symbol", flat=True).distinct())
    return symbols


def _since(at: dt.datetime) -> dt.date:
    return ticksize.holds_from(ist(at).date(), calendars.current())
