"""What a reading of the security master changes: dated names, closed and opened, and the shares that bear them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from trading.core import demo
from trading.core.master import FUND_UNIT, MasterRow
from trading.core.ticksize import FUND_TICK
from trading.models.instruments import Instrument, Listing

BATCH = 500
NAMES = ("isec_code", "token", "isin", "series")  # a change of one of them is a new row
TOLD = ("company", "face_value")  # a change of one of them is only written down
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Changes:
    """How many shares came, how many changed a name, and how many went."""

    added: int = 0
    changed: int = 0
    closed: int = 0


def current() -> list[Listing]:
    """Return the rows that hold now, by symbol."""
    return list(Listing.objects.filter(until=None).order_by("symbol", "id"))


def date(found: Iterable[MasterRow], *, day: dt.date) -> Changes:
    """Close what no longer holds on ``day`` with the day before, and open what holds from it on.

    A row first seen on ``day`` itself is put right in place: two readings of one day leave what the later one says.
    """
    known: dict[str, list[Listing]] = defaultdict(list)
    for held in current():
        known[held.symbol].append(held)
    ledger = _Ledger(day)
    for row in found:
        ledger.take(_listing(row, day), known.pop(row.symbol, []))
    for rows in known.values():
        ledger.gone(rows)
    ledger.write()
    return Changes(ledger.added, ledger.changed, len(known))


class _Ledger:
    """What is to be written, collected so that thousands of rows take a few statements."""

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self.open: list[Listing] = []
        self.close: list[Listing] = []
        self.amend: list[Listing] = []
        self.drop: list[int] = []
        self.added = self.changed = 0

    def take(self, new: Listing, known: list[Listing]) -> None:
        """Decide what becomes of the rows of one symbol that still has one."""
        same = next((row for row in known if all(getattr(row, name) == getattr(new, name) for name in NAMES)), None)
        today = next((row for row in known if row.since == self.day), None)
        kept = same or today
        self.gone([row for row in known if row is not kept])
        if kept is None:
            self.open.append(new)
        elif any(getattr(kept, name) != getattr(new, name) for name in (*NAMES, *TOLD)):
            for name in (*NAMES, *TOLD):
                setattr(kept, name, getattr(new, name))
            self.amend.append(kept)
        self.added += not known
        self.changed += bool(known) and same is None

    def gone(self, rows: list[Listing]) -> None:
        """Close rows with the day before; one that is as young as the day never held."""
        for row in rows:
            if row.since >= self.day:
                self.drop.append(row.pk)
            else:
                row.until = self.day - dt.timedelta(days=1)
                self.close.append(row)

    def write(self) -> None:
        """Write it all, what ends before what begins."""
        Listing.objects.filter(pk__in=self.drop).delete()
        Listing.objects.bulk_update(self.close, ["until"], batch_size=BATCH)
        Listing.objects.bulk_update(self.amend, [*NAMES, *TOLD], batch_size=BATCH)
        Listing.objects.bulk_create(self.open, batch_size=BATCH)


def _listing(row: MasterRow, day: dt.date) -> Listing:
    return Listing(
        symbol=row.symbol, isec_code=row.isec_code, token=row.token, isin=row.isin, series=row.series,
        company=row.company[:LONGEST_NAME], face_value=row.face, since=day,
    )  # fmt: skip


SHARE = ["name", "series", "isin", "isec_code", "token", "segment"]


def bring_up(found: Sequence[MasterRow], *, day: dt.date, futures: Collection[str] | None) -> None:
    """Make and mend the shares the desk can trade, so that each bears today's names; none is ever deleted.

    Call it before ``date``, while the rows still say what was last told. ``futures`` are the broker's codes of the
    shares with F&O, None when that was not told: the segments stay then. A share that comes under another share's ISIN
    was renamed and takes over its segment, lot and tick. A company's name that somebody wrote by hand is left.
    """
    shares = {share.symbol: share for share in Instrument.objects.all()}
    former = {share.isin: share for share in shares.values() if share.isin}
    told = dict(Listing.objects.filter(until=None).values_list("symbol", "company"))
    new, changed = [], []
    for row in found:
        share = shares.get(row.symbol)
        if share is None:
            share = _born(row, former.get(row.isin), day)
            new.append(share)
        names = _names(share, row, futures, told.get(row.symbol, ""))
        if any(getattr(share, name) != value for name, value in names.items()):
            for name, value in names.items():
                setattr(share, name, value)
            changed.append(share)
    Instrument.objects.bulk_update([share for share in changed if share.pk], SHARE, batch_size=BATCH)
    Instrument.objects.bulk_create(new, batch_size=BATCH)


def _born(row: MasterRow, former: Instrument | None, day: dt.date) -> Instrument:
    """Return a new share; a renamed one inherits, a fund's tick is known at once, so is all of an invented share."""
    if invented := demo.INSTRUMENTS.get(row.symbol):
        tick = f"{invented.tick:.2f}"
        return Instrument(
            symbol=row.symbol, name=invented.company, segment=invented.segment, tick=tick, is_demo=True
        )  # fmt: skip
    if former is not None:
        return Instrument(
            symbol=row.symbol, segment=former.segment, lot=former.lot, tick=former.tick,
            tick_close=former.tick_close, tick_since=former.tick_since,
        )  # fmt: skip
    if row.isin.startswith(FUND_UNIT):
        return Instrument(symbol=row.symbol, tick=FUND_TICK, tick_since=day)
    return Instrument(symbol=row.symbol)


def _names(share: Instrument, row: MasterRow, futures: Collection[str] | None, told: str) -> dict[str, str]:
    """Return what the share's columns must say after this reading."""
    company = row.company[:LONGEST_NAME]
    keeps = futures is None or share.is_demo
    return {
        "name": company if share.name in ("", told) else share.name,
        "series": row.series,
        "isin": row.isin,
        "isec_code": row.isec_code,
        "token": row.token,
        "segment": share.segment if keeps else ("equity_fno" if row.isec_code in (futures or ()) else "equity"),
    }
