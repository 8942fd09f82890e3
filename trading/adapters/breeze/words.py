"""Breeze's words in ours: envelopes, ways of saying no, statuses, moments and numbers. Pure."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final

from sensequant.lib import redact
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, SenseQuantError
from trading.adapters.breeze.errors import Busy, OutcomeUnknown, Refused, SessionLost, Transient
from trading.core.orders import Status

DIGITS: Final = 15  # no price, count or balance has as many before or after the point
LONGEST: Final = 200  # signs of the broker's own words that an error repeats
LOGIN: Final = "log in to Breeze again for today"
RECONCILE: Final = "read the order book before anything else is done with this order"
LATER: Final = "wait; the broker counts our calls"
PROOF: Final = "check BREEZE_API_SECRET and this machine's clock, then log in to Breeze again"


class Unreadable(Transient):
    """An answer came whole, but it cannot be what was asked for."""

    code = "broker_unreadable"


# How Breeze words its refusals, first match counts. What nobody has seen yet is a plain refusal.
BUSY, LOST, PROOFLESS, KEYLESS, NOTHING, VAGUE = range(6)
SAYINGS: Final[tuple[tuple[re.Pattern[str], int], ...]] = tuple(
    (re.compile(words, re.IGNORECASE), meaning)
    for words, meaning in (
        (r"limit exceed\w*\s*:?\s*(api call|order request)|too many requests|rate limit", BUSY),
        (r"checksum", PROOFLESS),
        (r"public key does not exist|invalid (app|api) ?key", KEYLESS),
        (r"invalid session|session (key )?(is |has )?(invalid|expired)|resource not available|authentication fail|"
         r"could not authenticate|unauthori[sz]ed", LOST),
        (r"no (data|record)s? (found|available)|order not found", NOTHING),
        (r"internal server error|object reference|time[d ]*out|unable to (process|connect|retrieve)|"
         r"service unavailable|exception", VAGUE),
    )
)  # fmt: skip

STATUSES: Final[dict[str, Status]] = {
    "R": Status.WORKING, "REQUESTED": Status.WORKING,
    "Q": Status.WORKING, "QUEUED": Status.WORKING,
    "O": Status.WORKING, "ORDERED": Status.WORKING,
    "F": Status.WORKING, "FREEZED": Status.WORKING, "FROZEN": Status.WORKING,  # held by the exchange, not yet decided
    "P": Status.PARTIAL, "PARTIALLY EXECUTED": Status.PARTIAL,
    "E": Status.FILLED, "EXECUTED": Status.FILLED,
    "J": Status.REJECTED, "REJECTED": Status.REJECTED,
    "X": Status.EXPIRED, "EXPIRED": Status.EXPIRED,
    "B": Status.EXPIRED, "PARTIALLY EXECUTED AND EXPIRED": Status.EXPIRED,
    "D": Status.CANCELLED, "PARTIALLY EXECUTED AND CANCELLED": Status.CANCELLED,
    "C": Status.CANCELLED, "CANCELLED": Status.CANCELLED, "CANCELED": Status.CANCELLED,
}  # fmt: skip
SIDES: Final = {"B": "BUY", "BUY": "BUY", "S": "SELL", "SELL": "SELL"}
MONTHS: Final = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)  # noqa: SIM905
}
MOMENT: Final = re.compile(
    r"(?:(?P<d>\d{1,2})-(?P<mon>[A-Za-z]{3})-(?P<y>\d{4})|(?P<iso>\d{4}-\d{2}-\d{2}))"
    r"(?:[T ](?P<h>\d{2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d{1,6})?)?Z?)?"
)


def judge(status: int, body: bytes, *, moves: bool) -> Any:
    """Return what a whole answer holds under ``Success``, or None when Breeze says that there is nothing.

    ``moves`` says that the request was an order verb: then whatever is not a clean yes or no raises OutcomeUnknown,
    and "nothing found" is a no. Otherwise raise Busy, Transient, SessionLost, Refused or BadInput.
    """
    envelope = _envelope(body)
    said = _said(envelope)
    meaning = _meaning(status, said)
    if meaning == BUSY:
        raise Busy(f"Breeze says that we call too often: {said or 'HTTP 429'}", fix=LATER)
    if meaning in (LOST, PROOFLESS, KEYLESS):
        raise _stranger(meaning, said or f"HTTP {status}")
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND) and (envelope or not moves):
        raise BadInput(f"Breeze does not know what it was asked for: {said or f'HTTP {status}'}")
    if envelope is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or meaning == VAGUE:
        raise unclean(f"Breeze answered HTTP {status}: {said or _glimpse(body)}", moves=moves)
    if not said and str(envelope.get("Status")) == "200" and "Success" in envelope:
        return envelope["Success"]
    if meaning == NOTHING and not moves:
        return None
    raise Refused(f"Breeze refused: {said or _glimpse(body)}")


def unclean(why: str, *, moves: bool) -> SenseQuantError:
    """Return the error of an answer that settles nothing."""
    return OutcomeUnknown(why, fix=RECONCILE) if moves else Transient(why, fix="try again later")


def own_refusal(said: Any) -> str:
    """Return the SDK's own objection if ``said`` is one (it marks it with an empty ``Success``), or nothing."""
    mine = isinstance(said, dict) and said.get("Success") == "" and bool(said.get("Error"))
    return _short(str(said["Error"])) if mine else ""


def _envelope(body: bytes) -> dict[str, Any] | None:
    """Return the answer as Breeze wraps it, or None when it is something else: HTML, garbage, an ASP.NET exception."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not ({"Success", "Status", "Error"} & found.keys()):
        return None
    return found


def _said(envelope: dict[str, Any] | None) -> str:
    return _short(str(envelope["Error"])) if envelope and envelope.get("Error") else ""


def _meaning(status: int, said: str) -> int | None:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return BUSY
    for words, meaning in SAYINGS:
        if words.search(said):
            return meaning
    return LOST if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else None


def _stranger(meaning: int, said: str) -> SenseQuantError:
    if meaning == KEYLESS:
        return BadInput(f"Breeze does not know the API key: {said}", fix="check BREEZE_API_KEY")
    fix = PROOF if meaning == PROOFLESS else LOGIN
    return SessionLost(f"Breeze no longer accepts the session: {said}", fix=fix)


def _glimpse(body: bytes) -> str:
    words = re.sub(r"<[^>]*>|\s+", " ", body[:2_000].decode("utf-8", errors="replace"))
    return _short(" ".join(words.split())) or "an empty answer"


def _short(words: str) -> str:
    return redact.text(words.strip())[:LONGEST]


def status(word: Any) -> Status:
    """Return the status a word or letter of Breeze means; Unreadable for an unknown one."""
    key = " ".join(str(word or "").replace("&", " and ").upper().split())
    key = key.replace("PARTIAL EXECUTED", "PARTIALLY EXECUTED")
    if key not in STATUSES:
        raise Unreadable(f"Breeze's order status {word!r} is not known")
    return STATUSES[key]


def side(word: Any) -> str:
    """Return BUY or SELL; Unreadable for anything else."""
    found = SIDES.get(str(word or "").strip().upper())
    if found is None:
        raise Unreadable(f"Breeze's side {word!r} is neither buy nor sell")
    return found


def moment(text: Any) -> dt.datetime:
    """Return a moment Breeze wrote: wall-clock IST, whatever letter it ends with; Unreadable when it is none."""
    found = MOMENT.fullmatch(str(text or "").strip())
    try:
        if found is None:
            raise ValueError(text)
        if found["iso"]:
            day = dt.date.fromisoformat(found["iso"])
        else:
            day = dt.date(int(found["y"]), MONTHS[found["mon"].lower()], int(found["d"]))
        time = dt.time(int(found["h"] or 0), int(found["m"] or 0), int(found["s"] or 0))
    except (ValueError, KeyError):
        raise Unreadable(f"Breeze's date {text!r} cannot be read") from None
    return dt.datetime.combine(day, time, IST)


def written(at: dt.datetime) -> str:
    """Return an aware moment as Breeze wants it: wall-clock IST with a Z that is not true."""
    return f"{at.astimezone(IST):%Y-%m-%dT%H:%M:%S}.000Z"


def number(value: Any, name: str) -> Decimal:
    """Return a number from Breeze's string or JSON number, exactly; Unreadable for anything else."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        found = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        raise Unreadable(f"Breeze's {name} {value!r} is not a number") from None
    if not found.is_finite() or abs(found.adjusted()) > DIGITS:
        raise Unreadable(f"Breeze's {name} {value!r} is not a number")
    return found


def maybe(value: Any, name: str) -> Decimal | None:
    """Return a number above zero, or None where Breeze writes nothing or zero for "unknown"."""
    if value is None or str(value).strip() in ("", "NA", "null"):
        return None
    found = number(value, name)
    if found < 0:
        raise Unreadable(f"Breeze's {name} {value!r} is negative")
    return found or None


def whole(value: Any, name: str) -> int:
    """Return a count of shares, 0 or more; nothing written means 0; Unreadable for a fraction or a negative."""
    if value is None or str(value).strip() == "":
        return 0
    found = number(value, name)
    if found < 0 or found != found.to_integral_value():
        raise Unreadable(f"Breeze's {name} {value!r} is not a count of shares")
    return int(found)
