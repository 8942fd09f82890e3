"""Which shares the simulator lists, under which names: ICICI's code, the exchange's token, an ISIN of sound form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from trading.core.errors import Invalid

LENGTH: Final = 6  # letters of an ISEC code
FIRST_TOKEN, TOKENS = 100_000, 500_000
INDICES: Final[dict[str, tuple[str, str]]] = {
    "NIFTY50": ("NIFTY", "NIFTY 50"),
    "NIFTY": ("NIFTY", "NIFTY 50"),
    "BANKNIFTY": ("CNXBAN", "NIFTY BANK"),
    "NIFTYBANK": ("CNXBAN", "NIFTY BANK"),
}
KNOWN: Final[dict[str, tuple[str, str, str]]] = {
    "RELIANCE": ("RELIND", "2885", "RELIANCE INDUSTRIES"),
    "TCS": ("TCS", "11536", "TATA CONSULTANCY SERVICES LTD"),
    "INFY": ("INFTEC", "1594", "INFOSYS LTD"),
    "HDFCBANK": ("HDFBAN", "1333", "HDFC BANK LTD"),
    "ICICIBANK": ("ICIBAN", "4963", "ICICI BANK LTD"),
    "SBIN": ("STABAN", "3045", "STATE BANK OF INDIA"),
    "M&M": ("MAHMAH", "2031", "MAHINDRA & MAHINDRA LTD"),
    "LT": ("LARTOU", "11483", "LARSEN & TOUBRO LTD"),
    "BAJFINANCE": ("BAJFI", "317", "BAJAJ FINANCE LTD"),
    "BAJAJFINSV": ("BAFINS", "16675", "BAJAJ FINSERV LTD"),
    "TMPV": ("TATMOT", "3456", "TATA MOTORS PASSENGER VEHICLES LTD"),
    "TATAMOTORS": ("TATMOT", "3456", "TATA MOTORS LTD"),
    "ETERNAL": ("ZOMLIM", "5097", "ETERNAL LTD"),
    "TATASTEEL": ("TATSTE", "3499", "TATA STEEL LIMITED"),
    "ITC": ("ITC", "1660", "ITC LTD"),
    "AXISBANK": ("AXIBAN", "5900", "AXIS BANK LTD"),
    "360ONE": ("IIFWEA", "13061", "360 ONE WAM LTD"),
    "MON100": ("MOTNAS", "22739", "MOTILAL OSWAL NASDAQ 100 ETF"),
    "MAHLOG": ("MAHLO", "14732", "MAHINDRA LOGISTICS LTD"),
    "WELENT": ("WELPRO", "11821", "WELSPUN ENTERPRISES LTD"),
}
LATER_NAMES: Final = {"TATAMOTORS": "TMPV"}  # the same code at ICICI: only one of them can be in the file


@dataclass(frozen=True, slots=True)
class Listed:
    """One share as it is listed; an index is quoted, but cannot be traded."""

    symbol: str
    code: str
    token: str
    company: str
    isin: str
    series: str = "EQ"
    tick: float = 0.05
    lot: int = 1
    segment: str = "equity"
    index: bool = False


@dataclass(frozen=True, slots=True)
class Trait:
    """What is known of a symbol before it has a code."""

    symbol: str
    tick: float = 0.05
    lot: int = 1
    segment: str = "equity"
    company: str = ""


# The ISEC code of each of these is another share's NSE symbol.
COLLIDING: Final = (
    Listed("MSCIINDIA", "360ONE", "763602", "MSCI INDIA ETF", "INF789F1AUW0"),
    Listed("MONTHEXP", "MON100", "18391", "MONARCH EXPORTS LTD", "INE118S01011"),
    Listed("MAHALOGI", "MAHLOG", "21094", "MAHALAXMI LOGICIELS LTD", "INE227S01014"),
    Listed("WELLENTR", "WELENT", "19422", "WELLNESS ENTERTAINMENT LTD", "INE336S01017"),
)
MANY_ROWS: Final = (
    Listed("HDFCBANK", "HDFBAN", "1467", "HDFC BANK LTD WARRANT", "INE040A13013", "W1"),
    Listed("HDFCBANK", "HDFBAN", "17320", "HDFC BANK LTD NCD", "INE040A08013", "N1"),
)


def listed(traits: Iterable[Trait]) -> list[Listed]:
    """Return the wanted symbols as they are listed, each with a code and a token of its own; Invalid for none."""
    wanted = list(traits)
    if not wanted:
        raise Invalid("the simulator needs one symbol or more")
    names = {trait.symbol for trait in wanted}
    taken = {code for code, _, _ in KNOWN.values()} | {row.code for row in COLLIDING} | names
    tokens = {token for _, token, _ in KNOWN.values()} | {row.token for row in (*COLLIDING, *MANY_ROWS)}
    found = []
    for trait in wanted:
        code, token, company = _names(trait, taken, tokens)
        taken.add(code)
        tokens.add(token)
        index = trait.symbol in INDICES
        series = "IDX" if index else "EQ"
        found.append(
            Listed(
                trait.symbol, code, token, company, isin(trait.symbol), series, trait.tick, trait.lot, trait.segment,
                index,
            )
        )  # fmt: skip
    return found


def _names(trait: Trait, taken: set[str], tokens: set[str]) -> tuple[str, str, str]:
    if trait.symbol in INDICES:
        code, token = INDICES[trait.symbol]
        return code, token, token
    if trait.symbol in KNOWN:
        return KNOWN[trait.symbol]
    return _code(trait.symbol, taken), _token(trait.symbol, tokens), (trait.company or f"{trait.symbol} LTD").upper()


def known_rows(served: Mapping[str, Listed]) -> list[Listed]:
    """Return the well-known rows that are in the file beside the served symbols, the awkward ones included."""
    rows = [
        Listed(symbol, code, token, company, isin(symbol))
        for symbol, (code, token, company) in KNOWN.items()
        if symbol not in served and not _renamed(symbol, served)
    ]
    return [*rows, *MANY_ROWS, *(row for row in COLLIDING if row.symbol not in served)]


def _renamed(symbol: str, served: Mapping[str, Listed]) -> bool:
    """Say whether another name of the same share keeps this one out of the file."""
    return symbol in LATER_NAMES or any(later == symbol and old in served for old, later in LATER_NAMES.items())


def _code(symbol: str, taken: set[str]) -> str:
    """Return a code in ICICI's manner: the beginning and the end of the name, and no other share's name."""
    letters = "".join(sign for sign in symbol if sign.isalnum()) or "SHARE"
    short = letters if len(letters) < LENGTH else letters[:3] + letters[-3:]
    tries = [short[:5] + "X", *(f"{short[:4]}{number:02d}" for number in range(100))]
    plain = [short] if short != symbol else []
    return next(code for code in (*plain, *tries, f"Z{crc32(symbol.encode()):X}") if code not in taken)


def _token(symbol: str, tokens: set[str]) -> str:
    number = crc32(symbol.encode())
    while str(FIRST_TOKEN + number % TOKENS) in tokens:
        number += 1
    return str(FIRST_TOKEN + number % TOKENS)


def isin(symbol: str) -> str:
    """Return the share's ISIN: the true one of the few that matter, else an invented one with a sound check digit."""
    if symbol == "RELIANCE":
        return "INE002A01018"
    body = f"INE{crc32(symbol.encode()) % 1000:03d}{chr(ord('A') + crc32(symbol[::-1].encode()) % 26)}0101"
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """Return the twelfth sign of an ISIN whose first eleven are ``body``."""
    digits = "".join(str(int(sign, 36)) for sign in body)
    doubled = [int(sign) * (2 - at % 2) for at, sign in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
