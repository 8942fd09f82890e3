"""The security master as ICICI serves it: a zip of text files with spaced, quoted headers."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final

from trading.adapters.simulator.listing import Listed, isin, known_rows

NSE_COLUMNS: Final = (
    "Token", "ShortName", "Series", "CompanyName", "ticksize", "Lotsize", "DateOfListing", "DateOfDeListing",
    "IssuePrice", "FaceValue", "ISINCode", "52WeeksHigh", "52WeeksLow", "LifeTimeHigh", "LifeTimeLow", "HighDate",
    "LowDate", "Symbol", "InstrumentType", "PermittedToTrade", "IssueCapital", "WarningPercent", "FreezePercent",
    "CreditRating", "IssueRate", "IssueStartDate", "InterestPaymentDate", "IssueMaturityDate", "BoardLotQty", "Name",
    "ListingDate", "ExpulsionDate", "ReAdmissionDate", "RecordDate", "ExpiryDate", "NoDeliveryStartDate",
    "NoDeliveryEndDate", "MFill", "AON", "ParticipantInMarketIndex", "BookClsStartDate", "BookClsEndDate", "EGM", "AGM",
    "Interest", "Bonus", "Rights", "Dividends", "LocalUpdateDateTime", "DeleteFlag", "Remarks", "NormalMarketStatus",
    "OddLotMarketStatus", "SpotMarketStatus", "AuctionMarketStatus", "NormalMarketEligibility",
    "OddLotlMarketEligibility", "SpotMarketEligibility", "AuctionlMarketEligibility", "MarginPercentage",
    "ExchangeCode",
)  # fmt: skip
CONTRACT_COLUMNS: Final = (
    "Token", "InstrumentName", "ShortName", "Series", "ExpiryDate", "StrikePrice", "OptionType", "CALevel",
    "PermittedToTrade", "IssueCapital", "WarningQty", "FreezeQty", "CreditRating", "NormalMarketStatus",
    "OddLotMarketStatus", "SpotMarketStatus", "AuctionMarketStatus", "NormalMarketEligibility",
    "OddLotMarketEligibility", "SpotMarketEligibility", "AuctionMarketEligibility", "IssueRate", "IssueStartDate",
    "InterestPaymentDate", "IssueMaturityDate", "MarginPercentage", "MinimumLotQty", "LotSize", "TickSize",
    "CompanyName", "ExchangeCode",
)  # fmt: skip
MEMBERS: Final = ("BSE", "CDNSE", "FOBSE", "FONSE", "MCX", "MF", "NSE")
BARE: Final = frozenset({"ticksize", "Lotsize", "FaceValue", "BoardLotQty", "52WeeksHigh", "52WeeksLow"})
DEAD_SHARE: Final = 87 / 5_687  # of the real file's rows have the token "0"


def archive(served: Sequence[Listed], day: dt.date, *, rows: int = 0, cdnse_last: bool = False) -> bytes:
    """Return the zip of ``day``; the NSE file is filled up to ``rows`` rows with invented shares."""
    texts = {
        "NSE": _nse(served, rows), "BSE": _header(NSE_COLUMNS), "MF": _header(NSE_COLUMNS),
        "CDNSE": _currency(served), **{name: _header(CONTRACT_COLUMNS) for name in ("FOBSE", "FONSE", "MCX")},
    }  # fmt: skip
    order = [name for name in MEMBERS if name != "CDNSE"] + ["CDNSE"] if cdnse_last else list(MEMBERS)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in order:
            member = zipfile.ZipInfo(f"{name}ScripMaster.txt", (day.year, day.month, day.day, 7, 42, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(member, texts[name])
    return file.getvalue()


def _nse(served: Sequence[Listed], count: int) -> str:
    rows = [*served, *known_rows({row.symbol: row for row in served})]
    rows += [_invented(number) for number in range(max(count - len(rows), 0))]
    return _header(NSE_COLUMNS) + "".join(_line(NSE_COLUMNS, _cells(row)) for row in rows)


def _invented(number: int) -> Listed:
    """Return one of the thousands of shares nobody here trades; some of them were delisted and have no token."""
    symbol = f"FILL{number:05d}"
    dead = int((number + 1) * DEAD_SHARE) > int(number * DEAD_SHARE)
    series = ("EQ", "EQ", "BE", "SM", "GS", "N1", "EQ", "BZ")[number % 8]
    token = "0" if dead else str(1_000_000 + number)
    return Listed(symbol, f"F{number:05d}", token, f"FILLER COMPANY {number} LTD", isin(symbol), series)


def _cells(row: Listed) -> dict[str, str]:
    """Return the cells that hold anything; the tick size is 0.01 in every row, as in the real file."""
    return {
        "Token": row.token, "ShortName": row.code, "Series": row.series, "CompanyName": row.company,
        "ticksize": "0.01", "Lotsize": "1", "DateOfListing": "01-Jan-2000", "FaceValue": "10", "ISINCode": row.isin,
        "52WeeksHigh": "0", "52WeeksLow": "0", "Symbol": row.code, "InstrumentType": "0", "PermittedToTrade": "1",
        "BoardLotQty": "1", "Name": row.company, "NormalMarketStatus": "2", "NormalMarketEligibility": "1",
        "ExchangeCode": row.symbol,
    }  # fmt: skip


def _currency(served: Iterable[Listed]) -> str:
    """Return currency futures whose tokens, being another exchange segment's, are also our shares' tokens."""
    lines = (
        _line(
            CONTRACT_COLUMNS, {"Token": row.token, "InstrumentName": "FUTURE", "ShortName": "USDINR", "Series": "FUT"}
        )
        for row in served
        if row.token.isdigit()
    )
    return _header(CONTRACT_COLUMNS) + "".join(lines)


def _header(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns) + "\r\n"


def _line(columns: Sequence[str], cells: dict[str, str]) -> str:
    return ",".join(cells.get(name, "") if name in BARE else f'"{cells.get(name, "")}"' for name in columns) + "\r\n"
