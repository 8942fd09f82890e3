"""What an issuer does to its shares, as two factors: bars before the ex-date are read in the shares of today.

    kind       terms                              prices before × by                      volumes before × by
    split      old face value:new, 10:2           new / old                               old / new
    bonus      x new for y held, 1:2              y / (x + y)                             (x + y) / y
    rights     x new for y held at S, cum P       (P·y + S·x) / ((x + y)·P)               the inverse
    dividend   D rupees a share, cum P            (P − D) / P                             1
    demerger   what the rest is worth, 0.73       that ratio                              1

A dividend or a demerger leaves the number of shares as it was, so volumes stay. Factors are exact fractions; only
the bars are floats. An action counts as of a day when it was known and effective by then: a decision of today never
sees tomorrow's factor, and a past run read as of its own end is the same for ever.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from trading.core.bar_levels import JUMP
from trading.core.bar_report import FileReport, Finding, Severity
from trading.core.bars import IST_OFFSET, Bars, Floats
from trading.core.errors import Invalid

EPOCH: Final = dt.date(1970, 1, 1).toordinal()
DIGITS: Final = 12  # decimals of a stored factor
LARGEST: Final = 10**7  # of any number in the terms
PLAIN: Final = 10**5  # denominator up to which a stored factor is taken for the fraction that rounds to it
ONE: Final = Fraction(1)
NUMBER: Final = r"(\d{1,9}(?:\.\d{1,6})?)"
PAIR: Final = rf"{NUMBER}\s*(?::|->)\s*{NUMBER}"
GRAMMAR: Final[dict[str, tuple[str, str]]] = {
    "split": (PAIR, "old:new face value, e.g. 10:2; a consolidation is 'consolidation 1:10'"),
    "consolidation": (PAIR, "old:new face value, e.g. consolidation 1:10"),
    "bonus": (PAIR, "new:held, e.g. 1:2 for one new share for two held"),
    "rights": (rf"{PAIR}\s+at\s+{NUMBER}\s+cum\s+{NUMBER}", "new:held at PRICE cum CLOSE, e.g. 3:10 at 500 cum 812.35"),
    "dividend": (rf"{NUMBER}\s+cum\s+{NUMBER}", "AMOUNT cum CLOSE, e.g. 25 cum 500"),
    "demerger": (NUMBER, "the ratio of the price without the part that left to the price with it, e.g. 0.73"),
}
KINDS: Final = ("split", "bonus", "rights", "dividend", "demerger")


class Factors(NamedTuple):
    """What prices and volumes before the ex-date are multiplied by, and the terms they come from, in full."""

    price: Fraction
    volume: Fraction
    terms: str


@dataclass(frozen=True, slots=True)
class Action:
    """One action on one share; ``known_on`` is the first day anybody may reckon with it."""

    kind: str
    ex_date: dt.date
    known_on: dt.date
    price: Fraction
    volume: Fraction
    terms: str = ""

    def counts(self, as_of: dt.date) -> bool:
        """Say whether bars read as of a day are adjusted by it."""
        return self.known_on <= as_of and self.ex_date <= as_of


def split(old: Fraction, new: Fraction) -> Factors:
    """Return the factors of a face value that falls from ``old`` to ``new`` rupees, or rises in a consolidation."""
    if old == new:
        raise Invalid(f"a face value that stays {old} is no split")
    word = "split" if new < old else "consolidation"
    return Factors(new / old, old / new, f"{word} {_text(old)}:{_text(new)}")


def bonus(new: Fraction, held: Fraction) -> Factors:
    """Return the factors of ``new`` free shares for ``held``."""
    return Factors(held / (new + held), (new + held) / held, f"bonus {_text(new)}:{_text(held)}")


def rights(new: Fraction, held: Fraction, issue: Fraction, cum: Fraction) -> Factors:
    """Return the factors of ``new`` shares for ``held`` at ``issue``; ``cum`` is the last close with the right."""
    if issue >= cum:
        raise Invalid(
            f"rights at {_text(issue)} are worth nothing at a close of {_text(cum)}: there is nothing to adjust"
        )
    price = (cum * held + issue * new) / ((new + held) * cum)
    return Factors(price, 1 / price, f"rights {_text(new)}:{_text(held)} at {_text(issue)} cum {_text(cum)}")


def dividend(amount: Fraction, cum: Fraction) -> Factors:
    """Return the factors of a special dividend of ``amount`` rupees a share after a last close with it of ``cum``."""
    if amount >= cum:
        raise Invalid(f"a dividend of {_text(amount)} cannot reach the close of {_text(cum)}")
    return Factors((cum - amount) / cum, ONE, f"dividend {_text(amount)} cum {_text(cum)}")


def demerger(ratio: Fraction) -> Factors:
    """Return the factors of a demerger after which the share is worth ``ratio`` of what it was."""
    if not 0 < ratio < 1:
        raise Invalid(f"a demerger ratio of {_text(ratio)} cannot be: it lies between 0 and 1")
    return Factors(ratio, ONE, f"demerger {_text(ratio)}")


MAKERS: Final[dict[str, Callable[..., Factors]]] = {
    "split": split, "consolidation": split, "bonus": bonus, "rights": rights, "dividend": dividend,
    "demerger": demerger,
}  # fmt: skip


def factors(kind: str, terms: str) -> Factors:
    """Return the factors of an action from its kind and its terms, which may begin with the kind again.

    ``Invalid`` names the kinds there are, how the terms of this one are written, or what is impossible about them.
    """
    if kind not in KINDS:
        raise Invalid(f"kind {kind!r} is not known: use one of {', '.join(KINDS)}")
    word, rest = _worded(kind, " ".join(terms.lower().split()))
    grammar, fix = GRAMMAR[word]
    found = re.fullmatch(grammar, rest)
    if found is None:
        raise Invalid(f"{kind} terms {terms!r} cannot be read: write {fix}")
    numbers = [Fraction(number) for number in found.groups()]
    if not all(0 < number <= LARGEST for number in numbers):
        raise Invalid(f"{kind} terms {terms!r}: every number lies above 0 and up to {LARGEST}")
    if word == "split" and numbers[0] < numbers[1]:
        raise Invalid(f"split terms {terms!r}: the face value falls in a split, so write {fix}")
    made = MAKERS[word](*numbers)
    if min(made.price, made.volume) < Fraction(1, PLAIN):
        raise Invalid(f"{kind} terms {terms!r} change the price more than 100,000 times")
    return made


def _worded(kind: str, terms: str) -> tuple[str, str]:
    """Return the word whose grammar rules the terms, and the terms without it."""
    first, _, rest = terms.partition(" ")
    if first == kind or (kind == "split" and first == "consolidation"):
        return first, rest
    return kind, terms


def _text(number: Fraction) -> str:
    """Return a number of the terms as it is written."""
    return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"


def stored(factor: Fraction) -> Decimal:
    """Return the factor as it is kept, to twelve decimals."""
    return round(Decimal(factor.numerator) / Decimal(factor.denominator), DIGITS)


def exact(kept: Decimal) -> Fraction:
    """Return the factor a kept decimal stands for: the plain fraction that rounds to it, such as 2/3, or itself."""
    plain = Fraction(kept).limit_denominator(PLAIN)
    return plain if stored(plain) == kept else Fraction(kept)


def adjust(bars: Bars, actions: Iterable[Action], as_of: dt.date) -> Bars:
    """Return the bars as holders of ``as_of`` see them: those before each ex-date times its factors.

    Only actions that count as of the day are applied; without one the bars themselves are returned. Bars from the
    ex-date on are never touched.
    """
    due = sorted((action for action in actions if action.counts(as_of)), key=lambda action: action.ex_date)
    places = [int(np.searchsorted(bars.ts, _midnight(action.ex_date), side="left")) for action in due]
    if not any(places):
        return bars
    columns = [column.copy() for column in bars.columns()[1:]]
    price, volume = ONE, ONE
    for at in range(len(due) - 1, -1, -1):
        price, volume = price * due[at].price, volume * due[at].volume
        piece = slice(places[at - 1] if at else 0, places[at])
        for column in columns[:4]:
            column[piece] = _times(column[piece], price)
        columns[4][piece] = _times(columns[4][piece], volume)
    return Bars(bars.ts, *columns)


def _times(column: Floats, factor: Fraction) -> Floats:
    """Return the column times a fraction, rounded once more only: 300 × 2/3 is 200."""
    if factor.numerator < 2**53 and factor.denominator < 2**53:
        return column * float(factor.numerator) / float(factor.denominator)
    return column * float(factor)


def _midnight(day: dt.date) -> int:
    """Return the second (UTC) at which a day begins in India."""
    return (day.toordinal() - EPOCH) * 86_400 - IST_OFFSET


def _day(ts: int) -> dt.date:
    """Return the day in India of a second (UTC)."""
    return dt.date.fromordinal((ts + IST_OFFSET) // 86_400 + EPOCH)


def as_read(bars: Bars, report: FileReport, actions: Sequence[Action], as_of: dt.date) -> tuple[Bars, FileReport]:
    """Return raw ``bars`` adjusted as of a day, and the report of them without the breaks that actions account for.

    Bars that do not fall where a large action says they must were adjusted by whoever made them: they are left as
    they are, with a finding that says so. A break is accounted for when, times the factors of the actions between its
    two bars, nothing unusual is left; an action still to come accounts for it too, as the bars asked for end before it.
    """
    if not actions:
        return bars, report
    carried = [action for action in actions if _carried(bars, action.ex_date, actions)]
    due = [action for action in actions if action not in carried]
    found = [_settled(each, bars, due, as_of) for each in report.findings]
    found += [_noted(action) for action in carried if action.counts(as_of)]
    return adjust(bars, due, as_of), replace(report, findings=tuple(found))


def _carried(bars: Bars, day: dt.date, actions: Sequence[Action]) -> bool:
    """Say whether the bars show no trace of what happened on a day although it would be plain to see."""
    after = int(np.searchsorted(bars.ts, _midnight(day)))
    told = math.log(math.prod(a.price for a in actions if a.ex_date == day))
    if abs(told) <= JUMP or not 0 < after < len(bars):
        return False
    gap = _gap(bars, after)
    return abs(gap) < abs(gap - told)


def _gap(bars: Bars, at: int) -> float:
    return math.log(float(bars.open[at]) / float(bars.close[at - 1]))


def _noted(action: Action) -> Finding:
    message = (
        f"the bars already carry the recorded {action.terms or action.kind} of {action.ex_date}; it is not applied"
    )
    fix = "nothing to do, unless the recorded day or terms are wrong"
    return Finding("already_adjusted", Severity.WARN, 1, message, fix, details={"date": str(action.ex_date)})


def _settled(found: Finding, bars: Bars, actions: Sequence[Action], as_of: dt.date) -> Finding:
    """Return the finding, turned into a mere note when recorded actions account for the break it reports."""
    if found.rule not in ("unadjusted_action", "level_break") or found.span is None:
        return found
    after = int(np.searchsorted(bars.ts, _midnight(_day(found.span[1]))))
    between = [a for a in actions if found.span[0] < _midnight(a.ex_date) <= found.span[1]]
    usable = [a for a in between if a.counts(as_of) or a.ex_date > as_of]
    if not usable or not 0 < after < len(bars):
        return found
    told = math.log(math.prod(a.price for a in usable))
    if abs(_gap(bars, after) - told) > JUMP:
        return found
    terms = ", ".join(a.terms or a.kind for a in usable)
    return replace(
        found, rule="adjusted_action", severity=Severity.WARN, fix="nothing to do",
        message=f"{found.message}; it is the recorded {terms}, and older bars are adjusted by it when they are read",
    )  # fmt: skip
