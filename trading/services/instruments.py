"""Which share is meant: the security master read into dated names, and a name turned into the one share that bears it.

NSE's symbol is the only name that counts. The broker's codes look like symbols and some are those of other companies
(360ONE is a share's symbol and a fund's code), so a code is never taken for a symbol.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError, Unavailable
from sensequant.lib.logs import get_logger
from trading.adapters.breeze import master as archive
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.errors import Transient
from trading.core.errors import Invalid
from trading.core.master import DERIVATIVES, TRADE_TO_TRADE, Judged, judge, rows, with_futures
from trading.models.instruments import Listing, MasterFile
from trading.services import calendar as calendars
from trading.services import listings
from trading.services.listings import Changes

LEAST_KEPT = 0.8  # share of the known universe a reading must hold, unless it is forced
READ_FIX = "read the security master: manage.py load_instruments --fetch"

log = get_logger("instruments")


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a master: its row, what it changed, and the words that are one share's symbol, another's code.

    ``fresh`` is False when the very same file had been read for the day before; nothing was changed then.
    """

    file: MasterFile
    changes: Changes
    collisions: tuple[tuple[str, str], ...] = ()
    fresh: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "day": self.file.day, "source": self.file.source, "digest": self.file.digest, "rows": self.file.rows,
            "usable": self.file.usable, "added": self.changes.added, "changed": self.changes.changed,
            "closed": self.changes.closed, "fresh": self.fresh, "collisions": [list(each) for each in self.collisions],
            "refused": self.file.refused,
        }  # fmt: skip


def ensure(*, at: dt.datetime, addresses: Addresses) -> str:
    """See to it that today's master was read; return a note for the operator, empty when all is well.

    When it cannot be had but an earlier one was read, the desk goes on with that and the note says so; Unavailable
    when there is nothing at all to go on with.
    """
    last = MasterFile.objects.first()
    if last is not None and last.day >= ist(at).date() and _same_venue(last, addresses):
        return ""
    try:
        fetch(at=at, addresses=addresses)
    except SenseQuantError as error:
        if last is None:
            raise Unavailable(f"no security master was ever read, and none can be now: {error}", fix=READ_FIX) from None
        log.warning("the security master is an old one", read_for=last.day, error=str(error))
        return f"the security master of {last.day} is still in use: {error}"
    return ""


def _closed(day: dt.date) -> bool:
    """Say whether the exchange is known to be closed; a day beyond the calendar may well be a session."""
    calendar = calendars.current()
    return calendar.known_from <= day <= calendar.known_until and not calendar.is_session(day)


def _same_venue(last: MasterFile, addresses: Addresses) -> bool:
    """Say whether a reading will do for this venue: it is the venue's own, or somebody loaded it from disk."""
    return last.source == addresses.master or "://" not in last.source


def morning(*, at: dt.datetime, addresses: Addresses) -> str:
    """Read the day's master before the market opens and return what came of it.

    Nothing is fetched on a day without a session, nor by a desk that was told of no broker.
    """
    if not (settings.DESK.breeze_api_key or settings.DESK.breeze_base_url):
        return "no broker is set up"
    if _closed(ist(at).date()):
        return f"{ist(at):%Y-%m-%d} is no trading day"
    reading = fetch(at=at, addresses=addresses)
    return f"{reading.file.usable} shares"


def fetch(*, at: dt.datetime, addresses: Addresses, force: bool = False) -> Reading:
    """Download the master and read it; Unavailable when it cannot be had or is no master, NotAllowed as ``load``."""
    content = archive.download(addresses.master)
    try:
        return load(content, at=at, source=addresses.master, force=force)
    except (BadInput, Invalid) as error:
        raise Transient(f"{addresses.master}: {error}", fix=READ_FIX) from None


def load(given: Path | str | bytes, *, at: dt.datetime, source: str = "", force: bool = False) -> Reading:
    """Read a master (archive or text, a path or its bytes) into dated rows; all of it, or nothing when it fails.

    BadInput or Invalid for what is no master, naming the line; NotAllowed when it holds a fifth fewer shares than are
    known, unless it is forced. A reading for a day before the last one's counts for the last one's day: what was known
    since is not rewritten.
    """
    content = given if isinstance(given, bytes) else archive.read(Path(given))
    told = source or ("" if isinstance(given, bytes) else str(given))
    found = judge(rows(archive.lines(content)))
    futures, remark = _futures(content)
    for last_try in (False, True):
        try:
            return _record(found, _Source(told, content, futures, remark), at=at, force=force)
        except IntegrityError as error:  # another process has just read it: its rows are there at the second look
            if last_try:
                raise Unavailable(f"the security master is being read elsewhere: {error}", fix="ask again") from None
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a master came from, what it is, and what its other member says."""

    name: str
    content: bytes
    futures: frozenset[str] | None
    remark: tuple[tuple[str, str], ...]


def _futures(content: bytes) -> tuple[frozenset[str] | None, tuple[tuple[str, str], ...]]:
    """Return the codes of the shares with F&O, None when the archive does not tell; what is wrong with its list."""
    if not archive.holds(content, DERIVATIVES):
        return None, ()
    try:
        return with_futures(archive.lines(content, DERIVATIVES)) or None, ()
    except (BadInput, Invalid) as error:
        return None, ((DERIVATIVES, str(error)),)


@transaction.atomic
def _record(found: Judged, source: _Source, *, at: dt.datetime, force: bool) -> Reading:
    last = MasterFile.objects.first()
    day = max(ist(at).date(), last.day) if last else ist(at).date()
    digest = hashlib.sha256(source.content).hexdigest()
    if last is not None and (last.day, last.digest) == (day, digest):
        return Reading(last, Changes(), found.collisions, fresh=False)
    _same_universe(found, force=force)
    listings.bring_up(found.listings, day=day, futures=source.futures)
    changes = listings.date(found.listings, day=day)
    collisions = [(word, f"also the code of {symbol}; it means the NSE symbol") for word, symbol in found.collisions]
    file = MasterFile.objects.create(
        read_at=at, day=day, source=source.name[:300], digest=digest, rows=found.rows, usable=len(found.listings),
        refused=[list(each) for each in (*source.remark, *collisions, *found.refused)],
    )  # fmt: skip
    log.info("security master read", day=day, rows=found.rows, usable=len(found.listings), refused=len(found.refused))
    return Reading(file, changes, found.collisions)


def _same_universe(found: Judged, *, force: bool) -> None:
    """Raise NotAllowed for a master that looks like a part of one, or like another desk's."""
    if not found.listings:
        raise BadInput(f"none of its {found.rows} rows is a share that can be traded", fix="is it the right file?")
    known = Listing.objects.filter(until=None).count()
    if not force and len(found.listings) < LEAST_KEPT * known:
        raise NotAllowed(
            f"the security master holds {len(found.listings)} shares where {known} are known: it looks cut off, or of "
            "another venue",
            fix="look at it, then load it with --force",
        )


def resolve(symbol: str, *, on: dt.date) -> Listing:
    """Return the names of the share whose NSE symbol is ``symbol`` on a day.

    A day before the first reading gets the first row: nothing older is known. NotFound, with what was probably meant,
    for a symbol that is not listed; BadInput for a broker's code and for a symbol that two rows bear.
    """
    word = symbol.strip().upper()
    if not word:
        raise BadInput("no symbol was named", fix="give an NSE symbol, e.g. RELIANCE")
    known = list(Listing.objects.filter(symbol=word).order_by("since", "id"))
    if not known:
        raise _stranger(word, on)
    held = [row for row in known if row.since <= on and (row.until is None or row.until >= on)]
    if not held and on < known[0].since:
        held = [row for row in known if row.since == known[0].since]
    if len(held) > 1:
        told = " and ".join(f"{row.series} {row.token} ({row.isec_code})" for row in held)
        raise BadInput(f"{word} is ambiguous on {on}: {told}", fix=READ_FIX)
    if not held:
        raise _gone(known, on)
    return held[0]


def by_token(token: str) -> Listing:
    """Return the names of the share that bears an exchange token now; NotFound when none does."""
    found = Listing.objects.filter(token=token, until=None).first()
    if found is None:
        raise NotFound(f"no share bears the exchange token {token!r}", fix=READ_FIX)
    return found


def trade_to_trade(listing: Listing) -> bool:
    """Say whether what is bought must be taken into the account, so that nothing can be squared the same day."""
    return listing.series in TRADE_TO_TRADE


def _stranger(word: str, on: dt.date) -> SenseQuantError:
    """Return what to say of a word that is nobody's symbol."""
    if refusal := _refusal(word):
        return refusal
    coded = Listing.objects.filter(isec_code=word, until=None).first()
    if coded is not None:
        return BadInput(f"{word} is the broker's code of {coded.symbol}", fix=f"did you mean {coded.symbol}?")
    symbols = list(Listing.objects.filter(until=None).values_list("symbol", flat=True))
    if not symbols:
        return NotFound(f"{word} is not known: no security master was read", fix=READ_FIX)
    near = difflib.get_close_matches(word, symbols, n=3, cutoff=0.6)
    named = Listing.objects.filter(until=None, company__icontains=word).values_list("symbol", flat=True)[:3]
    meant = ", ".join(dict.fromkeys((*near, *named)))
    return NotFound(f"{word} is not a symbol NSE lists on {on}", fix=f"did you mean {meant}?" if meant else READ_FIX)


def _refusal(word: str) -> NotFound | None:
    """Return why the newest master's row of this name was not taken, None when it has none."""
    last = MasterFile.objects.first()
    reasons = [why for name, why in last.refused if name == word] if last else []
    if last is None or not reasons:
        return None
    return NotFound(f"{word} was refused in the master of {last.day}: {'; '.join(reasons)}", fix="see its rows there")


def _gone(known: list[Listing], on: dt.date) -> NotFound:
    """Return what to say of a symbol that was listed once: what it is called now, when its ISIN tells."""
    last = max((row for row in known if row.since <= on), key=lambda row: row.since)
    heir = Listing.objects.filter(isin=last.isin, until=None).exclude(isin="").first()
    if heir is None and (refusal := _refusal(last.symbol)):
        return refusal
    fix = f"it is {heir.symbol} now" if heir else "choose a share that is listed"
    return NotFound(f"{last.symbol} has not been listed since {last.until}", fix=fix)
