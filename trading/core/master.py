"""The broker's security master: NSE's shares under the broker's own codes, read line by line and judged by name."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Final, NamedTuple

from trading.core.errors import Invalid

MEMBER: Final = "NSEScripMaster.txt"
DERIVATIVES: Final = "FONSEScripMaster.txt"
STOCK_FUTURE: Final = "FUTSTK"
COLUMNS: Final = (
    "Token", "ShortName", "Series", "CompanyName", "DateOfListing", "FaceValue", "ISINCode", "ExchangeCode",
)  # fmt: skip
SERIES: Final = ("EQ", "BE", "BZ", "SM", "ST")
"""Shares the desk may hold, in the order in which one row is preferred to another of the same symbol."""
TRADE_TO_TRADE: Final = frozenset({"BE", "BZ", "ST"})
"""Bought shares must be taken into the account: nothing can be squared on the day it was bought."""
INDEX: Final = "0"  # the series of an index; its token is text such as "NIFTY 50"
FUND_UNIT: Final = "INF"  # how the ISIN of an exchange-traded fund begins
SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9&_-]{0,31}")
LONGEST_CODE, LONGEST_TOKEN, LONGEST_ISIN = 16, 16, 12


class MasterRow(NamedTuple):
    """One line: ``symbol`` is NSE's (ExchangeCode), ``isec_code`` the broker's (ShortName); all as written."""

    token: str
    isec_code: str
    series: str
    company: str
    listed: str
    face_value: str
    isin: str
    symbol: str

    @property
    def face(self) -> Decimal | None:
        """Return the face value in rupees, None when it is not a positive number."""
        try:
            value = Decimal(self.face_value)
        except InvalidOperation:
            return None
        return value if value.is_finite() and 0 < value < 10**9 else None

    @property
    def trades(self) -> bool:
        """Say whether the token is one the exchange gives to what trades: whole, and not nought."""
        return self.token.isascii() and self.token.isdecimal() and self.token.strip("0") != ""

    @property
    def named(self) -> str:
        """Return series, token and code, as messages tell rows of one symbol apart."""
        return f"{self.series} {self.token} ({self.isec_code})"


def rows(lines: Iterable[str]) -> Iterator[MasterRow]:
    """Yield the rows of NSEScripMaster.txt as its lines come; ``Invalid`` names the line that is not as it should be.

    Columns are found by their names, so a new one does no harm. Memory does not grow with the file.
    """
    for record in _picked(lines, COLUMNS, MEMBER):
        yield MasterRow._make(map(str.strip, record))


def with_futures(lines: Iterable[str]) -> frozenset[str]:
    """Return the broker's codes of the shares with futures, out of FONSEScripMaster.txt; ``Invalid`` as for ``rows``.

    Their continuous session ends earlier than that of the others while the closing auction is on its way in.
    """
    every = iter(lines)
    futures = (line for number, line in enumerate(every) if number == 0 or STOCK_FUTURE in line)
    found = _picked(futures, ("InstrumentName", "ShortName"), DERIVATIVES)
    return frozenset(code.strip() for name, code in found if name.strip() == STOCK_FUTURE)


def _picked(lines: Iterable[str], columns: tuple[str, ...], member: str) -> Iterator[tuple[str, ...]]:
    """Yield the named columns of each record under a header."""
    reader = csv.reader(_whole(lines, member), skipinitialspace=True)
    records = _records(reader, member)
    header = [name.strip().lstrip("\ufeff").strip('"') for name in next(records, [])]
    if missing := [name for name in columns if name not in header]:
        start = ",".join(header)[:40]
        raise Invalid(f"line 1 of {member} is not its header but {start!r}: it has no column {', '.join(missing)}")
    pick, width = itemgetter(*map(header.index, columns)), len(header)
    for record in records:
        if len(record) != width:
            raise Invalid(f"line {reader.line_num} of {member} has {len(record)} of {width} columns: it is cut off")
        yield pick(record)


def _whole(lines: Iterable[str], member: str) -> Iterator[str]:
    """Yield the lines; ``Invalid`` after the last when it breaks off in a word, for half a symbol is another symbol."""
    number, line = 0, "\n"
    for number, line in enumerate(lines, 1):  # noqa: B007 - the last one is looked at afterwards
        yield line
    if not line.endswith(("\n", "\r", '"')):
        raise Invalid(f"line {number} of {member} is cut off: it ends in {line[-20:]!r}")


def _records(reader: Iterator[list[str]], member: str) -> Iterator[list[str]]:
    """Yield what the reader finds but for blank lines; a quote left open would swallow the lines after it."""
    line = 0
    try:
        for record in reader:
            now: int = reader.line_num  # type: ignore[attr-defined]  # what csv.reader returns has no public type
            if now != line + 1:
                raise Invalid(f"line {line + 1} of {member} has a quote that is not closed")
            line = now
            if record:
                yield record
    except csv.Error as error:
        raise Invalid(f"line {line + 1} of {member} cannot be read: {error}") from None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a master holds: one row per usable share, by symbol, and what was refused by name, with why.

    ``collisions`` are words that are one share's NSE symbol and another's broker code, with that other's symbol.
    """

    listings: tuple[MasterRow, ...]
    refused: tuple[tuple[str, str], ...]
    collisions: tuple[tuple[str, str], ...]
    indices: tuple[MasterRow, ...]
    rows: int


def judge(found: Iterable[MasterRow]) -> Judged:
    """Return what can be traded and what was refused, by name.

    Of several rows of a symbol the first series of ``SERIES`` is used and the others are named; two rows of one series,
    a token or a code that two shares claim, and a word that cannot be a name are refused whole: better none than the
    wrong one.
    """
    sorting, count = _Sorting(), 0
    for count, row in enumerate(found, 1):  # noqa: B007 - the last number is the count
        sorting.take(row)
    chosen = sorting.unshared(sorting.chosen())
    symbols = {row.symbol for row in chosen}
    codes = ((row.isec_code, row.symbol) for row in chosen)
    collisions = [(code, symbol) for code, symbol in codes if code in symbols and code != symbol]
    return Judged(
        tuple(sorted(chosen, key=lambda row: row.symbol)), tuple(sorted(set(sorting.refused))),
        tuple(sorted(collisions)), tuple(sorting.indices), count,
    )  # fmt: skip


class _Sorting:
    """Rows by what they are, as they come."""

    def __init__(self) -> None:
        self.usable: dict[str, list[MasterRow]] = defaultdict(list)
        self.other: dict[str, list[MasterRow]] = defaultdict(list)
        self.indices: list[MasterRow] = []
        self.refused: list[tuple[str, str]] = []

    def take(self, row: MasterRow) -> None:
        """Put the row where it belongs."""
        if row.series == INDEX:
            self.indices.append(row)
        elif row.series not in SERIES:
            self.other[row.symbol].append(row)
        elif flaw := _flaw(row):
            self.refused.append((row.symbol or row.isec_code, flaw))
        elif row not in self.usable[row.symbol]:
            self.usable[row.symbol].append(row)

    def chosen(self) -> list[MasterRow]:
        """Return one row per symbol; the rows set aside for it go among the refused."""
        chosen = []
        for symbol, candidates in self.usable.items():
            best, *rest = sorted(candidates, key=lambda row: SERIES.index(row.series))
            same = [row for row in rest if row.series == best.series]
            if same:
                told = " and ".join(row.named for row in (best, *same))
                self.refused.append((symbol, f"several rows of one series: {told}"))
                continue
            aside = [*rest, *self.other.get(symbol, ())]
            self.refused += [(symbol, f"{row.named} set aside: {best.named} is used") for row in aside]
            chosen.append(best)
        return chosen

    def unshared(self, chosen: list[MasterRow]) -> list[MasterRow]:
        """Return the rows whose token and code no other share's row claims; the others go among the refused."""
        claims: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in (row for group in (*self.usable.values(), *self.other.values()) for row in group if row.trades):
            claims["token", row.token].add(row.symbol)
            claims["code", row.isec_code].add(row.symbol)
        clear = []
        for row in chosen:
            rivals = {
                f"{what} {word} is also that of {', '.join(sorted(others))}"
                for what, word in (("token", row.token), ("code", row.isec_code))
                if (others := claims[what, word] - {row.symbol})
            }
            self.refused += [(row.symbol, told) for told in rivals]
            if not rivals:
                clear.append(row)
        return clear


def _flaw(row: MasterRow) -> str:
    """Return what makes a share's row unusable, empty when nothing does."""
    if not row.trades:
        return f"token {row.token!r}: {row.named} is not traded"
    if not SYMBOL.fullmatch(row.symbol):
        return f"{row.named} has no usable NSE symbol: {row.symbol!r}"
    if not row.isec_code or len(row.isec_code) > LONGEST_CODE:
        return f"token {row.token} has no usable code: {row.isec_code!r}"
    if len(row.token) > LONGEST_TOKEN or len(row.isin) > LONGEST_ISIN:
        return f"{row.named} has a token or an ISIN too long to be one: {row.isin!r}"
    return ""
