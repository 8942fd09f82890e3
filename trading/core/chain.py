"""A chain of records: each carries the digest of the one before, so that none can be changed or left out unseen.

A record's place in the chain is where its links put it; its number only counts. So a record that was moved, slipped in
or taken out is told apart from one that was edited. What was cut off the end, or written anew from end to end, is seen
by anchors: digests by number that were kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

RECENT: Final = 4_096  # records back in which one that was slipped in is recognised
EDITED, DELETED, INSERTED, REORDERED, TRUNCATED, REWRITTEN = (
    "edited", "deleted", "inserted", "reordered", "truncated", "rewritten",
)  # fmt: skip


class Link(NamedTuple):
    """One record: ``text`` is everything that is digested, ``previous`` included; ``carried`` is the digest it has."""

    number: int
    previous: str
    text: str
    carried: str


class Break(NamedTuple):
    """Where a chain does not hold, and why; ``what`` is one word."""

    chain: str
    number: int
    why: str
    what: str


class Start(NamedTuple):
    """What stands before the first link: its number and digest."""

    number: int = 0
    digest: str = ""


BEGINNING: Final = Start()


class Torn(NamedTuple):
    """Two neighbours of which the second was not written after the first."""

    left: int
    right: int
    wants: str  # the digest the second follows
    since: int  # number of the record with that digest, when it is a little further back; else -1


def digest(text: str) -> str:
    """Return the SHA-256 of a record's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(payload: dict[str, Any]) -> str:
    """Return a payload as the one text that is digested; what is not finite must be None already."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(slots=True)
class Walk:
    """A chain being read from its beginning, a link at a time, in the order of its numbers; memory does not grow."""

    chain: str = ""
    start: Start = BEGINNING
    anchors: Mapping[int, str] = field(default_factory=dict)
    gapless: bool = True  # whether numbers count without gaps
    found: list[Break] = field(default_factory=list)
    torn: list[Torn] = field(default_factory=list)
    gaps: set[int] = field(default_factory=set)  # numbers after a gap
    ends: dict[str, int] = field(default_factory=dict)  # digest → number of what stands left of a tear
    firsts: dict[int, str] = field(default_factory=dict)  # number → digest of what stands right of a tear
    number: int = 0
    head: str = ""
    count: int = 0
    _recent: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Stand before the first link."""
        self.number, self.head = self.start
        self._recent[self.head] = self.number

    def step(self, link: Link) -> None:
        """Take the next link."""
        if self.gapless and link.number != self.number + 1:
            self._gap(link.number)
        if link.previous != self.head:
            self._tear(link)
        if digest(link.text) != link.carried:
            self._say(link.number, "it was changed after it was written", EDITED)
        if self.anchors and self.anchors.get(link.number, link.carried) != link.carried:
            self._say(link.number, "it is not the record that was anchored", REWRITTEN)
        self.number, self.head = link.number, link.carried
        self.count += 1
        self._recent[link.carried] = link.number
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def pass_over(self, number: int, digest: str) -> None:
        """Go on after a part that could not be read: what follows it must follow its last digest."""
        self.number, self.head = number, digest

    def _say(self, number: int, why: str, what: str) -> None:
        self.found.append(Break(self.chain, number, why, what))

    def _gap(self, number: int) -> None:
        first, last = self.number + 1, number - 1
        self.gaps.add(number)
        if last < first:
            self._say(number, f"record {number} stands where record {first} should", REORDERED)
        elif first == last:
            self._say(first, f"record {first} is missing", DELETED)
        else:
            self._say(first, f"records {first} to {last} are missing", DELETED)

    def _tear(self, link: Link) -> None:
        self.torn.append(Torn(self.number, link.number, link.previous, self._recent.get(link.previous, -1)))
        self.ends[self.head] = self.number
        self.firsts[link.number] = link.carried

    def breaks(self) -> list[Break]:
        """Return where the chain breaks, now that it was read to its end, the lowest number first."""
        last = max(self.anchors, default=0)
        told = list(self.found)
        if last > self.number:
            why = f"records up to {last} were anchored and are gone"
            told.append(Break(self.chain, self.number + 1, why, TRUNCATED))
        told += self._torn()
        return sorted(dict.fromkeys(told), key=lambda one: (one.number, one.what))

    def _torn(self) -> list[Break]:
        """Name what made the neighbours of each tear strangers."""
        lefts = {each.left for each in self.torn}
        self.ends[self.head] = self.number
        wanted = {each.wants for each in self.torn}
        moved = lefts & {each.right for each in self.torn}  # strangers to both neighbours
        told: list[Break] = []
        for each in self.torn:
            known = each.since >= 0 or each.wants in self.ends
            if each.right in moved and known:
                told.append(self._moved(each.right, each))
            elif each.since >= 0 and each.since not in moved:
                told += self._between(each, wanted)
            elif not known:
                told += self._orphan(each)
        if self.torn and not told and not self.found:
            told.append(self._orphan(self.torn[0])[0])
        return told

    def _between(self, tear: Torn, wanted: set[str]) -> list[Break]:
        """Judge the records between two that were neighbours once: slipped in, or moved here from elsewhere."""
        if tear.since == tear.left:  # the same digest twice
            return [Break(self.chain, tear.right, "it stands here twice", INSERTED)]
        first = tear.since + 1
        into = next((one for one in self.torn if one.right == first), None)
        if into is not None and into.wants in self.ends:
            return [self._moved(first, into)]
        carried = self.firsts.get(first)
        if carried is not None and carried in wanted:
            return [Break(self.chain, first, "it does not stand where it was written", REORDERED)]
        numbers = f"records {first} to {tear.left} were" if tear.left > first else "it was"
        return [Break(self.chain, first, f"{numbers} inserted after the chain was written", INSERTED)]

    def _moved(self, number: int, tear: Torn) -> Break:
        after = tear.since if tear.since >= 0 else self.ends[tear.wants]
        where = f"it was written after what is record {after} now" if after else "it was written first"
        return Break(self.chain, number, f"{where} and was moved here", REORDERED)

    def _orphan(self, tear: Torn) -> list[Break]:
        if tear.right in self.gaps:
            return []  # what it follows is what is missing
        why = "it does not follow the record before it: that one was written anew, or one between them was taken out"
        return [Break(self.chain, tear.right, why, DELETED)]


def check(
    links: Iterable[Link], anchors: Mapping[int, str], *, chain: str = "", start: Start = BEGINNING,
    gapless: bool = True,
) -> list[Break]:  # fmt: skip
    """Return where one chain breaks: its links in the order of their numbers, and the anchors kept of it."""
    walk = Walk(chain, start, anchors, gapless)
    for link in links:
        walk.step(link)
    return walk.breaks()
