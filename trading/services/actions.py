"""Corporate actions: recorded by a person or from a file, applied to bars whenever they are read.

A file is CSV with a header. Needed: ``symbol`` (NSE), ``kind``, ``ex_date`` (YYYY-MM-DD) and ``terms``; the parts of
the terms may also stand in columns of their own:

    kind       terms                              or in columns
    split      10:2  (old:new face value)         ratio
    bonus      1:2   (new:held)                   ratio
    rights     3:10 at 500 cum 812.35             ratio, price, cum_close
    dividend   25 cum 500  (special ones)         amount, cum_close
    demerger   0.73  (price without : with)       ratio

``known_on`` is the first day anybody could reckon with it (empty: the ex-date, or the day of the import when that lies
before); ``source`` says where it was read. ``cum_close`` is the last close before the ex-date. All lines are recorded,
or none. A line for a symbol, kind and ex-date that is recorded already replaces what was said of it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import transaction

from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core import actions as core
from trading.core.actions import Action, Factors
from trading.core.bar_report import FileReport
from trading.core.bars import Bars
from trading.core.calendar import Calendar
from trading.core.errors import Invalid
from trading.core.master import SYMBOL
from trading.models.instruments import CorporateAction, Listing
from trading.services import calendar as calendars

NEEDED = ("symbol", "kind", "ex_date")
COLUMNS = (*NEEDED, "terms", "ratio", "price", "cum_close", "amount", "known_on", "source")
MOST_BYTES = 5_000_000
SHOWN = 5
SOONEST, LATEST = dt.date(1990, 1, 1), 730  # nothing older is in anybody's bars; days ahead that can be announced

log = get_logger("actions")


@dataclass(frozen=True, slots=True)
class Told:
    """One action as somebody tells it; ``known_on`` None stands for its usual day."""

    symbol: str
    kind: str
    ex_date: dt.date
    terms: str
    known_on: dt.date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: each action in words, and how many of them are new, changed and as they were."""

    actions: tuple[str, ...]
    added: int
    changed: int
    same: int
    dryrun: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        counts = {"added": self.added, "changed": self.changed, "same": self.same, "dryrun": self.dryrun}
        return {**counts, "actions": list(self.actions)}


def of(symbol: str) -> tuple[Action, ...]:
    """Return every action recorded of a share, by ex-date, whenever it counts."""
    found = CorporateAction.objects.filter(symbol=symbol.strip().upper()).order_by("ex_date", "id")
    return tuple(_action(row) for row in found)


def as_of(symbol: str, day: dt.date) -> tuple[Action, ...]:
    """Return the actions of a share that bars read as of ``day`` are adjusted by: known and effective by then."""
    return tuple(action for action in of(symbol) if action.counts(day))


def adjusted(bars: Bars, symbol: str, day: dt.date) -> Bars:
    """Return raw bars as holders of ``day`` see them; the bars themselves when nothing was recorded."""
    return core.adjust(bars, as_of(symbol, day), day)


def as_read(bars: Bars, report: FileReport, symbol: str, day: dt.date) -> tuple[Bars, FileReport]:
    """Return raw bars adjusted as of ``day``, and their report without the breaks that recorded actions account for."""
    return core.as_read(bars, report, of(symbol), day)


def _action(row: CorporateAction) -> Action:
    price, volume = core.exact(row.price_factor), core.exact(row.volume_factor)
    return Action(row.kind, row.ex_date, row.known_on, price, volume, row.terms)


def check(told: Told, *, at: dt.datetime, pk: int | None = None) -> tuple[Told, Factors]:
    """Return the action with every word in its place, and its factors; Invalid or BadInput says what is wrong.

    ``pk`` is the row that is to say it; another one that already does is in its way.
    """
    checked, made = _check(told, ist(at).date(), calendars.current())
    _no_code(checked.symbol)
    others = CorporateAction.objects.filter(symbol=checked.symbol, kind=checked.kind, ex_date=checked.ex_date)
    if others.exclude(pk=pk or 0).exists():
        raise BadInput(
            f"the {checked.kind} of {checked.symbol} on {checked.ex_date} is recorded already", fix="edit it"
        )
    return checked, made


def _check(told: Told, today: dt.date, calendar: Calendar) -> tuple[Told, Factors]:
    symbol = told.symbol.strip().upper()
    if not SYMBOL.fullmatch(symbol):
        raise BadInput(f"{told.symbol!r} is not a symbol", fix="write it as NSE does, e.g. RELIANCE")
    if not SOONEST <= told.ex_date <= today + dt.timedelta(days=LATEST):
        raise BadInput(
            f"the ex-date {told.ex_date} cannot be", fix=f"give one from {SOONEST} on, two years ahead at most"
        )
    within = calendar.known_from <= told.ex_date <= calendar.known_until
    if within and not calendar.is_session(told.ex_date):
        raise BadInput(f"the ex-date {told.ex_date:%Y-%m-%d, a %A,} is no trading day", fix="check the day")
    if told.known_on is not None and told.known_on > today:
        raise BadInput(f"known_on {told.known_on} lies in the future", fix="it is known today; leave it empty")
    kind = told.kind.strip().lower()
    made = core.factors(kind, told.terms)
    return replace(told, symbol=symbol, kind=kind, terms=made.terms), made


def record(told: Told, *, at: dt.datetime, by: str, pk: int | None = None) -> CorporateAction:
    """Record one action, or what row ``pk`` should say instead; Invalid or BadInput when it cannot be."""
    checked, made = check(told, at=at, pk=pk)
    row = CorporateAction.objects.filter(pk=pk).first() if pk else CorporateAction()
    if row is None:
        raise NotFound(f"there is no action {pk}")
    _write(row, checked, made, at=at, by=by)
    return row


def _write(row: CorporateAction, told: Told, made: Factors, *, at: dt.datetime, by: str) -> bool:
    """Let the row say what was told; return whether it said something else before."""
    usual = row.known_on if row.pk else min(told.ex_date, ist(at).date())
    said = {
        "symbol": told.symbol, "kind": told.kind, "ex_date": told.ex_date, "known_on": told.known_on or usual,
        "terms": told.terms, "price_factor": core.stored(made.price), "volume_factor": core.stored(made.volume),
        "source": told.source[:200],
    }  # fmt: skip
    if row.pk and all(getattr(row, name) == value for name, value in said.items()):
        return False
    log.info("corporate action", symbol=told.symbol, ex_date=told.ex_date, was=row.terms, now=told.terms, by=by)
    for name, value in {**said, "created_by": by}.items():
        setattr(row, name, value)
    row.save()
    return True


def _no_code(symbol: str) -> None:
    """Raise BadInput for a broker's code that is no NSE symbol: its action would never be found."""
    if Listing.objects.filter(symbol=symbol).exists():
        return
    coded = Listing.objects.filter(isec_code=symbol, until=None).first()
    if coded is not None:
        raise BadInput(f"{symbol} is the broker's code of {coded.symbol}", fix=f"did you mean {coded.symbol}?")


def import_csv(path: Path | str, *, at: dt.datetime, by: str, dryrun: bool = False) -> Imported:
    """Record every action of a file (see the head of this module), or with ``dryrun`` only say what that would do.

    BadInput names the lines that cannot be; then nothing is recorded.
    """
    lines = _checked(Path(path), at)
    counts = {"added": 0, "changed": 0, "same": 0}
    with transaction.atomic():
        for told, made in lines:
            key = {"symbol": told.symbol, "kind": told.kind, "ex_date": told.ex_date}
            row = CorporateAction.objects.filter(**key).first()
            changed = _write(row or CorporateAction(), told, made, at=at, by=by)
            counts["added" if row is None else "changed" if changed else "same"] += 1
        if dryrun:
            transaction.set_rollback(True)
    words = (f"{told.symbol} {told.ex_date} {told.terms}: prices × {core.stored(made.price)}" for told, made in lines)
    return Imported(tuple(words), **counts, dryrun=dryrun)


def _checked(path: Path, at: dt.datetime) -> list[tuple[Told, Factors]]:
    today, calendar = ist(at).date(), calendars.current()
    good: dict[tuple[str, str, dt.date], tuple[Told, Factors]] = {}
    wrong = []
    for number, row in _rows(path):
        try:
            told, made = _check(_told(row, path.name), today, calendar)
            _no_code(told.symbol)
            key = (told.symbol, told.kind, told.ex_date)
            if key in good:
                raise BadInput(f"a second {told.kind} of {told.symbol} on {told.ex_date}")
            good[key] = told, made
        except (SenseQuantError, Invalid) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise BadInput(f"{path}: {'; '.join(wrong[:SHOWN])}{more}", fix="nothing was recorded")
    if not good:
        raise BadInput(f"{path} holds no action, only its header", fix="see manage.py import_actions --help")
    return list(good.values())


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each line's number and its columns by name."""
    records = _records(path)
    header = [name.strip().lower() for name in next(records, (1, []))[1]]
    strange = [name for name in header if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in header]
    if strange or missing or len(set(header)) < len(header):
        told = f"no column {', '.join(missing)}" if missing else f"unknown or repeated columns {', '.join(strange)}"
        raise BadInput(f"{path}: line 1 is not the header: {told}", fix=f"use {', '.join(COLUMNS)}")
    for number, row in records:
        if any(field.strip() for field in row):
            if len(row) != len(header):
                raise BadInput(f"{path}: line {number} has {len(row)} columns, the header {len(header)}")
            yield number, dict(zip(header, map(str.strip, row), strict=True))


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BadInput(f"{path}: line {reader.line_num} cannot be read: {error}") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes: it is no list of actions")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", fix="name a CSV file") from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}", fix="save it as CSV"
        ) from None
    if "\0" in text:
        raise BadInput(f"{path} is no text: it holds a nought byte", fix="save it as CSV")
    return text


def _told(row: Mapping[str, str], file: str) -> Told:
    """Return what a line says, its terms put together from their columns."""
    terms = row.get("terms") or row.get("ratio") or row.get("amount") or ""
    terms += f" at {row['price']}" if row.get("price") else ""
    terms += f" cum {row['cum_close']}" if row.get("cum_close") else ""
    known = row.get("known_on", "")
    return Told(
        row["symbol"], row["kind"], _date(row["ex_date"], "ex_date"), terms,
        _date(known, "known_on") if known else None, row.get("source") or file,
    )  # fmt: skip


def _date(text: str, what: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{what} {text!r} is not a date", fix="write YYYY-MM-DD") from None
